/* The dict as a data structure: Python's semantics, refusals that change nothing, charges. */
#include "daemon/objects/dict.h"
#include "daemon/objects/pair.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/world.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct world world;
    struct dict *dict;
};

static void begin(struct fixture *fixture)
{
    const struct dict_options options = {.seed = 42};
    world_init(&fixture->world);
    assert_int_equal(dict_new(&fixture->world.options, &options, &fixture->dict), 0);
}

static void end(struct fixture *fixture)
{
    object_unref(&fixture->dict->object);
    world_deinit(&fixture->world);
}

/* Shorthands that take the key as an encoded value. */

static uint32_t find(struct dict *dict, struct slice raw)
{
    struct dict_key key;
    struct key_fault fault;
    assert_int_equal(dict_key_init(&key, dict, raw, &fault, NULL), 0);
    uint32_t position = dict_find(dict, &key);
    dict_key_deinit(&key);
    return position;
}

static int set(struct dict *dict, struct slice raw, struct slice value, bool *is_new)
{
    struct dict_key key;
    struct key_fault fault;
    int status = dict_key_init(&key, dict, raw, &fault, NULL);
    if (status == 0) {
        uint32_t position = dict_find(dict, &key);
        *is_new = position == ORDERED_NONE;
        status = dict_set(dict, &key, position, incoming_plain(value), NULL);
    }
    dict_key_deinit(&key);
    return status;
}

static void must_set(struct dict *dict, struct slice key, struct slice value, bool expect_new)
{
    bool is_new;
    assert_int_equal(set(dict, key, value, &is_new), 0);
    assert_int_equal(is_new, expect_new);
}

static void must_have(struct dict *dict, struct slice key, struct slice value)
{
    uint32_t position = find(dict, key);
    assert_int_not_equal(position, ORDERED_NONE);
    assert_bytes(dict_at(dict, position).value.bytes, value);
}

/* The charge is the sum of what the pairs and the arrays cost. */
static void check_charge(const struct dict *dict)
{
    uint64_t bytes = ordered_cost(&dict->pairs);
    for (uint32_t i = dict_next(dict, 0); i != ORDERED_NONE; i = dict_next(dict, i + 1)) {
        bytes += pair_cost((struct pair *)dict->pairs.entries[i]);
    }
    assert_int_equal(dict->object.bytes, bytes);
    assert_int_equal(dict->object.user->bytes, bytes + object_overhead(&dict->object));
}

/* A bin of that many bytes with its header (bin 32); the caller frees it. */
static struct slice large_value(uint32_t len, uint8_t fill)
{
    uint8_t *bytes = malloc(len + 5);
    assert_non_null(bytes);
    memset(bytes, fill, len + 5);
    bytes[0] = 0xc6;
    bytes[1] = (uint8_t)(len >> 24);
    bytes[2] = (uint8_t)(len >> 16);
    bytes[3] = (uint8_t)(len >> 8);
    bytes[4] = (uint8_t)len;
    return (struct slice){bytes, len + 5};
}

static void free_value(struct slice value)
{
    free((void *)(uintptr_t)value.data);
}

static void set_says_whether_the_key_is_new(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    must_set(fixture.dict, VALUE("\xa1k"), VALUE("\x01"), true);
    must_set(fixture.dict, VALUE("\xa1k"), VALUE("\x02"), false);
    must_have(fixture.dict, VALUE("\xa1k"), VALUE("\x02"));
    assert_int_equal(dict_len(fixture.dict), 1);
    end(&fixture);
}

