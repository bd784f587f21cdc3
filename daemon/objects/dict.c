/* dict: see dict.h. dict_update is in dict_update.c. */
#include "daemon/objects/dict.h"

#include <stdlib.h>

#include "daemon/objects/bulk.h"
#include "daemon/objects/pair.h"
#include "daemon/objects/registry.h"
#include "proto/value.h"

static struct pair *pair_at(const struct dict *dict, uint32_t position)
{
    return (struct pair *)dict->pairs.entries[position];
}

/* The object. */

static void dict_deinit(struct object *object)
{
    ordered_deinit(&dict_of(object)->pairs, NULL);
    changes_deinit(&dict_of(object)->changes);
}

static void dict_empty(struct object *object, struct pace *pace)
{
    dict_clear(dict_of(object), pace);
}

static size_t dict_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    pack_key_uint(out, "size", dict_len((const struct dict *)object));
    return 1;
}

static uint64_t dict_weight(const struct object *object)
{
    return dict_clear_steps((const struct dict *)object);
}

const struct object_type dict_type = {
    .kind = OBJECT_DICT,
    .size = sizeof(struct dict),
    .deinit = dict_deinit,
    .clear = dict_empty,
    .describe = dict_describe,
    .weight = dict_weight,
    .save_options = dict_save_options,
    .make = dict_make,
    .save = dict_save,
    .load = dict_load,
    .loaded = dict_loaded,
    .durable = true,
};

const struct object_type namespace_type = {
    .kind = OBJECT_NAMESPACE,
    .size = sizeof(struct dict),
    .deinit = dict_deinit,
    .clear = dict_empty,
    .describe = dict_describe,
    .weight = dict_weight,
    .save_options = dict_save_options,
    .make = namespace_make,
    .save = dict_save,
    .load = dict_load,
    .loaded = dict_loaded,
    .durable = true,
};

int dict_new(const struct object_options *common, const struct dict_options *options,
             struct dict **out)
{
    struct dict *dict = calloc(1, sizeof(*dict));
    if (dict == NULL) {
        return ERR_MEMORY;
    }
    int status =
        object_init(&dict->object, options->str_keys ? &namespace_type : &dict_type, common);
    if (status != 0) {
        free(dict);
        return status;
    }
    ordered_init(&dict->pairs);
    dict->options = *options;
    *out = dict;
    return 0;
}

/* Keys. */

/* What is done with a large key is done part by part. */
enum { BYTES_PER_STEP = 4, PART = PACE_STRETCH * BYTES_PER_STEP };

static int check_parts(struct slice value, const char **why, struct pace *pace)
{
    int status = 0;
    for (struct slice rest = value; rest.len > 0 && status == 0;) {
        bool first = rest.len == value.len;
        struct slice part = value_part(&rest, PART);
        status = value_check_key_part(part, first, why);
        pace_step(pace, part.len / BYTES_PER_STEP);
    }
    return status;
}

static int check_key(const struct dict *dict, struct slice value, struct key_fault *fault,
                     struct pace *pace)
{
    struct header header;
    fault->key = value;
    if (dict->options.str_keys &&
        (header_read(value.data, value.len, &header) != 0 || header.kind != KIND_STR)) {
        fault->why = "not a string";
        return ERR_TYPE;
    }
    return pace == NULL || value.len <= PART ? value_check_key(value, &fault->why)
                                             : check_parts(value, &fault->why, pace);
}

static bool is_canonical(struct slice value, struct pace *pace)
{
    if (pace == NULL || value.len <= PART) {
        return value_is_canonical(value);
    }
    bool is = true;
    while (is && value.len > 0) {
        struct slice part = value_part(&value, PART);
        is = value_part_is_canonical(part);
        pace_step(pace, part.len / BYTES_PER_STEP);
    }
    return is;
}

static void make_canonical(struct slice value, struct buffer *out, struct pace *pace)
{
    while (value.len > 0) {
        struct slice part = value_part(&value, PART);
        value_canonical(part, out);
        pace_step(pace, part.len / BYTES_PER_STEP);
    }
}

