/*
 * ahead_page: the memory in which a session notes how many of the items that are reserved for it
 * (queue_ahead.c) it has taken, without a call.
 *
 * It is a mapping of slots of 64 bits, one for each object that something is reserved of just now:
 * the generation of the reservation in the upper half, how much of it is taken in the lower one.
 * The client takes by compare-and-swap, one more in the lower half; the daemon ends a reservation
 * by putting the next generation in, after which no client's swap succeeds. Whatever else a client
 * writes there is believed as far as it says how many, and that is limited by what is reserved.
 */
#pragma once

#include "daemon/objects/mapping.h"

struct object;

enum { AHEAD_SLOTS = 64 };

struct ahead_page {
    struct mapping mapping;              /* its descriptor is the client's alone */
    uint64_t used;                       /* a bit for each slot */
    struct object *objects[AHEAD_SLOTS]; /* whose it is; of one that is used */
    uint32_t generations[AHEAD_SLOTS];   /* what each has in its upper half */
};

/* A new one; *fd is the caller's, open for reading and writing. 0, or ERR_MEMORY with errno. */
int ahead_page_new(struct ahead_page **out, int *fd);
/* No slot may be used. NULL is allowed. */
void ahead_page_free(struct ahead_page *page);
/* What it costs in memory: the figure that is charged. */
uint64_t ahead_page_cost(void);

/* A slot for an object, of which nothing is taken; or -1: all are used. */
int ahead_page_use(struct ahead_page *page, struct object *object);
/* How many are taken according to a slot, up to `most`, which is how many are reserved. */
uint32_t ahead_page_taken(const struct ahead_page *page, unsigned slot, uint32_t most);
/* The same, at the end of the reservation: nothing more can be taken, and the slot is free. */
uint32_t ahead_page_end(struct ahead_page *page, unsigned slot, uint32_t most);