static void equal_keys_are_one_key_however_they_are_encoded(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    must_set(fixture.dict, VALUE("\xd3\0\0\0\0\0\0\0\x05"), VALUE("\x01"), true);
    must_set(fixture.dict, VALUE("\x05"), VALUE("\x02"), false);
    must_set(fixture.dict, VALUE("\xcc\x05"), VALUE("\x03"), false);
    assert_bytes(dict_at(fixture.dict, 0).key, VALUE("\x05"));
    must_set(fixture.dict, VALUE("\xca\x3f\x80\0\0"), VALUE("\x04"), true);
    must_have(fixture.dict, VALUE("\xcb\x3f\xf0\0\0\0\0\0\0"), VALUE("\x04"));
    must_set(fixture.dict, VALUE("\x92\xd9\x01z\xcc\x07"), VALUE("\x05"), true);
    must_have(fixture.dict, VALUE("\x92\xa1z\x07"), VALUE("\x05"));
    assert_int_equal(dict_len(fixture.dict), 3);
    check_charge(fixture.dict);
    end(&fixture);
}

static void keys_of_different_kinds_are_different_keys(void **state)
{
    const struct slice keys[] = {VALUE("\x01"),
                                 VALUE("\xcb\x3f\xf0\0\0\0\0\0\0"),
                                 VALUE("\xc3"),
                                 VALUE("\xa1"
                                       "1"),
                                 VALUE("\xc4\x01"
                                       "1"),
                                 VALUE("\xc0"),
                                 VALUE("\x90"),
                                 VALUE("\x91\x01")};
    const uint32_t count = sizeof(keys) / sizeof(keys[0]);
    struct fixture fixture;
    begin(&fixture);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t value = (uint8_t)i;
        must_set(fixture.dict, keys[i], (struct slice){&value, 1}, true);
    }
    assert_int_equal(dict_len(fixture.dict), count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t value = (uint8_t)i;
        must_have(fixture.dict, keys[i], (struct slice){&value, 1});
    }
    end(&fixture);
}

static void what_cannot_be_a_key_is_a_type_error_that_says_why(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    struct dict_key key;
    struct key_fault fault;
    assert_int_equal(dict_key_init(&key, fixture.dict, VALUE("\x80"), &fault, NULL), ERR_TYPE);
    assert_string_equal(fault.why, "a map");
    dict_key_deinit(&key);
    fixture.dict->options.str_keys = true;
    assert_int_equal(dict_key_init(&key, fixture.dict, VALUE("\x01"), &fault, NULL), ERR_TYPE);
    assert_string_equal(fault.why, "not a string");
    dict_key_deinit(&key);
    must_set(fixture.dict, VALUE("\xd9\x01k"), VALUE("\x01"), true);
    end(&fixture);
}

static void setting_a_key_again_keeps_its_place_and_the_new_bytes(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    must_set(fixture.dict, VALUE("\x01"), VALUE("\xa1x"), true);
    must_set(fixture.dict, VALUE("\x02"), VALUE("\xa1y"), true);
    must_set(fixture.dict, VALUE("\x01"), VALUE("\xcd\0\x07"), false);
    uint32_t position = dict_next(fixture.dict, 0);
    assert_bytes(dict_at(fixture.dict, position).key, VALUE("\x01"));
    assert_bytes(dict_at(fixture.dict, position).value.bytes, VALUE("\xcd\0\x07"));
    assert_int_equal(dict_at(fixture.dict, position).seq, 1);
    check_charge(fixture.dict);
    end(&fixture);
}

static void a_value_of_the_same_length_is_written_in_place(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    must_set(fixture.dict, VALUE("\x01"), VALUE("\xa1x"), true);
    const uint8_t *before = dict_at(fixture.dict, 0).value.bytes.data;
    scarce_begin(0);
    must_set(fixture.dict, VALUE("\x01"), VALUE("\xa1y"), false);
    assert_false(scarce_end());
    assert_ptr_equal(dict_at(fixture.dict, 0).value.bytes.data, before);
    end(&fixture);
}