/* True for the first byte of the usual keys, small integers and strings of up to 31 bytes: they are
 * canonical, and nothing about them needs a check. */
static bool is_plain(uint8_t first)
{
    return first < 0x80 || first >= 0xe0 || (first >= 0xa0 && first < 0xc0);
}

/* Checks a key that is not plain, and makes it canonical. Apart, so that for the usual ones it
 * stays small. */
__attribute__((noinline)) static int prepare_key(struct dict_key *key, const struct dict *dict,
                                                 struct slice value, struct key_fault *fault,
                                                 struct pace *pace)
{
    int status = check_key(dict, value, fault, pace);
    if (status != 0) {
        return status;
    }
    if (!is_canonical(value, pace)) {
        make_canonical(value, &key->own, pace);
        key->bytes = buffer_slice(&key->own);
    }
    return key->own.failed ? ERR_MEMORY : 0;
}

int dict_key_init(struct dict_key *key, const struct dict *dict, struct slice value,
                  struct key_fault *fault, struct pace *pace)
{
    key->bytes = value;
    key->own = (struct buffer){0};
    if (!is_plain(value.data[0]) || dict->options.str_keys) {
        int status = prepare_key(key, dict, value, fault, pace);
        if (status != 0) {
            return status;
        }
    }
    key->hash = hash_bytes(key->bytes, dict->options.seed);
    return 0;
}

void dict_key_deinit(struct dict_key *key)
{
    buffer_deinit(&key->own);
}

/* Looking. */

uint32_t dict_find(const struct dict *dict, const struct dict_key *key)
{
    return ordered_find(&dict->pairs, key->hash, pair_matches, &key->bytes);
}

struct dict_item dict_at(const struct dict *dict, uint32_t position)
{
    const struct pair *pair = pair_at(dict, position);
    return (struct dict_item){pair->entry.seq, pair_key(pair), pair_value(pair)};
}

uint32_t dict_next(const struct dict *dict, uint32_t position)
{
    return ordered_next(&dict->pairs, position);
}

uint32_t dict_last(const struct dict *dict)
{
    return ordered_last(&dict->pairs);
}

uint32_t dict_from_seq(const struct dict *dict, uint64_t seq)
{
    return ordered_from_seq(&dict->pairs, seq);
}

/* Changing. */

void dict_changed(struct dict *dict, enum event_name event, const struct pair *pair)
{
    if (object_is_durable(&dict->object)) {
        dict_note_change(dict, pair->entry.seq);
    }
    if (object_is_watched(&dict->object, event)) {
        const union detail detail = {.value = pair_key(pair)};
        object_tell(&dict->object, event, &detail);
    }
}

/* Charges for larger arrays and makes them. 0, ERR_LIMIT, ERR_MEMORY. */
static __attribute__((noinline)) int grow(struct dict *dict, struct pace *pace)
{
    size_t before = ordered_cost(&dict->pairs);
    size_t cost = ordered_cost_after(&dict->pairs, 1) - before;
    int status = object_charge(&dict->object, cost);
    if (status == 0 && ordered_reserve(&dict->pairs, 1, pace) != 0) {
        object_release(&dict->object, cost - (ordered_cost(&dict->pairs) - before));
        status = ERR_MEMORY;
    }
    return status;
}

int dict_insert(struct dict *dict, const struct dict_key *key, struct incoming value,
                struct pace *pace)
{
    struct pair *pair = pair_new(key->bytes, value);
    if (pair == NULL) {
        return ERR_MEMORY;
    }
    int status = object_charge(&dict->object, pair_cost(pair));
    if (status == 0 && !ordered_has_room(&dict->pairs)) {
        status = grow(dict, pace);
        if (status != 0) {
            object_release(&dict->object, pair_cost(pair));
        }
    }
    if (status != 0) {
        pair_free(pair);
        return status;
    }
    (void)ordered_append(&dict->pairs, key->hash, &pair->entry); /* there is room */
    dict_changed(dict, EVENT_set, pair);
    object_key_added(&dict->object, DICT_WAITERS, key->hash);
    return 0;
}

