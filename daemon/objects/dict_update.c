/*
 * dict_update: setting many keys at once, or none of them; see dict.h.
 *
 * First the map is measured: an index of its keys says which of them are there twice, and so what
 * all of it costs is known and charged before any memory is taken for it. Then the pairs are made
 * beside the dict, each key once, and room for them; moving them into the dict cannot fail.
 *
 * Tests: tests/unit/objects/test_dict.c, test_dict_steps.c and model_dict.c.
 */
#include "daemon/objects/dict.h"

#include <stdlib.h>

#include "daemon/objects/bulk.h"
#include "daemon/objects/pair.h"
#include "daemon/objects/registry.h"
#include "daemon/objects/walk.h"
#include "proto/message.h"
#include "proto/value.h"

enum { KEY_STEPS = 8 }; /* for one key in each of the three passes: it has to be found */

/* In a slot: the pair of this key is made. A message is shorter than that. */
static const uint64_t is_made = UINT64_C(1) << 31;

/* The keys of the map: an open hash of where in it each of them stands, the last time. */
struct index {
    uint64_t *slots; /* hash << 32 | offset in the map, which is never 0; 0: free */
    uint32_t mask;
};

struct update {
    struct dict *dict;
    struct incoming map;
    struct pace *pace;
    struct index index;
    struct pair **made; /* owned; in the order in which their keys came */
    uint32_t nmade;
    uint32_t count;   /* pairs in the map */
    uint32_t keys;    /* different ones */
    uint32_t missing; /* of those, that are not in the dict */
    uint64_t before;  /* what the pairs cost that will be replaced */
    uint64_t after;   /* what the new ones cost */
    uint64_t charged;
};

/* A pair of the map. */
struct entry {
    uint32_t offset; /* where its key begins */
    struct slice raw;
    struct slice value;
};

static struct entry read_entry(const struct update *update, size_t offset)
{
    struct slice rest = slice_from(update->map.bytes, offset);
    struct entry entry = {.offset = (uint32_t)offset};
    entry.raw = walk_next(&rest, update->pace).raw;
    entry.value = walk_next(&rest, update->pace).raw;
    return entry;
}

/* Goes on to the next pair, from a zeroed one to the first. */
static void next_entry(const struct update *update, struct entry *entry)
{
    if (entry->offset == 0) {
        struct header header;
        (void)header_read(update->map.bytes.data, update->map.bytes.len, &header);
        *entry = read_entry(update, header.size);
    } else {
        *entry = read_entry(update, entry->offset + entry->raw.len + entry->value.len);
    }
}

static void entry_done(const struct update *update, const struct entry *entry)
{
    pace_step(update->pace, KEY_STEPS + (entry->raw.len + entry->value.len) / PACE_STEP_BYTES);
}

/* The index. */

static int index_init(struct index *index, uint32_t count)
{
    uint64_t slots = 8;
    while (slots * 2 < (uint64_t)count * 3) {
        slots *= 2;
    }
    index->slots = calloc(slots, sizeof(*index->slots));
    index->mask = (uint32_t)(slots - 1);
    return index->slots == NULL ? ERR_MEMORY : 0;
}

static void index_deinit(struct index *index, struct pace *pace)
{
    bulk_free(index->slots, ((size_t)index->mask + 1) * sizeof(*index->slots), pace);
    *index = (struct index){0};
}

static uint32_t offset_in(uint64_t slot)
{
    return (uint32_t)(slot & (is_made - 1));
}

/* The slot of a key: where it stands, or a free one. */
static uint64_t *index_slot(const struct update *update, const struct dict_key *key,
                            struct slice raw)
{
    const struct index *index = &update->index;
    uint32_t i = key->hash & index->mask;
    for (; index->slots[i] != 0; i = (i + 1) & index->mask) {
        if (index->slots[i] >> 32 == key->hash) {
            struct slice other = slice_from(update->map.bytes, offset_in(index->slots[i]));
            if (value_equal(value_next(&other).raw, raw)) {
                break;
            }
        }
    }
    return &index->slots[i];
}

/* Measuring. */

static void measure_entry(struct update *update, const struct dict_key *key,
                          const struct entry *entry)
{
    uint64_t *slot = index_slot(update, key, entry->raw);
    update->after += pair_cost_of(key->bytes, entry->value);
    if (*slot != 0) {
        struct entry earlier = read_entry(update, offset_in(*slot));
        update->after -= pair_cost_of(key->bytes, earlier.value);
    } else {
        uint32_t there = dict_find(update->dict, key);
        update->keys++;
        if (there == ORDERED_NONE) {
            update->missing++;
        } else {
            update->before += pair_cost((struct pair *)update->dict->pairs.entries[there]);
        }
    }
    *slot = (uint64_t)key->hash << 32 | entry->offset;
}

static int measure(struct update *update, struct key_fault *fault)
{
    struct entry entry = {0};
    int status = index_init(&update->index, update->count);
    for (uint32_t i = 0; i < update->count && status == 0; i++) {
        struct dict_key key;
        next_entry(update, &entry);
        status = dict_key_init(&key, update->dict, entry.raw, fault, update->pace);
        if (status == 0) {
            measure_entry(update, &key, &entry);
        }
        dict_key_deinit(&key);
        entry_done(update, &entry);
    }
    return status;
}

/* Charges for all that is to come. */
static int charge(struct update *update)
{
    const struct ordered *pairs = &update->dict->pairs;
    uint64_t before = update->before + ordered_cost(pairs);
    uint64_t after = update->after + ordered_cost_after(pairs, update->missing);
    uint64_t cost = after > before ? after - before : 0;
    int status = cost > 0 ? object_charge(&update->dict->object, cost) : 0;
    update->charged = status == 0 ? cost : 0;
    return status;
}

