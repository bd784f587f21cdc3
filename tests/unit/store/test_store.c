/* Tests of daemon/store/store: rows that are gathered, committed, and there again. */
#include "daemon/store/store.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "proto/error.h"
#include "tests/support/scarce.h"
#include "tests/support/unit.h"
#include "tests/unit/store/box.h"

static void a_new_store_is_empty(void **state)
{
    struct box *box = *state;
    box_open(box);
    box_expect(box, "");
    assert_int_equal(store_row_count(box->store), 0);
    box_reopen(box);
    box_expect(box, "");
}

static void rows_are_there_again_in_order(void **state)
{
    struct box *box = *state;
    box_open(box);
    box_put(box, 7, "b", "two");
    box_put(box, 7, "", "own");
    box_put(box, 7, "ab", "one and a half");
    box_put(box, 7, "a", "");
    box_put(box, 3, "z", "first");
    box_put(box, 300, "a", "last");
    box_commit(box);
    box_reopen(box);
    box_expect(box, "3 z=first; 7 =own; 7 a=; 7 ab=one and a half; 7 b=two; 300 a=last; ");
    assert_int_equal(store_row_count(box->store), 6);
}

static void numbers_of_objects_at_their_extremes_are_in_order(void **state)
{
    struct box *box = *state;
    box_open(box);
    box_put(box, UINT64_MAX, "k", "e");
    box_put(box, (uint64_t)INT64_MAX + 1, "k", "d");
    box_put(box, INT64_MAX, "k", "c");
    box_put(box, 1, "k", "b");
    box_put(box, 0, "k", "a");
    box_commit(box);
    box_reopen(box);
    box_expect(box, "0 k=a; 1 k=b; 9223372036854775807 k=c; 9223372036854775808 k=d; "
                    "18446744073709551615 k=e; ");
    store_remove_object(box->store, UINT64_MAX);
    box_commit(box);
    box_reopen(box);
    box_expect(box, "0 k=a; 1 k=b; 9223372036854775807 k=c; 9223372036854775808 k=d; ");
}

static void later_changes_of_a_row_are_done_after_earlier_ones(void **state)
{
    struct box *box = *state;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_put(box, 1, "a", "2");
    box_put(box, 1, "b", "1");
    box_remove(box, 1, "b");
    box_put(box, 2, "a", "1");
    store_remove_object(box->store, 2);
    box_put(box, 2, "b", "1");
    box_remove(box, 9, "never there");
    box_commit(box);
    box_expect(box, "1 a=2; 2 b=1; ");
    box_put(box, 1, "a", "3");
    box_remove(box, 2, "b");
    box_commit(box);
    box_reopen(box);
    box_expect(box, "1 a=3; ");
}

static void what_was_not_handed_over_is_dropped_at_close(void **state)
{
    struct box *box = *state;
    uint64_t number;
    box_open(box);
    box_put(box, 1, "a", "handed over");
    assert_int_equal(store_commit(box->store, &number), 0);
    assert_int_equal(number, 1);
    box_put(box, 1, "b", "gathered");
    box_reopen(box);
    box_expect(box, "1 a=handed over; ");
}

static void a_commit_gathers_while_another_is_on_its_way(void **state)
{
    struct box *box = *state;
    const char *error;
    uint64_t number;
    box_open(box);
    box_put(box, 1, "a", "1");
    assert_int_equal(store_commit(box->store, &number), 0);
    assert_int_equal(store_gathered(box->store), 0);
    box_put(box, 1, "b", "2");
    assert_true(store_gathered(box->store) > 0);
    assert_true(store_is_busy(box->store));
    assert_int_equal(box_wait(box, &number, &error), 0);
    assert_int_equal(number, 1);
    assert_int_equal(store_reap(box->store, &number, &error), EAGAIN);
    box_commit(box);
    box_expect(box, "1 a=1; 1 b=2; ");
}

static void a_commit_of_nothing_ends_too(void **state)
{
    struct box *box = *state;
    box_open(box);
    box_commit(box);
    box_commit(box);
    box_expect(box, "");
}

static void binary_and_large_rows_come_back_whole(void **state)
{
    struct box *box = *state;
    enum { LARGE = 3 * 1000 * 1000 };
    char *value = malloc(LARGE + 1);
    memset(value, 'x', LARGE);
    value[LARGE] = '\0';
    box_open(box);
    box_put(box, 1, "large", value);
    box_put(box, 2, "\xff\x01 \x80", "\x01\xff");
    box_commit(box);
    box_reopen(box);
    char *text = box_text(box);
    assert_int_equal(strlen(text), LARGE + strlen("1 large=; 2 \xff\x01 \x80=\x01\xff; "));
    free(text);
    free(value);
}

