/* The long operations of a dict in steps: the outcome is that of doing them in one go, every
 * stretch is short, and at each pause the dict is sound and every pair in it alive. */
#include "daemon/objects/dict.h"
#include "daemon/objects/pair.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/steps.h"
#include "tests/unit/objects/world.h"

#include <stdio.h>

enum { KEYS = 10000 };

/* A dict and its twin, on which everything is done in one go. */
struct fixture {
    struct world world;
    struct dict *dict;
    struct dict *twin;
    struct steps steps;
};

static volatile uint64_t seen; /* so that looking at a pair is not optimized away */

/* Looks at some hundred pairs, others each time. */
static void walk(const struct object *object)
{
    const struct dict *dict = (const struct dict *)object;
    uint32_t stride = dict->pairs.used / 499 + 1;
    uint32_t i = dict_next(dict, (uint32_t)(seen % stride));
    while (i != ORDERED_NONE) {
        struct dict_item item = dict_at(dict, i);
        assert_true(item.key.len > 0 && item.value.bytes.len > 0);
        seen += item.key.data[item.key.len - 1] + item.value.bytes.data[0] % 2U;
        i = dict_next(dict, i + stride);
    }
}

static void begin(struct fixture *fixture)
{
    const struct dict_options options = {.seed = 42};
    *fixture = (struct fixture){0};
    world_init(&fixture->world);
    assert_int_equal(dict_new(&fixture->world.options, &options, &fixture->dict), 0);
    assert_int_equal(dict_new(&fixture->world.options, &options, &fixture->twin), 0);
    steps_init(&fixture->steps, &fixture->dict->object, walk);
}

static void pack_dict(const struct dict *dict, struct buffer *out)
{
    for (uint32_t i = dict_next(dict, 0); i != ORDERED_NONE; i = dict_next(dict, i + 1)) {
        struct dict_item item = dict_at(dict, i);
        pack_uint(out, item.seq);
        pack_raw(out, item.key);
        pack_raw(out, item.value.bytes);
    }
}

/* The operation has given way at least so often, and not too seldom; the twins are equal. */
static void must_be_equal(struct fixture *fixture, unsigned pauses)
{
    struct buffer one = {0};
    struct buffer other = {0};
    assert_in_range(fixture->steps.pauses, pauses, UINT32_MAX);
    assert_in_range(fixture->steps.longest, 0, PACE_STRETCH + 128);
    pack_dict(fixture->dict, &one);
    pack_dict(fixture->twin, &other);
    assert_bytes(buffer_slice(&one), buffer_slice(&other));
    assert_int_equal(fixture->dict->object.bytes, fixture->twin->object.bytes);
    buffer_deinit(&one);
    buffer_deinit(&other);
    steps_init(&fixture->steps, &fixture->dict->object, walk);
}

static void end(struct fixture *fixture)
{
    object_unref(&fixture->dict->object);
    object_unref(&fixture->twin->object);
    world_deinit(&fixture->world);
}

/* The map of `count` keys from one on, each `step` behind the one before; `times` times over. */
static void pack_keys(struct buffer *out, uint32_t from, uint32_t count, uint32_t step,
                      uint32_t times)
{
    char value[64];
    out->len = 0;
    pack_map(out, (size_t)count * times);
    for (uint32_t i = 0; i < count * times; i++) {
        pack_uint(out, from + i % count * step);
        (void)snprintf(value, sizeof(value), "%u %.*s", i, (int)(i * 7919 % 40),
                       "a value of a length that is not always one");
        pack_string(out, value);
    }
}

static int update(struct dict *dict, const struct buffer *map, uint64_t *new_keys,
                  struct pace *pace)
{
    struct key_fault fault;
    return dict_update(dict, incoming_plain(buffer_slice(map)), new_keys, &fault, pace);
}

/* Updates both. */
static void update_twins(struct fixture *fixture, const struct buffer *map)
{
    uint64_t new_keys;
    uint64_t expected;
    assert_int_equal(update(fixture->twin, map, &expected, NULL), 0);
    assert_int_equal(update(fixture->dict, map, &new_keys, &fixture->steps.pace), 0);
    assert_int_equal(new_keys, expected);
}

static void updating_and_clearing(void **state)
{
    struct fixture fixture;
    struct buffer map = {0};
    begin(&fixture);
    pack_keys(&map, 0, KEYS, 1, 1);
    update_twins(&fixture, &map);
    must_be_equal(&fixture, 3 * KEYS / PACE_STRETCH);
    pack_keys(&map, KEYS / 2, KEYS, 3, 1); /* some are there */
    update_twins(&fixture, &map);
    must_be_equal(&fixture, 3 * KEYS / PACE_STRETCH);
    pack_keys(&map, 7, KEYS / 3, 2, 3); /* each of them is there three times */
    update_twins(&fixture, &map);
    must_be_equal(&fixture, KEYS / PACE_STRETCH);
    dict_clear(fixture.dict, &fixture.steps.pace);
    dict_clear(fixture.twin, NULL);
    must_be_equal(&fixture, KEYS / PACE_STRETCH);
    buffer_deinit(&map);
    end(&fixture);
}

