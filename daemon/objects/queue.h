/*
 * queue: a queue of values, plain or joinable (with tickets, as beanstalkd's reserved jobs).
 *
 * An item is in one of these states:
 *
 *    put ──► delayed ──► ready ──► taken ──► done (gone)
 *     └────────────────►  ▲  │      │
 *                         │  └──────┼──► gone (plain queue)
 *                         └─────────┘ given back, lease over, session ended
 *
 * Ready items stand in two places: `returned` (items that came back, at the head) and the store,
 * which for order fifo and lifo is a run of packed segments (packed.h: an item costs its bytes and
 * a few more) and for order priority a heap with a sorted run (priority.h). An item that has
 * something to remember besides its value (a delay, a time to live, a priority, a ticket,
 * deliveries) is a struct item; the packed store then holds a pointer to it in the value's place.
 *
 * Times are monotonic nanoseconds, given as `now`. What is due by then is done by queue_tick, which
 * the service calls before it lets a call in; so every count is exact at that moment.
 */
#pragma once

#include "daemon/objects/ahead_page.h"
#include "daemon/objects/packed.h"
#include "daemon/objects/priority.h"
#include "daemon/objects/queue_item.h"

enum queue_order { QUEUE_FIFO, QUEUE_LIFO, QUEUE_PRIORITY };

/* The channels that calls wait on. */
enum { QUEUE_GETTERS, QUEUE_PUTTERS, QUEUE_JOINERS };

struct queue_options {
    int64_t maxsize; /* queued and delayed items; ≤ 0: unbounded */
    enum queue_order order;
    bool joinable;
    bool discard;             /* on_disconnect: "discard" instead of "requeue" */
    int64_t lease_ms;         /* 0: none */
    int64_t max_deliveries;   /* 0: no limit */
    struct slice dead_letter; /* a queue's name; empty: none */
};

/* The items at the head that are reserved for the session of object.reserved (queue_ahead.c), and
 * how it went with those before. */
struct ahead {
    struct ahead_page *page; /* the session's; while there are some */
    unsigned slot;           /* of the page */
    uint32_t count;          /* items, those included that are known to be taken, */
    uint32_t taken;          /* and how many these are */
    uint64_t since;          /* monotonic, nanoseconds */
    uint32_t most;           /* how many are reserved next time, at most */
    uint32_t pause;          /* gets that are answered with none reserved, from now on, */
    uint32_t next_pause;     /* and when once more others come too early */
};

struct queue {
    struct object object;
    struct queue_options options; /* dead_letter is owned by the queue */
    struct packed packed;         /* fifo, lifo */
    struct priority priority;     /* priority */
    struct item_list returned;    /* at the head; the first is next */
    struct heap due;              /* items that time changes, the earliest first */
    struct ordered tickets;       /* taken items, by ticket */
    struct item_list dead;        /* had max_deliveries: for the dead letter queue */
    uint64_t pass_on_at; /* when those are to go there: monotonic, nanoseconds; 0: at once */
    uint8_t rank_kind;   /* enum rank_kind, of the items in a queue ordered by priority */
    uint64_t next_seq;
    uint64_t ready; /* what a get could return now, were it not paused */
    uint64_t delayed;
    uint64_t tombstones; /* items in the packed store, in its middle, that have expired */
    uint64_t puts;       /* values that were put, and deliveries, since it was made */
    uint64_t gets;
    uint64_t dropped;        /* items that had max_deliveries and no dead letter queue to go to */
    uint64_t expired;        /* items whose time to live ran out */
    struct queue_rows *rows; /* of a durable one: what is saved (queue_rows.h); else NULL */
    struct queue_loading *loading; /* while it is loaded (queue_load.c); else NULL */
    bool shut_down;
    bool drain;         /* shut down: who waits for an item stays until nothing can come back */
    bool paused;        /* no get finds anything */
    uint64_t resume_at; /* when that is over: monotonic, nanoseconds; TIME_NEVER: not by itself */
    struct ahead ahead;
};

