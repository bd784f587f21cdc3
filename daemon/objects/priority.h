/*
 * priority: the ready items of a queue that is ordered by priority: a heap, and a sorted run beside
 * it.
 *
 * Items come into the heap. Who looks at the first n items has them moved into the run, which is an
 * array in get order: each item at most once, and a get would have had to take it out of the heap
 * anyway, so looking far does early what getting would do later, and looking again costs nothing.
 * What is put afterwards and comes before the end of the run stays in the heap until somebody looks
 * that far. The next item is the first of the two.
 *
 * An item whose time is over in the middle of the run stays there as a tombstone (ITEM_DEAD, see
 * item.c) until it comes to be the first, or the run is next cleaned.
 */
#pragma once

#include "daemon/objects/heap.h"
#include "daemon/objects/pace.h"

struct item; /* daemon/objects/queue.h */

struct priority {
    struct heap heap;
    struct item **run; /* owned array; the first one, if there is one, is no tombstone */
    uint32_t begin;    /* the run goes from here */
    uint32_t end;      /* to before here */
    uint32_t cap;
    uint32_t tombstones; /* in the run */
};

void priority_init(struct priority *priority);
void priority_deinit(struct priority *priority); /* items are not touched */

/* As the heap's. */
int priority_reserve(struct priority *priority);
int priority_push(struct priority *priority, struct item *item);

/* The next item, or NULL. */
struct item *priority_first(const struct priority *priority);
/* True if the item cannot be taken out because it stands in the middle of the run. */
bool priority_is_inside(const struct priority *priority, const struct item *item);
/* Takes out an item that is not inside. Tombstones that then stand at the head of the run go, and
 * are given to `bury` one by one. */
void priority_remove(struct priority *priority, struct item *item,
                     void (*bury)(void *data, struct item *item), void *data);

/* Takes any item out, for whoever empties the whole; tombstones too; NULL: there is none left. */
struct item *priority_take_any(struct priority *priority);

/* Takes the tombstones out of the run and gives them to `bury`. */
void priority_clean(struct priority *priority, void (*bury)(void *data, struct item *item),
                    void *data, struct pace *pace);
/* Moves what is needed, so that the first `n` items (or all there are) stand at the beginning of
 * the run. There must be no tombstones. 0, or ERR_MEMORY: fewer do. */
int priority_sort(struct priority *priority, uint64_t n, struct pace *pace);
/* The item at a position below the n that the run has been sorted for. */
static inline struct item *priority_at(const struct priority *priority, uint64_t position)
{
    return priority->run[priority->begin + position];
}

/* Items in the run, tombstones included. */
static inline uint32_t priority_run(const struct priority *priority)
{
    return priority->end - priority->begin;
}
/* Bytes of the run: what is charged beside the items (whose own cost has their place in a heap). */
static inline uint64_t priority_cost(const struct priority *priority)
{
    return (uint64_t)priority->cap * sizeof(struct item *);
}
