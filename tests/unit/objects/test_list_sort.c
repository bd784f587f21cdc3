/* Sorting a list: Python's order, stable, errors that change nothing. */
#include "tests/unit/objects/list_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void must_sort(struct slice values, bool reverse, struct slice sorted)
{
    struct fixture fixture;
    list_fixture_begin(&fixture, values);
    assert_int_equal(list_sort(fixture.list, reverse, NULL), 0);
    must_be(fixture.list, sorted);
    list_fixture_end(&fixture);
}

static void sort_orders_numbers_by_value_and_strings_by_bytes(void **state)
{
    must_sort(VALUE("\x90"), false, VALUE("\x90"));
    must_sort(VALUE("\x91\xc0"), true, VALUE("\x91\xc0"));
    /* -1, 1.5, 2, 2^63, 2^64-1 */
    must_sort(VALUE("\x95\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x02\xff\xcb\x3f\xf8\0\0\0\0\0\0"
                    "\xcf\x80\0\0\0\0\0\0\0"),
              false,
              VALUE("\x95\xff\xcb\x3f\xf8\0\0\0\0\0\0\x02\xcf\x80\0\0\0\0\0\0\0"
                    "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    /* 2^53 and 2^53+1, which no double tells apart */
    must_sort(VALUE("\x92\xcf\0\x20\0\0\0\0\0\x01\xcf\0\x20\0\0\0\0\0\0"), false,
              VALUE("\x92\xcf\0\x20\0\0\0\0\0\0\xcf\0\x20\0\0\0\0\0\x01"));
    must_sort(VALUE("\x94\xa2"
                    "ab\xa0\xa1"
                    "b\xa1"
                    "a"),
              false,
              VALUE("\x94\xa0\xa1"
                    "a\xa2"
                    "ab\xa1"
                    "b"));
    must_sort(VALUE("\x93\xa2"
                    "a\0\xa1"
                    "a\xa9longlonga"),
              true,
              VALUE("\x93\xa9longlonga\xa2"
                    "a\0\xa1"
                    "a"));
}

static void equal_values_keep_their_order_also_in_reverse(void **state)
{
    /* 1 and 1.0 are equal in order, 0.0 and -0.0 too */
    must_sort(VALUE("\x94\xcb\x3f\xf0\0\0\0\0\0\0\x01\x00\xcb\x80\0\0\0\0\0\0\0"), false,
              VALUE("\x94\x00\xcb\x80\0\0\0\0\0\0\0\xcb\x3f\xf0\0\0\0\0\0\0\x01"));
    must_sort(VALUE("\x94\xcb\x3f\xf0\0\0\0\0\0\0\x01\x00\xcb\x80\0\0\0\0\0\0\0"), true,
              VALUE("\x94\xcb\x3f\xf0\0\0\0\0\0\0\x01\x00\xcb\x80\0\0\0\0\0\0\0"));
}

static void a_long_list_is_sorted_stably(void **state)
{
    enum { COUNT = 5000 };
    for (int reverse = 0; reverse < 2; reverse++) {
        struct fixture fixture;
        list_fixture_begin(&fixture, VALUE("\x90"));
        for (uint32_t i = 0; i < COUNT; i++) { /* 100 numbers, as integers and floats in turn */
            struct buffer value = {0};
            uint32_t number = i * 7919 % 100;
            i % 3 == 0 ? pack_double(&value, number) : pack_uint(&value, number);
            assert_int_equal(
                list_insert(fixture.list, i, incoming_plain(buffer_slice(&value)), NULL), 0);
            buffer_deinit(&value);
        }
        uint32_t at = 0;
        assert_int_equal(list_sort(fixture.list, reverse != 0, NULL), 0);
        for (uint32_t number = 0; number < 100; number++) {
            uint32_t wanted = reverse != 0 ? 99 - number : number;
            for (uint32_t i = 0; i < COUNT; i++) {
                if (i * 7919 % 100 == wanted) {
                    bool is_float = list_at(fixture.list, at++).bytes.data[0] == 0xcb;
                    assert_int_equal(is_float, i % 3 == 0);
                }
            }
        }
        list_fixture_end(&fixture);
    }
}

static void not_a_number_is_sorted_behind_all_numbers(void **state)
{
    must_sort(VALUE("\x94\xcb\x7f\xf8\0\0\0\0\0\0\x05\xcb\xff\xf8\0\0\0\0\0\0\x03"), false,
              VALUE("\x94\x03\x05\xcb\x7f\xf8\0\0\0\0\0\0\xcb\xff\xf8\0\0\0\0\0\0"));
}

static void sort_of_mixed_kinds_is_a_type_error_and_changes_nothing(void **state)
{
    const struct slice mixed[] = {VALUE("\x93\x03\x01\xa1x"), VALUE("\x92\xa1x\xc4\x01x"),
                                  VALUE("\x92\xc3\xc2"), VALUE("\x92\x02\xc0"),
                                  VALUE("\x92\x91\x02\x91\x01")};
    for (size_t i = 0; i < sizeof(mixed) / sizeof(mixed[0]); i++) {
        struct fixture fixture;
        list_fixture_begin(&fixture, mixed[i]);
        assert_int_equal(list_sort(fixture.list, false, NULL), ERR_TYPE);
        must_be(fixture.list, mixed[i]);
        list_fixture_end(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_orders_numbers_by_value_and_strings_by_bytes),
        cmocka_unit_test(equal_values_keep_their_order_also_in_reverse),
        cmocka_unit_test(a_long_list_is_sorted_stably),
        cmocka_unit_test(not_a_number_is_sorted_behind_all_numbers),
        cmocka_unit_test(sort_of_mixed_kinds_is_a_type_error_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("list_sort", tests, NULL, NULL);
}
