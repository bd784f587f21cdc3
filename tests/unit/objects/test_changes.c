/* The numbers of what has changed. */
#include "daemon/objects/changes.h"
#include "tests/support/scarce.h"
#include "tests/support/unit.h"

static void numbers_come_in_order_and_each_once(void **state)
{
    struct changes changes = {0};
    const uint64_t given[] = {5, UINT64_MAX, 5, 0, 7, 0, UINT64_MAX, 5};
    const uint64_t expected[] = {0, 5, 7, UINT64_MAX};
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
        assert_int_equal(changes_note(&changes, given[i]), 0);
    }
    changes_sort(&changes);
    assert_int_equal(changes.len, 4);
    assert_memory_equal(changes.numbers, expected, sizeof(expected));
    changes_deinit(&changes);
    changes_sort(&changes);
    assert_int_equal(changes.len, 0);
}

static void the_same_numbers_again_and_again_take_no_more_memory(void **state)
{
    struct changes changes = {0};
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(changes_note(&changes, i % 10), 0);
    }
    assert_in_range(changes.cap, 10, 64);
    changes_sort(&changes);
    assert_int_equal(changes.len, 10);
    changes_deinit(&changes);
}

static void what_there_is_no_memory_for_is_said(void **state)
{
    struct changes changes = {0};
    uint64_t noted = 0;
    scarce_begin(1);
    while (changes_note(&changes, noted) == 0) {
        noted++;
    }
    scarce_end();
    changes_sort(&changes);
    assert_int_equal(changes.len, noted);
    assert_int_equal(changes_note(&changes, noted), 0);
    changes_deinit(&changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_in_order_and_each_once),
        cmocka_unit_test(the_same_numbers_again_and_again_take_no_more_memory),
        cmocka_unit_test(what_there_is_no_memory_for_is_said),
    };
    return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
