/*
 * shared: what the handles of values and arrays are made of.
 *
 * Opening and mapping is in shared_open.c, single numbers in shared_number.c, the lock in
 * shared_lock.c, and the functions of the two types in shared_value.c, shared_array.c and
 * shared_range.c.
 *
 * Nothing in a struct shared changes while it is open, so that threads need no lock of the
 * library's. What stands in the memory itself is believed no further than the daemon believes it
 * (proto/typecode.h).
 */
#pragma once

#include "client/handle.h"
#include "proto/typecode.h"

#include <pthread.h>

/* How the calls of a type are named. */
struct shared_methods {
    const char *open;
    const char *map;
    const char *get;
    const char *set;
    const char *add;
    const char *lock; /* not a method: for messages */
    bool indexed;     /* the calls have an index */
};

struct shared {
    struct handle *handle;
    const struct shared_methods *methods;
    const struct typecode *item;
    uint64_t count;
    uint8_t *memory; /* `size` bytes; NULL: not mapped, and calls do the work */
    size_t size;
    uint8_t *items;        /* in memory, or NULL */
    pthread_mutex_t *lock; /* in memory; NULL: there is none that is known */
    bool writable;
};

struct ipcc_shared_value {
    struct shared shared;
};
struct ipcc_shared_array {
    struct shared shared;
};

/* ARGUMENT: there is no handle. */
int shared_no_handle(void);

/* DENIED if it is mapped and cannot be written. */
int shared_check_writable(const struct shared *shared, const char *method);

/* A value of a call or an answer as a number; KIND_NIL if it is none. */
struct header shared_to_number(const struct ipcc_value *value);

/* A number does not go into the type. `status`: TYPE or RANGE. */
int shared_refuse(const struct shared *shared, const char *method, int status);

static inline void *shared_item(const struct shared *shared, uint64_t position)
{
    return shared->items + position * shared->item->size;
}

/* The numbers in memory, or NULL, and how they lie there. `shared` may be NULL. */
void *shared_data(const struct shared *shared, struct ipcc_shared_layout *layout);
