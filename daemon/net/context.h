/*
 * context: what all connections share: struct net.
 *
 * The lowest of the parts of daemon/net/ that know of each other. Above it stand the connections
 * (connection.h), what is done with their input (reading.h), how they leave (leaving.h), what they
 * are sent (sending.h), and the sockets on which they come (listener.h); net.h is the highest. What
 * they need of it they call through `calls`.
 */
#pragma once

#include "daemon/call/ending.h"
#include "daemon/call/unsent.h"
#include "daemon/log.h"
#include "daemon/memory.h"
#include "daemon/net/alarm.h"
#include "daemon/net/incomplete.h"
#include "daemon/net/input.h"
#include "daemon/net/pool.h"
#include "proto/spin.h"

struct net;
struct connection;
struct listener;
struct processes;

TAILQ_HEAD(connection_list, connection);

enum {
    NET_TURN_NS = 250000,  /* what all sessions that have much to run get in one turn of the loop */
    NET_TURN_STEPS = 1024, /* steps (pace.h) after which a session looks whether its turn is over */
    NET_MESSAGE_STEPS = 24, /* what a message costs, in steps */
};

/* What the parts above give to those below. */
struct net_calls {
    void (*settle)(struct net *net); /* the last call of each callback: net_settle */
    event_callback_fn ready;         /* of the event of a connection, with the connection */
};

struct net {
    struct net_calls calls;
    struct event_base *base;     /* not owned */
    struct service *service;     /* not owned */
    struct log *log;             /* not owned */
    struct listener *listener;   /* resumed when a connection has ended; not owned; NULL: none */
    struct processes *processes; /* of an embedded daemon; not owned; NULL: it is none */
    struct input input;
    struct pool pool;
    struct alarm alarm;
    struct event *turn_ends;           /* made active when durable objects have changed: it comes
                                          behind all that has happened in this turn of the loop; not
                                          owned; NULL: there is no store */
    struct memory *memory;             /* told how much is stored; not owned; NULL: nobody is */
    struct incomplete_list incomplete; /* of connections */
    struct event work;            /* rings in the next turn of the loop; pending while `working` */
    struct connection_list later; /* whose input is run on when it is their turn */
    struct timeval round;         /* the turn of the loop that `turn_end` is about */
    uint64_t
        turn_end; /* when those who have much to run have had their time in it: monotonic, ns */
    bool working;
    uint64_t now;      /* monotonic, nanoseconds: when the event in hand was read */
    uint64_t accepted; /* connections, from the start */
    struct spin spin;  /* of the loop, before it sleeps; none unless it is set up */
    bool busy;         /* something has come in this turn of the loop */
    bool stopping;     /* net_stop was called */
    bool freed;        /* a connection has ended: there is a descriptor more */
};

/* The monotonic clock, in nanoseconds; and as the service takes it. */
uint64_t net_clock(void);
extern const struct clock net_service_clock;

/* True if those who have much to run have had their time in this turn of the loop. */
bool net_turn_is_over(struct net *net);
