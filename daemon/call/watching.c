/*
 * watching: see watching.h.
 *
 * Tests: tests/unit/methods/test_watch.c.
 */
#include "daemon/call/watching.h"

#include "daemon/call/commits.h"

struct watcher *session_watcher(struct session *session)
{
    if (session->watcher == NULL) {
        session->watcher = watcher_new(session, &session->charged, &session->service->pending);
    }
    return session->watcher;
}

int session_watch(struct session *session, struct object *object, uint32_t events)
{
    if (session->gone) {
        return ERR_CANCELLED; /* an engine's answer, while the session ends in steps */
    }
    struct watcher *watcher = session_watcher(session);
    int status = session_admit_tie(session, object);
    if (status < 0) {
        return status;
    }
    struct tie *tie = watcher == NULL ? NULL : session_tie_make(session, object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    status = watch_set(watcher, tie, events);
    session_tie_check(tie);
    return status;
}

void session_unwatch(struct session *session, struct object *object)
{
    struct tie *tie = session_tie(session, object);
    if (tie != NULL && tie->watch != NULL) {
        watch_free(tie->watch);
        session_tie_check(tie);
    }
}

/* A job is at work on a durable object that may be what the events tell of: in which commit that
 * will be is not known before the job is done. */
static bool must_wait_for_job(const struct service *service, const struct watcher *watcher)
{
    const struct object *object;
    if (!watcher->shows) {
        return false;
    }
    TAILQ_FOREACH (object, &service->registry.changed, changed) {
        if (!object->is_gone && object_is_busy(object)) {
            return true;
        }
    }
    return false;
}

bool session_give_events(struct session *session)
{
    struct watcher *watcher = session->watcher;
    size_t before = session->output.bytes.len;
    if (watcher == NULL || must_wait_for_job(session->service, watcher) ||
        !watcher_give(watcher, &session->output.bytes, session_unsent(session))) {
        return false;
    }
    if (watcher->shows) { /* as for answers: nobody is told what is not on disk */
        session_hold(session, commit_of(session->service, NULL),
                     session->output.bytes.len - before);
        watcher->shows = watcher->events.len > 0 || !TAILQ_EMPTY(&watcher->owing);
    }
    return true;
}

/* The ties themselves go when the session closes what it has open. */
void session_end_watches(struct session *session, struct pace *pace)
{
    struct tie *tie;
    for (uint64_t number = 0; (tie = session_tie_from(session, number)) != NULL;) {
        number = tie->object->entry.seq + 1;
        if (tie->watch != NULL) {
            watch_free(tie->watch);
        }
        pace_step(pace, 1);
    }
    watcher_free(session->watcher);
    session->watcher = NULL;
}

void service_give_events(struct service *service)
{
    struct watcher *next;
    for (struct watcher *watcher = TAILQ_FIRST(&service->pending); watcher != NULL;
         watcher = next) {
        next = TAILQ_NEXT(watcher, link);
        if (must_wait_for_job(service, watcher)) {
            continue; /* it is looked again when the job has let go */
        }
        TAILQ_REMOVE(&service->pending, watcher, link);
        watcher->is_told = false;
        if (session_give_events(watcher->session)) {
            session_dirty(watcher->session);
        }
    }
}

void service_check_watches(struct service *service, struct object *object)
{
    struct watch *next;
    for (struct watch *watch = LIST_FIRST(&object->watches); watch != NULL; watch = next) {
        next = LIST_NEXT(watch, of_object);
        struct tie *tie = watch->tie;
        if (!access_granted(&tie->session->credentials, service->accounts.self, object->uid,
                            object->gid, object->mode, ACCESS_READ)) {
            watch_end(watch, EVENT_denied);
            session_tie_check(tie);
        }
    }
}
