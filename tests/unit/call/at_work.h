/*
 * at_work: what tests of things that go on have in common: an object that a job works on for as
 * long as a test likes, and sessions that end without anything being run to its end.
 */
#pragma once

#include "tests/support/stage.h"

struct work {
    struct stage *stage;
    struct job *job;
    bool done;
};

/* From now on a job holds the object, which nobody holds. The test runs the jobs by hand. */
void work_begin(struct work *work, struct stage *stage, const char *name);
/* The job is told to end; it does so at its next turn. */
void work_end(struct work *work);

/* The session ends, as actor_leave and actor_vanish do it, but not a step of what has to be done in
 * steps. Its memory goes by itself. */
void actor_begin_leave(struct actor *actor);
void actor_begin_vanish(struct actor *actor);

/* The object of that name; fails if there is none. */
struct object *stage_object(struct stage *stage, const char *name);

/* Around each test: *state is a stage. */
int scene_set_up(void **state);
int scene_tear_down(void **state);

/* From now on all that can be is done in steps, which the test runs. */
void scene_by_hand(struct stage *stage);
/* So many steps, or as many as there are; true if there were that many. */
bool scene_steps(struct stage *stage, unsigned count);

/* Two sessions, and objects by the first letter of their types: q and r, e, d, m (the mutex), c, b.
 */
void scene_begin(void **state, struct actor **a, struct actor **b);
/* The end of a test that has run things by hand, with both. */
void scene_leave(struct actor *a, struct actor *b);
