/* What the tests of descriptors in calls and in answers share. */
#pragma once

#include "tests/unit/client/client_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static inline unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* A file in memory that holds one letter; usable on both sides. */
static inline int letter_file(char letter)
{
    int fd = memfd_create("letter", MFD_CLOEXEC);
    if (fd < 0 || pwrite(fd, &letter, 1, 0) != 1) {
        abort();
    }
    return fd;
}

/* The letter in it, or '-'. */
static inline char letter_in(int fd)
{
    char letter;
    return pread(fd, &letter, 1, 0) == 1 ? letter : '-';
}

static inline bool closes_on_exec(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* In a script: sends values with a letter file for each of the letters. */
static inline void send_letters(struct fake *fake, const char *notation, const char *letters)
{
    int fds[16] = {-1};
    size_t count = strlen(letters);
    for (size_t i = 0; i < count; i++) {
        fds[i] = letter_file(letters[i]);
    }
    fake_send_descriptors(fake, notation, fds, count);
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
}

/* In a script: the descriptors that have come so far are these. */
static inline void check_letters(const struct fake *fake, const char *letters)
{
    fake_check(fake->fd_count == strlen(letters));
    for (unsigned i = 0; i < fake->fd_count; i++) {
        fake_check(letter_in(fake->fds[i]) == letters[i]);
    }
}

static inline int put(struct ipcc *conn, struct ipcc_value value, ipcc_done_fn *done, void *data)
{
    struct ipcc_value params[] = {ipcc_str("q"), value};
    struct ipcc_request request = {.method = "queue.put", .params = params, .nparams = 2};
    return ipcc_call_async(conn, &request, done, data, NULL);
}

static inline int ping(struct ipcc *conn, struct ipcc_reply *reply)
{
    return ipcc_call(conn, "server.ping", NULL, 0, reply);
}

static inline void count_done(struct ipcc *conn, int status, const struct ipcc_reply *reply,
                              void *data)
{
    (void)conn;
    (void)reply;
    assert_int_equal(status, 0);
    ++*(unsigned *)data;
}

/* Drives the connection until so many calls are done. */
static inline void drive(struct ipcc *conn, const unsigned *done, unsigned count)
{
    while (*done < count) {
        struct pollfd ready = {.fd = ipcc_fd(conn), .events = (short)ipcc_events(conn)};
        assert_true(poll(&ready, 1, 60000) > 0);
        assert_ok(ipcc_process(conn, ready.revents));
    }
}

/* Sets how many descriptors this process may have; returns what it was. */
static inline rlim_t limit_descriptors(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}
