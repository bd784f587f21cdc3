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
    assert_int_equal(packed.count, 1000);
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
    while (packed.count > 0) {
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
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 0);
    assert_true(packed_front(&a, &record));
    assert_int_equal(number_of(&record), 2);
    packed_deinit(&a);
    packed_deinit(&b);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
