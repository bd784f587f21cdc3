/* ending: see ending.h. */
#include "daemon/call/ending.h"

#include <assert.h>

#include "daemon/call/commits.h"
#include "daemon/call/engine.h"
#include "daemon/call/watching.h"

enum { WAIT_STEPS = 32, TIE_STEPS = 8 };

void session_cancel_all(struct session *session, int error, const char *text)
{
    struct parked *parked;
    for (uint64_t seq = 0; (parked = session_parked_from(session, seq)) != NULL;) {
        seq = parked->of_session.seq + 1;
        if (parked->state == PARKED_WAITS || parked->state == PARKED_WAITS_AWAY) {
            call_cancel(&parked->call, error, text);
        }
    }
}

static void end_waits(struct session *session, struct pace *pace)
{
    struct parked *parked;
    while ((parked = session_parked_from(session, 0)) != NULL) {
        size_t steps = WAIT_STEPS * (parked->nwaits + 1);
        call_drop(&parked->call);
        pace_step(pace, steps);
    }
}

/* Gives back the claims on one object, or waits until others have done so: in a job it may have
 * been deleted before it could be held. */
static void end_claims_on(struct session *session, struct object *object, struct job *job)
{
    if (job != NULL) {
        job_hold(job, object);
    }
    struct tie *tie = session_tie(session, object);
    if (tie != NULL && tie->holding > 0) {
        tie_abandon(tie, session->service->now, job == NULL ? NULL : &job->pace);
    }
    if (job != NULL) {
        job_release(job);
    }
}

static void end_claims(struct session *session, struct job *job)
{
    struct tie *tie;
    for (uint64_t number = 0; (tie = session_tie_from(session, number)) != NULL;) {
        struct object *object = object_ref(tie->object);
        number = object->entry.seq + 1;
        if (tie->holding > 0 || (job != NULL && object_is_busy(object))) {
            end_claims_on(session, object, job);
        }
        object_unref(object);
        if (job != NULL) {
            pace_step(&job->pace, TIE_STEPS);
        }
    }
}

static void end_ties(struct session *session, struct pace *pace)
{
    while (session->nties > 0) {
        struct tie *tie = session->ties[session->nties - 1];
        if (!session_close(session, tie->object)) {
            session_tie_check(tie);
        }
        pace_step(pace, TIE_STEPS);
    }
}

/* All of it; without a job no object that it has claims on may be at work. */
static void end(struct session *session, struct job *job)
{
    struct pace *pace = job == NULL ? NULL : &job->pace;
    session_end_watches(session, pace);
    end_waits(session, pace);
    session_end_output(session, job);
    end_claims(session, job);
    if (job == NULL) {
        service_drain(session->service);
    }
    end_ties(session, pace);
    session_deinit(session);
    session->ended(session);
}

static void end_in_steps(struct job *job, void *data)
{
    end(data, job);
}

/* True if ending it is much, or has to wait for others. */
static bool needs_job(struct session *session)
{
    uint64_t steps =
        session->calls.live * WAIT_STEPS + session->nties * TIE_STEPS + session_holding(session);
    const struct parked *parked = session_parked_from(session, 0);
    if (parked != NULL && parked->nwaits > 1) {
        steps += session->calls.live * parked->nwaits * WAIT_STEPS;
    }
    return steps > session->service->jobs.most_at_once || !session_output_is_little(session) ||
           session->service->jobs.count > 0;
}

void session_end(struct session *session, void (*ended)(struct session *session))
{
    struct service *service = session->service;
    assert(session->unfinished == 0);
    session->gone = true;
    session->ended = ended;
    session_settle(session);
    if (service->engine != NULL) {
        service->engine->session_ends(service->engine->data, session);
    }
    if (session->is_dirty) {
        session->is_dirty = false;
        TAILQ_REMOVE(&service->dirty, session, dirty);
    }
    TAILQ_REMOVE(&service->sessions, session, link);
    session_unhold(session);
    if (needs_job(session) && job_new(&service->jobs, end_in_steps, session) != NULL) {
        return;
    }
    service_finish(service); /* none is under way, or there is no memory for one more */
    end(session, NULL);
}
