/* Tests of what daemon/store says of directories and files that it cannot take. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/store/directory.h"
#include "tests/support/random_value.h"
#include "tests/support/unit.h"
#include "tests/unit/store/box.h"
#include "tests/unit/store/ledger.h"

/* Opening is refused with this code and a sentence that has these words. */
static void expect_refusal(struct box *box, int code, const char *words)
{
    char *sentence = NULL;
    assert_int_equal(box_try_open(box, &sentence), code);
    assert_null(box->store);
    assert_non_null(sentence);
    if (strstr(sentence, words) == NULL) {
        fail_msg("\"%s\" is not in: %s", words, sentence);
    }
    free(sentence);
}

/* One row is in it. */
static void fill(struct box *box)
{
    box_open(box);
    box_put(box, 7, "key", "value");
    box_commit(box);
    box_close(box);
}

static void execute(const struct box *box, const char *text)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(box_file(box, DIRECTORY_DATABASE), &handle), SQLITE_OK);
    if (sqlite3_exec(handle, text, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", text, sqlite3_errmsg(handle));
    }
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void a_directory_that_is_not_there_is_made_for_its_owner_alone(void **state)
{
    struct box *box = *state;
    struct stat found;
    char path[BOX_PATH];
    assert_int_equal(rmdir(box->directory), 0);
    box_open(box);
    (void)snprintf(path, sizeof(path), "%s", box->directory);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0700);
    static const char *const files[] = {DIRECTORY_DATABASE, DIRECTORY_LOG, DIRECTORY_INDEX,
                                        DIRECTORY_LOCK, DIRECTORY_RESERVE};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_int_equal(stat(box_file(box, files[i]), &found), 0);
        assert_int_equal(found.st_mode & 07777, 0600);
    }
}

