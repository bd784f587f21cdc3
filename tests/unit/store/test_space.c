/*
 * Tests of daemon/store when the file system is full: what has been promised is written, what would
 * grow is refused, what makes room goes on, and space that comes back is noticed.
 */
#include "daemon/store/space.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/unit.h"
#include "tests/unit/store/box.h"
#include "tests/unit/store/disk.h"

enum { MIB = 1024 * 1024, VALUE = 4000, ROUNDS = 3000 };

static const uint64_t reserve = UINT64_C(2) * MIB;

static int set_up(void **state)
{
    struct box *box = malloc(sizeof(*box));
    disk_install();
    box_init(box);
    box->options.reserve = reserve;
    *state = box;
    return 0;
}

static int tear_down(void **state)
{
    disk_install();
    box_deinit(*state);
    free(*state);
    return 0;
}

static void put(struct box *box, unsigned number)
{
    static uint8_t value[VALUE];
    char key[16];
    memset(value, (int)number, sizeof(value));
    (void)snprintf(key, sizeof(key), "%08u", number);
    store_put(box->store, 1, slice_of_string(key), (struct slice){value, VALUE});
}

static void remove_row(struct box *box, unsigned number)
{
    char key[16];
    (void)snprintf(key, sizeof(key), "%08u", number);
    store_remove(box->store, 1, slice_of_string(key));
}

static int count_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    ++*(unsigned *)data;
    return 0;
}

static unsigned count_rows(struct box *box)
{
    unsigned count = 0;
    char *error;
    assert_int_equal(store_read(box->store, count_row, &count, &error), 0);
    return count;
}

/* Puts rows, each promised, a few to a commit, until one is refused and no commit on its way can
 * help: how many there are then. */
static unsigned fill(struct box *box, unsigned count)
{
    bool refused = false;
    while (!refused) {
        for (int i = 0; i < 5 && !refused; i++) {
            refused = !store_promise(box->store, VALUE, false);
            if (!refused) {
                put(box, count++);
            }
        }
        refused = refused && store_gathered(box->store) == 0;
        box_commit(box);
        assert_true(count < 100000);
    }
    return count;
}

static void without_space_a_promise_holds_for_the_reserve_and_no_more(void **state)
{
    struct box *box = *state;
    uint64_t promised = 0;
    box_open(box);
    disk_set_free(0);
    while (store_promise(box->store, 10000, false)) {
        promised += 10000;
    }
    assert_true(promised > reserve / 8 && promised < reserve);
    assert_false(store_promise(box->store, 10000, false));
    /* What makes room has a part of its own. */
    assert_true(store_promise(box->store, 10000, true));
    uint64_t freeing = 10000;
    while (store_promise(box->store, 10000, true)) {
        freeing += 10000;
    }
    assert_true(freeing > reserve / 32);
}

static void with_space_promises_are_as_large_as_it(void **state)
{
    struct box *box = *state;
    box_open(box);
    disk_set_free(UINT64_C(100) * MIB);
    assert_true(store_promise(box->store, UINT64_C(40) * MIB, false));
    assert_false(store_promise(box->store, UINT64_C(100) * MIB, false));
    assert_true(store_promise(box->store, 1, false));
    assert_false(store_promise(box->store, UINT64_MAX, false));
    assert_false(store_promise(box->store, UINT64_MAX - 1, true));
    assert_true(store_promise(box->store, 0, true));
}

static void promises_are_over_with_their_commit_or_forgotten(void **state)
{
    struct box *box = *state;
    box_open(box);
    disk_set_free(0);
    for (int i = 0; i < 3; i++) {
        unsigned count = 0;
        while (store_promise(box->store, 10000, false)) {
            count++;
        }
        assert_true(count > 5);
        if (i < 2) {
            box_commit(box);
        }
    }
    store_forget_promises(box->store);
    assert_true(store_promise(box->store, 10000, false));
}

static void everything_promised_is_written_though_the_disk_is_full(void **state)
{
    struct box *box = *state;
    for (uint64_t free_bytes = 0; free_bytes <= UINT64_C(4) * MIB; free_bytes += MIB / 2) {
        struct store_figures figures;
        box_open(box);
        disk_set_free(free_bytes);
        unsigned count = fill(box, 0);
        assert_true(count > 5);
        store_figures(box->store, &figures);
        assert_null(figures.last_error);
        assert_int_equal(count_rows(box), count);
        disk_set_free(UINT64_MAX);
        box_reopen(box);
        assert_int_equal(count_rows(box), count);
        store_remove_object(box->store, 1);
        box_commit(box);
        box_close(box);
    }
}

static void what_makes_room_goes_on_for_ever_on_a_full_disk(void **state)
{
    struct box *box = *state;
    box_open(box);
    disk_set_free(UINT64_C(8) * MIB);
    unsigned count = fill(box, 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        /* A head mark that moves, and now and then a row that goes. */
        char mark[16];
        assert_true(store_promise(box->store, 20, true));
        (void)snprintf(mark, sizeof(mark), "%u", i);
        box_put(box, 0, "mark", mark);
        if (i % 3 == 0 && i / 3 < count) {
            remove_row(box, i / 3);
        }
        box_commit(box);
    }
    box_reopen(box);
    assert_int_equal(count_rows(box), count > ROUNDS / 3 ? count - ROUNDS / 3 + 1 : 1);
}

