/*
 * connection: a session with its socket.
 *
 * One event serves it. When the socket is readable the connection reads once and runs every message
 * that is complete; the answers are sent by net_settle. What the kernel does not take stays in the
 * session's output, is charged to the user, and the connection waits for the socket to be writable.
 *
 * Stopped: requests are not run, though there may be some (what has come is kept, and no more is
 * read), while
 *  - the peer leaves more than CONNECTION_HIGH bytes of answers unread, until no more than
 *    CONNECTION_LOW are left (paused). Waits of its that end meanwhile still add their answers;
 * over the limit max_output the connection ends;
 *  - it has had its turn, until the next one comes (later);
 *  - too many of its calls are held up by objects at work, until few are, or a large message of its
 *    is run in steps, until no call of its is (held_up);
 *  - much that is to be durable waits for the disk, some of it its own, until less does (stalled).
 *
 * How a connection ends, always in this order:
 *  1. Leaving: its input is read to its end and run, in as many turns as that takes, unless what
 *     comes is not a message. If the peer is gone the answers are dropped as they come (items of
 *     plain queues go back).
 *  2. Its watches end, its waits end with CANCELLED, and a goodbye is added if there is a fault to
 *     tell.
 *  3. `closing`: what it has to say is sent, once its calls that are done in steps, or held up, are
 *     done. A peer that does not read has CONNECTION_PATIENCE seconds from its last sign of life;
 * one that was killed, is over its limit, or is gone, none.
 *  4. connection_end: out of the event loop, the socket closed, session_end (see ending.h), freed.
 *     Only net_settle and net_deinit get there, so nobody up the stack holds the connection.
 *
 * Here is what it is, and steps 2 and 4; its input is reading.h, step 1 leaving.h, and what it is
 * sent sending.h.
 */
#pragma once

#include "daemon/net/context.h"
#include "daemon/net/stream.h"

enum {
    CONNECTION_HIGH = 256 * 1024,
    CONNECTION_LOW = 64 * 1024,
    CONNECTION_PATIENCE = 2, /* seconds */
};

/* Why a connection leaves. */
enum connection_leaving {
    CONNECTION_STAYS,
    CONNECTION_GONE,    /* the peer does not read any more */
    CONNECTION_KILLED,  /* session.kill */
    CONNECTION_STOPPED, /* the daemon stops */
};

struct connection {
    struct session session;       /* first: the service knows the connection by it */
    TAILQ_ENTRY(connection) turn; /* net->later, if `later` */
    struct net *net;
    struct stream stream;
    struct event event;
    struct incomplete incomplete; /* in net->incomplete, if its message is incomplete */
    struct charge memory;         /* of itself */
    struct charge input_charge;   /* of input that is kept */
    struct charge output_charge;  /* of answers that stayed behind */
    short interest;               /* what the event waits for */
    enum connection_leaving leaving;
    unsigned reads; /* how often it may still be read while it leaves */
    bool paused;    /* requests are not run until the peer has read its answers */
    bool later;     /* or until its next turn */
    bool held_up;   /* or until few of its calls that are held up are left, */
    bool stalled;   /* or until what it has changed is on disk, as much waits to be written */
    bool alone;     /* or none, as one of them is large */
    bool closing;   /* it ends when its answers have been sent */
    bool hurried;   /* the same, but it does not wait for the peer to read them */
    bool gone;      /* the peer will not read: answers are dropped */
};

static inline struct connection *connection_of(struct session *session)
{
    return (struct connection *)session;
}

/* Its session has been initialised: from now on what it costs is charged. */
void connection_charge(struct connection *connection);

/* Bytes of answers that are still to be sent. */
static inline uint64_t connection_unread(const struct connection *connection)
{
    return session_unsent(&connection->session);
}

/* Makes a connection of a connected socket, which it takes over. If there may be no more sessions
 * the peer is told (goodbye LIMIT) and the socket closed. */
void connection_open(struct net *net, int fd);

/* Sends what the kernel takes, or enough for now. 0: everything, or what follows is for when the
 * socket is writable, as with STREAM_BLOCKED; STREAM_BROKEN. */
int connection_send(struct connection *connection);

/* True if its requests are not run for now. */
static inline bool connection_is_stopped(const struct connection *connection)
{
    return connection->paused || connection->later || connection->held_up || connection->stalled;
}

/* Sets the event to what the connection waits for; usually it is set to that already. 0, or
 * ERR_MEMORY. */
int connection_set_interest(struct connection *connection);

/* Begins to end it from step 2. */
void connection_close(struct connection *connection);
/* Closes it for a fault of the session, of which the peer and the log are told. */
void connection_fail(struct connection *connection, int error, const char *text);

/* Ends it at once: step 4. */
void connection_end(struct connection *connection);
/* The daemon ends: the same, whatever it has under way. */
void connection_abort(struct connection *connection);