static void places_where_no_store_can_be_are_refused(void **state)
{
    struct box *box = *state;
    box->options.directory = "relative/path";
    expect_refusal(box, EINVAL, "must begin with \"/\"");
    box->options.directory = box_file(box, "parent/child");
    expect_refusal(box, ENOENT, "cannot be made: No such file or directory");
    int file = open(box_file(box, "file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(close(file), 0);
    box->options.directory = box_file(box, "file");
    expect_refusal(box, ENOTDIR, "Not a directory");
}

static void what_others_may_write_is_refused(void **state)
{
    struct box *box = *state;
    fill(box);
    assert_int_equal(chmod(box->directory, 0770), 0);
    expect_refusal(box, EPERM, "may be written by others (mode 0770)");
    assert_int_equal(chmod(box->directory, 0702), 0);
    expect_refusal(box, EPERM, "may be written by others");
    assert_int_equal(chmod(box->directory, 0755), 0);
    assert_int_equal(chmod(box_file(box, DIRECTORY_DATABASE), 0620), 0);
    expect_refusal(box, EPERM, "store.db may be written by others");
    assert_int_equal(chmod(box_file(box, DIRECTORY_DATABASE), 0644), 0);
    box_open(box);
    box_expect(box, "7 key=value; ");
}

static void what_belongs_to_another_user_is_refused(void **state)
{
    struct box *box = *state;
    if (geteuid() != 0) {
        box->options.directory = "/";
        expect_refusal(box, EPERM, "belongs to uid 0");
        return;
    }
    fill(box);
    assert_int_equal(chown(box_file(box, DIRECTORY_DATABASE), 12345, 0), 0);
    expect_refusal(box, EPERM, "store.db belongs to uid 12345, and the daemon runs as uid 0");
    assert_int_equal(chown(box->directory, 12345, 0), 0);
    expect_refusal(box, EPERM, "belongs to uid 12345");
}

static void a_link_in_place_of_a_file_is_refused(void **state)
{
    struct box *box = *state;
    assert_int_equal(symlink("/etc/passwd", box_file(box, DIRECTORY_DATABASE)), 0);
    expect_refusal(box, EPERM, "store.db is not a plain file");
    assert_int_equal(unlink(box_file(box, DIRECTORY_DATABASE)), 0);
    assert_int_equal(symlink("/etc/passwd", box_file(box, DIRECTORY_RESERVE)), 0);
    expect_refusal(box, EPERM, "reserve is not a plain file");
}

/* In a child: the directory is a file system of its own, read-only. 0: it was refused; 2: this
 * system lets nobody mount here. */
static int open_read_only(struct box *box)
{
    char *sentence = NULL;
    if (unshare(CLONE_NEWNS | (geteuid() != 0 ? CLONE_NEWUSER : 0)) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", box->directory, "tmpfs", MS_RDONLY, "mode=0700") < 0) {
        return 2;
    }
    int code = box_try_open(box, &sentence);
    bool right = code == EROFS && strstr(sentence, "mounted read-only") != NULL;
    free(sentence);
    return right ? 0 : 1;
}

static void a_read_only_file_system_is_refused(void **state)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(open_read_only(*state));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_second_daemon_is_told_who_has_the_directory(void **state)
{
    struct box *box = *state;
    struct box second = *box;
    char words[64];
    box_open(box);
    second.options.directory = box->directory;
    (void)snprintf(words, sizeof(words), "is in use by another daemon, process %ld",
                   (long)getpid());
    expect_refusal(&second, EBUSY, words);
    box_close(box);
    box_open(&second);
    box_close(&second);
}

static void the_lock_ends_with_the_process_that_has_it(void **state)
{
    struct box *box = *state;
    int ready[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        box_open(box);
        (void)!write(ready[1], "r", 1);
        (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    char words[64];
    (void)snprintf(words, sizeof(words), "process %ld", (long)child);
    expect_refusal(box, EBUSY, words);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    box_open(box);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void a_newer_format_is_refused_in_words(void **state)
{
    struct box *box = *state;
    fill(box);
    execute(box, "PRAGMA user_version = 2");
    expect_refusal(box, ENOTSUP, "has format 2, and this ipcd knows formats up to 1");
    execute(box, "PRAGMA user_version = 1");
    box_open(box);
    box_expect(box, "7 key=value; ");
}

static void what_is_not_a_store_is_refused(void **state)
{
    struct box *box = *state;
    fill(box);
    execute(box, "PRAGMA application_id = 7");
    expect_refusal(box, EBADMSG, "is not a store of ipcd");
    execute(box, "PRAGMA application_id = 1768973156; CREATE TABLE songs (name TEXT)");
    expect_refusal(box, EBADMSG, "its table is not that of a store");
    int file = open(box_file(box, DIRECTORY_DATABASE), O_WRONLY | O_TRUNC | O_CLOEXEC);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(write(file, "no database ", 12), 12);
    }
    assert_int_equal(close(file), 0);
    expect_refusal(box, EBADMSG, "is damaged");
}

static int no_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    return 0;
}

static void a_row_that_has_changed_is_found_when_it_is_read(void **state)
{
    static const char *const changes[] = {
        "UPDATE rows SET value = x'00'", "UPDATE rows SET key = x'00'",
        "UPDATE rows SET object = 8",    "UPDATE rows SET sum = sum + 1",
        "UPDATE rows SET sum = 'text'",  "UPDATE rows SET value = NULL",
    };
    struct box *box = *state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *sentence;
        box_open(box);
        store_remove_object(box->store, 8);
        box_put(box, 7, "key", "value");
        box_commit(box);
        box_close(box);
        execute(box, changes[i]);
        box_open(box);
        assert_int_equal(store_read(box->store, no_row, NULL, &sentence), EBADMSG);
        assert_non_null(strstr(sentence, "has a wrong checksum"));
        free(sentence);
        store_remove_object(box->store, 7);
        box_commit(box);
        box_close(box);
    }
}

/* Reads a whole file. */
static uint8_t *read_file(const char *path, size_t *len)
{
    struct stat found;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(file, &found), 0);
    *len = (size_t)found.st_size;
    uint8_t *bytes = malloc(*len);
    assert_int_equal(read(file, bytes, *len), *len);
    assert_int_equal(close(file), 0);
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(file, bytes, len), len);
    assert_int_equal(close(file), 0);
}