struct put_options {
    struct rank rank; /* the caller's reference */
    int64_t delay_ms; /* 0: none */
    int64_t ttl_ms;   /* 0: none */
};

/* A new queue, with one reference. 0, or ERR_MEMORY (memory), ERR_LIMIT. */
int queue_new(const struct object_options *common, const struct queue_options *options,
              struct queue **out);
extern const struct object_type queue_type;

static inline struct queue *queue_of(struct object *object)
{
    return (struct queue *)object;
}

/* Puts a value. `options` may be NULL: none. ERR_FULL, ERR_SHUT_DOWN, ERR_LIMIT, ERR_MEMORY;
 * ERR_TYPE if the queue is ordered by priority and its items have priorities of another kind. */
int queue_put(struct queue *queue, struct incoming value, const struct put_options *options,
              uint64_t now);

/* Puts a value at the head, full or shut down or not: it has been got before, by somebody who does
 * not want it after all. ERR_LIMIT, ERR_MEMORY. */
int queue_return(struct queue *queue, struct incoming value);

/* A value at the head, as a get would return it; valid until the queue next changes. */
struct delivery {
    struct stored value;
    struct item_meta meta; /* deliveries counts this delivery */
    uint64_t ticket;       /* 0: none */
    struct item *item;     /* the queue's own */
};

/* The next item, without taking it. ERR_EMPTY, also while it is paused; ERR_SHUT_DOWN when it is
 * shut down and over: empty, and, if it drains, with nothing taken. ERR_INTERNAL: a fault, and it
 * is sealed now. */
int queue_head(struct queue *queue, struct delivery *out);
/* Plain queue: the item that queue_head has shown is gone. */
void queue_drop_head(struct queue *queue);
/* Joinable queue: takes the item that queue_head has shown for the session of `tie`; sets ticket
 * in *out. ERR_MEMORY for want of memory: nothing has changed. */
int queue_take_head(struct queue *queue, struct tie *tie, uint64_t now, struct delivery *out,
                    struct pace *pace);
/* The steps that it takes, at most, to make room for one ticket more, and for one less. */
uint64_t queue_take_steps(const struct queue *queue);
uint64_t queue_leave_steps(const struct queue *queue);
/* Plain queue: an item whose answer never left comes back to the head. Never fails for a limit;
 * for want of memory the item is lost and counted as dropped. */
void queue_put_back(struct queue *queue, struct stored value, const struct item_meta *meta);

/* After a get for the session of `tie`, which has the queue open, with no one else waiting for an
 * item: reserves the items that follow, `most` at the most, if they and the queue are such that it
 * can be done (queue_ahead.c). How many; with *slot and *generation to be taken by. */
uint32_t queue_reserve(struct queue *queue, struct tie *tie, struct ahead_page *page, uint64_t most,
                       uint64_t now, unsigned *slot, uint32_t *generation);
/* Calls `show` for each of them, with the ticket it is going to have (0: none). */
void queue_show_reserved(const struct queue *queue,
                         void (*show)(void *data, const struct delivery *item), void *data);

/* The taken item of a ticket, or NULL. */
struct item *queue_ticket(const struct queue *queue, uint64_t ticket);
/* The one that task_done without a ticket means: the tie's oldest (tie may be NULL), else, unless
 * there are leases, the queue's oldest, or NULL. */
struct item *queue_oldest_taken(const struct queue *queue, const struct tie *tie);
/* The item is done. Returns the unfinished count left. Clears the claim of its tie. */
uint64_t queue_done(struct queue *queue, struct item *item, struct pace *pace);
/* What follows, a give_back, is to be as if the item had not been taken this time: its deliveries,
 * and the queue's, are what they were before. */
void queue_uncount(struct queue *queue, struct item *item);
/* The item goes back to the head at once (delay_ms 0) or after the delay. */
void queue_give_back(struct queue *queue, struct item *item, int64_t delay_ms, uint64_t now,
                     struct pace *pace);
