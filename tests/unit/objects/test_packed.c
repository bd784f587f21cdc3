/* packed: records go in at the back and come out at either end, whatever their sizes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/objects/packed.h"

static void push_number(struct packed *packed, uint32_t number, size_t padding)
{
    uint8_t bytes[4096] = {0};
    memcpy(bytes, &number, sizeof(number));
    struct slice data = {bytes, sizeof(number) + padding};
    uint64_t expected = packed->cost + packed_push_cost(packed, data.len);
    assert_int_equal(packed_push(packed, PACKED_VALUE, data), 0);
    assert_int_equal(packed->cost, expected);
}

static uint32_t number_of(const struct packed_record *record)
{
    uint32_t number;
    assert_int_equal(record->tag, PACKED_VALUE);
    memcpy(&number, record->data.data, sizeof(number));
    return number;
}

static void packed_front_returns_records_in_order(void **state)
{
    struct packed packed;
    struct packed_record record;
    packed_init(&packed, false);
    assert_false(packed_front(&packed, &record));
    for (uint32_t i = 0; i < 5000; i++) {
        push_number(&packed, i, i * 7 % 500);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        assert_true(packed_front(&packed, &record));
        assert_int_equal(number_of(&record), i);
        assert_int_equal(record.data.len, sizeof(i) + i * 7 % 500);
        packed_pop_front(&packed);
    }
    assert_false(packed_front(&packed, &record));
    packed_deinit(&packed);
    assert_int_equal(packed.cost, 0);
}

static void packed_back_returns_the_last_record(void **state)
{
    struct packed packed;
    struct packed_record record;
    packed_init(&packed, true);
    for (uint32_t i = 0; i < 3000; i++) {
        push_number(&packed, i, i % 300);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(packed_front(&packed, &record));
        assert_int_equal(number_of(&record), i);
        packed_pop_front(&packed);
        assert_true(packed_back(&packed, &record));
        assert_int_equal(number_of(&record), 2999 - i);
        packed_pop_back(&packed);
    }
    assert_int_equal(packed_count(&packed), 1000);
    packed_deinit(&packed);
}

static void packed_next_walks_both_ways(void **state)
{
    struct packed packed;
    struct packed_record record;
    packed_init(&packed, true);
    struct packed_cursor cursor = packed_begin(&packed, false);
    assert_false(packed_next(&packed, &cursor, false, &record));
    for (uint32_t i = 0; i < 2000; i++) {
        push_number(&packed, i, i % 100);
    }
    cursor = packed_begin(&packed, false);
    for (uint32_t i = 0; i < 2000; i++) {
        assert_true(packed_next(&packed, &cursor, false, &record));
        assert_int_equal(number_of(&record), i);
    }
    assert_false(packed_next(&packed, &cursor, false, &record));
    cursor = packed_begin(&packed, true);
    for (uint32_t i = 2000; i-- > 0;) {
        assert_true(packed_next(&packed, &cursor, true, &record));
        assert_int_equal(number_of(&record), i);
    }
    assert_false(packed_next(&packed, &cursor, true, &record));
    packed_deinit(&packed);
}

static void packed_memory_goes_with_the_records(void **state)
{
    struct packed packed;
    packed_init(&packed, false);
    for (uint32_t i = 0; i < 100000; i++) {
        push_number(&packed, i, 62);
    }
    assert_true(packed.cost < 100000 * 72);
    while (packed_count(&packed) > 0) {
        packed_pop_front(&packed);
    }
    assert_true(packed.cost <= 16384);
    packed_deinit(&packed);
}

static void packed_short_run_reuses_its_memory(void **state)
{
    struct packed packed;
    packed_init(&packed, false);
    push_number(&packed, 1, 60);
    uint64_t cost = packed.cost;
    for (uint32_t i = 0; i < 1000; i++) {
        packed_pop_front(&packed);
        push_number(&packed, i, 60);
    }
    assert_int_equal(packed.cost, cost);
    packed_deinit(&packed);
}

static void packed_kept_memory_makes_way_for_a_larger_record(void **state)
{
    struct packed packed;
    struct packed_record record;
    packed_init(&packed, false);
    push_number(&packed, 1, 0);
    packed_pop_front(&packed);
    push_number(&packed, 2, 1000);
    push_number(&packed, 3, 0);
    assert_true(packed_front(&packed, &record));
    assert_int_equal(number_of(&record), 2);
    packed_pop_front(&packed);
    assert_true(packed_front(&packed, &record));
    assert_int_equal(number_of(&record), 3);
    packed_deinit(&packed);
    assert_int_equal(packed.cost, 0);
}

static void packed_take_over_moves_everything(void **state)
{
    struct packed a;
    struct packed b;
    struct packed_record record;
    packed_init(&a, false);
    packed_init(&b, false);
    push_number(&a, 1, 0);
    push_number(&b, 2, 0);
    packed_take_over(&a, &b);
    assert_int_equal(packed_count(&a), 1);
    assert_int_equal(packed_count(&b), 0);
    assert_true(packed_front(&a, &record));
    assert_int_equal(number_of(&record), 2);
    packed_deinit(&a);
    packed_deinit(&b);
}

/* Walks from one end to the record that has `skip` that are not hidden before it. */
static uint32_t number_behind(const struct packed *packed, bool from_back, uint64_t skip,
                              const bool *is_hidden)
{
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(packed, from_back);
    packed_skip(packed, &cursor, from_back, &skip, NULL);
    for (;;) {
        assert_true(packed_next(packed, &cursor, from_back, &record));
        if (!is_hidden[number_of(&record)] && skip-- == 0) {
            return number_of(&record);
        }
    }
}

