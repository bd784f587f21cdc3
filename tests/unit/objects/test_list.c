/* The list as a data structure: Python's semantics, refusals that change nothing, charges. */
#include "tests/support/scarce.h"
#include "tests/unit/objects/list_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define TEN VALUE("\x9a\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09")
#define LONG_STRING                                                                                \
    "\xb4"                                                                                         \
    "a string of 20 bytes"

static void values_are_kept_byte_for_byte(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x94\xcd\0\x05\xd9\x01x" LONG_STRING "\x92\xcc\x01\xc0"));
    must_be(fixture.list, VALUE("\x94\xcd\0\x05\xd9\x01x" LONG_STRING "\x92\xcc\x01\xc0"));
    list_fixture_end(&fixture);
}

static void an_index_counts_from_either_end(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x93\x01\x02\x03"));
    uint32_t position;
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(list_position(fixture.list, i, &position), 0);
        assert_int_equal(position, i);
        assert_int_equal(list_position(fixture.list, i - 3, &position), 0);
        assert_int_equal(position, i);
    }
    assert_int_equal(list_position(fixture.list, 3, &position), ERR_INDEX);
    assert_int_equal(list_position(fixture.list, -4, &position), ERR_INDEX);
    assert_int_equal(list_position(fixture.list, INT64_MAX, &position), ERR_INDEX);
    assert_int_equal(list_position(fixture.list, INT64_MIN, &position), ERR_INDEX);
    list_fixture_end(&fixture);
}

static void insert_clamps_its_index(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x92\x01\x02"));
    struct list *list = fixture.list;
    assert_int_equal(
        list_insert(list, list_position_clamped(list, 100), incoming_plain(VALUE("\x03")), NULL),
        0);
    assert_int_equal(
        list_insert(list, list_position_clamped(list, -100), incoming_plain(VALUE("\x00")), NULL),
        0);
    assert_int_equal(
        list_insert(list, list_position_clamped(list, -1), incoming_plain(VALUE("\x09")), NULL), 0);
    assert_int_equal(
        list_insert(list, list_position_clamped(list, 1), incoming_plain(VALUE("\x08")), NULL), 0);
    assert_int_equal(list_insert(list, list_position_clamped(list, INT64_MIN),
                                 incoming_plain(VALUE("\x07")), NULL),
                     0);
    assert_int_equal(list_insert(list, list_position_clamped(list, INT64_MAX),
                                 incoming_plain(VALUE("\x06")), NULL),
                     0);
    must_be(list, VALUE("\x98\x07\x00\x08\x01\x02\x09\x03\x06"));
    list_fixture_end(&fixture);
}

static void set_and_delete_move_the_charge(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x93\x01\x02\x03"));
    assert_int_equal(list_set(fixture.list, 1, incoming_plain(VALUE(LONG_STRING))), 0);
    must_be(fixture.list, VALUE("\x93\x01" LONG_STRING "\x03"));
    assert_int_equal(list_set(fixture.list, 1, incoming_plain(VALUE("\x02"))), 0);
    must_be(fixture.list, VALUE("\x93\x01\x02\x03"));
    list_delete(fixture.list, 0, NULL);
    list_delete(fixture.list, 1, NULL);
    must_be(fixture.list, VALUE("\x91\x02"));
    list_clear(fixture.list, NULL);
    must_be(fixture.list, VALUE("\x90"));
    assert_int_equal(fixture.list->object.bytes, 0);
    list_fixture_end(&fixture);
}

/* Slices. `none` stands for an index that is left out. */

static const int64_t none = INT64_MAX - 7;

static struct list_range range_of(const struct list *list, int64_t start, int64_t stop,
                                  int64_t step)
{
    struct list_range range;
    assert_int_equal(list_range(list, start == none ? NULL : &start, stop == none ? NULL : &stop,
                                step == none ? NULL : &step, &range),
                     0);
    return range;
}

static void must_select(const struct list *list, int64_t start, int64_t stop, int64_t step,
                        struct slice values)
{
    struct list_range range = range_of(list, start, stop, step);
    struct buffer packed = {0};
    pack_array(&packed, range.count);
    for (uint32_t i = 0; i < range.count; i++) {
        pack_raw(&packed, list_at(list, (uint32_t)(range.start + i * range.step)).bytes);
    }
    assert_bytes(buffer_slice(&packed), values);
    buffer_deinit(&packed);
}