/* Its lease starts again. */
void queue_touch(struct queue *queue, struct item *item, uint64_t now);

/* Calls `show` for up to `count` taken items from position `start` on, the one that was taken first
 * before all others, until it returns false. */
void queue_taken(const struct queue *queue, uint64_t start, uint64_t count,
                 bool (*show)(void *data, const struct item *item), void *data, struct pace *pace);
/* How many steps that will take, roughly. */
uint64_t queue_taken_steps(const struct queue *queue, uint64_t start, uint64_t count);
/* When the lease of a taken item is over: monotonic, nanoseconds; TIME_NEVER: it has none. */
uint64_t queue_lease(const struct queue *queue, const struct item *item);

uint64_t queue_unfinished(const struct queue *queue); /* queued, delayed and taken */
uint64_t queue_room(const struct queue *queue);       /* how many items it has room for */
bool queue_is_full(const struct queue *queue);

/* Calls `show` for up to `count` values from position `start` in get order, until it returns
 * false. 0 or ERR_MEMORY for want of memory (order priority needs some: what is shown is sorted out
 * of the heap, which nobody but the memory notices). */
int queue_peek(struct queue *queue, uint64_t start, uint64_t count,
               bool (*show)(void *data, struct stored value), void *data, struct pace *pace);
/* How many steps that will take, roughly. */
uint64_t queue_peek_steps(const struct queue *queue, uint64_t start, uint64_t count);

/* Drops queued and delayed items; returns how many. */
uint64_t queue_clear(struct queue *queue, struct pace *pace);
/* How many steps that will take, roughly. */
uint64_t queue_clear_steps(const struct queue *queue);
/* No more puts; `immediate` clears it too, and whether it drains is as `drain` says from now on. It
 * can be done again. */
void queue_shutdown(struct queue *queue, bool immediate, bool drain, struct pace *pace);

/* From now on no get finds anything, for so many milliseconds or (negative) until it is resumed;
 * all else goes on. What an earlier pause said is no more. */
void queue_pause(struct queue *queue, int64_t ms, uint64_t now);
/* Gets go on; nothing if it is not paused. */
void queue_resume(struct queue *queue);
/* What a get could return now. */
static inline uint64_t queue_size(const struct queue *queue)
{
    return queue->paused ? 0 : queue->ready;
}

/* Whether a queue of that name may have that dead letter queue (empty: none). The last queue of a
 * circle to get its name is the one that closes it, so that there never is one; what is longer than
 * the walk is refused unseen. */
enum { DEAD_LETTER_CHAIN_MAX = 64 };
enum dead_letter_fault {
    DEAD_LETTER_FINE,
    DEAD_LETTER_ITSELF, /* it would be its own */
    DEAD_LETTER_CIRCLE, /* its dead items would come back by way of others */
    DEAD_LETTER_LONG,   /* they could be passed on more than DEAD_LETTER_CHAIN_MAX times */
};
enum dead_letter_fault dead_letter_check(const struct registry *registry, struct slice name,
                                         struct slice dead_letter);

/* Those of its taken items that are nobody's, as when it has been made of its rows, come back in
 * their old order, as when a session ends. */
void queue_give_back_untied(struct object *object, uint64_t now);
/* The item of a ticket that is nobody's is taken by the session of that tie, behind what it has
 * taken already. False: there is none, or it is somebody's. */
bool queue_tie(struct queue *queue, uint64_t ticket, struct tie *tie);

/* The next item for the dead letter queue, taken out of the queue, or NULL. */
struct item *queue_next_dead(struct queue *queue);
/* Takes a copy of another queue's dead item, at the tail, whatever the maxsize.
 * ERR_SHUT_DOWN, ERR_LIMIT, ERR_MEMORY; ERR_TYPE: it is durable and may not have the value. */
int queue_receive_dead(struct queue *queue, const struct item *item);
/* Frees an item that queue_next_dead gave out. */
void queue_free_dead(struct queue *queue, struct item *item, bool dropped);