/* Making. */

/* Of a key that is in the map more than once: goes on to where it stands last. False if that has
 * been made already. */
static bool last_entry(struct update *update, const struct dict_key *key, struct entry *entry)
{
    uint64_t *slot = index_slot(update, key, entry->raw);
    if ((*slot & is_made) != 0) {
        return false;
    }
    *entry = read_entry(update, offset_in(*slot));
    *slot |= is_made;
    return true;
}

static int make_entry(struct update *update, const struct dict_key *key, struct entry entry)
{
    if (update->keys < update->count && !last_entry(update, key, &entry)) {
        return 0;
    }
    struct pair *pair =
        pair_new(key->bytes, (struct incoming){entry.value, update->map.origin, update->pace});
    if (pair == NULL) {
        return ERR_MEMORY;
    }
    update->made[update->nmade++] = pair;
    /* What the value carries was not foreseen. */
    uint64_t more = pair_cost(pair) - pair_cost_of(key->bytes, entry.value);
    int status = more > 0 ? object_charge(&update->dict->object, more) : 0;
    if (status == 0) {
        update->charged += more;
        update->after += more;
    }
    return status;
}

static int make_pairs(struct update *update)
{
    struct entry entry = {0};
    int status = 0;
    if (update->keys == update->count) {
        index_deinit(&update->index, update->pace); /* none is there twice */
    }
    update->made = malloc(update->keys * sizeof(struct pair *));
    if (update->made == NULL) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < update->count && status == 0; i++) {
        struct dict_key key;
        struct key_fault fault;
        next_entry(update, &entry);
        status = dict_key_init(&key, update->dict, entry.raw, &fault, update->pace);
        if (status == 0) {
            status = make_entry(update, &key, entry);
        }
        dict_key_deinit(&key);
        entry_done(update, &entry);
    }
    return status;
}

static int make_room(struct update *update)
{
    struct ordered *pairs = &update->dict->pairs;
    uint64_t arrays = ordered_cost(pairs);
    index_deinit(&update->index, update->pace);
    if (update->missing == 0) {
        return 0;
    }
    int status = ordered_reserve(pairs, update->missing, update->pace);
    if (status != 0) { /* one of the two arrays may have grown */
        object_charge_always(&update->dict->object, ordered_cost(pairs) - arrays);
    }
    return status;
}

/* Moves the pairs into the dict. */
static void commit(struct update *update)
{
    struct dict *dict = update->dict;
    for (uint32_t i = 0; i < update->nmade; i++) {
        struct pair *pair = update->made[i];
        struct dict_key key = {.bytes = pair_key(pair)};
        key.hash = hash_bytes(key.bytes, dict->options.seed);
        bool may_be_there = update->missing < update->keys;
        uint32_t there = may_be_there ? dict_find(dict, &key) : ORDERED_NONE;
        size_t steps = KEY_STEPS;
        if (there == ORDERED_NONE) {
            (void)ordered_append(&dict->pairs, key.hash, &pair->entry); /* there is room */
            object_key_added(&dict->object, DICT_WAITERS, key.hash);
        } else {
            struct pair *old = (struct pair *)dict->pairs.entries[there];
            steps += pair_free_steps(old);
            ordered_replace(&dict->pairs, there, &pair->entry);
            pair_free(old);
        }
        dict_changed(dict, EVENT_set, pair);
        pace_step(update->pace, steps);
    }
}

static void discard(struct update *update)
{
    for (uint32_t i = 0; i < update->nmade; i++) {
        size_t steps = pair_free_steps(update->made[i]);
        pair_free(update->made[i]);
        pace_step(update->pace, steps);
    }
    object_release(&update->dict->object, update->charged);
}

static void release_surplus(struct update *update, uint64_t arrays)
{
    uint64_t before = update->before + arrays + update->charged;
    object_release(&update->dict->object,
                   before - update->after - ordered_cost(&update->dict->pairs));
}

int dict_update(struct dict *dict, struct incoming map, uint64_t *new_keys, struct key_fault *fault,
                struct pace *pace)
{
    struct header header;
    int status = header_read(map.bytes.data, map.bytes.len, &header);
    if (status != 0) {
        return status;
    }
    *new_keys = 0;
    if (header.count == 0) {
        return 0;
    }
    struct update update = {.dict = dict, .map = map, .pace = pace, .count = header.count};
    uint64_t arrays = ordered_cost(&dict->pairs);
    status = measure(&update, fault);
    status = status == 0 ? charge(&update) : status;
    status = status == 0 ? make_pairs(&update) : status;
    status = status == 0 ? make_room(&update) : status;
    if (status == 0) {
        commit(&update);
        release_surplus(&update, arrays);
        *new_keys = update.missing;
    } else {
        discard(&update);
        index_deinit(&update.index, pace);
    }
    bulk_free(update.made, update.keys * sizeof(struct pair *), pace);
    return status;
}

uint64_t dict_update_steps(const struct dict *dict, struct slice map)
{
    struct header header = {0};
    (void)header_read(map.data, map.len, &header);
    uint64_t passes = 3 * ((KEY_STEPS + 2) * (uint64_t)header.count + map.len / PACE_STEP_BYTES);
    return passes + bulk_drop_steps(header.count, dict->object.bytes) +
           ordered_reserve_steps(&dict->pairs, header.count);
}
