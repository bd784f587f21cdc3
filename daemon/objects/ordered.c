/*
 * ordered: see ordered.h.
 *
 * The index is an open hash with linear probing; removing shifts what follows back, so that there
 * are no tombstones in it and a search ends at the first free slot. It is at most two thirds full.
 *
 * A hole keeps the sequence number of the entry that was there, as an odd number in the place of
 * the pointer (entries are aligned, so no pointer is odd). Sequence numbers therefore rise over all
 * positions, and the position of one is found by halving however many holes there are.
 */
#include "daemon/objects/ordered.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/bulk.h"
#include "proto/error.h"

enum { ENTRY_STEPS = 2 }; /* to put an entry into new slots, and to free the old ones */

enum { ENTRIES_LEAST = 4, ENTRIES_DOUBLE_BELOW = 64, SLOTS_LEAST = 8, HOLES_LEAST = 8 };

static_assert(sizeof(uintptr_t) >= sizeof(uint64_t), "a hole's number fits a pointer");

static const uint32_t entries_most = UINT32_C(1) << 31;

static struct ordered_entry *hole_make(uint64_t seq)
{
    return (struct ordered_entry *)(uintptr_t)(seq << 1 | 1);
}

static bool is_hole(const struct ordered_entry *entry)
{
    return ((uintptr_t)entry & 1) != 0;
}

static uint64_t seq_at(const struct ordered *ordered, uint32_t position)
{
    const struct ordered_entry *entry = ordered->entries[position];
    return is_hole(entry) ? (uint64_t)(uintptr_t)entry >> 1 : entry->seq;
}

void ordered_init(struct ordered *ordered)
{
    *ordered = (struct ordered){.next_seq = 1};
}

/* The sizes of the arrays. */

static uint64_t slots_now(const struct ordered *ordered)
{
    return ordered->mask == 0 ? 0 : (uint64_t)ordered->mask + 1;
}

/* The number of slots for that many entries: not fewer than `slots`. */
static uint64_t slots_for(uint64_t slots, uint64_t live)
{
    if (slots < SLOTS_LEAST) {
        slots = SLOTS_LEAST;
    }
    while (live * 3 > slots * 2) {
        slots *= 2;
    }
    return slots;
}

/* The size of the entries array for that many positions: not smaller than `cap`. Small arrays
 * double; large ones grow by a quarter, to keep what is not used yet small. */
static uint64_t cap_for(uint64_t cap, uint64_t used)
{
    if (cap < ENTRIES_LEAST) {
        cap = ENTRIES_LEAST;
    }
    while (cap < used) {
        cap += cap < ENTRIES_DOUBLE_BELOW ? cap : cap / 4;
    }
    return cap;
}

static size_t arrays_cost(uint64_t cap, uint64_t slots)
{
    return allocation_cost(cap * sizeof(struct ordered_entry *)) +
           allocation_cost(slots * sizeof(uint64_t));
}

size_t ordered_cost(const struct ordered *ordered)
{
    return arrays_cost(ordered->cap, slots_now(ordered));
}

size_t ordered_cost_after(const struct ordered *ordered, uint32_t more)
{
    if (more == 0) {
        return ordered_cost(ordered);
    }
    return arrays_cost(cap_for(ordered->cap, (uint64_t)ordered->used + more),
                       slots_for(slots_now(ordered), (uint64_t)ordered->live + more));
}

void ordered_deinit(struct ordered *ordered, struct pace *pace)
{
    bulk_free(ordered->entries, ordered->cap * sizeof(*ordered->entries), pace);
    bulk_free(ordered->slots, slots_now(ordered) * sizeof(*ordered->slots), pace);
    ordered_init(ordered);
}

void ordered_take(struct ordered *ordered, struct ordered *out)
{
    *out = *ordered;
    ordered_init(ordered);
    ordered->next_seq = out->next_seq;
}

static int entries_resize(struct ordered *ordered, uint64_t cap)
{
    void *entries = realloc(ordered->entries, cap * sizeof(*ordered->entries));
    if (entries == NULL) {
        return ERR_MEMORY;
    }
    ordered->entries = entries;
    ordered->cap = (uint32_t)cap;
    return 0;
}

/* The slots. */

static void slot_insert(uint64_t *slots, uint32_t mask, uint64_t slot)
{
    uint32_t i = (uint32_t)(slot >> 32) & mask;
    while (slots[i] != 0) {
        i = (i + 1) & mask;
    }
    slots[i] = slot;
}