/* Asks until it is so, a minute at most. */
static void await_promise(struct box *box)
{
    time_t end = time(NULL) + 60;
    while (!store_promise(box->store, VALUE, false)) {
        assert_true(time(NULL) < end);
        (void)poll(NULL, 0, 10);
    }
}

static void space_that_comes_back_is_noticed(void **state)
{
    struct box *box = *state;
    box_open(box);
    disk_set_free(UINT64_C(3) * MIB);
    unsigned count = fill(box, 0);
    disk_set_free(UINT64_C(50) * MIB);
    await_promise(box);
    assert_true(fill(box, count) > count + 100);
}

static void what_was_removed_makes_room_where_nothing_else_is_free(void **state)
{
    struct box *box = *state;
    box_open(box);
    unsigned count = 0;
    for (unsigned i = 0; i < 40; i++) { /* far more than the reserve */
        for (unsigned k = 0; k < 50; k++) {
            put(box, count++);
        }
        box_commit(box);
    }
    disk_set_free(0);
    unsigned full = fill(box, count);
    for (unsigned i = 0; i < full / 3; i++) { /* too little to be given back to the file system */
        remove_row(box, i);
    }
    box_commit(box);
    await_promise(box);
    assert_true(fill(box, full) > full);
}

static void a_commit_that_finds_no_space_waits_for_it(void **state)
{
    struct box *box = *state;
    struct store_figures figures;
    const char *error;
    uint64_t number;
    box_open(box);
    disk_set_free(0);
    /* Nothing of this has been promised. */
    for (unsigned i = 0; i < 1500; i++) {
        put(box, i);
    }
    assert_int_equal(store_commit(box->store, &number), 0);
    do {
        (void)poll(NULL, 0, 1);
        store_figures(box->store, &figures);
    } while (figures.last_error == NULL);
    assert_non_null(strstr(figures.last_error, "there is no space left on its file system"));
    assert_int_equal(store_reap(box->store, &number, &error), EAGAIN);
    assert_false(store_promise(box->store, 1, false));
    disk_set_free(UINT64_C(100) * MIB);
    assert_int_equal(box_wait(box, &number, &error), 0);
    box_reopen(box);
    assert_int_equal(count_rows(box), 1500);
}

static void a_commit_that_waits_for_space_is_dropped_at_close(void **state)
{
    struct box *box = *state;
    struct store_figures figures;
    uint64_t number;
    box_open(box);
    box_put(box, 2, "a", "1");
    box_commit(box);
    disk_set_free(0);
    for (unsigned i = 0; i < 1500; i++) {
        put(box, i);
    }
    assert_int_equal(store_commit(box->store, &number), 0);
    do {
        (void)poll(NULL, 0, 1);
        store_figures(box->store, &figures);
    } while (figures.last_error == NULL);
    box_close(box);
    disk_set_free(UINT64_MAX);
    box_open(box);
    box_expect(box, "2 a=1; ");
}

static void a_store_is_opened_on_a_full_disk_and_takes_what_makes_room(void **state)
{
    struct box *box = *state;
    box_open(box);
    for (unsigned i = 0; i < 400; i++) {
        put(box, i);
        if (i % 20 == 0) {
            box_commit(box);
        }
    }
    box_commit(box);
    box_close(box);
    disk_set_free(0);
    box_open(box);
    assert_int_equal(count_rows(box), 400);
    for (unsigned i = 0; i < 400 && store_promise(box->store, 20, true); i++) {
        remove_row(box, i);
        box_commit(box);
    }
    disk_set_free(UINT64_C(100) * MIB);
    await_promise(box);
}

static void where_files_cannot_be_allocated_what_is_free_counts(void **state)
{
    struct box *box = *state;
    disk_fail(&(struct disk_fault){.operation = DISK_ALLOCATE, .error = EOPNOTSUPP, .stays = true});
    box_open(box);
    disk_set_free(UINT64_C(100) * MIB);
    assert_true(store_promise(box->store, UINT64_C(20) * MIB, false));
    assert_false(store_promise(box->store, UINT64_C(100) * MIB, false));
    (void)disk_heal();
}

static void what_a_queue_left_behind_is_given_back(void **state)
{
    enum { ROWS = 8000 };
    struct box *box = *state;
    struct store_figures figures;
    box_open(box);
    for (unsigned i = 0; i < ROWS; i++) {
        put(box, i);
        if (i % 100 == 0) {
            box_commit(box);
        }
    }
    box_commit(box);
    store_figures(box->store, &figures);
    assert_true(figures.bytes > (uint64_t)ROWS * VALUE);
    for (unsigned i = 0; i < ROWS; i++) {
        remove_row(box, i);
        if (i % 100 == 0) {
            box_commit(box);
        }
    }
    box_commit(box);
    time_t end = time(NULL) + 60;
    do {
        assert_true(time(NULL) < end);
        (void)poll(NULL, 0, 1);
        store_figures(box->store, &figures);
    } while (figures.bytes > (uint64_t)ROWS * VALUE / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_space_a_promise_holds_for_the_reserve_and_no_more,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_space_promises_are_as_large_as_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(promises_are_over_with_their_commit_or_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(everything_promised_is_written_though_the_disk_is_full,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_room_goes_on_for_ever_on_a_full_disk, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(space_that_comes_back_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_removed_makes_room_where_nothing_else_is_free,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_that_finds_no_space_waits_for_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_commit_that_waits_for_space_is_dropped_at_close, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_store_is_opened_on_a_full_disk_and_takes_what_makes_room,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_files_cannot_be_allocated_what_is_free_counts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_queue_left_behind_is_given_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