static void large_values_are_blobs_that_outlive_the_pair(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    struct slice large = large_value(BLOB_MIN, 'a');
    struct slice other = large_value(BLOB_MIN, 'b');
    must_set(fixture.dict, VALUE("\x01"), large, true);
    struct stored stored = dict_at(fixture.dict, 0).value;
    assert_non_null(stored.blob);
    (void)blob_ref(stored.blob);
    must_set(fixture.dict, VALUE("\x01"), other, false);
    must_have(fixture.dict, VALUE("\x01"), other);
    check_charge(fixture.dict);
    dict_remove(fixture.dict, 0, NULL);
    assert_bytes(stored.bytes, large);
    blob_unref(stored.blob);
    must_set(fixture.dict, large, VALUE("\x01"), true);
    must_have(fixture.dict, large, VALUE("\x01"));
    check_charge(fixture.dict);
    free_value(large);
    free_value(other);
    end(&fixture);
}

static void lengths_around_every_border_are_kept(void **state)
{
    static const uint32_t lens[] = {1,    122,  123,  124,   250,   4085,  4090,
                                    4091, 4092, 4096, 16378, 16379, 16380, 2097152};
    struct fixture fixture;
    begin(&fixture);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct slice value = large_value(lens[i], (uint8_t)i);
        must_set(fixture.dict, value, VALUE("\x07"), true); /* canonicalised: the shortest header */
        must_have(fixture.dict, value, VALUE("\x07"));
        must_set(fixture.dict, VALUE("\x01"), value, i == 0);
        must_have(fixture.dict, VALUE("\x01"), value);
        check_charge(fixture.dict);
        free_value(value);
    }
    end(&fixture);
}

static void remove_gives_the_charge_back(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    for (uint8_t i = 0; i < 100; i++) {
        must_set(fixture.dict, (struct slice){&i, 1}, VALUE("\xa5value"), true);
    }
    for (uint8_t i = 0; i < 100; i++) {
        dict_remove(fixture.dict, find(fixture.dict, (struct slice){&i, 1}), NULL);
        check_charge(fixture.dict);
    }
    assert_true(fixture.dict->object.bytes < 300); /* the smallest arrays */
    dict_clear(fixture.dict, NULL);
    assert_int_equal(fixture.dict->object.bytes, 0);
    must_set(fixture.dict, VALUE("\x01"), VALUE("\x01"), true);
    dict_clear(fixture.dict, NULL);
    assert_int_equal(fixture.dict->object.bytes, 0);
    assert_int_equal(dict_len(fixture.dict), 0);
    end(&fixture);
}

static void set_over_the_limit_changes_nothing(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    bool is_new = false;
    struct slice large = large_value(BLOB_MIN, 'a');
    must_set(fixture.dict, VALUE("\x01"), VALUE("\xa1x"), true);
    world_limit(&fixture.world, 20);
    assert_int_equal(set(fixture.dict, VALUE("\x02"), VALUE("\x01"), &is_new), ERR_LIMIT);
    assert_int_equal(set(fixture.dict, VALUE("\x01"), large, &is_new), ERR_LIMIT);
    assert_string_equal(fixture.world.accounts.refusal.limit->name, "max_user_bytes");
    assert_int_equal(dict_len(fixture.dict), 1);
    must_have(fixture.dict, VALUE("\x01"), VALUE("\xa1x"));
    must_set(fixture.dict, VALUE("\x01"), VALUE("\xa1y"), false);
    check_charge(fixture.dict);
    free_value(large);
    end(&fixture);
}

static void want_of_memory_in_set_changes_nothing(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    struct slice large = large_value(BLOB_MIN, 'a');
    const struct slice values[] = {VALUE("\xa1x"), VALUE("\xa2xy"), large, VALUE("\x01")};
    bool is_new;
    for (uint32_t i = 0; i < 4; i++) {
        for (unsigned n = 0;; n++) {
            struct slice before = i == 0 ? (struct slice){0} : values[i - 1];
            scarce_begin(n);
            int status = set(fixture.dict, VALUE("\xcc\x01"), values[i], &is_new);
            if (!scarce_end()) {
                assert_int_equal(status, 0);
                break;
            }
            assert_int_equal(status, ERR_MEMORY);
            check_charge(fixture.dict);
            assert_int_equal(dict_len(fixture.dict), i > 0);
            if (i > 0) {
                must_have(fixture.dict, VALUE("\x01"), before);
            }
        }
    }
    free_value(large);
    end(&fixture);
}

