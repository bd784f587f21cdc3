/* queue_item: an item of a queue that has something to remember besides its value; see queue.h. */
#pragma once

#include "daemon/objects/packed.h"
#include "daemon/objects/rank.h"
#include "daemon/objects/tie.h"

/* What an item remembers besides its value. Whoever keeps a copy has a reference to the rank. */
struct item_meta {
    struct rank rank;    /* the priority */
    uint64_t seq;        /* order of arrival among equal priorities */
    uint64_t expires;    /* monotonic, nanoseconds; TIME_NEVER: never */
    uint64_t deliveries; /* how often get has returned it */
};

enum item_state { ITEM_DELAYED, ITEM_PACKED, ITEM_RETURNED, ITEM_HEAPED, ITEM_TAKEN, ITEM_DEAD };

struct item {
    struct ordered_entry entry; /* in queue->tickets while taken; seq is the ticket */
    union {
        TAILQ_ENTRY(item) link;         /* in queue->returned or queue->dead */
        struct packed_segment *segment; /* in the packed store: where its record is */
    };
    TAILQ_ENTRY(item) of_tie; /* tie->taken */
    struct tie *tie;          /* who has taken it, or NULL */
    struct blob *value;
    struct item_meta meta;
    uint64_t due; /* when time changes its state: delay, expiry or lease; TIME_NEVER: never */
    union {
        uint64_t ready; /* delayed: when it becomes ready */
        uint64_t taken; /* taken: since when; both monotonic, nanoseconds */
        uint64_t place; /* in the packed store: the number of its record; in queue->returned:
                           less than that of the next one */
    };
    uint32_t due_position;
    uint32_t heap_position; /* in the heap of queue->priority */
    uint8_t state;          /* enum item_state */
    bool to_head;           /* delayed: goes to the head when it is ready (it was given back) */
};