int dict_replace(struct dict *dict, uint32_t position, struct incoming value)
{
    struct pair *old = pair_at(dict, position);
    if (pair_overwrite(old, value)) {
        dict_changed(dict, EVENT_set, old);
        return 0;
    }
    struct pair *pair = pair_new(pair_key(old), value);
    if (pair == NULL) {
        return ERR_MEMORY;
    }
    int status = object_recharge(&dict->object, pair_cost(old), pair_cost(pair));
    if (status != 0) {
        pair_free(pair);
        return status;
    }
    ordered_replace(&dict->pairs, position, &pair->entry);
    pair_free(old);
    dict_changed(dict, EVENT_set, pair);
    return 0;
}

int dict_set(struct dict *dict, const struct dict_key *key, uint32_t position,
             struct incoming value, struct pace *pace)
{
    return position == ORDERED_NONE ? dict_insert(dict, key, value, pace)
                                    : dict_replace(dict, position, value);
}

void dict_remove(struct dict *dict, uint32_t position, struct pace *pace)
{
    struct pair *pair = pair_at(dict, position);
    size_t arrays = ordered_cost(&dict->pairs);
    uint32_t hash = hash_bytes(pair_key(pair), dict->options.seed);
    (void)ordered_remove(&dict->pairs, position, hash, pace);
    object_release(&dict->object, pair_cost(pair) + arrays - ordered_cost(&dict->pairs));
    dict_changed(dict, EVENT_delete, pair);
    pair_free(pair);
}

void dict_clear(struct dict *dict, struct pace *pace)
{
    const union detail count = {.uint = dict_len(dict)};
    struct ordered pairs;
    object_unsaved(&dict->object, count.uint > 0 ? UNSAVED_ALL : 0);
    ordered_take(&dict->pairs, &pairs);
    for (uint32_t i = ordered_next(&pairs, 0); i != ORDERED_NONE; i = ordered_next(&pairs, i + 1)) {
        struct pair *pair = (struct pair *)pairs.entries[i];
        size_t steps = pair_free_steps(pair);
        pair_free(pair);
        pace_step(pace, steps);
    }
    ordered_deinit(&pairs, pace);
    object_release(&dict->object, dict->object.bytes);
    if (count.uint > 0 && object_is_watched(&dict->object, EVENT_clear)) {
        object_tell(&dict->object, EVENT_clear, &count);
    }
}

uint64_t dict_clear_steps(const struct dict *dict)
{
    return bulk_drop_steps(dict_len(dict), dict->object.bytes);
}

uint64_t dict_copy_steps(const struct dict *dict, uint64_t count)
{
    uint64_t bytes = dict->object.bytes;
    if (count >= dict_len(dict)) {
        count = dict_len(dict);
    } else if (bytes > count * BLOB_MIN) {
        bytes = count * BLOB_MIN;
    }
    return 4 * count + bytes / PACE_STEP_BYTES;
}

int dict_incr(struct dict *dict, const struct dict_key *key, uint32_t position, struct slice delta,
              struct slice initial, struct buffer *out, struct pace *pace)
{
    bool missing = position == ORDERED_NONE;
    struct slice number = missing ? initial : dict_at(dict, position).value.bytes;
    size_t at = out->len;
    int status = value_add(number, delta, out);
    if (status == 0 && out->failed) {
        status = ERR_MEMORY;
    }
    if (status != 0) {
        return status;
    }
    struct slice sum = {out->data + at, out->len - at};
    return dict_set(dict, key, position, incoming_plain(sum), pace);
}

int dict_cas(struct dict *dict, const struct dict_key *key, uint32_t position,
             const struct slice *expected, const struct incoming *value, bool *done,
             struct pace *pace)
{
    bool missing = position == ORDERED_NONE;
    if (missing || expected == NULL) {
        *done = missing && expected == NULL;
    } else {
        *done = value_equal(dict_at(dict, position).value.bytes, *expected);
    }
    if (!*done) {
        return 0;
    }
    if (value != NULL) {
        return dict_set(dict, key, position, *value, pace);
    }
    if (!missing) {
        dict_remove(dict, position, pace);
    }
    return 0;
}
