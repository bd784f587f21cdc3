/*
 * semaphore: a number of permits that can be taken and given back (as Python's Semaphore and
 * BoundedSemaphore).
 *
 * What a session has acquired and not released is counted in its tie, so that it can be given back
 * when the session ends (on_disconnect "release"). Whoever releases gives back its own permits
 * first. Of a bounded semaphore the value and all that is held never come to more than the initial
 * value: a release by somebody who holds none (or too few) takes the rest off those who do, the
 * first to have opened or used it first. Of one that is not bounded such a release is a new permit.
 */
#pragma once

#include "daemon/objects/tie.h"

/* The channel that calls wait on: for permits. */
enum { SEMAPHORE_WAITERS };

struct semaphore_options {
    int64_t initial;
    bool bounded;
    bool keep; /* on_disconnect "keep" instead of "release" */
};

struct semaphore {
    struct object object;
    struct semaphore_options options;
    int64_t value; /* permits that can be had now; never negative */
    int64_t held;  /* the sum over the ties */
};

extern const struct object_type semaphore_type;

static inline struct semaphore *semaphore_of(struct object *object)
{
    return (struct semaphore *)object;
}

/* A new semaphore with one reference. 0, or ERR_MEMORY for want of memory. */
int semaphore_new(const struct object_options *common, const struct semaphore_options *options,
                  struct semaphore **out);

/* Takes n permits, no more than there are, for the session of the tie. */
void semaphore_acquire(struct semaphore *semaphore, struct tie *tie, int64_t n);

/* Gives n permits back; `tie` is the caller's, or NULL if it has none. 0, or SEMAPHORE_IDLE_TIES if
 * other sessions hold less than before, so that ties of them may say nothing any more. ERR_VALUE:
 * bounded, and the value would be more than the initial one; ERR_RANGE: more than an int64. Nothing
 * has changed then. */
enum { SEMAPHORE_IDLE_TIES = 1 };
int semaphore_release(struct semaphore *semaphore, struct tie *tie, int64_t n);

/* A tie that says nothing, for session_tie_check, or NULL. Looks at all of them. */
struct tie *semaphore_idle_tie(const struct semaphore *semaphore);