static int update(struct fixture *fixture, struct slice map, uint64_t *new_keys)
{
    struct key_fault fault;
    return dict_update(fixture->dict, incoming_plain(map), new_keys, &fault, NULL);
}

static void update_sets_all_keys_in_their_order(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    uint64_t new_keys;
    must_set(fixture.dict, VALUE("\x02"), VALUE("\xa1x"), true);
    assert_int_equal(update(&fixture,
                            VALUE("\x84\x01\xa1"
                                  "a\x02\xa2"
                                  "bb\x03\xa1"
                                  "c\x01\xa1z"),
                            &new_keys),
                     0);
    assert_int_equal(new_keys, 2);
    assert_int_equal(dict_len(fixture.dict), 3);
    static const char keys[] = {2, 1, 3};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(dict_at(fixture.dict, i).key.data[0], keys[i]);
    }
    must_have(fixture.dict, VALUE("\x01"), VALUE("\xa1z"));
    must_have(fixture.dict, VALUE("\x02"),
              VALUE("\xa2"
                    "bb"));
    check_charge(fixture.dict);
    assert_int_equal(update(&fixture, VALUE("\x80"), &new_keys), 0);
    assert_int_equal(new_keys, 0);
    end(&fixture);
}

static void update_with_a_key_that_cannot_be_one_sets_none(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    uint64_t new_keys;
    struct key_fault fault;
    assert_int_equal(dict_update(fixture.dict, incoming_plain(VALUE("\x82\x01\x01\x91\x80\x02")),
                                 &new_keys, &fault, NULL),
                     ERR_TYPE);
    assert_bytes(fault.key, VALUE("\x91\x80"));
    assert_string_equal(fault.why, "an array that holds a map");
    assert_int_equal(dict_len(fixture.dict), 0);
    check_charge(fixture.dict);
    end(&fixture);
}

/* Enough keys that the arrays must grow: {100: "x", 101: "x", …}. */
static struct buffer map_of(uint32_t count)
{
    struct buffer map = {0};
    pack_map(&map, count);
    for (uint32_t i = 0; i < count; i++) {
        pack_uint(&map, 100 + i);
        pack_string(&map, "x");
    }
    assert_false(map.failed);
    return map;
}

static void update_over_the_limit_changes_nothing(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    uint64_t new_keys;
    struct buffer map = map_of(50);
    must_set(fixture.dict, VALUE("\x64"), VALUE("\xa1y"), true);
    uint64_t bytes = fixture.dict->object.bytes;
    world_limit(&fixture.world, 1000);
    assert_int_equal(update(&fixture, buffer_slice(&map), &new_keys), ERR_LIMIT);
    assert_int_equal(fixture.dict->object.bytes, bytes);
    assert_int_equal(dict_len(fixture.dict), 1);
    must_have(fixture.dict, VALUE("\x64"), VALUE("\xa1y"));
    check_charge(fixture.dict);
    buffer_deinit(&map);
    end(&fixture);
}

static void want_of_memory_in_update_sets_no_key(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    uint64_t new_keys;
    struct buffer map = map_of(20);
    must_set(fixture.dict, VALUE("\x64"), VALUE("\xa1y"), true);
    unsigned n = 0;
    for (;; n++) {
        scarce_begin(n);
        int status = update(&fixture, buffer_slice(&map), &new_keys);
        if (!scarce_end()) {
            assert_int_equal(status, 0);
            break;
        }
        assert_int_equal(status, ERR_MEMORY);
        assert_int_equal(dict_len(fixture.dict), 1);
        must_have(fixture.dict, VALUE("\x64"), VALUE("\xa1y"));
        check_charge(fixture.dict);
    }
    assert_true(n > 20);
    assert_int_equal(new_keys, 19);
    check_charge(fixture.dict);
    buffer_deinit(&map);
    end(&fixture);
}

