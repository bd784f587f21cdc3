/*
 * shared: what the handles of values and arrays are made of (shared_value.c, shared_array.c).
 *
 * Nothing in a struct shared changes while it is open, so that threads need no lock of the
 * library's. What stands in the memory itself is believed no further than the daemon believes it
 * (proto/typecode.h).
 */
#pragma once

#include "client/typed.h"
#include "proto/typecode.h"

#include <fcntl.h>
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

/* The options that are the same for both. */
struct shared_options {
    const struct shared_methods *methods;
    const struct ipcc_open_options *open; /* or NULL */
    struct ipcc_value initial;
    char typecode;
    bool unmapped;
};

/* Opens and maps a new handle, which is required; `map` has what else is given. */
int shared_open(struct ipcc *conn, const char *name, const struct shared_options *options,
                struct option_map *map, struct shared **shared);
int shared_close(struct shared *shared); /* NULL is allowed */

/* One number. `shared` may be NULL: ARGUMENT. The index is looked at for arrays. */
int shared_get(const struct shared *shared, int64_t index, struct header *number);
int shared_set(const struct shared *shared, int64_t index, const struct header *number);
int shared_add(const struct shared *shared, int64_t index, const struct header *delta,
               struct header *sum);

/* The same as C types. A NULL result is ARGUMENT for get. */
int shared_get_value(const struct shared *shared, int64_t index, struct ipcc_value *number);
int shared_get_int(const struct shared *shared, int64_t index, int64_t *number);
int shared_get_float(const struct shared *shared, int64_t index, double *number);
int shared_set_value(const struct shared *shared, int64_t index, struct ipcc_value number);
int shared_set_int(const struct shared *shared, int64_t index, int64_t number);
int shared_set_float(const struct shared *shared, int64_t index, double number);
int shared_add_value(const struct shared *shared, int64_t index, struct ipcc_value delta,
                     struct ipcc_value *sum);
int shared_add_int(const struct shared *shared, int64_t index, int64_t delta, int64_t *sum);
int shared_add_float(const struct shared *shared, int64_t index, double delta, double *sum);

int shared_lock(const struct shared *shared, int64_t timeout_ms, bool *abandoned);
int shared_unlock(const struct shared *shared);
void *shared_data(const struct shared *shared, struct ipcc_shared_layout *layout);

/* For arrays. */

/* DENIED if it is mapped and cannot be written. */
int shared_check_writable(const struct shared *shared, const char *method);
/* A value of a call or an answer as a number; KIND_NIL if it is none. */
struct header shared_number(const struct ipcc_value *value);
/* A number does not go into the type. `status`: TYPE or RANGE. */
int shared_refuse(const struct shared *shared, const char *method, int status);
static inline void *shared_item(const struct shared *shared, uint64_t position)
{
    return shared->items + position * shared->item->size;
}
