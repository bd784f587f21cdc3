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

int scene_set_up(void **state)
{
    *state = stage_new();
    return 0;
}

int scene_tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

void scene_by_hand(struct stage *stage)
{
    stage_in_steps(stage);
    stage->by_hand = true;
}

bool scene_steps(struct stage *stage, unsigned count)
{
    while (count > 0 && stage_step(stage)) {
        count--;
    }
    return count == 0;
}

void scene_begin(void **state, struct actor **a, struct actor **b)
{
    *a = actor_new(*state, 0);
    *b = actor_new(*state, 0);
    check(*a, "queue.open", "['q']", "_map");
    check(*a, "queue.open", "['r']", "_map");
    check(*a, "event.open", "['e']", "_map");
    check(*a, "dict.open", "['d']", "_map");
    check(*a, "lock.open", "['m']", "_map");
    check(*a, "condition.open", "['c', {lock: 'm'}]", "_map");
    check(*a, "barrier.open", "['b', {parties: 2}]", "_map");
}

void scene_leave(struct actor *a, struct actor *b)
{
    a->stage->by_hand = false;
    stage_finish(a->stage);
    actor_leave(a);
    actor_leave(b);
}
