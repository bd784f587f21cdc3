/* drain: see drain.h. */
#include "daemon/call/drain.h"

#include "daemon/call/watching.h"

static void serve_ready(struct service *service)
{
    struct object *object;
    while ((object = TAILQ_FIRST(&service->registry.ready)) != NULL) {
        object_unready(object);
        if (!object_is_busy(object)) { /* else it is looked at when the job has let it go */
            (void)object_ref(object);
            object_serve(service, object);
            object_unref(object);
        }
    }
}

void service_drain(struct service *service)
{
    bool more;
    do { /* what is deleted first: whoever waits on it gets nothing more from another object */
        more = __builtin_expect(service_has_leaving(service), 0) && service_end_deleted(service);
        serve_ready(service);
    } while (__builtin_expect(more, 0) && service_has_leaving(service));
    if (__builtin_expect(!TAILQ_EMPTY(&service->pending), 0)) {
        service_give_events(service);
    }
}

/* Time. */

static void tick_in_steps(struct job *job, void *data)
{
    struct object *object = data;
    if (!object->deleted) {
        object_tick(object, job_service(job)->now, &job->pace);
    }
    job_release(job);
    object_unref(object);
}

/* Time changes an object: in steps if it may be much. */
static void tick_object(struct service *service, struct object *object)
{
    const struct object_type *type = object->type;
    if (object_is_busy(object)) {
        object->deadline.at = UINT64_MAX; /* it is looked at again when the job has let it go */
        heap_remove(&service->deadlines, &object->deadline);
        return;
    }
    if (type->weight != NULL && type->weight(object) > service->jobs.most_at_once) {
        struct job *job = job_new(&service->jobs, tick_in_steps, object);
        if (job != NULL && job_hold_first(job, object) == 0) {
            (void)object_ref(object);
            object->deadline.at = UINT64_MAX;
            heap_remove(&service->deadlines, &object->deadline);
            return;
        }
        if (job != NULL) {
            job_abandon(job);
        }
    }
    object_tick(object, service->now, NULL);
    object_ready(object);
}

/* One deadline that has passed. */
static void expire(struct service *service, struct deadline *deadline)
{
    if (deadline->of_object) {
        tick_object(service,
                    (struct object *)((char *)deadline - offsetof(struct object, deadline)));
    } else {
        call_time_out(
            &((struct parked *)((char *)deadline - offsetof(struct parked, deadline)))->call);
    }
}

void service_tick(struct service *service, uint64_t now)
{
    service->now = now;
    struct deadline *deadline;
    for (int i = 0; i < TICK_MOST; i++) {
        deadline = heap_top(&service->deadlines);
        if (deadline == NULL || deadline->at > now) {
            return;
        }
        expire(service, deadline);
        service_drain(service);
    }
}

uint64_t service_due(const struct service *service)
{
    const struct deadline *deadline = heap_top(&service->deadlines);
    return deadline == NULL ? UINT64_MAX : deadline->at;
}

/* Jobs. */

void service_work(struct service *service)
{
    if (!jobs_pending(&service->jobs)) {
        return;
    }
    service->now = jobs_now(&service->jobs);
    uint64_t until = service->now + JOBS_SLICE_NS;
    do {
        jobs_step(&service->jobs, until);
        service_drain(service);
        service->now = jobs_now(&service->jobs);
    } while (jobs_pending(&service->jobs) && service->now < until);
}

void service_finish(struct service *service)
{
    while (jobs_pending(&service->jobs)) {
        service_work(service);
    }
}

/* The end. */

void service_clear(struct service *service)
{
    struct object *object;
    service_finish(service);
    while ((object = registry_from(&service->registry, 0)) != NULL) {
        service_delete(service, object, NULL);
        service_drain(service);
    }
    service_finish(service);
}
