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
#include "daemon/objects/rows.h"
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
    char sync_text[DURABLE_SYNC]; /* the two, as the configuration says it */
    struct event turn;            /* active when something has changed and the turn ends */
    struct event ended;           /* the store's descriptor */
    struct alarm patience;        /* rings when no more sessions are waited for to join a commit */
    uint64_t active;              /* sessions whose answers waited when the last commit ended, */
    unsigned vain;                /* how often in a row that was in vain, */
    uint64_t left_out;            /* and for how many commits it is left out therefore */
    bool has_waited;              /* they have been waited for since the last commit ended */
    uint64_t patient_until;       /* and until when they are waited for: monotonic, nanoseconds */
    bool waited_for; /* objects have been saved for the next commit, and answers wait for it, even
                        if nothing was to be written of what had changed */
    bool failed;     /* a commit has failed: the daemon ends */
};

/* Which directory that is: of --state, else $STATE_DIRECTORY (its first, if systemd has given
 * several), else of the configuration. NULL: none. Not owned. */
const char *durable_directory(const char *option, const struct config *config);

/* Opens the store in a directory. 0; or a negative code having logged what is wrong. durable_deinit
 * is right after both. To be followed by one of the two below. */
int durable_open(struct durable *durable, const char *directory, const struct config *config,
                 struct net *net);
/* Reads the objects that are in the store, and begins to write what changes. The same results. */
int durable_read(struct durable *durable);
/* Begins to write; the objects have been taken over from another daemon, which had the store. */
int durable_go_on(struct durable *durable);

/* Puts what is in the objects, whose own rows have been loaded already, from the store: all rows
 * but those with the empty key. 0, ERR_MEMORY; ERR_VALUE with reader->why set. `data` is the struct
 * durable. */
int durable_load_rows(void *data, struct row_reader *reader);

/* Waits until all that has changed is on disk. Nothing may be under way. 0, or ERR_STORAGE: it has
 * failed, and the daemon ends. */
int durable_finish(struct durable *durable);

/* All sessions are gone: what has changed since the last commit is written, and the store closed.
 */
void durable_deinit(struct durable *durable);
