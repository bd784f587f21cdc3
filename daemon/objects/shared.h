/*
 * shared: numbers in shared memory: a value is one, an array a fixed count of them.
 *
 * The items stand in a sealed memfd (mapping.h) that clients map as well:
 *
 *     0                    a pthread_mutex_t for clients: process-shared, robust, error-checking
 *     SHARED_ITEMS         the items, one behind the other
 *
 * The daemon initialises the mutex and never takes it. It changes items with atomic operations of
 * their size, as clients should, so that an addition by one is never lost to another's. It reads
 * nothing but items from the mapping, and every pattern of bits is an item (proto/typecode.h): a
 * client that scribbles over it harms those who use the same object.
 *
 * Charged is the memory of the whole file, in pages, whoever has touched them.
 */
#pragma once

#include "daemon/objects/attachment.h"
#include "daemon/objects/mapping.h"
#include "daemon/objects/object.h"
#include "proto/typecode.h"

/* Where the items begin: behind the mutex, and in no cache line with it. */
enum { SHARED_LOCK = 0, SHARED_ITEMS = 64 };

struct shared {
    struct object object;
    const struct typecode *item;
    uint64_t count;
    struct mapping mapping;
    struct descriptor *descriptor; /* a reference; it has the mapping's fd, for writing */
};

extern const struct object_type shared_value_type; /* of one item */
extern const struct object_type shared_array_type;

static inline struct shared *shared_of(struct object *object)
{
    return (struct shared *)object;
}

struct shared_options {
    const struct object_type *type;
    const struct typecode *item;
    uint64_t count;
};

/* New items, all zero, with one reference. 0; ERR_LIMIT (memory, descriptors); ERR_MEMORY with
 * errno: the system gives no more. */
int shared_new(const struct object_options *common, const struct shared_options *options,
               struct shared **out);

/* The position that an index means: a negative one counts from the end. 0 or ERR_INDEX. */
int shared_position(const struct shared *shared, int64_t index, uint64_t *position);

/* One item, at a position below the count. */
uint64_t shared_get(const struct shared *shared, uint64_t position);
void shared_set(struct shared *shared, uint64_t position, uint64_t bits);
/* As typecode_add. */
int shared_add(struct shared *shared, uint64_t position, const struct header *delta, uint64_t *sum);

/* A descriptor of the memory to be handed out, with a reference of the caller's: for writing, or
 * one that can only be read, which is counted for `reader`. 0, ERR_LIMIT (descriptors), ERR_MEMORY
 * with errno. */
int shared_descriptor(const struct shared *shared, bool writable, struct user *reader,
                      struct descriptor **out);

/* The size of the lock in the mapping. */
size_t shared_lock_size(void);