static void slices_follow_the_rules_of_python(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, TEN);
    const struct list *list = fixture.list;
    must_select(list, none, none, none, TEN);
    must_select(list, 2, 5, none, VALUE("\x93\x02\x03\x04"));
    must_select(list, -3, none, none, VALUE("\x93\x07\x08\x09"));
    must_select(list, none, -8, 1, VALUE("\x92\x00\x01"));
    must_select(list, 5, 2, 1, VALUE("\x90"));
    must_select(list, -100, 100, 3, VALUE("\x94\x00\x03\x06\x09"));
    must_select(list, 100, 200, none, VALUE("\x90"));
    must_select(list, none, none, -1, VALUE("\x9a\x09\x08\x07\x06\x05\x04\x03\x02\x01\x00"));
    must_select(list, 7, 2, -2, VALUE("\x93\x07\x05\x03"));
    must_select(list, 100, -100, -4, VALUE("\x93\x09\x05\x01"));
    must_select(list, 2, none, -1, VALUE("\x93\x02\x01\x00"));
    must_select(list, none, 7, -1, VALUE("\x92\x09\x08"));
    must_select(list, 2, -1, -1, VALUE("\x90"));
    must_select(list, 3, none, INT64_MAX, VALUE("\x91\x03"));
    must_select(list, 3, none, INT64_MIN, VALUE("\x91\x03"));
    must_select(list, INT64_MIN, INT64_MAX, none, TEN);
    struct list_range range;
    const int64_t zero = 0;
    assert_int_equal(list_range(list, NULL, NULL, &zero, &range), ERR_VALUE);
    list_fixture_end(&fixture);
}

static void slices_of_an_empty_list_are_empty(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x90"));
    must_select(fixture.list, none, none, none, VALUE("\x90"));
    must_select(fixture.list, none, none, -1, VALUE("\x90"));
    must_select(fixture.list, -1, 5, -1, VALUE("\x90"));
    struct list_range range = range_of(fixture.list, none, none, -1);
    list_delete_range(fixture.list, &range, NULL);
    assert_int_equal(list_set_range(fixture.list, &range, incoming_plain(VALUE("\x90")), NULL), 0);
    assert_int_equal(list_set_range(fixture.list, &range, incoming_plain(VALUE("\x91\x01")), NULL),
                     ERR_VALUE);
    must_be(fixture.list, VALUE("\x90"));
    list_fixture_end(&fixture);
}

static void must_become(int64_t start, int64_t stop, int64_t step, struct slice array,
                        struct slice values)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, TEN);
    struct list_range range = range_of(fixture.list, start, stop, step);
    assert_int_equal(list_set_range(fixture.list, &range, incoming_plain(array), NULL), 0);
    must_be(fixture.list, values);
    list_fixture_end(&fixture);
}

static void set_slice_replaces_with_fewer_and_with_more(void **state)
{
    must_become(2, 8, none, VALUE("\x91\x63"), VALUE("\x95\x00\x01\x63\x08\x09"));
    must_become(8, 9, none, VALUE("\x93\x61\x62\x63"),
                VALUE("\x9c\x00\x01\x02\x03\x04\x05\x06\x07\x61\x62\x63\x09"));
    must_become(1, 2, 1, VALUE("\x92" LONG_STRING "\x63"),
                VALUE("\x9b\x00" LONG_STRING "\x63\x02\x03\x04\x05\x06\x07\x08\x09"));
    must_become(none, none, none, VALUE("\x90"), VALUE("\x90"));
    must_become(5, 2, none, VALUE("\x91\x63"),
                VALUE("\x9b\x00\x01\x02\x03\x04\x63\x05\x06\x07\x08\x09"));
    must_become(100, none, none, VALUE("\x91\x63"),
                VALUE("\x9b\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x63"));
    must_become(none, none, 3, VALUE("\x94\x60\x61\x62\x63"),
                VALUE("\x9a\x60\x01\x02\x61\x04\x05\x62\x07\x08\x63"));
    must_become(none, none, -3, VALUE("\x94\x60\x61" LONG_STRING "\x63"),
                VALUE("\x9a\x63\x01\x02" LONG_STRING "\x04\x05\x61\x07\x08\x60"));
    must_become(5, 2, 2, VALUE("\x90"), TEN);
}

