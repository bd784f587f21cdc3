/* deleting: see deleting.h. */
#include "daemon/call/deleting.h"

enum { DELETED_AT_ONCE = 64, WAIT_STEPS = 32, TIE_STEPS = 8 };

static const char deleted_text[] = "the object was deleted while the call waited";

/* Ends the waits on an object. */
static void end_waits(struct object *object, struct pace *pace)
{
    for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
        struct wait *wait;
        while ((wait = TAILQ_FIRST(&object->waits[channel])) != NULL) {
            call_cancel(wait->call, ERR_DELETED, deleted_text);
            pace_step(pace, WAIT_STEPS);
        }
    }
}

/* Ends the waits of one object's calls on another one. */
static void end_waits_elsewhere(struct object *other, const struct object *of)
{
    for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
        struct wait *next;
        for (struct wait *wait = TAILQ_FIRST(&other->waits[channel]); wait != NULL; wait = next) {
            next = TAILQ_NEXT(wait, link);
            if (wait->call->object == of) {
                call_cancel(wait->call, ERR_DELETED, deleted_text);
            }
        }
    }
}

/* Ends the waits on an object, those of its calls that wait elsewhere, and those on the objects
 * that cannot be without it. */
static void end_all_waits(struct object *object, struct pace *pace)
{
    const struct object_type *type = object->type;
    struct object *other;
    while (type->next_dependent != NULL && (other = type->next_dependent(object)) != NULL) {
        (void)object_ref(other);
        end_waits(other, pace); /* some may move to this one meanwhile */
        object_unref(other);
    }
    end_waits(object, pace);
    if (type->waits_elsewhere != NULL && (other = type->waits_elsewhere(object)) != NULL) {
        end_waits_elsewhere(other, object);
    }
}

/* Ends what sessions have of it. */
static void end_ties(struct service *service, struct object *object, struct pace *pace)
{
    struct tie *tie;
    while ((tie = TAILQ_FIRST(&object->ties)) != NULL) {
        if (tie->holding > 0) {
            tie_abandon(tie, service->now, pace);
        }
        if (tie->open) {
            tie->open = false;
            object->opens--;
        }
        session_tie_check(tie);
        pace_step(pace, TIE_STEPS);
    }
}

/* Ends all that has to do with a deleted object. */
static void end(struct service *service, struct object *object, struct pace *pace)
{
    object_end_watches(object, EVENT_deleted);
    end_all_waits(object, pace);
    end_ties(service, object, pace);
    object_clear(object, pace);
}

void service_delete(struct service *service, struct object *object, struct pace *pace)
{
    object_settle(object, true);
    object_unready(object);
    heap_remove(&service->deadlines, &object->deadline);
    object->deleted = true;
    (void)object_ref(object);
    registry_remove(&service->registry, object);
    user_give_back(object->user, RESOURCE_OBJECTS, 1);
    if (pace != NULL) {
        end(service, object, pace);
    } else {
        object_leave(object);
    }
    object_unref(object);
}

static void end_in_steps(struct job *job, void *data)
{
    struct object *object = data;
    struct service *service = job_service(job);
    job_hold(job, object);
    end(service, object, &job->pace);
    job_release(job);
    object_unref(object);
}

/* How much there is to end, in steps. */
static uint64_t weight_of(const struct object *object)
{
    uint64_t weight = object->type->weight == NULL ? 0 : object->type->weight(object);
    return weight + (uint64_t)object->waiting * WAIT_STEPS + (uint64_t)object->opens * TIE_STEPS;
}

/* Takes over the reference. False: it has to be tried again later. */
static bool end_one(struct service *service, struct object *object)
{
    if ((weight_of(object) > service->jobs.most_at_once || object->hold != NULL) &&
        job_new(&service->jobs, end_in_steps, object) != NULL) {
        return true;
    }
    if (object->hold != NULL) { /* no memory for a job: when others are done with it */
        object_leave(object);
        object_unref(object);
        return false;
    }
    end(service, object, NULL);
    object_unref(object);
    return true;
}

/* Deletes the next object that nobody keeps, or ends the next deleted one. False if there is none
 * for now. */
static bool end_next(struct service *service)
{
    struct object *object = registry_next_leaving(&service->registry);
    if (object == NULL) {
        return false;
    }
    if (object->deleted) {
        return end_one(service, object);
    }
    if (!object_is_kept(object)) {
        service_delete(service, object, NULL);
    }
    object_unref(object);
    return true;
}

static void end_rest(struct job *job, void *data)
{
    struct service *service = data;
    while (end_next(service)) {
        pace_step(&job->pace, WAIT_STEPS);
    }
    service->ending_rest = false;
}

bool service_end_deleted(struct service *service)
{
    int done = 0;
    while (!service->ending_rest && done < DELETED_AT_ONCE && end_next(service)) {
        done++;
    }
    if (done == DELETED_AT_ONCE && job_new(&service->jobs, end_rest, service) != NULL) {
        service->ending_rest = true;
    }
    return done > 0;
}
