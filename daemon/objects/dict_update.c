/*
 * dict_update: setting many keys at once, or none of them; see dict.h.
 *
 * The new pairs are first made beside the dict, in a hash of their own in which each key is once.
 * When all of them are there, what they cost is known exactly; once it is charged and room is made,
 * moving them into the dict cannot fail.
 */
#include "daemon/objects/dict.h"

#include "daemon/objects/pair.h"
#include "daemon/objects/registry.h"
#include "proto/message.h"

struct staging {
    struct dict *dict;
    struct ordered pairs;
    uint64_t before;  /* what the pairs cost that will be replaced */
    uint64_t after;   /* what the new ones cost */
    uint32_t missing; /* keys that are not in the dict */
};

static struct pair *staged_at(const struct staging *staging, uint32_t position)
{
    return (struct pair *)staging->pairs.entries[position];
}

static int stage_pair(struct staging *staging, const struct dict_key *key, struct incoming value)
{
    struct pair *pair = pair_new(key->bytes, value);
    if (pair == NULL) {
        return ERR_MEMORY;
    }
    uint32_t there = ordered_find(&staging->pairs, key->hash, pair_matches, &key->bytes);
    if (there != ORDERED_NONE) {
        struct pair *earlier = staged_at(staging, there);
        ordered_replace(&staging->pairs, there, &pair->entry);
        pair_free(earlier);
    } else if (ordered_append(&staging->pairs, key->hash, &pair->entry) != 0) {
        pair_free(pair);
        return ERR_MEMORY;
    }
    return 0;
}

static int stage_map(struct staging *staging, struct incoming map, struct key_fault *fault)
{
    struct header header;
    int status = header_read(map.bytes.data, map.bytes.len, &header);
    struct slice rest = slice_from(map.bytes, header.size);
    for (uint32_t i = 0; i < header.count && status == 0; i++) {
        struct slice raw = value_next(&rest).raw;
        struct incoming value = {value_next(&rest).raw, map.origin};
        struct dict_key key;
        status = dict_key_init(&key, staging->dict, raw, fault);
        if (status == 0) {
            status = stage_pair(staging, &key, value);
        }
        dict_key_deinit(&key);
    }
    return status;
}

/* The position in the dict of a staged key. */
static uint32_t find_staged(const struct staging *staging, const struct pair *pair, uint32_t *hash)
{
    struct dict_key key = {.bytes = pair_key(pair)};
    key.hash = hash_bytes(key.bytes, staging->dict->options.seed);
    *hash = key.hash;
    return dict_find(staging->dict, &key);
}

static void count_costs(struct staging *staging)
{
    for (uint32_t i = ordered_next(&staging->pairs, 0); i != ORDERED_NONE;
         i = ordered_next(&staging->pairs, i + 1)) {
        const struct pair *pair = staged_at(staging, i);
        uint32_t hash;
        uint32_t there = find_staged(staging, pair, &hash);
        staging->after += pair_cost(pair);
        if (there == ORDERED_NONE) {
            staging->missing++;
        } else {
            staging->before += pair_cost((struct pair *)staging->dict->pairs.entries[there]);
        }
    }
}

/* Charges for all of it and makes the room. */
static int admit(struct staging *staging)
{
    struct object *object = &staging->dict->object;
    struct ordered *pairs = &staging->dict->pairs;
    uint64_t arrays = ordered_cost(pairs);
    uint64_t before = staging->before + arrays;
    uint64_t after = staging->after + ordered_cost_after(pairs, staging->missing);
    int status = after > before ? object_charge(object, after - before) : 0;
    if (status == 0 && staging->missing > 0 && ordered_reserve(pairs, staging->missing) != 0) {
        object_release(object, after > before ? after - before : 0);
        object_charge_always(object, ordered_cost(pairs) - arrays);
        status = ERR_MEMORY;
    }
    if (status == 0 && before > after) {
        object_release(object, before - after);
    }
    return status;
}

/* Moves the staged pairs into the dict. */
static void commit(struct staging *staging)
{
    struct ordered *pairs = &staging->dict->pairs;
    for (uint32_t i = ordered_next(&staging->pairs, 0); i != ORDERED_NONE;
         i = ordered_next(&staging->pairs, i + 1)) {
        struct pair *pair = staged_at(staging, i);
        uint32_t hash;
        uint32_t there = find_staged(staging, pair, &hash);
        if (there == ORDERED_NONE) {
            (void)ordered_append(pairs, hash, &pair->entry); /* there is room */
            object_key_added(&staging->dict->object, DICT_WAITERS, hash);
        } else {
            struct pair *old = (struct pair *)pairs->entries[there];
            ordered_replace(pairs, there, &pair->entry);
            pair_free(old);
        }
        dict_tell(staging->dict, EVENT_set, pair_key(pair));
    }
}

static void discard(struct staging *staging)
{
    for (uint32_t i = ordered_next(&staging->pairs, 0); i != ORDERED_NONE;
         i = ordered_next(&staging->pairs, i + 1)) {
        pair_free(staged_at(staging, i));
    }
}

int dict_update(struct dict *dict, struct incoming map, uint64_t *new_keys, struct key_fault *fault)
{
    struct staging staging = {.dict = dict};
    ordered_init(&staging.pairs);
    int status = stage_map(&staging, map, fault);
    if (status == 0) {
        count_costs(&staging);
        status = admit(&staging);
    }
    if (status == 0) {
        commit(&staging);
        *new_keys = staging.missing;
    } else {
        discard(&staging);
    }
    ordered_deinit(&staging.pairs);
    return status;
}
