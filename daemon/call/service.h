/*
 * service: everything that calls work on: the objects, the accounts, the sessions, the deadlines,
 * the jobs, and the lists that are worked off after each call. One of it in a daemon, one in each
 * unit test. This header is the data; what works on it lies in layers above, lowest first:
 *
 *    session    what one connection has        waiting    parked calls: asked again, ended
 *    call       what a handler may do          deleting   objects that go
 *    parked     a call that has not ended      drain      what is done after each call; time; jobs
 *    running    a handler is run and answered  ending     sessions that go
 *                                              dispatch   from a message to a call
 */
#pragma once

#include "daemon/call/index.h"
#include "daemon/call/job.h"
#include "daemon/objects/heap.h"
#include "daemon/objects/registry.h"
#include "daemon/objects/watch.h"

struct session;    /* daemon/call/session.h */
struct engine_api; /* daemon/call/engine.h */

/* Calls and errors of one method, for server.stats. */
struct method_figures {
    uint64_t calls;
    uint64_t errors;
};

TAILQ_HEAD(session_list, session);

/* Who sees to it that another daemon takes the place of this one (server.upgrade). */
enum { UPGRADE_TEXT = 512 };

struct upgrader {
    /* That is to be done with that program (NULL: its own) as soon as nothing is under way. False,
     * and a sentence in `text`: it cannot. NULL: there is nobody. */
    bool (*begin)(void *data, const char *program, char text[UPGRADE_TEXT]);
    void *data;
    char failure[UPGRADE_TEXT]; /* why it has not been possible; for those who wait for it */
};

/* What the calls need of whoever writes durable objects to disk. */
struct keeper {
    /* There is to be a change of so many bytes: false if there is no space for it on disk. `frees`:
     * it is one that makes less of what is stored. */
    bool (*promise)(void *data, uint64_t bytes, bool frees);
    /* Packs the figures of the store as pairs; returns how many. */
    size_t (*describe)(void *data, struct buffer *out);
    void *data;
};

/* What is on disk, and who waits for it; see commits.h. Without a store all numbers stay 0. */
struct commits {
    uint64_t next;     /* the number of the commit in which what changes now will be; 0: no store */
    uint64_t last;     /* the last commit that was handed to the store */
    uint64_t synced;   /* the last one that is on disk; at most `last`, which is next - 1 */
    uint64_t promised; /* bytes, roughly, of what is to be in the next commit, */
    uint64_t promised_before;         /* and of what is in the one on its way */
    uint64_t nheld;                   /* sessions with answers that wait: those in the list */
    TAILQ_HEAD(held_list, held) held; /* of the sessions with answers that wait */
    struct keeper keeper;
};

struct service {
    struct accounts accounts;
    struct registry registry;        /* with the lists of objects that are ready, and that leave */
    struct session_list sessions;    /* oldest first */
    struct session_list dirty;       /* with answers to be sent: net does, and empties the list */
    struct watcher_list pending;     /* sessions with events to be given to them */
    struct heap deadlines;           /* of parked calls and of objects' timers */
    struct jobs jobs;                /* what takes long */
    struct commits commits;          /* what has to be on disk before it is told */
    const struct engine_api *engine; /* where other objects live (engine.h); NULL: nowhere */
    bool ending_rest;                /* one of them ends deleted objects; see deleting.h */
    int64_t credit; /* steps (pace.h) that may be done before the turn of the session in
                       hand looks at the clock; see daemon/net/ */
    struct method_figures figures[METHOD_COUNT];
    uint64_t unknown_methods; /* calls of methods that there are not */
    uint64_t waiting;         /* parked calls of all sessions */
    uint64_t retries;         /* how often one of them has been asked again */
    uint64_t next_session;
    uint64_t now;          /* monotonic, nanoseconds: of the last service_run or service_tick */
    struct timespec since; /* wall clock */
    const char *state_directory; /* of the durable store; not owned; NULL: there is none */
    const char *socket;          /* where it listens, to be told; not owned; NULL: not known */
    uint64_t started;            /* monotonic, nanoseconds */
    struct upgrader upgrader;
    uint64_t takeovers;        /* how often one daemon has taken the place of another since then */
    struct method_index index; /* names to methods */
};

/* The service that a job is one of. */
static inline struct service *job_service(const struct job *job)
{
    return (struct service *)((char *)job->jobs - offsetof(struct service, jobs));
}

/* 0, or ERR_INTERNAL: the system has no random numbers. */
int service_init(struct service *service, struct clock clock);
/* Everything must be gone: service_clear in drain.h. */
void service_deinit(struct service *service);
