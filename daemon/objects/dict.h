/*
 * dict: keys to values, in the order in which the keys came (as Python's dict). A namespace is a
 * dict of another type, in which a key must be a str.
 *
 * Keys are kept in canonical form and found by it; values are kept byte for byte as they were
 * sent. Setting a key that is there leaves its place in the order. A pair is one piece of memory
 * (pair.h), the order and the index are struct ordered.
 *
 * What is charged is what the memory really costs: object.bytes is the sum of pair_cost over the
 * pairs and the cost of the arrays beside them. Whatever refuses (ERR_LIMIT, ERR_MEMORY for want
 * of memory) has changed nothing.
 *
 * What looks at, moves or frees many pairs takes a pace (pace.h; NULL: in one go). The functions
 * called *_steps say how many steps such an operation takes, at most.
 *
 * Positions are those of struct ordered: valid until a key is next added or removed. Not built for
 * more than one thread; nothing blocks.
 */
#pragma once

#include "daemon/objects/changes.h"
#include "daemon/objects/waits.h"
#include "daemon/objects/watch.h"

/* The channels that calls wait on: for a key to be there, and, when it has been added, to be asked.
 */
enum { DICT_WAITERS, DICT_WOKEN };

struct dict_options {
    uint64_t seed; /* of the hash, so that nobody can choose colliding keys */
    bool str_keys; /* a key must be a str: a namespace */
};

struct dict {
    struct object object;
    struct ordered pairs;
    struct dict_options options;
    struct changes changes; /* durable: seqs of pairs that are not as their rows are */
    uint64_t saved;         /* pairs from this seq on have no rows yet */
};

extern const struct object_type dict_type;
extern const struct object_type namespace_type; /* of a dict with str_keys */

static inline struct dict *dict_of(struct object *object)
{
    return (struct dict *)object;
}

/* A new, empty dict, with one reference. 0, or ERR_MEMORY for want of memory. */
int dict_new(const struct object_options *common, const struct dict_options *options,
             struct dict **out);

/* A key in the form in which it is looked up. */
struct dict_key {
    struct slice bytes; /* canonical: the param's own bytes, or in `own` */
    uint32_t hash;
    struct buffer own; /* the canonical bytes, if the param's are not */
};

/* Why a value cannot be a key: completes "it is …". */
struct key_fault {
    struct slice key;
    const char *why;
};

/* Makes a key from an encoded value, whose bytes it may go on using. 0; ERR_TYPE with *fault set;
 * ERR_MEMORY for want of memory. dict_key_deinit is right after all three. */
int dict_key_init(struct dict_key *key, const struct dict *dict, struct slice value,
                  struct key_fault *fault, struct pace *pace);
void dict_key_deinit(struct dict_key *key);

static inline uint32_t dict_len(const struct dict *dict)
{
    return dict->pairs.live;
}

/* The position of a key, or ORDERED_NONE. */
uint32_t dict_find(const struct dict *dict, const struct dict_key *key);

/* The pair at a position; valid until the dict next changes. */
struct dict_item {
    uint64_t seq; /* rises with the positions, stays with the key, is never used again */
    struct slice key;
    struct stored value;
};
struct dict_item dict_at(const struct dict *dict, uint32_t position);

/* Going through: the first position at or after one (0 begins); the last one; the first one whose
 * seq is at least `seq`. ORDERED_NONE when there is none. */
uint32_t dict_next(const struct dict *dict, uint32_t position);
uint32_t dict_last(const struct dict *dict);
uint32_t dict_from_seq(const struct dict *dict, uint64_t seq);

/* Adds a key that is not there, at the end. 0, ERR_LIMIT, ERR_MEMORY (memory). */
int dict_insert(struct dict *dict, const struct dict_key *key, struct incoming value,
                struct pace *pace);
/* To make the arrays larger, if they are full; mostly 0. */
static inline uint64_t dict_insert_steps(const struct dict *dict)
{
    return ordered_has_room(&dict->pairs) ? 0 : ordered_reserve_steps(&dict->pairs, 1);
}
/* Gives the key at a position another value. 0, ERR_LIMIT, ERR_MEMORY (memory). */
int dict_replace(struct dict *dict, uint32_t position, struct incoming value);
/* Whichever of the two is right for a key that dict_find has looked for: `position` is what it
 * said.
 */
int dict_set(struct dict *dict, const struct dict_key *key, uint32_t position,
             struct incoming value, struct pace *pace);

/* For the files of the dict: a pair has come, has another value or goes. Tells the event, and notes
 * what is to be saved. */
struct pair; /* pair.h */
void dict_changed(struct dict *dict, enum event_name event, const struct pair *pair);

/* dict_rows.c: object_type.save_options and its like. */
void dict_note_change(struct dict *dict, uint64_t seq);
void dict_save_options(const struct object *object, struct buffer *out);
int dict_make(const struct object_options *common, struct row *options, struct object **out);
int namespace_make(const struct object_options *common, struct row *options, struct object **out);
int dict_save(struct object *object, enum rows which, const struct row_writer *out,
              const struct moment *now);
int dict_load(struct object *object, struct slice key, struct slice value,
              struct row_reader *reader);
int dict_loaded(struct object *object, struct row_reader *reader);

/* Removes the pair at a position. */
void dict_remove(struct dict *dict, uint32_t position, struct pace *pace);
void dict_clear(struct dict *dict, struct pace *pace);
/* To make the arrays smaller, if much is free then; mostly 0. */
static inline uint64_t dict_remove_steps(const struct dict *dict, uint32_t position)
{
    return dict->pairs.cap < PACE_LONG / 8 ? 0 : ordered_remove_steps(&dict->pairs, position);
}
/* To drop everything, and to go through `count` pairs and copy what is not kept by reference. */
uint64_t dict_clear_steps(const struct dict *dict);
uint64_t dict_copy_steps(const struct dict *dict, uint64_t count);

/* Sets every pair of an encoded map, or none: ERR_TYPE (*fault says which key), ERR_LIMIT,
 * ERR_MEMORY. A key that is in the map twice gets the last value and the first place. *new_keys
 * counts the keys that were not in the dict. */
int dict_update(struct dict *dict, struct incoming map, uint64_t *new_keys, struct key_fault *fault,
                struct pace *pace);
uint64_t dict_update_steps(const struct dict *dict, struct slice map);

/* Adds delta to the number of a key, or to `initial` if the key is missing (`position` as for
 * dict_set); appends the new value to *out. ERR_TYPE: not a number; ERR_RANGE; ERR_LIMIT;
 * ERR_MEMORY; then *out may have grown. */
int dict_incr(struct dict *dict, const struct dict_key *key, uint32_t position, struct slice delta,
              struct slice initial, struct buffer *out, struct pace *pace);

/* If the key's value equals *expected (NULL: if the key is missing), sets it to *value (NULL:
 * removes the key; `position` as for dict_set); *done says whether it was so. 0, ERR_LIMIT,
 * ERR_MEMORY (memory). */
int dict_cas(struct dict *dict, const struct dict_key *key, uint32_t position,
             const struct slice *expected, const struct incoming *value, bool *done,
             struct pace *pace);