static int incr(struct dict *dict, struct slice raw, struct slice delta, struct slice initial,
                struct buffer *out)
{
    struct dict_key key;
    struct key_fault fault;
    out->len = 0;
    assert_int_equal(dict_key_init(&key, dict, raw, &fault, NULL), 0);
    return dict_incr(dict, &key, dict_find(dict, &key), delta, initial, out, NULL);
}

static void incr_adds_and_a_missing_key_starts_at_the_initial(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    struct buffer out = {0};
    assert_int_equal(incr(fixture.dict, VALUE("\x01"), VALUE("\x02"), VALUE("\x0a"), &out), 0);
    assert_bytes(buffer_slice(&out), VALUE("\x0c"));
    assert_int_equal(incr(fixture.dict, VALUE("\x01"), VALUE("\x7f"), VALUE("\x00"), &out), 0);
    assert_bytes(buffer_slice(&out), VALUE("\xcc\x8b"));
    must_have(fixture.dict, VALUE("\x01"), VALUE("\xcc\x8b"));
    check_charge(fixture.dict);
    buffer_deinit(&out);
    end(&fixture);
}

static void incr_of_what_is_no_number_or_does_not_fit_changes_nothing(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    struct buffer out = {0};
    const struct slice huge = VALUE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    must_set(fixture.dict, VALUE("\x01"), VALUE("\xa1x"), true);
    must_set(fixture.dict, VALUE("\x02"), huge, true);
    assert_int_equal(incr(fixture.dict, VALUE("\x01"), VALUE("\x01"), VALUE("\x00"), &out),
                     ERR_TYPE);
    assert_int_equal(incr(fixture.dict, VALUE("\x02"), VALUE("\x01"), VALUE("\x00"), &out),
                     ERR_RANGE);
    must_have(fixture.dict, VALUE("\x01"), VALUE("\xa1x"));
    must_have(fixture.dict, VALUE("\x02"), huge);
    world_limit(&fixture.world, 0);
    assert_int_equal(incr(fixture.dict, VALUE("\x03"), VALUE("\x01"), VALUE("\x00"), &out),
                     ERR_LIMIT);
    assert_int_equal(dict_len(fixture.dict), 2);
    check_charge(fixture.dict);
    buffer_deinit(&out);
    end(&fixture);
}

static bool cas(struct dict *dict, const struct slice *expected, const struct slice *value)
{
    struct dict_key key;
    struct key_fault fault;
    bool done;
    assert_int_equal(dict_key_init(&key, dict, VALUE("\xa1k"), &fault, NULL), 0);
    struct incoming incoming = incoming_plain(value != NULL ? *value : (struct slice){0});
    assert_int_equal(dict_cas(dict, &key, dict_find(dict, &key), expected,
                              value != NULL ? &incoming : NULL, &done, NULL),
                     0);
    return done;
}

static void cas_acts_only_on_what_is_expected(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    struct dict *dict = fixture.dict;
    const struct slice one = VALUE("\x01");
    const struct slice wide_one = VALUE("\xcd\0\x01");
    const struct slice two = VALUE("\x02");
    assert_false(cas(dict, &one, &two)); /* it is not there */
    assert_true(cas(dict, NULL, NULL));
    assert_int_equal(dict_len(dict), 0);
    assert_true(cas(dict, NULL, &one)); /* set if missing */
    assert_false(cas(dict, NULL, &two));
    assert_false(cas(dict, NULL, NULL));
    assert_false(cas(dict, &two, &one));
    must_have(dict, VALUE("\xa1k"), one);
    assert_true(cas(dict, &wide_one, &two)); /* equal however encoded */
    must_have(dict, VALUE("\xa1k"), two);
    assert_true(cas(dict, &two, NULL)); /* delete */
    assert_int_equal(dict_len(dict), 0);
    check_charge(dict);
    end(&fixture);
}

