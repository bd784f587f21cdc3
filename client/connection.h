/*
 * connection: struct ipcc, which has a link, the calls in flight and a reader, none of which knows
 * the others. What happens between them is in the files above this one.
 *
 * One mutex, ipcc.lock, guards all of it but ipcc.link.in, ipcc.link.brief and ipcc.spin, which are
 * the reader's alone. Nobody holds the lock while waiting for the socket or while a callback runs.
 * A thread blocked in a call takes the reader's role when it is free and passes it on to the next
 * blocked thread when its own call is done (wait.c); ipcc_process takes it for one turn (async.c).
 *
 * Layers, each using those before it: error, clock; value, reply, descriptors; link, flight,
 * reader, fork; embedded; connection; callback and request; session, ending, notification;
 * deadlines, interrupt, dispatch; wait; call, async and open; typed handles.
 */
#pragma once

#include "client/error.h"
#include "client/flight.h"
#include "client/fork.h"
#include "client/ipcclient/watch.h"
#include "client/link.h"
#include "client/page.h"
#include "client/reader.h"
#include "proto/spin.h"

#include <pthread.h>
#include <stdatomic.h>

struct ipcc {
    pthread_mutex_t lock;
    atomic_uint references; /* the connection's own and one for each handle */
    atomic_uint inside;     /* threads in a blocking call */
    struct fork_watch fork;
    pid_t process; /* that opened it */

    /* As opened. */
    char *client;
    char *client_version;
    int64_t connect_timeout_ms;
    int64_t guard_ms;
    bool reconnect;
    bool embedded; /* a daemon may be started for it */

    struct link link;
    struct flight flight;
    struct reader reader;
    struct spin spin; /* the reader's */
    struct page page;
    bool closed;              /* by ipcc_close; it is never up again */
    int64_t connect_deadline; /* of connecting and greeting */

    int interrupt_fd;        /* readable from an interrupt until it is resumed; -1: there is none */
    atomic_bool interrupted; /* set before interrupt_fd is written to; no call may wait */
    bool interrupt_seen;     /* the waits in flight have been cancelled; nobody polls it any more */

    bool greeted;
    struct buffer greeting; /* the daemon's answer to server.hello */
    uint64_t session;
    size_t max_request; /* the daemon's max_message */

    int end_code; /* not 0: to be ended by the reader, for this reason; or ended for it */
    char end_message[MESSAGE_TEXT];

    ipcc_notify_fn *notify;
    void *notify_data;
    ipcc_watch_event_fn *event_told;
    void *event_data;
};

/* Checks, without the lock, that the connection may be used here at all. ARGUMENT, FORKED. */
int connection_enter(const struct ipcc *conn);

/* connection_enter for what waits for the connection or drives it: BUSY in its callbacks, as
 * the calling thread's state has them. */
int connection_enter_blocking(const struct ipcc *conn, const struct thread_state *thread);

/* Makes a connection that is not connected. Not locked. ARGUMENT, NO_MEMORY, SYSTEM. */
int connection_new(struct ipcc **conn, const struct ipcc_options *options);
void connection_ref(struct ipcc *conn);
void connection_unref(struct ipcc *conn); /* not locked */

/* Frees what an ended connection has; from then on it is closed. */
void connection_empty(struct ipcc *conn);
