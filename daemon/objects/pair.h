/*
 * pair: a key of a dict and its value, in one piece of memory.
 *
 * Behind the struct stand the lengths of key and value (a byte each if they are below 128), the
 * key's bytes and the value's; a value that must be a blob (blob.h) is a pointer to it instead.
 * The key never changes; the value only by pair_overwrite.
 */
#pragma once

#include "daemon/objects/blob.h"
#include "daemon/objects/ordered.h"

struct pair {
    struct ordered_entry entry;
    uint8_t data[];
};

/* Copies of an encoded key and a value (never empty), or NULL for want of memory. */
struct pair *pair_new(struct slice key, struct incoming value);
void pair_free(struct pair *pair); /* NULL is allowed */

/* What a pair costs in memory: the figure that is charged. */
size_t pair_cost(const struct pair *pair);
/* What a pair of a key and a value will cost, but for what the value carries. */
size_t pair_cost_of(struct slice key, struct slice value);
/* The steps (pace.h) that it takes to free it. */
size_t pair_free_steps(const struct pair *pair);

/* The ordered_match of pairs; `key` is a struct slice *. */
bool pair_matches(const struct ordered_entry *entry, const void *key);

/* Both are valid as long as the pair and until it is overwritten. */
struct slice pair_key(const struct pair *pair);
struct stored pair_value(const struct pair *pair);

/* Writes another value over the one that is there, if it has the same length and neither is or may
 * have to be a blob. False: nothing has changed. */
bool pair_overwrite(struct pair *pair, struct incoming value);
