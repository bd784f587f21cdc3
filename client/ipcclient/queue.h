/*
 * ipcclient/queue: queues, plain and joinable. Part of ipcclient.h; opening and closing is
 * described in ipcclient/object.h.
 */
#ifndef IPCCLIENT_QUEUE_H
#define IPCCLIENT_QUEUE_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_queue; /* a handle: a name, on a connection */

#define IPCC_NO_TICKET (-1) /* ticket: none */

enum ipcc_order {
    IPCC_ORDER_DEFAULT = 0,
    IPCC_ORDER_FIFO,
    IPCC_ORDER_LIFO,
    IPCC_ORDER_PRIORITY /* lowest priority number first */
};

struct ipcc_queue_options {
    struct ipcc_open_options open;
    int64_t maxsize; /* items at most, queued and delayed; negative: unbounded, as by default */
    enum ipcc_order order;
    bool joinable; /* items are taken with a ticket and count as unfinished until task_done */
    /* Of joinable queues: */
    enum ipcc_on_disconnect on_disconnect; /* REQUEUE by default, or DISCARD */
    int64_t lease_ms;        /* a taken item goes back after this time unless touched */
    int64_t max_deliveries;  /* after so many it goes to dead_letter, or is dropped */
    const char *dead_letter; /* the name of a queue */
    bool ahead;              /* of this handle: ipcc_queue_get may get items without a call, which
                                the daemon has reserved for it: see ipcclient/ahead.h */
    uint64_t reserved[3];
};

int ipcc_queue_open(struct ipcc *conn, const char *name, const struct ipcc_queue_options *options,
                    struct ipcc_queue **queue);
int ipcc_queue_close(struct ipcc_queue *queue);
const char *ipcc_queue_name(const struct ipcc_queue *queue);

struct ipcc_put_options {
    struct ipcc_value
        priority;     /* numbers, or strs, or bins: one kind in a queue; IPCC_NONE for 0 */
    int64_t delay_ms; /* not to be got before so many milliseconds */
    int64_t ttl_ms;   /* dropped if not got within so many milliseconds; 0: never */
    bool head;        /* to the head, though the queue may be full or shut down: an item that was
                         got and cannot be used is returned */
    uint64_t reserved[2];
};

/* Puts one value. Waits while the queue is full. IPCC_ERR_FULL, _SHUT_DOWN; _TYPE for a priority of
 * another kind than those in the queue; _DELETED while waiting, as all that wait. `options` may be
 * NULL. */
int ipcc_queue_put(struct ipcc_queue *queue, struct ipcc_value value, int64_t timeout_ms,
                   const struct ipcc_put_options *options);

/* Puts the elements of an array in order. *count is how many were put: fewer than all only if the
 * time ran out or the queue was shut down meanwhile. IPCC_ERR_FULL if none, _SHUT_DOWN, _TYPE. */
int ipcc_queue_put_many(struct ipcc_queue *queue, struct ipcc_value values, int64_t timeout_ms,
                        uint64_t *count);

struct ipcc_item {
    struct ipcc_value value; /* lives as long as the reply it came with */
    int64_t ticket;          /* of a joinable queue, for task_done; else IPCC_NO_TICKET */
    int64_t deliveries;      /* 1 the first time */
    size_t queue;            /* of ipcc_queue_get_any: which of the queues it is from; else 0 */
};

/* Takes the next item. `item` and `reply` are required; free the reply when done with the value.
 * If the item of a plain queue cannot be kept for want of memory, it is lost. IPCC_ERR_EMPTY,
 * _SHUT_DOWN. */
int ipcc_queue_get(struct ipcc_queue *queue, int64_t timeout_ms, struct ipcc_item *item,
                   struct ipcc_reply *reply);

