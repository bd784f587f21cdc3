/*
 * daemon: a real ipcd process for a test, alone on a socket in a directory of its own.
 *
 * The program is $IPCD_BINARY. Every wait has a limit; a daemon that outlives its test is killed by
 * the kernel (PR_SET_PDEATHSIG). What it writes to standard error is collected, and shown when it
 * does not end as it should; with sanitizers that is where their reports are.
 *
 * With $IPCD_ENGINE, a URL (see with-engine), objects that have a name live there, each daemon's in
 * a realm of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#include "tests/support/rpc.h"

enum { DAEMON_ARGS_MAX = 16, DAEMON_CLIENTS_MAX = 64 };

/* How to start one; all zero: `ipcd --socket DIR/ipcd.sock`. */
struct daemon_options {
    const char *config; /* text of a configuration file, given with --config; or NULL */
    const char *args[DAEMON_ARGS_MAX]; /* further arguments; NULL-terminated */
    const char *env[DAEMON_ARGS_MAX];  /* NAME=value, on top of a bare environment */
    const char *socket;                /* the path where to connect, if it is not DIR/ipcd.sock */
    const char *wrapper[4];            /* a program and arguments in front of ipcd */
    bool no_socket_arg;                /* do not give --socket */
    int passed[4];                     /* descriptors that it gets, as 3 and so on; 0 ends them */
    int descriptors;                   /* RLIMIT_NOFILE; 0: as it is */
    uid_t uid;                         /* the user that runs it; 0: the test's own */
    const char *directory;             /* an existing directory to use, or NULL for a new one */
};

struct daemon {
    pid_t pid; /* 0: not running */
    char directory[64];
    bool own_directory;
    char socket[108];
    char errors[96];                         /* the file that standard error goes to */
    struct rpc *clients[DAEMON_CLIENTS_MAX]; /* of daemon_client, closed with it */
    unsigned client_count;
};

/* A new private directory, open to all users, under $TMPDIR or /tmp. */
void directory_make(char out[64]);

/* Removes it with what is in it (files and folders of any depth). */
void directory_remove(const char *path);

/* Starts one and waits until it accepts connections. Ends the test if it does not. */
struct daemon *daemon_start(const struct daemon_options *options);

/* Starts one without waiting, for daemons that are meant to fail. */
struct daemon *daemon_spawn(const struct daemon_options *options);

/* Waits until a connection is accepted. */
void daemon_await(struct daemon *daemon);

/* Waits for its end and returns waitpid's status. */
int daemon_wait(struct daemon *daemon);

/* SIGTERM; the test fails unless it exits with 0, without a sanitizer's report. Frees it. */
void daemon_stop(struct daemon *daemon);

/* The same for one that has ended already, or SIGKILL if it has not. Frees it. */
void daemon_free(struct daemon *daemon);

/* kill(2); with SIGKILL it also waits for its end. */
void daemon_kill(struct daemon *daemon, int signal);

/* What it has written to standard error so far. The caller frees it. */
char *daemon_log(const struct daemon *daemon);

/* True once `text` is in it, waiting with a limit. */
void daemon_expect_log(const struct daemon *daemon, const char *text);

/* How many descriptors it has open. */
unsigned daemon_descriptors(const struct daemon *daemon);

/* The process may have only so many from now on, fewer than its limits, which were made to fit what
 * it had at its start, count with. */
void daemon_limit_descriptors(const struct daemon *daemon, unsigned most);

/* Waits until it has at most that many. */
void daemon_expect_descriptors(const struct daemon *daemon, unsigned most);

/* Its resident memory that is not files, in bytes. */
uint64_t daemon_memory(const struct daemon *daemon);

/* The processor time that it has used, in nanoseconds. */
uint64_t daemon_processor_time(const struct daemon *daemon);

/* A new connection; the daemon closes it with itself unless daemon_drop does so before. */
struct rpc *daemon_client(struct daemon *daemon);

/* A new connection whose peer credentials are another user's, with no supplementary groups or one
 * (0: none). The connection is made by a process of that user. */
struct rpc *daemon_client_as(struct daemon *daemon, uid_t uid, gid_t gid, gid_t group);

/* Closes a client of daemon_client. */
void daemon_drop(struct daemon *daemon, struct rpc *client);

/*
 * A process of its own with a connection of its own: sends this request, and then waits to be
 * killed. Returns when the request has been started by the daemon.
 */
pid_t daemon_client_process(struct daemon *daemon, const char *method, const char *params);

/* The same with several requests, each {method, params}, one after the other; {NULL} ends them. */
pid_t daemon_client_process_of(struct daemon *daemon, const char *const calls[][2]);

/* SIGKILL to such a process, and its end awaited. */
void process_kill(pid_t pid);

/* A test that makes no sense, or is not right, where objects live in an engine: it is left out
 * then; `why` is for the reader. */
static inline void only_in_memory(const char *why)
{
    if (getenv("IPCD_ENGINE") != NULL) {
        (void)why;
        skip();
    }
}

/* Set-up and teardown of a test that wants a daemon without options in *state. */
int daemon_setup(void **state);
int daemon_teardown(void **state);
#define daemon_test(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, daemon_setup, daemon_teardown)
