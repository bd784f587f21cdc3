/* Where an embedded daemon listens, and what it removes that killed ones have left. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/embedded.h"

enum { PATH_SIZE = 160 };

struct bases {
    char root[32];
    char first[64];
    char second[64];
};

static int setup(void **state)
{
    struct bases *bases = calloc(1, sizeof(*bases));
    assert_non_null(bases);
    (void)strcpy(bases->root, "/tmp/ipcd-bases-XXXXXX");
    assert_non_null(mkdtemp(bases->root));
    (void)snprintf(bases->first, sizeof(bases->first), "%s/first", bases->root);
    (void)snprintf(bases->second, sizeof(bases->second), "%s/second", bases->root);
    assert_int_equal(mkdir(bases->first, 0700), 0);
    assert_int_equal(mkdir(bases->second, 0700), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", bases->first, 1), 0);
    assert_int_equal(setenv("TMPDIR", bases->second, 1), 0);
    *state = bases;
    return 0;
}

static int teardown(void **state)
{
    struct bases *bases = *state;
    assert_int_equal(rmdir(bases->first), 0); /* nothing was left behind */
    assert_int_equal(rmdir(bases->second), 0);
    assert_int_equal(rmdir(bases->root), 0);
    free(bases);
    return 0;
}

/* ---- where ----------------------------------------------------------------------------------- */

static void assert_listens_in(const char *base)
{
    struct embedded embedded = {0};
    struct endpoint endpoint;
    struct fault fault;
    struct stat there;
    char start[PATH_SIZE];
    assert_int_equal(embedded_endpoint(&embedded, &endpoint, &fault), 0);
    (void)snprintf(start, sizeof(start), "%s/ipcd-embedded-", base);
    assert_memory_equal(embedded.directory, start, strlen(start));
    assert_int_equal(strlen(embedded.directory), strlen(start) + 6);
    assert_int_equal(stat(embedded.directory, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0700);
    assert_memory_equal(endpoint.path, embedded.directory, strlen(embedded.directory));
    assert_string_equal(endpoint.path + strlen(embedded.directory), "/ipcd.sock");
    assert_int_equal(endpoint.mode, 0600);
    assert_int_equal(endpoint.parent, 0700);
    endpoint_deinit(&endpoint);
    embedded_end(&embedded);
    assert_null(embedded.directory);
}

static void first_directory_that_is_there_has_it(void **state)
{
    const struct bases *bases = *state;
    assert_listens_in(bases->first);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "/nobody/here", 1), 0);
    assert_listens_in(bases->second);
    assert_int_equal(setenv("TMPDIR", "", 1), 0);
    assert_listens_in("/tmp");
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_listens_in("/tmp");
}

static void directory_in_which_others_could_replace_it_does_not(void **state)
{
    const struct bases *bases = *state;
    assert_int_equal(chmod(bases->first, 0770), 0);
    assert_listens_in(bases->second);
    assert_int_equal(chmod(bases->first, 0702), 0);
    assert_listens_in(bases->second);
    assert_int_equal(chmod(bases->first, 01777), 0); /* as /tmp */
    assert_listens_in(bases->first);
    if (geteuid() == 0) {
        assert_int_equal(chmod(bases->first, 0700), 0);
        assert_int_equal(chown(bases->first, 12345, (gid_t)-1), 0);
        assert_listens_in(bases->second);
    }
}

static void directory_whose_paths_are_no_socket_s_does_not(void **state)
{
    const struct bases *bases = *state;
    char path[PATH_SIZE];
    int zeroes = (int)(107 - 31 - strlen(bases->first) - 1);
    /* With "/ipcd-embedded-XXXXXX/ipcd.sock" behind it there are 107 bytes, or one more. */
    (void)snprintf(path, sizeof(path), "%s/%0*d", bases->first, zeroes, 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", path, 1), 0);
    assert_listens_in(path);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof(path), "%s/%0*d", bases->first, zeroes + 1, 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", path, 1), 0);
    assert_listens_in(bases->second);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "first", 1), 0);
    assert_int_equal(chdir(bases->root), 0);
    assert_listens_in(bases->second);
    assert_int_equal(chdir("/"), 0);
}

