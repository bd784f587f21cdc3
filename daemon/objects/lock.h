/*
 * lock: a mutex with a name (as Python's Lock and RLock); what it does is in mutex.h.
 */
#pragma once

#include "daemon/objects/mutex.h"

struct condition; /* daemon/objects/condition.h */

struct lock {
    struct object object;
    struct mutex mutex;
    TAILQ_HEAD(condition_list, condition) conditions; /* that go by this lock */
};

extern const struct object_type lock_type;

static inline struct lock *lock_of(struct object *object)
{
    return (struct lock *)object;
}

/* A new lock that nobody holds, with one reference. 0, or ERR_MEMORY for want of memory. */
int lock_new(const struct object_options *common, const struct mutex_options *options,
             struct lock **out);