static void an_update_that_is_refused_changes_nothing(void **state)
{
    struct fixture fixture;
    struct buffer map = {0};
    uint64_t new_keys;
    begin(&fixture);
    pack_keys(&map, 0, KEYS, 1, 1);
    update_twins(&fixture, &map);
    must_be_equal(&fixture, 1);
    pack_keys(&map, KEYS / 2, KEYS, 1, 1);
    for (unsigned n = 0; n < KEYS + 3; n += n < 3 ? 1 : 997) {
        steps_init(&fixture.steps, NULL, NULL); /* looking takes memory too */
        scarce_begin(n);
        assert_int_equal(update(fixture.dict, &map, &new_keys, &fixture.steps.pace), ERR_MEMORY);
        assert_true(scarce_end());
        assert_int_equal(dict_len(fixture.dict), KEYS);
    }
    must_be_equal(&fixture, 1);
    world_limit(&fixture.world, 1000);
    assert_int_equal(update(fixture.dict, &map, &new_keys, &fixture.steps.pace), ERR_LIMIT);
    must_be_equal(&fixture, 1);
    end(&fixture);
    buffer_deinit(&map);
}

/* A limit that is just enough is enough, also for a map in which keys are more than once. */
static void an_update_is_charged_exactly(void **state)
{
    struct fixture fixture;
    struct buffer map = {0};
    uint64_t new_keys;
    begin(&fixture);
    pack_keys(&map, 0, 100, 1, 5);
    assert_int_equal(update(fixture.twin, &map, &new_keys, NULL), 0);
    uint64_t cost = fixture.twin->object.bytes;
    world_limit(&fixture.world, cost - 1);
    assert_int_equal(update(fixture.dict, &map, &new_keys, NULL), ERR_LIMIT);
    assert_int_equal(dict_len(fixture.dict), 0);
    assert_int_equal(fixture.dict->object.bytes, 0);
    world_limit(&fixture.world, cost);
    assert_int_equal(update(fixture.dict, &map, &new_keys, NULL), 0);
    assert_int_equal(new_keys, 100);
    must_be_equal(&fixture, 0);
    buffer_deinit(&map);
    end(&fixture);
}

static void an_update_that_takes_no_more_memory_is_not_refused(void **state)
{
    struct fixture fixture;
    struct buffer map = {0};
    begin(&fixture);
    pack_keys(&map, 0, KEYS, 1, 1);
    update_twins(&fixture, &map);
    world_limit(&fixture.world, 0);
    update_twins(&fixture, &map);
    must_be_equal(&fixture, KEYS / PACE_STRETCH);
    buffer_deinit(&map);
    end(&fixture);
}

static struct dict_key key_of(const struct dict *dict, uint32_t number, struct buffer *bytes)
{
    struct dict_key key;
    struct key_fault fault;
    bytes->len = 0;
    pack_uint(bytes, number);
    assert_int_equal(dict_key_init(&key, dict, buffer_slice(bytes), &fault, NULL), 0);
    return key;
}

/* One key at a time: what makes the arrays larger was foreseen, and everything else is short. */
static void growing_by_single_keys(void **state)
{
    struct fixture fixture;
    struct buffer bytes = {0};
    unsigned paused = 0;
    begin(&fixture);
    for (uint32_t i = 0; i < 3 * KEYS; i++) {
        struct dict_key key = key_of(fixture.dict, i, &bytes);
        uint32_t position = dict_find(fixture.dict, &key);
        struct incoming value = incoming_plain(buffer_slice(&bytes));
        uint64_t foreseen = dict_insert_steps(fixture.dict);
        steps_init(&fixture.steps, &fixture.dict->object, i % 100 == 0 ? walk : NULL);
        assert_int_equal(dict_set(fixture.dict, &key, position, value, &fixture.steps.pace), 0);
        assert_in_range(fixture.steps.longest, 0, PACE_STRETCH);
        if (foreseen <= PACE_LONG) { /* it is done in one go */
            assert_in_range(fixture.steps.count, 0, PACE_LONG);
        } else {
            assert_in_range(fixture.steps.count, PACE_STRETCH, foreseen);
            paused++;
        }
        assert_int_equal(dict_set(fixture.twin, &key, position, value, NULL), 0);
    }
    assert_in_range(paused, 2, 8);
    must_be_equal(&fixture, 0);
    buffer_deinit(&bytes);
    end(&fixture);
}