/* Frees slot i: whoever comes behind it without a gap moves up, unless it stands before the place
 * that its hash wants. */
static void slot_remove(uint64_t *slots, uint32_t mask, uint32_t i)
{
    for (uint32_t j = (i + 1) & mask; slots[j] != 0; j = (j + 1) & mask) {
        uint32_t home = (uint32_t)(slots[j] >> 32) & mask;
        if (((j - home) & mask) >= ((j - i) & mask)) {
            slots[i] = slots[j];
            i = j;
        }
    }
    slots[i] = 0;
}

static int slots_resize(struct ordered *ordered, uint64_t count, struct pace *pace)
{
    uint64_t *slots = calloc(count, sizeof(*slots));
    if (slots == NULL) {
        return ERR_MEMORY;
    }
    uint32_t mask = (uint32_t)(count - 1);
    for (uint64_t i = 0; i < slots_now(ordered); i++) {
        if (ordered->slots[i] != 0) {
            slot_insert(slots, mask, ordered->slots[i]);
        }
        pace_each(pace, i);
    }
    bulk_free(ordered->slots, slots_now(ordered) * sizeof(*slots), pace);
    ordered->slots = slots;
    ordered->mask = mask;
    return 0;
}

uint32_t ordered_find(const struct ordered *ordered, uint32_t hash, ordered_match *match,
                      const void *key)
{
    if (ordered->live == 0) {
        return ORDERED_NONE;
    }
    for (uint32_t i = hash & ordered->mask; ordered->slots[i] != 0; i = (i + 1) & ordered->mask) {
        uint64_t slot = ordered->slots[i];
        if ((uint32_t)(slot >> 32) == hash) {
            uint32_t position = (uint32_t)slot - 1;
            if (match(ordered->entries[position], key)) {
                return position;
            }
        }
    }
    return ORDERED_NONE;
}

/* Appending and removing. */

int ordered_reserve(struct ordered *ordered, uint32_t more, struct pace *pace)
{
    uint64_t live = (uint64_t)ordered->live + more;
    uint64_t cap = cap_for(ordered->cap, (uint64_t)ordered->used + more);
    uint64_t slots = slots_for(slots_now(ordered), live);
    if (live > entries_most || (cap > ordered->cap && entries_resize(ordered, cap) != 0)) {
        return ERR_MEMORY;
    }
    return slots > slots_now(ordered) ? slots_resize(ordered, slots, pace) : 0;
}

uint64_t ordered_reserve_steps(const struct ordered *ordered, uint32_t more)
{
    uint64_t have = slots_now(ordered);
    uint64_t need = slots_for(have, (uint64_t)ordered->live + more);
    return need > have ? ENTRY_STEPS * have : 0;
}

int ordered_append(struct ordered *ordered, uint32_t hash, struct ordered_entry *entry)
{
    if (!ordered_has_room(ordered) && ordered_reserve(ordered, 1, NULL) != 0) {
        return ERR_MEMORY;
    }
    assert(!is_hole(entry));
    entry->seq = ordered->next_seq++;
    ordered->entries[ordered->used++] = entry;
    ordered->live++;
    slot_insert(ordered->slots, ordered->mask, (uint64_t)hash << 32 | ordered->used);
    return 0;
}

void ordered_replace(struct ordered *ordered, uint32_t position, struct ordered_entry *entry)
{
    entry->seq = ordered->entries[position]->seq;
    ordered->entries[position] = entry;
}

/* Closes the holes. Without memory for it they stay until the next time. */
static void compact(struct ordered *ordered, struct pace *pace)
{
    size_t size = ordered->used * sizeof(uint32_t);
    uint32_t *moved = malloc(size); /* old position to new + 1 */
    if (moved == NULL) {
        return;
    }
    uint32_t used = 0;
    for (uint32_t i = ordered->first; i < ordered->used; i++) {
        if (!is_hole(ordered->entries[i])) {
            ordered->entries[used++] = ordered->entries[i];
            moved[i] = used;
        }
        pace_each(pace, i);
    }
    for (uint64_t i = 0; i <= ordered->mask; i++) {
        uint64_t slot = ordered->slots[i];
        if (slot != 0) {
            ordered->slots[i] = (slot & ~(uint64_t)UINT32_MAX) | moved[(uint32_t)slot - 1];
        }
        pace_each(pace, i);
    }
    bulk_free(moved, size, pace);
    ordered->first = 0;
    ordered->used = used;
}

