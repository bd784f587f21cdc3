/*
 * link: one connection to a Redis server that is kept up: commands out, replies in.
 *
 * While it is wanted it connects, and connects again after each loss, after a pause that doubles
 * from 20 ms up to a second. It is ready when TLS is set up and the server has accepted the
 * password, our name and the database. What it does not know is which reply belongs to which
 * command: that is its listener's (pipeline.h).
 *
 * A link ends its connection, and says why, when the other side closes it, sends what is no RESP or
 * a reply that is too large, or says nothing for `silence_ms` though it owes something.
 *
 * All callbacks come from the event loop, none from within a function of this header.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "daemon/engine/dial.h"
#include "daemon/engine/greeting.h"
#include "daemon/engine/reader.h"
#include "proto/slice.h"

/* What all links of a cluster share. The strings are the owner's, and outlive the links. */
struct link_settings {
    struct dial_names names;
    SSL_CTX *tls; /* not owned; NULL: plain */
    struct greeting greeting;
    uint64_t connect_timeout_ms;
    uint64_t silence_ms;
    size_t max_reply;
};

enum link_state {
    LINK_CLOSED,   /* it is not wanted */
    LINK_RESTING,  /* until the next attempt */
    LINK_DIALING,  /* a socket connects */
    LINK_GREETING, /* TLS, AUTH, CLIENT SETNAME, SELECT */
    LINK_READY,
};

struct link_listener {
    void (*ready)(void *data);
    /* The reply is the callee's, to be freed by reader_free_reply. */
    void (*reply)(void *data, struct redisReply *reply);
    /* The connection, or the attempt at one, has ended; link->why says why. */
    void (*lost)(void *data, bool was_ready);
    /* Since when (clock_ms) the server owes something; UINT64_MAX: it owes nothing. Asked every
     * third of silence_ms, at which the listener may write something to be answered. */
    uint64_t (*owed)(void *data);
    void *data;
};

struct link {
    struct link_settings *settings;
    struct dial_address address;
    struct link_listener listener;
    enum link_state state;
    struct dial dial;
    struct bufferevent *stream; /* owned; from GREETING on */
    struct event *readable;     /* owned; of a stream that is not TLS, which only writes then */
    struct reader reader;       /* open from GREETING on */
    struct evbuffer *out;       /* owned: what link_flush is to send */
    struct event *timer; /* owned: the next attempt, the time limit, the look at the silence */
    unsigned greetings;  /* replies that are still to come before it is ready */
    unsigned pause_ms;
    uint64_t heard; /* when something came last: clock_ms */
    uint64_t sent_bytes;
    uint64_t received_bytes;
    char why[256]; /* the last end of a connection; "" since it has been ready */
};

/* Not wanted yet. 0; or ERR_MEMORY, with nothing to be deinited. */
int link_init(struct link *link, struct link_settings *settings, const struct dial_address *address,
              const struct link_listener *listener);
void link_deinit(struct link *link);

/* Whether there is to be a connection. One that is not wanted is closed without a word. May be
 * called from within callbacks, as link_write and link_flush. */
void link_want(struct link *link, bool wanted);

/* Adds bytes to what the next link_flush sends. Only while it is ready. 0, or ERR_MEMORY: nothing
 * was added. */
int link_write(struct link *link, struct slice bytes);

/* Sends. What has been flushed may have reached the server. */
void link_flush(struct link *link);

/* Ends the connection for a reason of the listener's, as if it had been lost: `lost` is called,
 * from within. Only while it is ready. */
void link_fail(struct link *link, const char *why);
