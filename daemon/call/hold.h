/*
 * hold: an object that a job works on, and who stands behind it.
 *
 * An object is held from the moment at which an operation in steps may have begun. Whoever wants to
 * do anything with it meanwhile becomes a visitor and is let in, one after the other, when the job
 * has let go. As long as there are visitors the object stays held, so that nobody overtakes them.
 * Nothing is reserved of an object that is held (object_settle).
 */
#pragma once

#include "daemon/objects/waits.h"
#include "daemon/objects/pace.h"

struct hold;

struct visitor {
    TAILQ_ENTRY(visitor) link;
    struct hold *hold; /* behind which it stands, or NULL */
    /* It is let in: it stands behind nothing any more. */
    void (*enter)(struct visitor *visitor);
};

struct hold {
    TAILQ_ENTRY(hold) link;    /* in the list of open ones, if nobody has it */
    struct object *object;     /* a reference */
    struct hold_list *open;    /* that list */
    const struct pace *holder; /* the job's; NULL: it is open */
    TAILQ_HEAD(visitor_list, visitor) behind;
    bool letting_in; /* the visitor that was let in is at work */
};

TAILQ_HEAD(hold_list, hold);

/* True if an operation with that pace (NULL: in one go) may not begin now. */
static inline bool object_is_held(const struct object *object, const struct pace *pace)
{
    const struct hold *hold = object->hold;
    return __builtin_expect(hold != NULL, 0) && !hold->letting_in &&
           (pace == NULL || hold->holder != pace);
}

/* True if a job is at work on it, so that its waiters cannot be asked and its timer has to wait. */
static inline bool object_is_busy(const struct object *object)
{
    return __builtin_expect(object->hold != NULL, 0) && object->hold->holder != NULL;
}

/* The object, which nobody holds, is held by that pace. 0 or ERR_MEMORY. */
int hold_new(struct object *object, const struct pace *holder, struct hold_list *open);
/* A hold that is open, or whose visitor was let in just now, is taken over. */
void hold_take(struct hold *hold, const struct pace *holder);
/* The holder lets go. */
void hold_release(struct hold *hold);

/* Stands behind the hold of an object, which there is. */
void visitor_stand(struct visitor *visitor, struct object *object);
/* Goes away, if it stands anywhere. */
void visitor_leave(struct visitor *visitor);

/* Lets the first visitor of an open hold in; the hold goes with the last one. */
void hold_let_in(struct hold *hold);
