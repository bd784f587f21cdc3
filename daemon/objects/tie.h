/*
 * tie: what one session has of one object: whether it has it open, and what it holds of it (the
 * items it has taken from a joinable queue, a lock, permits of a semaphore), and what it watches.
 *
 * A tie exists while there is something to say and is freed with the last of it. It hangs in two
 * places, the session's array (by the object's number) and the object's list; the session's side
 * is kept by daemon/call/session.c.
 */
#pragma once

#include "daemon/objects/object.h"

struct session; /* daemon/call/session.h */
struct item;    /* daemon/objects/queue.h */

TAILQ_HEAD(item_list, item);

struct tie {
    struct session *session;
    struct object *object; /* a reference */
    TAILQ_ENTRY(tie) of_object;
    struct item_list taken; /* queue: items taken and not done, oldest first */
    struct watch *watch;    /* what it wants to be told, or NULL */
    uint64_t holding;       /* how many claims there are: tickets, permits, 1 for a lock */
    struct timespec since;  /* wall clock: since when there have been any; if holding > 0 */
    bool open;
};

/* True if it says nothing any more, so that it can go. */
static inline bool tie_is_idle(const struct tie *tie)
{
    return !tie->open && tie->holding == 0 && tie->watch == NULL;
}

/* So many claims more. */
static inline void tie_claim(struct tie *tie, uint64_t n)
{
    if (tie->holding == 0) {
        (void)clock_gettime(CLOCK_REALTIME, &tie->since);
    }
    tie->holding += n;
}

/* The session leaves what it holds: the object gives it back as its options say
 * (object_type.abandon). A sealed object is not asked; what the tie held of it is lost. */
void tie_abandon(struct tie *tie, uint64_t now, struct pace *pace);
