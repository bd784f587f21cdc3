/*
 * embedded: what the tests of embedded daemons share.
 *
 * What a test does, a process of its own does, which is the starter. The test takes in all that is
 * orphaned (PR_SET_CHILD_SUBREAPER), so that it waits for the end of each process there was, the
 * daemon's too, and knows how it ended.
 */
#pragma once

#include "tests/system/client_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_LIMIT_S = 120, THREADS = 8, NAME_SIZE = 128 };

/* The number that the writing end of the gate has in programs that are executed. */
enum { GATE = 60 };

/* What a starter works in. */
struct home {
    char directory[64]; /* $XDG_RUNTIME_DIR */
    char text[512];     /* of a script or a path; for one test */
    int gate[2];        /* a pipe between the processes of a test */
};

/* In a process that is not the test's own a check that fails ends it. */
#define need(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s (last message: %s)\n", __FILE__, __LINE__,            \
                          #condition, ipcc_last_message());                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* ---- the home ------------------------------------------------------------------------------- */

static inline int setup(void **state)
{
    struct home *home = calloc(1, sizeof(*home));
    assert_non_null(home);
    (void)alarm(TEST_LIMIT_S);
    directory_make(home->directory);
    assert_return_code(chmod(home->directory, 0700), errno);
    assert_int_equal(pipe(home->gate), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    *state = home;
    return 0;
}

static inline int teardown(void **state)
{
    struct home *home = *state;
    (void)close(home->gate[0]);
    (void)close(home->gate[1]);
    directory_remove(home->directory);
    (void)alarm(0);
    free(home);
    return 0;
}

/* Calls back for each directory of a daemon that is in the home; how many there are. */
static inline unsigned each_directory(const struct home *home,
                                      void (*found)(const char *path, void *data), void *data)
{
    char path[160];
    unsigned count = 0;
    DIR *entries = opendir(home->directory);
    struct dirent *entry;
    need(entries != NULL);
    while ((entry = readdir(entries)) != NULL) {
        if (strncmp(entry->d_name, "ipcd-embedded-", 14) == 0) {
            (void)snprintf(path, sizeof(path), "%.60s/%.60s", home->directory, entry->d_name);
            found(path, data);
            count++;
        }
    }
    (void)closedir(entries);
    return count;
}

static inline void keep_name(const char *path, void *data)
{
    (void)snprintf(data, NAME_SIZE, "%.127s", path);
}

/* How many there are; the path of one of them in `name`. */
static inline unsigned count_directories(const struct home *home, char name[NAME_SIZE])
{
    return each_directory(home, keep_name, name);
}

static inline void keep_pid(const char *path, void *data)
{
    char lock[NAME_SIZE + 32];
    char text[16] = "";
    (void)snprintf(lock, sizeof(lock), "%.127s/ipcd.sock.lock", path);
    int fd = open(lock, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0) {
        *(pid_t *)data = (pid_t)atoi(text);
    }
    (void)close(fd);
}

/* The process of one daemon in the home; 0: there is none. */
static inline pid_t daemon_pid(const struct home *home)
{
    pid_t pid = 0;
    (void)each_directory(home, keep_pid, &pid);
    return pid;
}

static inline void stop_daemon(const char *path, void *data)
{
    pid_t pid = 0;
    (void)data;
    keep_pid(path, &pid);
    if (pid > 0) {
        (void)kill(pid, SIGTERM);
    }
}

/* The environment of a starter: nothing there that could name a daemon. */
static inline void enter(const struct home *home)
{
    (void)unsetenv("IPCD_SOCKET");
    (void)unsetenv("IPCD_LOG");
    (void)setenv("IPCD_PATH", getenv("IPCD_BINARY"), 1);
    (void)setenv("XDG_RUNTIME_DIR", home->directory, 1);
    (void)alarm(0);
}

/* A process that runs `body` and ends. */
static inline pid_t start(struct home *home, void (*body)(struct home *home))
{
    (void)fflush(NULL);
    pid_t pid = fork();
    need(pid >= 0);
    if (pid == 0) {
        body(home);
        _exit(0);
    }
    return pid;
}

/* Waits for one process of this one's, which must end well. */
static inline void await(pid_t pid)
{
    int status = -1;
    need(waitpid(pid, &status, 0) == pid && status == 0);
}

/* Waits until no process is left, each having ended well, or as it was made to: by SIGKILL. */
static inline void await_all(void)
{
    int status;
    while (waitpid(-1, &status, 0) > 0) {
        assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                    (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    }
    assert_int_equal(errno, ECHILD);
}

static inline void assert_nothing_is_left(const struct home *home)
{
    char name[NAME_SIZE];
    await_all();
    assert_int_equal(count_directories(home, name), 0);
}

/* A starter runs to its end, which the daemon is not left to find out by itself. */
static inline void run(struct home *home, void (*body)(struct home *home))
{
    int status = -1;
    pid_t pid = start(home, body);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)each_directory(home, stop_daemon, NULL);
    assert_nothing_is_left(home);
}

static inline struct ipcc *open_embedded(void)
{
    struct ipcc *conn = NULL;
    need(ipcc_open(&conn, &(struct ipcc_options){.embedded = true}) == 0);
    return conn;
}

static inline void make_program(struct home *home, const char *text)
{
    (void)snprintf(home->text, sizeof(home->text), "%s/program", home->directory);
    int fd = open(home->text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static inline void open_and_end(struct home *home)
{
    (void)home;
    (void)open_embedded();
}

/* This program, executed: it has nothing but its environment. See main. */
static inline void execute(const char *what)
{
    (void)execl("/proc/self/exe", "test_embedded", what, (char *)NULL);
    _exit(1);
}

static inline void open_in_program(struct home *home)
{
    (void)home;
    execute("open");
}

static inline void wait_to_be_killed(void)
{
    for (;;) {
        (void)pause();
    }
}
