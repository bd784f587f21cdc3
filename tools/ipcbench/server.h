/*
 * server: a server process that ipcbench starts for itself on a Unix socket in a private directory,
 * or one that runs already.
 *
 * A server of ours is a child: it is stopped and reaped, and its directory removed, by server_stop,
 * which every way out of ipcbench passes; if ipcbench is killed outright the kernel kills the
 * child.
 */
#pragma once

#include "tools/ipcbench/directory.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SERVER_PATH_MAX = 108 }; /* bytes of a Unix socket's path, the NUL included */

struct server_plan {
    const char *name; /* for messages */
    /* What the child does: becomes another program or serves itself. Does not return unless it
     * failed; the child then exits with 127. Its stdout and stderr are the log. */
    void (*run)(const struct server_plan *plan, const char *directory, const char *socket);
    const char *program; /* for run: the path of the daemon */
    int processor;       /* to bind the child to; -1: none */
    const char *engine;  /* for run: the URL of where a daemon keeps its objects; NULL: itself */
};

struct server {
    const struct server_plan *plan; /* borrowed */
    bool ours;
    pid_t pid; /* 0: not known */
    char directory[DIRECTORY_PATH_MAX];
    char socket[SERVER_PATH_MAX];
    bool bound;        /* a server that is not ours was bound to a processor… */
    cpu_set_t allowed; /* … and may have these again in the end */
};

/* Starts a child by the plan and waits until its socket accepts. 0, or -1 with a sentence. */
int server_start(struct server *server, const struct server_plan *plan);

/* Ends a child of ours with the signal and starts it again in the same directory. *out is how long
 * that took, in nanoseconds, from the start until its socket accepts. 0, or -1 with a sentence. */
int server_start_again(struct server *server, int signal_number, uint64_t *out);

/* Takes note of a server that runs already. 0, or -1 with a sentence if nobody is there. */
int server_attach(struct server *server, const struct server_plan *plan, const char *socket);

/* Finds the pid of a server that runs already from a connection that it has answered on, and binds
 * it to the plan's processor. If the pid cannot be told it stays 0. */
void server_identify(struct server *server, int fd);

/* If the server is gone, says so, with the end of its log if it is ours, and returns -1; else 0. */
int server_check(struct server *server);

/* Stops and reaps a child of ours (SIGTERM, after two seconds SIGKILL) and removes its directory.
 * Gives a server that is not ours its processors back. The second time it does nothing. */
void server_stop(struct server *server);

/* A connection to the path ("@" first: an abstract socket), close-on-exec; -1 with errno. */
int server_connect(const char *socket_path);
