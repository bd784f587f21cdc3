/*
 * Tests of daemon/store on a disk that fails: each read, write, sync and so on in its turn, for
 * every one of a run. Whatever is told as ended is there afterwards, as a whole, and nothing is
 * written after a failure.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/store/box.h"
#include "tests/unit/store/disk.h"
#include "tests/unit/store/ledger.h"
#include "tests/unit/store/record.h"

enum { COMMITS = 25 };

static int set_up(void **state)
{
    struct box *box = malloc(sizeof(*box));
    disk_install();
    box_init(box);
    *state = box;
    return 0;
}

static int tear_down(void **state)
{
    (void)disk_heal();
    box_deinit(*state);
    free(*state);
    disk_install();
    return 0;
}

/* Opens and commits until all is done or something has failed: what that was. */
static int run(struct ledger *ledger, struct box *box)
{
    char *sentence = NULL;
    const char *error = NULL;
    uint64_t number;
    int code = box_try_open(box, &sentence);
    assert_true((code != 0) == (sentence != NULL));
    free(sentence);
    for (int i = 0; code == 0 && i < COMMITS; i++) {
        ledger_commit(ledger, box->store);
        code = box_wait(box, &number, &error);
        assert_true((code != 0) == (error != NULL));
        ledger->ended += code == 0;
    }
    return code;
}

/* Nothing is written by one that has failed, not even when it is closed. */
static void close_failed(struct box *box)
{
    uint64_t length = record_length();
    box_close(box);
    assert_int_equal(record_length(), length);
}

/* What is done behind a commit, when that has been told, may have failed: the next one says so. 0:
 * it was nothing that mattered; then nothing has changed. */
static int commit_more(struct box *box)
{
    const char *error;
    store_remove(box->store, UINT64_C(1) << 40, slice_of_string("nothing"));
    return box_try_commit(box, &error);
}

/* The box is made anew, with commits in it, and fails in the next run as it is told. False: it
 * needed less than that. */
static bool fail_once(struct box *box, const struct disk_fault *fault, int expected)
{
    struct ledger ledger = {.seed = fault->after};
    box_init(box);
    assert_int_equal(run(&ledger, box), 0);
    box_close(box);
    uint64_t before = ledger.handed;
    record_begin();
    disk_fail(fault);
    int code = run(&ledger, box);
    bool failed = disk_has_failed();
    if (failed && code == 0 && box->store != NULL) {
        code = commit_more(box);
    }
    if (box->store != NULL && code != 0) {
        close_failed(box);
    }
    /* A disk that has lost what was written is never made light of. */
    if (failed && (fault->operation == DISK_SYNC ||
                   (fault->operation == DISK_WRITE && fault->error == EIO))) {
        assert_int_not_equal(code, 0);
    }
    box_close(box);
    failed = disk_heal();
    record_stop();
    if (code != 0) {
        assert_true(failed);
        /* SQLite's check says of a page only that it is not to be had. */
        if (code != EBADMSG || fault->operation != DISK_READ) {
            assert_int_equal(code, expected);
        }
    }
    box_open(box);
    assert_true(ledger.ended >= before);
    (void)ledger_find(&ledger, box, ledger.ended, ledger.handed);
    box_deinit(box);
    return failed;
}

/* All of them; how many runs have failed. */
static unsigned fail_each(struct box *box, struct disk_fault fault, int expected)
{
    box_deinit(box);
    while (fail_once(box, &fault, expected)) {
        fault.after++;
        fault.half = !fault.half;
    }
    box_init(box);
    return (unsigned)fault.after;
}

static void each_write_fails(void **state)
{
    assert_true(fail_each(*state, (struct disk_fault){.operation = DISK_WRITE, .error = EIO}, EIO) >
                COMMITS * 4);
}

static void each_write_and_all_later_ones_fail(void **state)
{
    struct disk_fault fault = {.operation = DISK_WRITE, .error = EIO, .stays = true};
    assert_true(fail_each(*state, fault, EIO) > COMMITS * 4);
}

static void each_sync_fails(void **state)
{
    struct disk_fault fault = {.operation = DISK_SYNC, .error = EIO};
    assert_true(fail_each(*state, fault, EIO) > COMMITS);
}

static void each_sync_finds_no_space(void **state)
{
    struct disk_fault fault = {.operation = DISK_SYNC, .error = ENOSPC};
    assert_true(fail_each(*state, fault, EIO) > COMMITS);
}

static void each_truncation_fails(void **state)
{
    struct disk_fault fault = {.operation = DISK_TRUNCATE, .error = EIO};
    assert_true(fail_each(*state, fault, EIO) > 0);
}

static void each_read_fails(void **state)
{
    struct disk_fault fault = {.operation = DISK_READ, .error = EIO};
    assert_true(fail_each(*state, fault, EIO) > 0);
}

static void each_opening_of_a_file_fails(void **state)
{
    struct disk_fault fault = {.operation = DISK_OPEN, .error = EACCES};
    assert_true(fail_each(*state, fault, EACCES) > 0);
}

static void each_allocation_fails(void **state)
{
    struct disk_fault fault = {.operation = DISK_ALLOCATE, .error = EIO};
    (void)fail_each(*state, fault, 0);
}

static void each_write_finds_no_space_once(void **state)
{
    struct disk_fault fault = {.operation = DISK_WRITE, .error = ENOSPC};
    assert_true(fail_each(*state, fault, ENOSPC) > COMMITS * 4);
}

static void each_write_is_over_a_quota_once(void **state)
{
    struct disk_fault fault = {.operation = DISK_WRITE, .error = EDQUOT};
    assert_true(fail_each(*state, fault, ENOSPC) > COMMITS * 4);
}

static void a_sync_that_fails_after_its_commit_is_told(void **state)
{
    struct box *box = *state;
    const char *error = NULL;
    uint64_t number;
    box->options.sync = STORE_SYNC_INTERVAL;
    box->options.interval_ms = 1;
    box_open(box);
    disk_fail(
        &(struct disk_fault){.operation = DISK_SYNC, .after = 1, .error = EIO, .stays = true});
    box_put(box, 1, "a", "1");
    box_commit(box);
    assert_int_equal(box_wait(box, &number, &error), EIO);
    assert_non_null(strstr(error, "syncing the log of"));
}

static void a_new_store_fails_at_each_write_and_is_made_later(void **state)
{
    struct box *box = *state;
    bool failed = true;
    for (uint64_t n = 0; failed; n++) {
        char *sentence = NULL;
        disk_fail(&(struct disk_fault){.operation = DISK_WRITE, .after = n, .error = EIO});
        int code = box_try_open(box, &sentence);
        if (code != 0) {
            assert_int_equal(code, EIO);
        }
        free(sentence);
        failed = disk_heal();
        box_close(box);
        box_open(box);
        box_expect(box, "");
        box_deinit(box);
        box_init(box);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_write_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_write_and_all_later_ones_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_sync_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_sync_finds_no_space, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_truncation_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_read_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_opening_of_a_file_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_allocation_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_write_finds_no_space_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_write_is_over_a_quota_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sync_that_fails_after_its_commit_is_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_store_fails_at_each_write_and_is_made_later, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
