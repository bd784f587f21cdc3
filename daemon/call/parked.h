/*
 * parked: a call that has not ended: it waits, or is held up, or is done in steps.
 *
 * One allocation: the call, its params, and the bytes of those, charged to the session; or two, if
 * the bytes are many and stay where they came. It hangs in
 * the session's calls, found by its msgid, until it ends. Besides it stands, according to its
 * state,
 *
 *    PARKED_WAITS     in the list of waits of what it waits on, and in the heap of deadlines if it
 *                     has one. Mostly that is the object that it is a call of; a call may move from
 *                     one to another while it waits. A few wait on several objects at once.
 *    PARKED_HELD_UP   behind the hold of an object (hold.h): it has not begun.
 *    PARKED_RUNS      nowhere: a job does it.
 *    PARKED_AWAY      nowhere: an engine does it (engine.h).
 *    PARKED_WAITS_AWAY  in the heap of deadlines if it has one: it waits in the engine.
 *
 * Those that wait, and those that are away, can be cancelled; the others will be done even if their
 * session goes.
 */
#pragma once

#include "daemon/call/call.h"

enum parked_state {
    PARKED_NOWHERE,
    PARKED_WAITS,
    PARKED_HELD_UP,
    PARKED_RUNS,
    PARKED_AWAY,
    PARKED_WAITS_AWAY,
};

struct parked {
    struct call call; /* first */
    enum parked_state state;
    struct wait wait;
    struct wait *waits; /* owned array; one that waits on several objects stands in the lists with
                           these and not with `wait`; NULL for all others */
    unsigned nwaits;
    uint32_t number;                 /* while it is written down: the place among all calls */
    struct wait *woken_by;           /* by which of them it is asked again */
    struct ordered_entry of_session; /* in session->calls */
    struct deadline deadline;        /* in the service's heap if there is a timeout */
    struct visitor visitor;          /* behind a hold */
    void *away;                      /* the engine's own, of a call that is away */
    uint64_t since;                  /* when it was parked: monotonic, nanoseconds */
    struct charge charge;            /* of its session */
    void *memory;                    /* owned: in which its params lie; NULL: they lie behind it */
    size_t memory_size;
    struct charge answer; /* of its job and what its answer costs so far, if it is done in steps */
};

static inline struct parked *parked_of(struct call *call)
{
    return (struct parked *)call;
}

/* The parked call of that msgid, or NULL. */
struct parked *session_parked(const struct session *session, uint32_t msgid);
/* The oldest parked call whose sequence number is at least `seq`, or NULL. */
struct parked *session_parked_from(const struct session *session, uint64_t seq);

/* A copy of a call in memory of its own, which stands nowhere yet. Its params are copied, or, if
 * `passed` (which may be NULL) has the memory in which they lie, that is taken over. 0; or
 * ERR_LIMIT, ERR_MEMORY. The waits in its wish, if there are some, are taken over in any case.
 * `waits`: it is to wait. One that is only to be done later is charged without asking while its
 * params are short, as it may be what makes room. */
int parked_new(struct call *call, bool waits, struct passed *passed, struct parked **out);
/* The one way out: takes it out of whatever it stands in and frees it. */
void parked_free(struct parked *parked);
/* Before that, of a call that is over: frees what is large of it, in steps. */
void parked_forget(struct parked *parked, struct pace *pace);

/* It waits for what its handler has said (call.wish). 0; or ERR_LIMIT (max_waiting), ERR_MEMORY: it
 * stands nowhere. */
int parked_wait(struct parked *parked);
/* It stands behind the hold of an object; `enter` is called when it is let in. */
void parked_hold_up(struct parked *parked, struct object *object,
                    void (*enter)(struct visitor *visitor));
/* A job does it. */
void parked_run(struct parked *parked);
/* An engine does it. 0; or ERR_LIMIT (max_waiting: it is one that may wait). */
int parked_go_away(struct parked *parked);
/* Of one that is away: it waits there, and its deadline is that: monotonic, nanoseconds;
 * TIME_NEVER: none. 0; or ERR_MEMORY, and nothing has changed. */
int parked_wait_away(struct parked *parked, uint64_t deadline);
static inline bool parked_is_away(const struct parked *parked)
{
    return parked->state == PARKED_AWAY || parked->state == PARKED_WAITS_AWAY;
}
/* It stands nowhere any more. */
void parked_leave(struct parked *parked);

/* Of a call that waited in the daemon before this one. */
struct parked_past {
    uint64_t seq;      /* in its session's calls, above those that are there */
    uint64_t since;    /* monotonic, nanoseconds; so is */
    uint64_t deadline; /* TIME_NEVER: none */
    unsigned nwaits;   /* places where it waits, if they are several; 0: one */
};
/* It waits again, but stands in no list yet: parked_take_place. 0; or ERR_MEMORY, ERR_LIMIT. */
int parked_take_over(struct call *call, const struct parked_past *past, struct parked **out);
/* Its wait of that number, below nwaits, goes to the end of a channel; `asleep` for a key of that
 * hash. 0; ERR_VALUE: there is no such wait, or it stands there already; ERR_MEMORY. */
int parked_take_place(struct parked *parked, uint64_t i, struct object *object, unsigned channel,
                      bool asleep, uint32_t hash);

/* The places where it waits, *count of them; those whose object is NULL do not count. */
struct wait *parked_waits(struct parked *parked, unsigned *count);
