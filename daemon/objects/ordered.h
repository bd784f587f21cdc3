/*
 * ordered: a compact hash that keeps the order of insertion: an array of entries, and an index of
 * small slots beside it (the layout of Python's dict since 3.6).
 *
 * The entries are the caller's, by pointer; each begins with a struct ordered_entry, which gets
 * the sequence number of its insertion (1, 2, …; never reused). A removed entry leaves a hole in
 * the array until the next compaction, which happens inside remove: positions are valid only until
 * then, sequence numbers always. Memory follows the number of entries down as well as up. At most
 * 2^31 entries. Nothing here allocates or frees entries.
 *
 * Append, find and remove take constant time on average, whatever the pattern: first in first out,
 * last in first out, or any other. Now and then they grow, compact or shrink the arrays: that takes
 * a pace (pace.h; NULL: in one go). While it gives way every live entry is in the array, though a
 * find need not find it.
 */
#pragma once

#include "daemon/objects/pace.h"
#include "proto/slice.h"

#define ORDERED_NONE UINT32_MAX

/* What an entry costs in the arrays of a large one, on average: 8 to 10 bytes of the entries and 12
 * to 24 of the slots. */
enum { ORDERED_ENTRY_COST = 27 };

struct ordered_entry {
    uint64_t seq;
};

struct ordered {
    struct ordered_entry **entries; /* in order of insertion; a hole is an odd number, see .c */
    uint64_t *slots;                /* hash << 32 | position + 1; 0: free */
    uint64_t next_seq;
    uint32_t first; /* no live entry stands before this position */
    uint32_t used;  /* positions in use, holes included; the last one is live */
    uint32_t cap;
    uint32_t live;
    uint32_t mask; /* number of slots - 1; 0: none yet */
};

/* True if the entry has that key. */
typedef bool ordered_match(const struct ordered_entry *entry, const void *key);

void ordered_init(struct ordered *ordered);
/* The entries must be gone or are the caller's. */
void ordered_deinit(struct ordered *ordered, struct pace *pace);

/* Moves all entries into *out, which is not initialized and is the caller's to deinit, and leaves
 * nothing. Sequence numbers go on. */
void ordered_take(struct ordered *ordered, struct ordered *out);

/* The position of the entry with that hash for which match says true, or ORDERED_NONE. */
uint32_t ordered_find(const struct ordered *ordered, uint32_t hash, ordered_match *match,
                      const void *key);

/* True if an append needs no larger arrays: the usual case. */
static inline bool ordered_has_room(const struct ordered *ordered)
{
    return ordered->used < ordered->cap &&
           ((uint64_t)ordered->live + 1) * 3 <= ((uint64_t)ordered->mask + 1) * 2;
}

/* Makes room, so that the next `more` appends cannot fail. 0, or ERR_MEMORY for want of memory.
 */
int ordered_reserve(struct ordered *ordered, uint32_t more, struct pace *pace);
/* The steps that it takes, at most. */
uint64_t ordered_reserve_steps(const struct ordered *ordered, uint32_t more);

/* Appends an entry, whose seq it sets. 0, or ERR_MEMORY for want of memory. */
int ordered_append(struct ordered *ordered, uint32_t hash, struct ordered_entry *entry);

/* Puts another entry (with the same key and hash) in the place of one; it gets the old one's seq.
 */
void ordered_replace(struct ordered *ordered, uint32_t position, struct ordered_entry *entry);

/* The entry at a position, which was appended with one hash, is found by another from now on. */
void ordered_rehash(struct ordered *ordered, uint32_t position, uint32_t before, uint32_t after);

/* Takes the entry at a position out and returns it; `hash` is the one it was appended with. */
struct ordered_entry *ordered_remove(struct ordered *ordered, uint32_t position, uint32_t hash,
                                     struct pace *pace);
/* The steps that it takes beyond one, at most. */
uint64_t ordered_remove_steps(const struct ordered *ordered, uint32_t position);

/* The first live position at or after `position`, or ORDERED_NONE. ordered_next(o, 0) begins. */
uint32_t ordered_next(const struct ordered *ordered, uint32_t position);
/* The last live position, or ORDERED_NONE. */
uint32_t ordered_last(const struct ordered *ordered);
/* The first live position whose entry has a seq of at least `seq`, or ORDERED_NONE. */
uint32_t ordered_from_seq(const struct ordered *ordered, uint64_t seq);

/* Bytes of the arrays: what is charged beside the entries. */
size_t ordered_cost(const struct ordered *ordered);
/* Bytes of the arrays once `more` entries have been appended: what can be charged beforehand. */
size_t ordered_cost_after(const struct ordered *ordered, uint32_t more);
