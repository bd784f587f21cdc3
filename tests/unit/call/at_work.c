/* at_work: see at_work.h. */
#include "tests/unit/call/at_work.h"

#include <stdlib.h>

enum { WORK_MOST = 20000 }; /* turns until it ends by itself, where a test has failed */

struct object *stage_object(struct stage *stage, const char *name)
{
    struct object *object = registry_find(&stage->service.registry, slice_of_string(name));
    assert_non_null(object);
    return object;
}

static void go_on_working(struct job *job, void *data)
{
    const struct work *work = data;
    for (int i = 0; i < WORK_MOST && !work->done; i++) {
        pace_step(&job->pace, 1);
    }
}

void work_begin(struct work *work, struct stage *stage, const char *name)
{
    stage_in_steps(stage);
    stage->by_hand = true;
    *work = (struct work){.stage = stage};
    work->job = job_new(&stage->service.jobs, go_on_working, work);
    assert_non_null(work->job);
    assert_int_equal(job_hold_first(work->job, stage_object(stage, name)), 0);
}

void work_end(struct work *work)
{
    work->done = true;
}

static void free_actor(struct session *session)
{
    free(session); /* the first member of its actor */
}

void actor_begin_vanish(struct actor *actor)
{
    struct service *service = &actor->stage->service;
    actor_forget(actor);
    session_end(&actor->session, free_actor);
    service_drain(service);
}

void actor_begin_leave(struct actor *actor)
{
    actor_read(actor);
    actor_begin_vanish(actor);
}
