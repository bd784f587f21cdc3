/*
 * durable: what brings the durable objects and the store together.
 *
 * At the end of a turn of the loop in which durable objects have changed, what changed is gathered
 * and handed to the store, if that is not busy; else when it has ended. When a commit is on disk
 * the answers that waited for it may leave (daemon/call/commits.h). A commit that fails ends the
 * daemon: what the disk holds is not known then, and nobody is told that anything was done. Whoever
 * has started it starts it anew, from what is there.
 *
 * At the start the objects are read from the store before anybody is served.
 */
#pragma once

#include <event2/event_struct.h>

#include "daemon/config.h"
#include "daemon/net/net.h"
#include "daemon/store/store.h"

enum { DURABLE_SYNC = 32, DURABLE_STATUS = 128 };

struct durable {
    struct store *store; /* owned; NULL: there is none */
    struct net *net;
    struct service *service;
    struct log *log;
    char *directory; /* owned */
    enum store_sync sync;
    uint64_t interval_ms;
    struct event turn;      /* active when something has changed and the turn ends */
    struct event ended;     /* the store's descriptor */
    struct alarm patience;  /* rings when no more sessions are waited for to join a commit */
    uint64_t active;        /* sessions whose answers waited when the last commit ended, */
    uint64_t patient_until; /* and until when they are waited for: monotonic, nanoseconds */
    bool waited_for; /* objects have been saved for the next commit, and answers wait for it, even
                        if nothing was to be written of what had changed */
    bool failed;     /* a commit has failed: the daemon ends */
};

/* Which directory that is: of --state, else $STATE_DIRECTORY (its first, if systemd has given
 * several), else of the configuration. NULL: none. Not owned. */
const char *durable_directory(const char *option, const struct config *config);

/* When changes are synced, as the configuration says it: "always", "50ms", "never". */
void durable_print_sync(enum store_sync sync, uint64_t interval_ms, char text[DURABLE_SYNC]);

/* Opens the store in a directory and reads the objects that are in it. 0; or a negative code having
 * logged what is wrong. durable_deinit is right after both. */
int durable_init(struct durable *durable, const char *directory, const struct config *config,
                 struct net *net);
/* All sessions are gone: what has changed since the last commit is written, and the store closed.
 */
void durable_deinit(struct durable *durable);