/* Holes are closed when they are more than half of what is live. */
static bool has_many_holes(uint64_t used, uint64_t live)
{
    return used - live > live / 2 + HOLES_LEAST;
}

static bool has_large_entries(const struct ordered *ordered, uint64_t used)
{
    return ordered->cap > ENTRIES_LEAST && used < ordered->cap / 3;
}

static bool has_large_slots(const struct ordered *ordered, uint64_t live)
{
    return slots_now(ordered) > SLOTS_LEAST && live * 8 < slots_now(ordered);
}

/* Gives memory back when much of it is free; it keeps enough that the next appends do not ask for
 * it again. Want of memory for the smaller array only means that the larger one stays. */
static void shrink(struct ordered *ordered, struct pace *pace)
{
    if (has_large_entries(ordered, ordered->used)) {
        uint64_t cap = cap_for(0, ordered->used + ordered->used / 4 + 1);
        size_t size = sizeof(*ordered->entries);
        bulk_give_back(ordered->entries, cap * size, ordered->cap * size, pace);
        (void)entries_resize(ordered, cap);
    }
    if (has_large_slots(ordered, ordered->live)) {
        (void)slots_resize(ordered, slots_for(0, (uint64_t)ordered->live * 2), pace);
    }
}

/* Positions at both ends that hold nothing are given up at once. */
static void trim(struct ordered *ordered)
{
    while (ordered->used > ordered->first && is_hole(ordered->entries[ordered->used - 1])) {
        ordered->used--;
    }
    while (ordered->first < ordered->used && is_hole(ordered->entries[ordered->first])) {
        ordered->first++;
    }
    if (ordered->live == 0) {
        ordered->first = 0;
        ordered->used = 0;
    }
}

/* The slot of an entry. */
static uint32_t slot_of(const struct ordered *ordered, uint32_t position, uint32_t hash)
{
    uint64_t slot = (uint64_t)hash << 32 | (position + 1);
    uint32_t i = hash & ordered->mask;
    while (ordered->slots[i] != slot) {
        assert(ordered->slots[i] != 0); /* another hash than the one it was appended with */
        i = (i + 1) & ordered->mask;
    }
    return i;
}

void ordered_rehash(struct ordered *ordered, uint32_t position, uint32_t before, uint32_t after)
{
    slot_remove(ordered->slots, ordered->mask, slot_of(ordered, position, before));
    slot_insert(ordered->slots, ordered->mask, (uint64_t)after << 32 | (position + 1));
}

struct ordered_entry *ordered_remove(struct ordered *ordered, uint32_t position, uint32_t hash,
                                     struct pace *pace)
{
    struct ordered_entry *entry = ordered->entries[position];
    slot_remove(ordered->slots, ordered->mask, slot_of(ordered, position, hash));
    ordered->entries[position] = hole_make(entry->seq);
    ordered->live--;
    trim(ordered);
    if (has_many_holes(ordered->used, ordered->live)) {
        compact(ordered, pace);
    }
    shrink(ordered, pace);
    return entry;
}

uint64_t ordered_remove_steps(const struct ordered *ordered, uint32_t position)
{
    uint64_t live = ordered->live - 1;
    uint64_t used = position + 1 == ordered->used ? live : ordered->used;
    bool compacts = has_many_holes(ordered->used, live);
    uint64_t steps = 0;
    if (compacts) {
        steps += ordered->used + slots_now(ordered) + ordered->used / PACE_STEP_BYTES;
    }
    if (has_large_entries(ordered, compacts ? live : used)) {
        steps += ordered->cap * sizeof(*ordered->entries) / BULK_FREE_STEP;
    }
    if (has_large_slots(ordered, live)) {
        steps += ENTRY_STEPS * slots_now(ordered);
    }
    return steps;
}

/* Going through. */

uint32_t ordered_next(const struct ordered *ordered, uint32_t position)
{
    for (uint32_t i = position > ordered->first ? position : ordered->first; i < ordered->used;
         i++) {
        if (!is_hole(ordered->entries[i])) {
            return i;
        }
    }
    return ORDERED_NONE;
}

uint32_t ordered_last(const struct ordered *ordered)
{
    return ordered->live == 0 ? ORDERED_NONE : ordered->used - 1;
}

uint32_t ordered_from_seq(const struct ordered *ordered, uint64_t seq)
{
    uint32_t low = ordered->first;
    uint32_t high = ordered->used;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (seq_at(ordered, middle) < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return ordered_next(ordered, low);
}
