/*
 * processes: the processes that an embedded daemon is there for, and its end when there is none.
 *
 * A process uses the daemon as long as it lives, if
 *  - it has had a connection, be there one at the moment or not (a pidfd tells its end), or
 *  - it has the other end of the lifeline: the process that started the daemon, and its children by
 *    fork that have executed nothing else.
 * A connection counts by itself too, whoever has its other end. When all of this is gone, so may be
 * everybody; but a child that is just being started has not connected yet. So the daemon waits for
 * `grace` milliseconds, in which any connection makes it stay, and then tells `none_left`, once.
 *
 * A process whose end cannot be watched (no descriptor left, one of another pid name space) counts
 * by its connections alone.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum { PROCESSES_GRACE_MS = 2000 };

enum { PROCESSES_LISTS = 256 };

struct process;
LIST_HEAD(process_list, process);

struct processes {
    struct event_base *base;  /* not owned */
    const uint64_t *sessions; /* how many there are; not owned */
    void (*none_left)(void *data);
    void *data;
    struct event lifeline; /* its descriptor is not owned */
    struct event grace;
    struct timeval grace_time;
    bool held;                                  /* the lifeline is */
    uint64_t count;                             /* of those in `processes` */
    struct process_list lists[PROCESSES_LISTS]; /* by pid */
};

struct processes_options {
    int lifeline; /* a socket that nothing is sent on */
    unsigned grace_ms;
    const uint64_t *sessions;
    void (*none_left)(void *data);
    void *data;
};

/* Watches the lifeline from now on. 0, or ERR_MEMORY. */
int processes_init(struct processes *processes, struct event_base *base,
                   const struct processes_options *options);
/* A zeroed one is allowed. */
void processes_deinit(struct processes *processes);

/* A process has connected. */
void processes_connected(struct processes *processes, pid_t pid);

/* A connection has ended. */
void processes_look(struct processes *processes);