/* Whatever has happened to the file: it is refused, or what is read is what was there. */
static void expect_refusal_or_all(const struct ledger *ledger, struct box *box)
{
    char *sentence = NULL;
    int code = box_try_open(box, &sentence);
    if (code == 0) {
        code = store_read(box->store, no_row, NULL, &sentence);
    }
    if (code == 0) {
        (void)ledger_find(ledger, box, ledger->handed, ledger->handed);
    } else {
        assert_non_null(sentence);
    }
    free(sentence);
    box_close(box);
}

static void a_damaged_file_is_refused_or_unharmed(void **state)
{
    struct box *box = *state;
    struct ledger ledger = {.seed = 3};
    struct random random = random_from_seed(3);
    size_t len;
    uint64_t number;
    const char *error;
    box_open(box);
    for (int i = 0; i < 40; i++) {
        ledger_commit(&ledger, box->store);
        assert_int_equal(box_wait(box, &number, &error), 0);
    }
    box_close(box);
    uint8_t *bytes = read_file(box_file(box, DIRECTORY_DATABASE), &len);
    for (int i = 0; i < 300; i++) {
        size_t at = random_below(&random, i % 3 == 0 ? 200 : (uint32_t)len);
        uint8_t kept = bytes[at];
        bytes[at] ^= (uint8_t)(1U << random_below(&random, 8));
        write_file(box_file(box, DIRECTORY_DATABASE), bytes, len);
        expect_refusal_or_all(&ledger, box);
        bytes[at] = kept;
    }
    for (size_t cut = 0; cut < len; cut += 4096) {
        write_file(box_file(box, DIRECTORY_DATABASE), bytes, len - cut - 1);
        expect_refusal_or_all(&ledger, box);
    }
    write_file(box_file(box, DIRECTORY_DATABASE), bytes, len);
    box_open(box);
    (void)ledger_find(&ledger, box, ledger.handed, ledger.handed);
    free(bytes);
}

static void damage_that_no_row_shows_is_found_at_the_start(void **state)
{
    enum { FIRST_FREE = 32 }; /* where the file's first page says which page is free */
    struct box *box = *state;
    size_t len;
    static uint8_t large[100 * 1000];
    box_open(box);
    store_put(box->store, 1, slice_of_string("large"), (struct slice){large, sizeof(large)});
    box_put(box, 1, "small", "value");
    box_commit(box);
    box_remove(box, 1, "large");
    box_commit(box);
    box_close(box);
    uint8_t *bytes = read_file(box_file(box, DIRECTORY_DATABASE), &len);
    /* The third page is the first of the rows. */
    assert_int_not_equal(bytes[FIRST_FREE + 3], 0);
    bytes[FIRST_FREE + 3] = 3;
    write_file(box_file(box, DIRECTORY_DATABASE), bytes, len);
    free(bytes);
    expect_refusal(box, EBADMSG, "is damaged");
}

static void files_that_are_removed_are_missed_at_the_next_commit(void **state)
{
    static const char *const files[] = {DIRECTORY_DATABASE, DIRECTORY_LOG};
    struct box *box = *state;
    for (int i = 0; i < 2; i++) {
        const char *error = NULL;
        struct store_figures figures;
        box_open(box);
        box_put(box, 1, "a", "1");
        box_commit(box);
        assert_int_equal(unlink(box_file(box, files[i])), 0);
        box_put(box, 1, "b", "2");
        assert_int_equal(box_try_commit(box, &error), ENOENT);
        assert_non_null(strstr(error, "has been removed or replaced"));
        store_figures(box->store, &figures);
        assert_string_equal(figures.last_error, error);
        box_deinit(box);
        box_init(box);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_directory_that_is_not_there_is_made_for_its_owner_alone,
                                        box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(places_where_no_store_can_be_are_refused, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(what_others_may_write_is_refused, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(what_belongs_to_another_user_is_refused, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_link_in_place_of_a_file_is_refused, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_read_only_file_system_is_refused, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_second_daemon_is_told_who_has_the_directory, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(the_lock_ends_with_the_process_that_has_it, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_newer_format_is_refused_in_words, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_a_store_is_refused, box_set_up, box_tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_has_changed_is_found_when_it_is_read, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_refused_or_unharmed, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(damage_that_no_row_shows_is_found_at_the_start, box_set_up,
                                        box_tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_removed_are_missed_at_the_next_commit,
                                        box_set_up, box_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