/* ---- what killed ones have left -------------------------------------------------------------- */

static void make_file(const char *directory, const char *name)
{
    char path[PATH_SIZE + 32];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

/* A directory that has been there for so long. */
static void make_left(const struct bases *bases, const char *name, const char *const files[],
                      time_t age, char path[PATH_SIZE])
{
    (void)snprintf(path, PATH_SIZE, "%s/%s", bases->first, name);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; files[i] != NULL; i++) {
        make_file(path, files[i]);
    }
    const struct timespec then[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
}

static bool is_there(const char *path)
{
    struct stat there;
    return lstat(path, &there) == 0;
}

static void take_away(const char *directory, const char *const files[])
{
    char path[PATH_SIZE + 32];
    for (size_t i = 0; files[i] != NULL; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(directory), 0);
}

static const char *const both[] = {"ipcd.sock", "ipcd.sock.lock", NULL};
static const char *const none[] = {NULL};

static void what_nobody_has_locked_is_removed_when_it_is_old(void **state)
{
    const struct bases *bases = *state;
    char whole[PATH_SIZE];
    char empty[PATH_SIZE];
    char young[PATH_SIZE];
    make_left(bases, "ipcd-embedded-aaaaaa", both, EMBEDDED_STALE_S, whole);
    make_left(bases, "ipcd-embedded-bbbbbb", none, EMBEDDED_STALE_S, empty);
    make_left(bases, "ipcd-embedded-cccccc", both, -EMBEDDED_STALE_S, young);
    embedded_sweep(bases->first);
    assert_false(is_there(whole));
    assert_false(is_there(empty));
    assert_true(is_there(young));
    take_away(young, both);
    embedded_sweep("/nobody/here");
}

static void what_is_locked_or_another_s_or_something_else_stays(void **state)
{
    const struct bases *bases = *state;
    static const char *const more[] = {"ipcd.sock.lock", "more", NULL};
    static const char *const rest[] = {"more", NULL};
    char locked[PATH_SIZE];
    char path[PATH_SIZE + 32];
    char filled[PATH_SIZE];
    char unlike[PATH_SIZE];
    char another[PATH_SIZE];
    char link[PATH_SIZE];
    make_left(bases, "ipcd-embedded-aaaaaa", both, 1000, locked);
    (void)snprintf(path, sizeof(path), "%s/ipcd.sock.lock", locked);
    int lock = open(path, O_RDWR | O_CLOEXEC);
    assert_true(lock >= 0 && flock(lock, LOCK_EX) == 0);
    make_left(bases, "ipcd-embedded-bbbbbb", more, 1000, filled);
    make_left(bases, "ipcd-other-cccccc", both, 1000, unlike);
    make_left(bases, "ipcd-embedded-dddddd", both, 1000, another);
    if (geteuid() == 0) {
        assert_int_equal(chown(another, 12345, (gid_t)-1), 0);
    }
    (void)snprintf(link, sizeof(link), "%s/ipcd-embedded-eeeeee", bases->first);
    assert_int_equal(symlink(unlike, link), 0);
    embedded_sweep(bases->first);
    assert_true(is_there(locked));
    assert_true(is_there(filled));
    assert_true(is_there(link));
    (void)close(lock);
    take_away(locked, both);
    take_away(filled, rest);
    take_away(unlike, both);
    if (geteuid() == 0) {
        take_away(another, both);
    }
    assert_int_equal(unlink(link), 0);
}

static void zeroed_one_can_be_ended(void **state)
{
    struct embedded embedded = {0};
    embedded_end(&embedded);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_directory_that_is_there_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(directory_in_which_others_could_replace_it_does_not, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(directory_whose_paths_are_no_socket_s_does_not, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_nobody_has_locked_is_removed_when_it_is_old, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_locked_or_another_s_or_something_else_stays, setup,
                                        teardown),
        cmocka_unit_test(zeroed_one_can_be_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
