/* service: built up and torn down, objects that go, waiters that are asked; see service.h. */
#include "daemon/call/service.h"

#include <assert.h>
#include <stddef.h>
#include <sys/random.h>
#include <unistd.h>

static bool earlier(const void *a, const void *b)
{
    return ((const struct deadline *)a)->at < ((const struct deadline *)b)->at;
}

static uint32_t *place_of(void *deadline)
{
    return &((struct deadline *)deadline)->place;
}

int service_init(struct service *service, uint64_t now)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        return ERR_MEMORY;
    }
    *service = (struct service){
        .deadlines = {.before = earlier, .place = place_of},
        .now = now,
        .started = now,
        .self = geteuid(),
    };
    accounts_init(&service->accounts);
    registry_init(&service->registry, seed);
    TAILQ_INIT(&service->sessions);
    TAILQ_INIT(&service->dirty);
    TAILQ_INIT(&service->ready);
    TAILQ_INIT(&service->told);
    method_index_init(&service->index);
    (void)clock_gettime(CLOCK_REALTIME, &service->since);
    return 0;
}

void service_deinit(struct service *service)
{
    assert(TAILQ_EMPTY(&service->sessions));
    struct object *object;
    while ((object = registry_from(&service->registry, 0)) != NULL) {
        service_delete(service, object);
    }
    service_drain(service);
    registry_deinit(&service->registry);
    heap_deinit(&service->deadlines);
    accounts_deinit(&service->accounts);
}

void object_ready(struct service *service, struct object *object)
{
    if (!object->is_ready) {
        object->is_ready = true;
        TAILQ_INSERT_TAIL(&service->ready, object, ready);
    }
}

static void unready(struct service *service, struct object *object)
{
    if (object->is_ready) {
        object->is_ready = false;
        TAILQ_REMOVE(&service->ready, object, ready);
    }
}

static void serve_ready(struct service *service)
{
    struct object *object;
    while ((object = TAILQ_FIRST(&service->ready)) != NULL) {
        unready(service, object);
        (void)object_ref(object);
        object_serve(service, object);
        object_unref(object);
    }
}

static void delete_orphans(struct service *service)
{
    struct object *object;
    while ((object = registry_next_orphan(&service->registry)) != NULL) {
        if (!object->deleted && object->opens == 0 && object->contained == 0) {
            service_delete(service, object);
        }
        object_unref(object);
    }
}

void service_drain(struct service *service)
{
    do {
        serve_ready(service);
        delete_orphans(service); /* which may end waits of calls that others wait behind */
    } while (__builtin_expect(!TAILQ_EMPTY(&service->ready), 0));
    if (__builtin_expect(!TAILQ_EMPTY(&service->told), 0)) {
        service_give_events(service);
    }
}

/* Ends the waits on an object of all calls, or of those of one object that was deleted. */
static void end_waits(struct object *object, const struct object *of)
{
    for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
        struct wait *next;
        for (struct wait *wait = TAILQ_FIRST(&object->waits[channel]); wait != NULL; wait = next) {
            next = TAILQ_NEXT(wait, link);
            if (of == NULL || wait->call->object == of) {
                call_cancel(wait->call, ERR_DELETED,
                            "the object was deleted while the call waited");
            }
        }
    }
}

/* Ends the waits on an object that has been taken out of the registry, those of its calls that wait
 * elsewhere, and those on the objects that cannot be without it. */
static void end_all_waits(struct object *object)
{
    const struct object_type *type = object->type;
    struct object *other;
    end_waits(object, NULL);
    if (type->elsewhere != NULL && (other = type->elsewhere(object)) != NULL) {
        end_waits(other, object);
    }
    while (type->dependent != NULL && (other = type->dependent(object)) != NULL) {
        end_waits(other, NULL);
    }
}

/* Ends what sessions have of it. */
static void end_ties(struct service *service, struct object *object)
{
    struct tie *tie;
    while ((tie = TAILQ_FIRST(&object->ties)) != NULL) {
        if (tie->holding > 0) {
            object_abandon(object, tie, service->now, NULL);
            assert(tie->holding == 0);
        }
        if (tie->open) {
            tie->open = false;
            object->opens--;
        }
        session_tie_check(tie);
    }
}

void service_delete(struct service *service, struct object *object)
{
    (void)object_ref(object);
    object->deleted = true;
    registry_remove(&service->registry, object);
    service->accounts.objects--;
    object_end_watches(object, EVENT_deleted);
    end_all_waits(object);
    end_ties(service, object);
    object_clear(object, NULL);
    unready(service, object);
    heap_remove(&service->deadlines, &object->deadline);
    object_unref(object);
}

void service_cancel_all(struct service *service, int error, const char *text)
{
    struct session *session;
    TAILQ_FOREACH (session, &service->sessions, link) {
        struct call *call;
        while ((call = session_call_from(session, 0)) != NULL) {
            call_cancel(call, error, text);
        }
    }
}