static void packed_skip_finds_its_place_without_a_walk_over_all(void **state)
{
    enum { COUNT = 30000 };
    static bool is_hidden[COUNT];
    static struct packed_segment *segments[COUNT];
    struct packed packed;
    packed_init(&packed, true);
    for (uint32_t i = 0; i < COUNT; i++) {
        push_number(&packed, i, i % 60);
        segments[i] = packed_last(&packed);
    }
    for (uint32_t i = 0; i < 777; i++) {
        packed_pop_front(&packed);
        packed_pop_back(&packed);
    }
    for (uint32_t i = 777; i < COUNT - 777; i += i % 7 + 1) {
        is_hidden[i] = true;
        packed_hide(segments[i]);
    }
    is_hidden[777] = false;
    packed_show(segments[777]);
    uint32_t visible[COUNT];
    uint32_t count = 0;
    for (uint32_t i = 777; i < COUNT - 777; i++) {
        if (!is_hidden[i]) {
            visible[count++] = i;
        }
    }
    for (uint32_t i = 0; i < count; i += 101) {
        assert_int_equal(number_behind(&packed, false, i, is_hidden), visible[i]);
        assert_int_equal(number_behind(&packed, true, i, is_hidden), visible[count - 1 - i]);
    }
    uint64_t all = count;
    struct pace pace = {.left = 1000};
    struct packed_cursor cursor = packed_begin(&packed, false);
    packed_skip(&packed, &cursor, false, &all, &pace);
    assert_int_equal(all, 0);
    assert_null(cursor.segment);
    assert_true(pace.left > 900); /* a step for each segment */
    packed_deinit(&packed);
}

static void packed_skip_goes_by_what_is_left_after_the_run_was_empty(void **state)
{
    struct packed packed;
    struct packed_record record;
    packed_init(&packed, false);
    for (uint32_t i = 0; i < 5; i++) {
        push_number(&packed, i, 0);
    }
    while (packed_count(&packed) > 0) {
        packed_pop_front(&packed);
    }
    uint64_t skip = 1;
    struct packed_cursor cursor = packed_begin(&packed, false);
    packed_skip(&packed, &cursor, false, &skip, NULL);
    assert_int_equal(skip, 1);
    assert_false(packed_next(&packed, &cursor, false, &record));
    push_number(&packed, 5, 0);
    push_number(&packed, 6, 0);
    cursor = packed_begin(&packed, false);
    packed_skip(&packed, &cursor, false, &skip, NULL);
    assert_int_equal(skip, 1);
    skip = 2;
    packed_skip(&packed, &cursor, false, &skip, NULL);
    assert_int_equal(skip, 0);
    packed_deinit(&packed);
}