/* Takes one item of several queues of one connection: of the first in the array that has one, else
 * of the first to get one; item->queue is its place in the array. Otherwise as ipcc_queue_get. A
 * queue that is empty and shut down is passed over while there is another one. `count` is 1 to
 * 1000. IPCC_ERR_EMPTY, _SHUT_DOWN (all of them are); _DELETED if one of them is deleted. */
int ipcc_queue_get_any(struct ipcc_queue *const *queues, size_t count, int64_t timeout_ms,
                       struct ipcc_item *item, struct ipcc_reply *reply);

/* Takes up to `max` items; waits for the first one only. `reply` is required: go through it with
 * ipcc_walk_of(&reply->value) and ipcc_walk_item. IPCC_ERR_EMPTY, _SHUT_DOWN. */
int ipcc_queue_get_many(struct ipcc_queue *queue, size_t max, int64_t timeout_ms,
                        struct ipcc_reply *reply);

/* Steps to the next item of an answer of get_many. false when there is none left. Does not block.
 */
bool ipcc_walk_item(struct ipcc_walk *walk, struct ipcc_item *item);

/* Counts a taken item as done. With IPCC_NO_TICKET the session's oldest unfinished one, else the
 * queue's oldest taken one. *unfinished is how many are left. IPCC_ERR_VALUE: none, or not yours.
 */
int ipcc_queue_task_done(struct ipcc_queue *queue, int64_t ticket, uint64_t *unfinished);

/* Puts a taken item back at the head, after delay_ms if that is not 0. IPCC_ERR_VALUE. */
int ipcc_queue_give_back(struct ipcc_queue *queue, int64_t ticket, int64_t delay_ms);

/* The same, as if the item had not been taken: the delivery does not count. IPCC_ERR_VALUE. */
int ipcc_queue_give_back_uncounted(struct ipcc_queue *queue, int64_t ticket, int64_t delay_ms);

/* Starts the lease of a taken item again. IPCC_ERR_VALUE. */
int ipcc_queue_touch(struct ipcc_queue *queue, int64_t ticket);

/* Looks at up to `count` items that are taken and not done, from position `start` on, the one that
 * was taken first before all others. The answer is an array of maps: ticket, value, deliveries,
 * session, pid, uid, client, since and lease_ms, which is nil without a lease. It can be shorter
 * without being the end of the list; an empty one is. */
int ipcc_queue_taken(struct ipcc_queue *queue, size_t start, size_t count,
                     struct ipcc_reply *reply);

/* Waits until nothing is unfinished: queued, delayed or taken. IPCC_ERR_TIMEOUT. */
int ipcc_queue_join(struct ipcc_queue *queue, int64_t timeout_ms);

/* How many items a get could return now; whether a get would find none; whether a put would find
 * no room. Exact at that moment. */
int ipcc_queue_qsize(struct ipcc_queue *queue, uint64_t *size);
int ipcc_queue_empty(struct ipcc_queue *queue, bool *empty);
int ipcc_queue_full(struct ipcc_queue *queue, bool *full);

/* Looks at up to `count` values from position `start` on, in the order in which get would return
 * them; removes nothing. The answer is an array. */
int ipcc_queue_peek(struct ipcc_queue *queue, size_t start, size_t count, struct ipcc_reply *reply);

/* Removes all queued and delayed items; *removed is how many. */
int ipcc_queue_clear(struct ipcc_queue *queue, uint64_t *removed);

/* Lets no get find anything for so many milliseconds, or with IPCC_FOREVER until it is resumed:
 * they wait, or are IPCC_ERR_EMPTY. All else goes on. The last pause counts; resuming a queue that
 * is not paused does nothing. */
int ipcc_queue_pause(struct ipcc_queue *queue, int64_t ms);
int ipcc_queue_resume(struct ipcc_queue *queue);

/* Shuts down as Python 3.13: puts fail, gets drain and then fail; immediate drops the items too. */
int ipcc_queue_shutdown(struct ipcc_queue *queue, bool immediate);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_QUEUE_H */
