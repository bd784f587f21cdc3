/*
 * service: everything that calls work on: the objects, the accounts, the sessions, the deadlines,
 * and the lists that are worked off after each call. One of it in a daemon, one in each unit test.
 *
 * The life of a call: service_run decodes nothing (message_decode has), finds the method, checks
 * the params against its signature, finds the object, checks permission, runs the handler, and
 * answers or parks. Then service_drain asks the waiters of every object that changed, first come
 * first served. This is the one place where a call enters the objects.
 */
#pragma once

#include "daemon/call/index.h"
#include "daemon/call/session.h"
#include "daemon/objects/heap.h"
#include "daemon/objects/registry.h"

/* Calls and errors of one method, for server.stats. */
struct method_figures {
    uint64_t calls;
    uint64_t errors;
};

struct service {
    struct accounts accounts;
    struct registry registry;
    TAILQ_HEAD(session_list, session) sessions;
    TAILQ_HEAD(dirty_list, session) dirty; /* net writes their answers and empties the list */
    TAILQ_HEAD(ready_list, object) ready;  /* objects whose waiters are to be asked */
    struct watcher_list told;              /* sessions with events to be given to them */
    struct heap deadlines;                 /* of parked calls and of objects' timers */
    struct method_figures figures[METHOD_COUNT];
    uint64_t unknown_methods; /* calls of methods that there are not */
    uint64_t waiting;         /* parked calls of all sessions */
    uint64_t retries;         /* how often one of them has been asked again */
    uint64_t next_session;
    uint64_t now;              /* monotonic, nanoseconds: of the last service_run or service_tick */
    struct timespec since;     /* wall clock */
    uint64_t started;          /* monotonic, nanoseconds */
    uid_t self;                /* the daemon's own user */
    struct method_index index; /* names to methods */
};

/* 0, or ERR_MEMORY for want of memory. `now`: monotonic, nanoseconds. */
int service_init(struct service *service, uint64_t now);
/* Every session must have ended. Frees the objects. */
void service_deinit(struct service *service);

/* Runs one decoded message of a session: a request or a notification. Answers go to the session's
 * output, and the session to the dirty list. Params in the message are normalised in place.
 * `passed`: the descriptors that came with it, or NULL; those that are taken are marked there.
 * `now`: monotonic, nanoseconds, read after the message had come. */
void service_run(struct service *service, struct session *session, struct message *message,
                 const struct passed *passed, uint64_t now);

/* Asks the waiters of all ready objects until none is ready; then gives the sessions the events
 * that they have been told. To be called after each batch of
 * service_run (which does it itself after each call), service_tick and session_end. */
void service_drain(struct service *service);

/* Ends what has run out of time at `now`: waits, leases, delays. */
void service_tick(struct service *service, uint64_t now);
/* When the next service_tick is due; UINT64_MAX: never. */
uint64_t service_due(const struct service *service);

/* All waits of all sessions are ended with an error: the daemon stops. */
void service_cancel_all(struct service *service, int error, const char *text);

/* The object's waiters are to be asked, and its timer looked at, by the next drain. */
void object_ready(struct service *service, struct object *object);
/* Takes an object out of the registry, ends the waits on it with DELETED, and every session's
 * claims on it. */
void service_delete(struct service *service, struct object *object);
/* The object's mode has changed: the watches of those who may not read it any more end. */
void service_check_watches(struct service *service, struct object *object);
/* Marks the session as having answers to send. */
void session_dirty(struct session *session);

/* What the layer's own files need of each other. */

/* Moves a call that has to wait to memory of its own and into the lists. 0, or ERR_LIMIT,
 * ERR_MEMORY: it does not wait. */
int call_park(struct call *call);
/* Runs the handler of a call, first try or wake-up, and packs the answer unless it must wait.
 * Returns what the handler answered. */
int call_try(struct call *call);
/* Runs a call that `outer` is made of (its method and params are in the message): as service_run
 * does with a request, but at once, with nothing in between, and never waiting. Its result goes to
 * the batch, or what it was refused with. 0 or the error. */
int call_run_within(const struct call *outer, struct message *message, struct batch *batch);
/* Finishes a parked call with an error. */
void call_cancel(struct call *call, int error, const char *text);
/* Takes a parked call away without an answer: its session ends. */
void call_drop(struct call *call);
/* Asks the waiters of one object, and sets its timer. */
void object_serve(struct service *service, struct object *object);
/* Gives each session that was told events what it has room for. */
void service_give_events(struct service *service);
/* Moves items that had max_deliveries to the dead letter queue. */
void dead_letters(struct service *service, struct queue *queue);
