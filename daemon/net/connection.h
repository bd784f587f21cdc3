/*
 * connection: a session with its socket.
 *
 * One event serves it. When the socket is readable the connection reads once and runs every message
 * that is complete; the answers are sent by net_settle. What the kernel does not take stays in the
 * session's output, is charged to the user, and the connection waits for the socket to be writable.
 *
 * Paused: a session whose peer leaves more than CONNECTION_HIGH bytes of answers unread is not read
 * from and its requests are not run (they are kept) until no more than CONNECTION_LOW are left.
 * Waits of its that end meanwhile still add their answers; over the limit max_output the connection
 * ends.
 *
 * How a connection ends, always in this order:
 *  1. Its input is read to its end and run, unless what comes is not a message. If the peer is gone
 *     the answers are dropped as they come (items of plain queues go back).
 *  2. Its watches end, its waits end with CANCELLED, and a goodbye is added if there is a fault to
 * tell.
 *  3. `closing`: what it has to say is sent. A peer that does not read has CONNECTION_PATIENCE
 *     seconds from its last sign of life; one that was killed, is over its limit, or is gone, none.
 *  4. connection_end: out of the event loop, session_end (see session.h), the socket closed, freed.
 *     Only net_settle and net_deinit get there, so nobody up the stack holds the connection.
 *
 * connection.c is its life, reading.c what it does with its input.
 */
#pragma once

#include "daemon/net/net.h"
#include "daemon/net/stream.h"

enum {
    CONNECTION_HIGH = 256 * 1024,
    CONNECTION_LOW = 64 * 1024,
    CONNECTION_PATIENCE = 2, /* seconds */
};

struct connection {
    struct session session; /* first: the service knows the connection by it */
    struct net *net;
    struct stream stream;
    struct event event;
    uint64_t input_charge;  /* bytes of kept input charged to the user */
    uint64_t output_charge; /* the same of answers that stayed behind */
    short interest;         /* what the event waits for */
    bool paused;            /* requests are not run until the peer has read its answers */
    bool closing;           /* it ends when its answers have been sent */
    bool hurried;           /* the same, but it does not wait for the peer to read them */
    bool gone;              /* the peer will not read: answers are dropped */
};

static inline struct connection *connection_of(struct session *session)
{
    return (struct connection *)session;
}

/* Bytes of answers that are still to be sent. */
static inline uint64_t connection_unread(const struct connection *connection)
{
    return output_pending(&connection->session.output);
}

/* Makes a connection of a connected socket, which it takes over. If there may be no more sessions
 * the peer is told (goodbye LIMIT) and the socket closed. */
void connection_open(struct net *net, int fd);

/* Begins to end it in good order: from step 2. */
void connection_close(struct connection *connection);
/* The same for a fault of the session, of which the peer and the log are told. */
void connection_fail(struct connection *connection, int error, const char *text);

/* Sends what the session has to say and does whatever follows from that; may free the connection.
 * Only for net_settle. */
void connection_settle(struct connection *connection);

/* Ends and frees it at once: step 4. */
void connection_end(struct connection *connection);

/* reading.c */

/* Reads once and runs what is complete. True if there may be more to read. */
bool connection_read(struct connection *connection);
/* Runs the input that was kept while the connection was paused. */
void connection_resume(struct connection *connection);
/* Step 1: runs all that the peer has sent so far. A peer that leaves its answers unread, but is
 * there, is not served further. */
void connection_finish_input(struct connection *connection);
