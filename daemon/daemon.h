/*
 * daemon: owns everything that runs, built up and torn down in order:
 *
 *   configuration → event loop → closer, memory → service (objects, accounts, sessions) → net
 * (connections) → signals, watchdog → durable store (its objects), engine → listener → address
 * (socket file, lock)
 *
 * daemon_run serves until a signal ends it. SIGTERM and SIGINT: no more connections, waiting calls
 * are answered with CANCELLED, what has been answered is sent for at most DAEMON_STOP_SECONDS; a
 * second signal ends it at once; so does the last process that uses it, if it is an embedded one
 * (embedded.h). SIGHUP: the configuration file is read again; new limits hold from
 * then on (nothing that is there already is taken away), and what changed is logged.
 */
#pragma once

#include <signal.h>

#include "daemon/durable.h"
#include "daemon/embedded.h"
#include "daemon/net/address.h"
#include "daemon/net/listener.h"
#include "daemon/net/net.h"
#include "daemon/net/processes.h"
#include "daemon/endpoint.h"
#include "daemon/sharing.h"
#include "daemon/takeover.h"

enum { DAEMON_SIGNALS = 5, DAEMON_STOP_SECONDS = 5 };

struct engine; /* daemon/engine/engine.h */

struct daemon {
    struct log log;
    const struct options *options; /* not owned */
    struct config config;
    struct event_base *base; /* owned */
    struct closer *closer;   /* owned */
    struct service service;
    struct memory memory;
    struct net net;
    struct durable durable;
    struct engine *engine; /* owned; NULL: no objects are shared with other machines */
    struct event signals[DAEMON_SIGNALS];
    struct alarm watchdog;
    struct alarm address_alarm; /* to look every second whether the address is still there */
    struct event stop_timer;
    struct event upgrade;      /* soon another daemon takes over: */
    char *upgrade_to;          /* owned: that program; NULL: none */
    unsigned upgrade_turns;    /* of the loop that are to come before */
    sigset_t upgrade_unblocks; /* the signals that are not blocked else */
    struct listener listener;
    struct address address;
    char *socket; /* owned: where the first of its sockets is bound, or NULL */
    struct embedded embedded;
    struct processes processes; /* of an embedded daemon */
    bool has_service;           /* what has been built up so far */
    bool has_net;
};

/* Builds everything up, until connections are accepted. 0, or a negative code having logged why;
 * daemon_deinit is to be called in both cases. `options` must outlive the daemon. */
int daemon_init(struct daemon *daemon, const struct options *options);

/* Serves until it is told to stop. 0, or ERR_INTERNAL if the event loop fails. */
int daemon_run(struct daemon *daemon);

void daemon_deinit(struct daemon *daemon);

/* Makes limits that were just read fit the memory that there is, as far as the file does not have
 * them, and the process's descriptors; logs what that changes, and which limits of the file are
 * more than they can be. */
void daemon_fit_limits(const struct log *log, struct config *config);

/* The signals that the daemon handles wait from now on; *before is the mask that was. */
void daemon_block_signals(sigset_t *before);

/* Sets up how long the event loop spins before it sleeps: as configured; in an embedded daemon,
 * which has its users' processors to itself, always. */
void daemon_set_spin(struct daemon *daemon);

/* Reads the configuration file again (SIGHUP); reload.c. */
void daemon_reload(struct daemon *daemon);

/* A sentence about what it is doing, for the service manager. */
enum { DAEMON_STATUS = 128 };
void daemon_status(const struct daemon *daemon, char text[DAEMON_STATUS]);