/* Goes on with a scan, `count` keys at a time, and counts how often each key is seen. */
static uint64_t scan_some(struct dict *dict, uint64_t cursor, uint32_t count, unsigned *seen)
{
    uint32_t position = dict_from_seq(dict, cursor);
    for (; count > 0 && position != ORDERED_NONE; count--) {
        seen[dict_at(dict, position).key.data[0]]++;
        position = dict_next(dict, position + 1);
    }
    return position == ORDERED_NONE ? 0 : dict_at(dict, position).seq;
}

static void a_scan_sees_each_key_that_stays_once(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    unsigned seen[128] = {0};
    for (uint8_t i = 0; i < 100; i++) {
        must_set(fixture.dict, (struct slice){&i, 1}, VALUE("\x01"), true);
    }
    uint64_t cursor = 0;
    uint8_t gone = 0;
    do {
        cursor = scan_some(fixture.dict, cursor, 7, seen);
        for (int i = 0; i < 5 && gone < 100; i++, gone += 2) { /* every even key goes on the way */
            dict_remove(fixture.dict, find(fixture.dict, (struct slice){&gone, 1}), NULL);
        }
        must_set(fixture.dict, VALUE("\x01"), VALUE("\xa3new"), false);
    } while (cursor != 0);
    for (unsigned i = 1; i < 100; i += 2) {
        assert_int_equal(seen[i], 1);
    }
    end(&fixture);
}

static void describe_gives_the_size(void **state)
{
    struct fixture fixture;
    begin(&fixture);
    struct buffer out = {0};
    must_set(fixture.dict, VALUE("\x01"), VALUE("\x01"), true);
    assert_int_equal(dict_type.describe(&fixture.dict->object, &out, 0), 1);
    assert_bytes(buffer_slice(&out), VALUE("\xa4size\x01"));
    buffer_deinit(&out);
    end(&fixture);
}

static void a_dict_that_cannot_be_made_leaves_nothing(void **state)
{
    struct world world;
    struct dict *dict;
    const struct dict_options options = {.seed = 1};
    world_init(&world);
    scarce_begin(0);
    assert_int_equal(dict_new(&world.options, &options, &dict), ERR_MEMORY);
    assert_true(scarce_end());
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_says_whether_the_key_is_new),
        cmocka_unit_test(equal_keys_are_one_key_however_they_are_encoded),
        cmocka_unit_test(keys_of_different_kinds_are_different_keys),
        cmocka_unit_test(what_cannot_be_a_key_is_a_type_error_that_says_why),
        cmocka_unit_test(setting_a_key_again_keeps_its_place_and_the_new_bytes),
        cmocka_unit_test(a_value_of_the_same_length_is_written_in_place),
        cmocka_unit_test(large_values_are_blobs_that_outlive_the_pair),
        cmocka_unit_test(lengths_around_every_border_are_kept),
        cmocka_unit_test(remove_gives_the_charge_back),
        cmocka_unit_test(set_over_the_limit_changes_nothing),
        cmocka_unit_test(want_of_memory_in_set_changes_nothing),
        cmocka_unit_test(update_sets_all_keys_in_their_order),
        cmocka_unit_test(update_with_a_key_that_cannot_be_one_sets_none),
        cmocka_unit_test(update_over_the_limit_changes_nothing),
        cmocka_unit_test(want_of_memory_in_update_sets_no_key),
        cmocka_unit_test(incr_adds_and_a_missing_key_starts_at_the_initial),
        cmocka_unit_test(incr_of_what_is_no_number_or_does_not_fit_changes_nothing),
        cmocka_unit_test(cas_acts_only_on_what_is_expected),
        cmocka_unit_test(a_scan_sees_each_key_that_stays_once),
        cmocka_unit_test(describe_gives_the_size),
        cmocka_unit_test(a_dict_that_cannot_be_made_leaves_nothing),
    };
    return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