static int stop_at_second(void *data, uint64_t object, struct slice key, struct slice value)
{
    return ++*(int *)data == 2 ? -7 : 0;
}

static void reading_stops_where_the_caller_says_so(void **state)
{
    struct box *box = *state;
    char *error;
    int count = 0;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_put(box, 1, "b", "2");
    box_put(box, 1, "c", "3");
    box_commit(box);
    assert_int_equal(store_read(box->store, stop_at_second, &count, &error), -7);
    assert_null(error);
    assert_int_equal(count, 2);
}

static void want_of_memory_while_gathering_is_said_by_commit(void **state)
{
    struct box *box = *state;
    uint64_t number = 99;
    box_open(box);
    scarce_begin(0);
    box_put(box, 1, "a", "1");
    assert_true(scarce_end());
    box_put(box, 1, "b", "2");
    assert_int_equal(store_commit(box->store, &number), ERR_MEMORY);
    assert_false(store_is_busy(box->store));
    box_reopen(box);
    box_expect(box, "");
}

static void figures_count_commits_rows_and_syncs(void **state)
{
    struct box *box = *state;
    struct store_figures figures;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_put(box, 1, "b", "1");
    store_figures(box->store, &figures);
    assert_int_equal(figures.commits, 0);
    assert_int_equal(figures.queued, store_gathered(box->store));
    box_commit(box);
    box_put(box, 1, "c", "1");
    box_commit(box);
    store_figures(box->store, &figures);
    assert_int_equal(figures.commits, 2);
    assert_int_equal(figures.rows, 3);
    assert_int_equal(figures.syncs, 2);
    assert_int_equal(figures.queued, 0);
    assert_true(figures.bytes > 0);
    assert_true(figures.commit_ns >= figures.sync_ns && figures.sync_ns > 0);
    assert_null(figures.last_error);
}

static void a_log_is_synced_an_interval_after_the_commit(void **state)
{
    struct box *box = *state;
    struct store_figures figures;
    time_t end = time(NULL) + 60;
    box->options.sync = STORE_SYNC_INTERVAL;
    box->options.interval_ms = 20;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_commit(box);
    do {
        assert_true(time(NULL) < end);
        (void)poll(NULL, 0, 1);
        store_figures(box->store, &figures);
    } while (figures.syncs == 0);
    assert_int_equal(figures.commits, 1);
    box_reopen(box);
    box_expect(box, "1 a=1; ");
}

static void intervals_at_their_extremes_are_intervals(void **state)
{
    static const uint64_t intervals[] = {0, 1, INT64_MAX, UINT64_MAX};
    struct box *box = *state;
    struct store_figures figures;
    box->options.sync = STORE_SYNC_INTERVAL;
    for (int i = 0; i < 4; i++) {
        box->options.interval_ms = intervals[i];
        box_open(box);
        box_put(box, 1, "a", "1");
        box_commit(box);
        store_figures(box->store, &figures);
        assert_true(i < 2 || figures.syncs == 0);
        box_close(box);
    }
}

static void without_syncs_none_is_made(void **state)
{
    struct box *box = *state;
    struct store_figures figures;
    box->options.sync = STORE_SYNC_NEVER;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_commit(box);
    store_figures(box->store, &figures);
    assert_int_equal(figures.commits, 1);
    assert_int_equal(figures.syncs, 0);
    box_reopen(box);
    box_expect(box, "1 a=1; ");
}

static void want_of_memory_at_the_start_is_said(void **state)
{
    struct box *box = *state;
    unsigned n = 0;
    for (;; n++) {
        char *error = NULL;
        scarce_begin(n);
        int code = box_try_open(box, &error);
        bool failed = scarce_end();
        box_close(box);
        if (code != 0) {
            assert_int_equal(code, ENOMEM);
        }
        free(error);
        if (!failed) {
            break;
        }
    }
    assert_true(n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_store_is_empty, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(rows_are_there_again_in_order, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(numbers_of_objects_at_their_extremes_are_in_order,
                                        box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(later_changes_of_a_row_are_done_after_earlier_ones,
                                        box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_handed_over_is_dropped_at_close, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_commit_gathers_while_another_is_on_its_way, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_commit_of_nothing_ends_too, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(binary_and_large_rows_come_back_whole, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(reading_stops_where_the_caller_says_so, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(want_of_memory_while_gathering_is_said_by_commit,
                                        box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(a_log_is_synced_an_interval_after_the_commit, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(intervals_at_their_extremes_are_intervals, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(without_syncs_none_is_made, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(want_of_memory_at_the_start_is_said, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(figures_count_commits_rows_and_syncs, box_set_up,
                                        box_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