static void an_extended_slice_takes_only_as_many_as_it_has(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, TEN);
    struct list_range range = range_of(fixture.list, none, none, 2);
    assert_int_equal(
        list_set_range(fixture.list, &range, incoming_plain(VALUE("\x91" LONG_STRING)), NULL),
        ERR_VALUE);
    range = range_of(fixture.list, 5, none, -1);
    assert_int_equal(list_set_range(fixture.list, &range, incoming_plain(VALUE("\x90")), NULL),
                     ERR_VALUE);
    must_be(fixture.list, TEN);
    list_fixture_end(&fixture);
}

static void must_leave(int64_t start, int64_t stop, int64_t step, struct slice values)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, TEN);
    struct list_range range = range_of(fixture.list, start, stop, step);
    list_delete_range(fixture.list, &range, NULL);
    must_be(fixture.list, values);
    list_fixture_end(&fixture);
}

static void delete_slice_removes_what_slice_shows(void **state)
{
    must_leave(none, none, none, VALUE("\x90"));
    must_leave(0, 3, none, VALUE("\x97\x03\x04\x05\x06\x07\x08\x09"));
    must_leave(2, 9, none, VALUE("\x93\x00\x01\x09"));
    must_leave(none, none, 2, VALUE("\x95\x01\x03\x05\x07\x09"));
    must_leave(none, none, -3, VALUE("\x96\x01\x02\x04\x05\x07\x08"));
    must_leave(8, 1, -2, VALUE("\x96\x00\x01\x03\x05\x07\x09"));
    must_leave(5, 5, none, TEN);
    must_leave(5, 2, 3, TEN);
}

static void find_looks_between_clamped_bounds_and_by_canonical_equality(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x96\x01\xcc\x02\x03\x02\xcb\x40\0\0\0\0\0\0\0\xc3"));
    const struct list *list = fixture.list;
    assert_int_equal(list_find(list, VALUE("\x02"), 0, INT64_MAX, NULL), 1);
    assert_int_equal(list_find(list, VALUE("\xcd\0\x02"), 2, INT64_MAX, NULL), 3);
    assert_int_equal(list_find(list, VALUE("\x02"), -3, -1, NULL), 3);
    assert_int_equal(list_find(list, VALUE("\x02"), 0, 1, NULL), LIST_NONE);
    assert_int_equal(list_find(list, VALUE("\x02"), 4, INT64_MAX, NULL), LIST_NONE);
    assert_int_equal(list_find(list, VALUE("\x02"), 3, 2, NULL), LIST_NONE);
    assert_int_equal(list_find(list, VALUE("\x01"), INT64_MIN, INT64_MAX, NULL), 0);
    assert_int_equal(list_find(list, VALUE("\xca\x40\0\0\0"), 0, INT64_MAX, NULL), 4);
    assert_int_equal(list_count(list, VALUE("\x02"), NULL), 2);
    assert_int_equal(list_count(list, VALUE("\x04"), NULL), 0);
    list_fixture_end(&fixture);
}

static void reverse_turns_the_list_round(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x90"));
    list_reverse(fixture.list, NULL);
    must_be(fixture.list, VALUE("\x90"));
    assert_int_equal(list_extend(fixture.list, incoming_plain(VALUE("\x93\x01\x02\x03")), NULL), 0);
    list_reverse(fixture.list, NULL);
    must_be(fixture.list, VALUE("\x93\x03\x02\x01"));
    list_fixture_end(&fixture);
}

static void repeat_is_in_place_and_charged_in_full(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x92\x01" LONG_STRING));
    assert_int_equal(list_repeat(fixture.list, 1, NULL), 0);
    must_be(fixture.list, VALUE("\x92\x01" LONG_STRING));
    assert_int_equal(list_repeat(fixture.list, 3, NULL), 0);
    must_be(fixture.list, VALUE("\x96\x01" LONG_STRING "\x01" LONG_STRING "\x01" LONG_STRING));
    list_delete(fixture.list, 1, NULL);
    must_be(fixture.list, VALUE("\x95\x01\x01" LONG_STRING "\x01" LONG_STRING));
    assert_int_equal(list_repeat(fixture.list, -1, NULL), 0);
    must_be(fixture.list, VALUE("\x90"));
    assert_int_equal(list_repeat(fixture.list, INT64_MAX, NULL), 0);
    must_be(fixture.list, VALUE("\x90"));
    list_fixture_end(&fixture);
}