/* In three orders: from the front, from the back, and all over. */
static void shrinking_by_single_keys(void **state)
{
    struct buffer map = {0};
    struct buffer bytes = {0};
    pack_keys(&map, 0, 3 * KEYS, 1, 1);
    for (uint32_t order = 0; order < 3; order++) {
        struct fixture fixture;
        unsigned paused = 0;
        begin(&fixture);
        update_twins(&fixture, &map);
        for (uint32_t i = 0; i < 3 * KEYS; i++) {
            uint32_t number = order == 0   ? i
                              : order == 1 ? 3 * KEYS - 1 - i
                                           : (uint32_t)((uint64_t)i * 7919 % (3 * KEYS));
            struct dict_key key = key_of(fixture.dict, number, &bytes);
            uint32_t position = dict_find(fixture.dict, &key);
            uint64_t foreseen = dict_remove_steps(fixture.dict, position);
            steps_init(&fixture.steps, &fixture.dict->object, i % 100 == 0 ? walk : NULL);
            dict_remove(fixture.dict, position, &fixture.steps.pace);
            dict_remove(fixture.twin, dict_find(fixture.twin, &key), NULL);
            assert_in_range(fixture.steps.longest, 0, PACE_STRETCH);
            assert_in_range(fixture.steps.count, 0, foreseen > PACE_LONG ? foreseen : PACE_LONG);
            paused += fixture.steps.count > PACE_LONG;
        }
        assert_in_range(paused, 1, 30);
        must_be_equal(&fixture, 0);
        end(&fixture);
    }
    buffer_deinit(&map);
    buffer_deinit(&bytes);
}

static void no_update_takes_more_steps_than_were_foreseen(void **state)
{
    struct fixture fixture;
    struct buffer map = {0};
    begin(&fixture);
    for (uint32_t round = 0; round < 4; round++) {
        pack_keys(&map, round * KEYS / 3, KEYS / (round + 1), 1, 1 + round % 2);
        uint64_t foreseen = dict_update_steps(fixture.dict, buffer_slice(&map));
        update_twins(&fixture, &map);
        assert_in_range(fixture.steps.count, PACE_STRETCH, foreseen);
        must_be_equal(&fixture, 1);
    }
    uint64_t foreseen = dict_clear_steps(fixture.dict);
    dict_clear(fixture.dict, &fixture.steps.pace);
    dict_clear(fixture.twin, NULL);
    assert_in_range(fixture.steps.count, PACE_STRETCH, foreseen);
    buffer_deinit(&map);
    end(&fixture);
}

/* An array of so many numbers, each with a header that is too long, or not. */
static void pack_large_key(struct buffer *out, uint32_t count, bool is_canonical)
{
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        static const uint8_t seven[] = {0xcd, 0x00, 0x07};
        size_t skip = is_canonical ? 2 : 0;
        pack_raw(out, (struct slice){seven + skip, sizeof(seven) - skip});
    }
}

static void checking_a_large_key(void **state)
{
    for (int is_canonical = 0; is_canonical < 2; is_canonical++) {
        struct fixture fixture;
        struct buffer bytes = {0};
        struct dict_key one;
        struct dict_key other;
        struct key_fault fault;
        begin(&fixture);
        pack_large_key(&bytes, 10 * KEYS, is_canonical);
        struct slice raw = buffer_slice(&bytes);
        struct pace *pace = &fixture.steps.pace;
        assert_int_equal(dict_key_init(&one, fixture.dict, raw, &fault, pace), 0);
        assert_in_range(fixture.steps.pauses, 2 * bytes.len / 4 / PACE_STRETCH, UINT32_MAX);
        assert_int_equal(dict_key_init(&other, fixture.twin, raw, &fault, NULL), 0);
        assert_bytes(one.bytes, other.bytes);
        assert_int_equal(one.hash, other.hash);
        struct incoming value = incoming_plain(raw);
        value.pace = pace;
        unsigned before = fixture.steps.pauses;
        assert_int_equal(dict_insert(fixture.dict, &one, value, pace), 0);
        assert_in_range(fixture.steps.pauses - before, raw.len / PACE_STEP_BYTES / PACE_STRETCH,
                        UINT32_MAX);
        assert_int_equal(dict_insert(fixture.twin, &other, incoming_plain(raw), NULL), 0);
        must_be_equal(&fixture, 1);
        dict_key_deinit(&one);
        dict_key_deinit(&other);
        buffer_deinit(&bytes);
        end(&fixture);
    }
}

static void refusing_a_large_key(void **state)
{
    struct fixture fixture;
    struct buffer bytes = {0};
    struct dict_key key;
    struct key_fault fault;
    begin(&fixture);
    pack_array(&bytes, 2);
    pack_large_key(&bytes, KEYS, true);
    pack_map(&bytes, 0);
    assert_int_equal(
        dict_key_init(&key, fixture.dict, buffer_slice(&bytes), &fault, &fixture.steps.pace),
        ERR_TYPE);
    assert_string_equal(fault.why, "an array that holds a map");
    dict_key_deinit(&key);
    buffer_deinit(&bytes);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updating_and_clearing),
        cmocka_unit_test(an_update_that_is_refused_changes_nothing),
        cmocka_unit_test(an_update_is_charged_exactly),
        cmocka_unit_test(an_update_that_takes_no_more_memory_is_not_refused),
        cmocka_unit_test(growing_by_single_keys),
        cmocka_unit_test(shrinking_by_single_keys),
        cmocka_unit_test(checking_a_large_key),
        cmocka_unit_test(refusing_a_large_key),
        cmocka_unit_test(no_update_takes_more_steps_than_were_foreseen),
    };
    return cmocka_run_group_tests_name("dict_steps", tests, NULL, NULL);
}