/* The record that a walk to the back shows next. */
static uint32_t next_number(const struct packed *packed, struct packed_cursor *cursor)
{
    struct packed_record record;
    assert_true(packed_next(packed, cursor, false, &record));
    return number_of(&record);
}

static void packed_walks_go_on_with_what_comes_later(void **state)
{
    struct packed packed;
    struct packed_record record;
    packed_init(&packed, false);
    for (uint32_t i = 0; i < 1000; i += 4) {
        push_number(&packed, i, i % 300);
        struct packed_cursor end = packed_end(&packed);
        for (uint32_t j = 1; j < 4; j++) {
            push_number(&packed, i + j, i % 300);
        }
        for (uint32_t j = i; j < i + 4 && i >= 100; j++) {
            packed_pop_front(&packed);
        }
        for (uint32_t j = 1; j < 4; j++) {
            assert_int_equal(next_number(&packed, &end), i + j);
        }
        assert_false(packed_next(&packed, &end, false, &record));
    }
    packed_deinit(&packed);
}

static void packed_find_counts_from_the_back(void **state)
{
    struct packed packed;
    packed_init(&packed, true);
    packed_number(&packed, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        push_number(&packed, i, i % 300);
    }
    for (uint32_t i = 0; i < 1000; i += 37) {
        struct packed_cursor cursor = packed_find(&packed, 1000 + i);
        for (uint32_t j = i; j < 1000 && j < i + 3; j++) {
            assert_int_equal(next_number(&packed, &cursor), j);
        }
    }
    struct packed_record record;
    struct packed_cursor cursor = packed_find(&packed, 2000);
    assert_false(packed_next(&packed, &cursor, false, &record));
    packed_deinit(&packed);
}

static void packed_numbers_begin_where_they_are_told_to(void **state)
{
    struct packed packed;
    packed_init(&packed, false);
    push_number(&packed, 0, 10);
    packed_pop_front(&packed); /* its memory is kept */
    packed_number(&packed, UINT64_C(1) << 40);
    for (uint32_t i = 0; i < 300; i++) {
        push_number(&packed, i, 10);
    }
    assert_int_equal(packed.first, UINT64_C(1) << 40);
    assert_int_equal(packed_count(&packed), 300);
    uint64_t left = 150;
    struct packed_cursor cursor = packed_begin(&packed, false);
    packed_skip(&packed, &cursor, false, &left, NULL);
    for (; left > 0; left--) {
        (void)next_number(&packed, &cursor);
    }
    assert_int_equal(next_number(&packed, &cursor), 150);
    packed_deinit(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_front_returns_records_in_order),
        cmocka_unit_test(packed_back_returns_the_last_record),
        cmocka_unit_test(packed_next_walks_both_ways),
        cmocka_unit_test(packed_memory_goes_with_the_records),
        cmocka_unit_test(packed_short_run_reuses_its_memory),
        cmocka_unit_test(packed_kept_memory_makes_way_for_a_larger_record),
        cmocka_unit_test(packed_take_over_moves_everything),
        cmocka_unit_test(packed_skip_finds_its_place_without_a_walk_over_all),
        cmocka_unit_test(packed_walks_go_on_with_what_comes_later),
        cmocka_unit_test(packed_find_counts_from_the_back),
        cmocka_unit_test(packed_numbers_begin_where_they_are_told_to),
        cmocka_unit_test(packed_skip_goes_by_what_is_left_after_the_run_was_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