static void repeat_beyond_all_bounds_is_refused_before_anything_is_taken(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x92\x01" LONG_STRING));
    scarce_begin(0);
    assert_int_equal(list_repeat(fixture.list, INT64_MAX, NULL), ERR_TOO_LARGE);
    assert_int_equal(list_repeat(fixture.list, (LIST_MAX >> 1) + 1, NULL), ERR_TOO_LARGE);
    assert_int_equal(list_repeat(fixture.list, LIST_MAX >> 1, NULL), ERR_LIMIT);
    world_limit(&fixture.world, 1000);
    assert_int_equal(list_repeat(fixture.list, 100, NULL), ERR_LIMIT);
    (void)scarce_end();
    must_be(fixture.list, VALUE("\x92\x01" LONG_STRING));
    list_fixture_end(&fixture);
}

static void incr_adds_in_place(void **state)
{
    struct fixture fixture;
    struct buffer out = {0};
    list_fixture_begin(&fixture, VALUE("\x93\x7f\xa1x\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(list_incr(fixture.list, 0, VALUE("\x01"), &out), 0);
    assert_bytes(buffer_slice(&out), VALUE("\xcc\x80"));
    assert_int_equal(list_incr(fixture.list, 1, VALUE("\x01"), &out), ERR_TYPE);
    assert_int_equal(list_incr(fixture.list, 2, VALUE("\x01"), &out), ERR_RANGE);
    must_be(fixture.list, VALUE("\x93\xcc\x80\xa1x\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    buffer_deinit(&out);
    list_fixture_end(&fixture);
}

/* Every operation that takes memory, on a list of the values 0 to 9. */

static int op_insert(struct list *list)
{
    return list_insert(list, 5, incoming_plain(VALUE(LONG_STRING)), NULL);
}

static int op_set(struct list *list)
{
    return list_set(list, 5, incoming_plain(VALUE(LONG_STRING)));
}

static int op_extend(struct list *list)
{
    return list_extend(list, incoming_plain(VALUE("\x93\x01" LONG_STRING LONG_STRING)), NULL);
}

static int op_set_slice(struct list *list)
{
    struct list_range range = {.start = 1, .step = 1, .count = 1};
    return list_set_range(list, &range, incoming_plain(VALUE("\x93\x01" LONG_STRING LONG_STRING)),
                          NULL);
}

static int op_set_extended(struct list *list)
{
    struct list_range range = {.start = 1, .step = 4, .count = 2};
    return list_set_range(list, &range, incoming_plain(VALUE("\x92" LONG_STRING LONG_STRING)),
                          NULL);
}

static int op_repeat(struct list *list)
{
    return list_repeat(list, 3, NULL);
}

static int op_incr(struct list *list)
{
    struct buffer out = {0};
    int status = list_incr(list, 5, VALUE("\xcb\x3f\xf0\0\0\0\0\0\0"), &out);
    buffer_deinit(&out);
    return status;
}

static int (*const growing[])(struct list *) = {op_insert,       op_set,    op_extend, op_set_slice,
                                                op_set_extended, op_repeat, op_incr};
enum { GROWING = sizeof(growing) / sizeof(growing[0]) };

static void over_the_limit_nothing_is_changed(void **state)
{
    for (size_t i = 0; i < GROWING; i++) {
        struct fixture fixture;
        list_fixture_begin(&fixture, TEN);
        world_limit(&fixture.world, 3);
        assert_int_equal(growing[i](fixture.list), ERR_LIMIT);
        must_be(fixture.list, TEN);
        world_limit(&fixture.world, 10000);
        assert_int_equal(growing[i](fixture.list), 0);
        list_fixture_end(&fixture);
    }
}

static void without_memory_nothing_is_changed(void **state)
{
    unsigned refused = 0;
    for (size_t i = 0; i < GROWING; i++) {
        struct fixture fixture;
        list_fixture_begin(&fixture, TEN);
        for (unsigned n = 0;; n++) {
            scarce_begin(n);
            int status = growing[i](fixture.list);
            if (!scarce_end()) {
                assert_int_equal(status, 0);
                break;
            }
            assert_int_equal(status, ERR_MEMORY);
            must_be(fixture.list, TEN);
            refused++;
        }
        list_fixture_end(&fixture);
    }
    assert_true(refused >= GROWING);
    struct fixture fixture;
    list_fixture_begin(&fixture, TEN);
    scarce_begin(0);
    assert_int_equal(list_sort(fixture.list, true, NULL), ERR_MEMORY);
    assert_true(scarce_end());
    must_be(fixture.list, TEN);
    list_fixture_end(&fixture);
}

static void without_memory_for_a_larger_array_nothing_is_changed(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x90"));
    struct list *list = fixture.list;
    do { /* until there is no free cell */
        assert_int_equal(list_insert(list, list_len(list), incoming_plain(VALUE("\x01")), NULL), 0);
    } while (list_len(list) < list->cells.cap);
    uint32_t len = list_len(list);
    uint64_t bytes = list->object.bytes;
    for (uint32_t position = 0; position <= len; position++) {
        scarce_begin(0);
        assert_int_equal(list_insert(list, position, incoming_plain(VALUE("\x02")), NULL),
                         ERR_MEMORY);
        assert_true(scarce_end());
    }
    scarce_begin(1); /* the first is the staged cells */
    assert_int_equal(list_extend(list, incoming_plain(VALUE("\x92\x02\x02")), NULL), ERR_MEMORY);
    assert_true(scarce_end());
    assert_int_equal(list_count(list, VALUE("\x01"), NULL), len);
    assert_int_equal(list_len(list), len);
    assert_int_equal(list->object.bytes, bytes);
    list_fixture_end(&fixture);
}

static void large_values_outlive_the_list(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, VALUE("\x91" LONG_STRING));
    struct stored stored = list_at(fixture.list, 0);
    (void)blob_ref(stored.blob);
    list_fixture_end(&fixture);
    assert_bytes(stored.bytes, VALUE(LONG_STRING));
    blob_unref(stored.blob);
}

static void describe_gives_the_size(void **state)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, TEN);
    struct buffer out = {0};
    assert_int_equal(list_type.describe(&fixture.list->object, &out, 0), 1);
    assert_bytes(buffer_slice(&out), VALUE("\xa4size\x0a"));
    buffer_deinit(&out);
    list_fixture_end(&fixture);
}

static void a_list_that_cannot_be_made_leaves_nothing(void **state)
{
    struct world world;
    struct list *list;
    world_init(&world);
    scarce_begin(0);
    assert_int_equal(list_new(&world.options, &list), ERR_MEMORY);
    assert_true(scarce_end());
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_kept_byte_for_byte),
        cmocka_unit_test(an_index_counts_from_either_end),
        cmocka_unit_test(insert_clamps_its_index),
        cmocka_unit_test(set_and_delete_move_the_charge),
        cmocka_unit_test(slices_follow_the_rules_of_python),
        cmocka_unit_test(slices_of_an_empty_list_are_empty),
        cmocka_unit_test(set_slice_replaces_with_fewer_and_with_more),
        cmocka_unit_test(an_extended_slice_takes_only_as_many_as_it_has),
        cmocka_unit_test(delete_slice_removes_what_slice_shows),
        cmocka_unit_test(find_looks_between_clamped_bounds_and_by_canonical_equality),
        cmocka_unit_test(reverse_turns_the_list_round),
        cmocka_unit_test(repeat_is_in_place_and_charged_in_full),
        cmocka_unit_test(repeat_beyond_all_bounds_is_refused_before_anything_is_taken),
        cmocka_unit_test(incr_adds_in_place),
        cmocka_unit_test(over_the_limit_nothing_is_changed),
        cmocka_unit_test(without_memory_nothing_is_changed),
        cmocka_unit_test(without_memory_for_a_larger_array_nothing_is_changed),
        cmocka_unit_test(large_values_outlive_the_list),
        cmocka_unit_test(describe_gives_the_size),
        cmocka_unit_test(a_list_that_cannot_be_made_leaves_nothing),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
