/*
 * condition: those who sleep until somebody notifies them (as Python's Condition), under a mutex.
 *
 * The mutex is that of a lock with a name, or one of the condition's own, which has the condition's
 * name: `mutex` points to whichever it is. A call that waits goes through these states, which its
 * handler notes together with the depth that it has to get back:
 *
 *    asleep ──► notified ──┬──► holds the mutex again: answers true
 *       └─────► expired ───┴──►                        answers false
 *
 * While asleep it waits on the condition's channel CONDITION_SLEEPERS; in the two other states it
 * stands in the queue of the mutex, like all who acquire it. A notification wakes somebody who
 * sleeps at that moment. If the one that was woken goes before it has the mutex, the notification
 * is passed on to the next sleeper, as it would be lost otherwise.
 *
 * A condition keeps its lock's memory, and a scoped lock's life, with a reference. When the lock is
 * deleted the condition is of no more use (`orphaned`), and those who sleep are told.
 */
#pragma once

#include "daemon/objects/lock.h"

/* The channel that sleepers wait on; the mutex of its own has the other one. */
enum { CONDITION_SLEEPERS = MUTEX_WAITERS + 1 };

enum condition_state { CONDITION_AWAKE, CONDITION_ASLEEP, CONDITION_NOTIFIED, CONDITION_EXPIRED };

struct condition {
    struct object object;
    struct mutex own;    /* used if there is no lock */
    struct mutex *mutex; /* &own, or the lock's; the lock's memory is there while it is needed */
    struct object *lock; /* a reference, as a stored value's; NULL: its own mutex, or cleared */
    uint64_t sleepers;   /* calls that are asleep */
    uint64_t notified;   /* how many of them are to wake up now */
    bool orphaned;       /* the lock was deleted */
    TAILQ_ENTRY(condition) of_lock; /* in lock->conditions, unless orphaned */
};

extern const struct object_type condition_type;

static inline struct condition *condition_of(struct object *object)
{
    return (struct condition *)object;
}

/* A new condition with one reference; `lock` may be NULL. 0, or ERR_MEMORY for want of memory. */
int condition_new(const struct object_options *common, struct lock *lock, struct condition **out);

/* What a waiting call notes: its state, and how often it held the mutex. Never 0 when asleep. */
static inline uint64_t condition_note(enum condition_state state, uint64_t depth)
{
    return depth << 2 | state;
}
static inline enum condition_state condition_state(uint64_t note)
{
    return (enum condition_state)(note & 3);
}
static inline uint64_t condition_depth(uint64_t note)
{
    return note >> 2;
}

/* One more sleeps. */
void condition_sleep(struct condition *condition);
/* A sleeper asks: true if it is notified, and then it no longer sleeps. */
bool condition_wake(struct condition *condition);
/* A sleeper's time is up: it no longer sleeps. */
void condition_expire(struct condition *condition);
/* Notifies up to n sleepers that are not notified yet; returns how many. */
uint64_t condition_notify(struct condition *condition, uint64_t n);
