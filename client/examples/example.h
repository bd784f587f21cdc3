/*
 * example: what the example programs share, so that each shows only its own matter: an end with a
 * message when something goes wrong, and processes.
 *
 * Every example takes the daemon's socket from $IPCD_SOCKET or the usual places, uses objects
 * without names (so that two runs do not meet), and exits with 0 only if what it shows is true.
 */
#pragma once

#include <ipcclient.h>

#include <stdio.h>
#include <sys/types.h>

/* A connection of this process's own. */
struct ipcc *connect_to_daemon(void);

/* The call must succeed: else the process ends with the daemon's message. */
#define MUST(call) must_succeed(call, #call)
void must_succeed(int status, const char *call);

/* What the example claims: else the process ends with 1. */
#define CLAIM(condition) must_be_true(condition, #condition)
void must_be_true(bool condition, const char *what);

/* Starts a process that runs body(names, number) and exits with 0. What it works on, it opens for
 * itself, by the names: a connection is not for children. */
struct names {
    const char *first;
    const char *second;
};
pid_t start_process(void (*body)(const struct names *names, int number), struct names names,
                    int number);

/* Waits for the process, which must exit with 0. */
void await_process(pid_t pid);

/* Waits until so many calls of other processes wait for the object. */
void await_waiting(struct ipcc *conn, const char *name, int64_t count);

/* Milliseconds, from some moment on. */
int64_t now_ms(void);
