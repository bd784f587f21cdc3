/*
 * listener: listening sockets, and connections accepted in batches.
 *
 * When the process (or the system) has no descriptor left, accepting pauses: the sockets are taken
 * out of the event loop, connections wait in the kernel's backlog, and it goes on when a connection
 * has ended, or tries again after a second. So it never spins on an error that stays.
 */
#pragma once

#include "daemon/net/context.h"

enum { LISTENER_SOCKETS = 8 };

struct listener {
    struct net *net;           /* not owned */
    int fds[LISTENER_SOCKETS]; /* owned */
    struct event events[LISTENER_SOCKETS];
    unsigned count;
    struct event retry;
    bool paused;
    bool reported; /* the pause has been logged, and that it is over has not */
};

/* A listener without sockets; it is told by `net` when connections end. */
int listener_init(struct listener *listener, struct net *net);
/* Closes the sockets. */
void listener_deinit(struct listener *listener);

/* Accepts on a listening socket from now on; takes it over, in any case. 0, or ERR_LIMIT: it has
 * LISTENER_SOCKETS of them, ERR_MEMORY. */
int listener_add(struct listener *listener, int fd);

/* In place of the sockets that it has: accepts what has come on those, and closes them. Takes the
 * new one over, as listener_add. */
int listener_replace(struct listener *listener, int fd);

/* A descriptor has been freed: goes on if it was paused. */
void listener_resume(struct listener *listener);
