/*
 * writer: the thread that writes commits, one at a time.
 *
 * The caller hands changes over by a swap and goes on; the thread writes them as one transaction,
 * syncs as the store was told to, and says so by an event (store_descriptor). Copying the log to
 * its place comes after that, when nobody waits for it; giving space back, when there is nothing
 * else to do. A commit for which there is no space waits for some, and is tried again once a
 * second; after any other failure, or one of a sync, nothing is written any more.
 *
 * The mutex is held for a few instructions at a time by either side, never during a system call.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/gathered.h"
#include "daemon/store/database.h"
#include "daemon/store/directory.h"
#include "daemon/store/space.h"

/* What the thread tells, under the mutex. */
struct writer_state {
    uint64_t ended; /* the last commit that is on disk as the options say */
    int failed;     /* an errno value: nothing is written any more */
    char *error;    /* owned; the last sentence */
    uint64_t syncs;
    uint64_t rows;
    uint64_t commit_ns;
    uint64_t sync_ns;
    struct space_view view; /* after the last commit, or copy of the log */
};

struct writer {
    struct database database;
    struct directory directory;
    struct space space;
    bool sync_each;       /* commit, before it has ended */
    uint64_t interval_ns; /* otherwise so long after it at the latest; 0: not at all */
    int event;            /* readable: the state is news */
    unsigned tried;       /* pages that the log had when it could not be copied whole */
    pthread_t thread;
    bool started;

    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t work;
    struct gathered handed;
    uint64_t number; /* of the commit that is or was in `handed` */
    bool ending;
    struct writer_state state;
};

/* Begins the thread; what stands above `started` has been filled in. 0 or an errno value. */
int writer_start(struct writer *writer);
/* Nothing, if it has not been started. Ends the commit that is on its way, syncs what has not been,
 * and ends the thread. A commit that waits for space is dropped. */
void writer_stop(struct writer *writer);

/* Takes *changes, and leaves empty ones in their place. No other commit may be on its way. */
void writer_hand_over(struct writer *writer, struct gathered *changes, uint64_t number);

/* The space that there was when the thread looked last. */
struct space_view writer_view(struct writer *writer);
