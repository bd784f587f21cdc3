/* Tests of daemon/store/offline: checks, copies and compaction, beside a daemon where they may be.
 */
#include "daemon/store/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/store/directory.h"
#include "tests/support/unit.h"
#include "tests/unit/store/box.h"
#include "tests/unit/store/ledger.h"

enum { COMMITS = 60 };

static void run(struct ledger *ledger, struct box *box, int commits)
{
    for (int i = 0; i < commits; i++) {
        uint64_t number;
        const char *error;
        ledger_commit(ledger, box->store);
        assert_int_equal(box_wait(box, &number, &error), 0);
    }
}

static void expect_words(int code, int expected, char *sentence, const char *words)
{
    assert_int_equal(code, expected);
    assert_non_null(sentence);
    if (strstr(sentence, words) == NULL) {
        fail_msg("\"%s\" is not in: %s", words, sentence);
    }
    free(sentence);
}

static void check(const struct box *box, uint64_t rows)
{
    struct offline_report report;
    char *error = NULL;
    if (offline_check(box->directory, &report, &error) != 0) {
        fail_msg("%s", error);
    }
    assert_int_equal(report.rows, rows);
}

static void a_store_is_checked_while_it_is_open_and_not(void **state)
{
    struct box *box = *state;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_put(box, 1, "b", "2");
    box_commit(box);
    check(box, 2);
    box_put(box, 1, "c", "3");
    box_commit(box);
    check(box, 3);
    box_close(box);
    check(box, 3);
    box_open(box);
    box_expect(box, "1 a=1; 1 b=2; 1 c=3; ");
}

static void what_is_no_store_is_said_so(void **state)
{
    struct box *box = *state;
    struct offline_report report;
    char *error = NULL;
    int code = offline_check(box->directory, &report, &error);
    expect_words(code, ENOENT, error, "there is no store in");
    code = offline_backup("/nowhere", box_file(box, "copy"), &error);
    expect_words(code, ENOENT, error, "there is no store in /nowhere");
    code = offline_compact(box->directory, &error);
    expect_words(code, ENOENT, error, "there is no store in");
    assert_int_equal(access(box_file(box, DIRECTORY_DATABASE), F_OK), -1);
}

static void damage_is_found_by_a_check(void **state)
{
    struct box *box = *state;
    struct offline_report report;
    char *error = NULL;
    sqlite3 *handle;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_commit(box);
    box_close(box);
    assert_int_equal(sqlite3_open(box_file(box, DIRECTORY_DATABASE), &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "UPDATE rows SET value = 'x'", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    int code = offline_check(box->directory, &report, &error);
    expect_words(code, EBADMSG, error, "a row of object 1 has a wrong checksum");
}

/* A backup as the database of another directory. */
static void open_backup(struct box *box, struct box *copy)
{
    char *error = NULL;
    char path[BOX_PATH + 32];
    struct stat found;
    box_init(copy);
    (void)snprintf(path, sizeof(path), "%s/" DIRECTORY_DATABASE, copy->directory);
    if (offline_backup(box->directory, path, &error) != 0) {
        fail_msg("%s", error);
    }
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    box_open(copy);
}

static void a_backup_is_a_store(void **state)
{
    struct box *box = *state;
    struct box copy;
    struct ledger ledger = {.seed = 1};
    struct ledger later;
    box_open(box);
    run(&ledger, box, COMMITS);
    open_backup(box, &copy);
    later = ledger;
    run(&later, box, 1);
    (void)ledger_find(&ledger, &copy, COMMITS, COMMITS);
    run(&ledger, &copy, COMMITS);
    box_reopen(&copy);
    (void)ledger_find(&ledger, &copy, 2 * COMMITS, 2 * COMMITS);
    box_deinit(&copy);
}

static void a_backup_does_not_overwrite(void **state)
{
    struct box *box = *state;
    char *error = NULL;
    char file[BOX_PATH + 32];
    (void)snprintf(file, sizeof(file), "%s", box_file(box, "copy"));
    box_open(box);
    assert_int_equal(close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    int code = offline_backup(box->directory, file, &error);
    expect_words(code, EEXIST, error, "is there already: name another file");
    assert_int_equal(unlink(file), 0);
    code = offline_backup(box->directory, box_file(box, "no/copy"), &error);
    expect_words(code, ENOENT, error, "cannot be made");
}

static void backups_under_load_are_the_state_of_one_moment(void **state)
{
    struct box *box = *state;
    struct ledger ledger = {.seed = 2};
    int told[2];
    char byte;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        box_open(box);
        for (;;) {
            run(&ledger, box, 1);
            (void)!write(told[1], "c", 1);
        }
    }
    for (int i = 0; i < 5; i++) {
        struct box copy;
        for (int commits = 0; commits < 20; commits++) {
            assert_int_equal(read(told[0], &byte, 1), 1);
        }
        open_backup(box, &copy);
        ledger.handed = ledger_find(&ledger, &copy, ledger.handed + 1, UINT64_MAX);
        box_deinit(&copy);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(told[0]);
    (void)close(told[1]);
    box_open(box);
    (void)ledger_find(&ledger, box, ledger.handed, UINT64_MAX);
}

static void compaction_needs_the_store_for_itself(void **state)
{
    struct box *box = *state;
    char *error = NULL;
    sqlite3 *handle;
    box_open(box);
    box_put(box, 1, "a", "1");
    box_commit(box);
    int code = offline_compact(box->directory, &error);
    expect_words(code, EBUSY, error, "is in use by another daemon, process");
    box_close(box);
    assert_int_equal(sqlite3_open(box_file(box, DIRECTORY_DATABASE), &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "SELECT * FROM rows", NULL, NULL, NULL), SQLITE_OK);
    code = offline_compact(box->directory, &error);
    expect_words(code, EBUSY, error, "is in use by another program");
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    box_open(box);
    box_expect(box, "1 a=1; ");
}

static void a_compacted_store_is_small_and_the_same(void **state)
{
    struct box *box = *state;
    struct ledger ledger = {.seed = 4};
    struct stat before;
    struct stat after;
    char *error = NULL;
    static uint8_t large[2000 * 1000];
    box_open(box);
    store_put(box->store, 77, slice_of_string("large"), (struct slice){large, sizeof(large)});
    run(&ledger, box, COMMITS);
    store_remove_object(box->store, 77);
    run(&ledger, box, 1);
    box_close(box);
    assert_int_equal(stat(box_file(box, DIRECTORY_DATABASE), &before), 0);
    if (offline_compact(box->directory, &error) != 0) {
        fail_msg("%s", error);
    }
    assert_int_equal(stat(box_file(box, DIRECTORY_DATABASE), &after), 0);
    assert_true(after.st_size < before.st_size - (off_t)sizeof(large) / 2);
    assert_int_equal(after.st_mode & 07777, 0600);
    box_open(box);
    (void)ledger_find(&ledger, box, ledger.handed, ledger.handed);
    run(&ledger, box, COMMITS);
    box_reopen(box);
    (void)ledger_find(&ledger, box, ledger.handed, ledger.handed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_is_checked_while_it_is_open_and_not, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_store_is_said_so, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(damage_is_found_by_a_check, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(a_backup_is_a_store, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(a_backup_does_not_overwrite, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(backups_under_load_are_the_state_of_one_moment, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(compaction_needs_the_store_for_itself, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_compacted_store_is_small_and_the_same, box_set_up,
                                        box_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
