/*
 * net: what all connections share, and what is done after each event.
 *
 * The only part of the daemon with sockets, libevent and a clock. An event's callback takes in what
 * has come and runs it (connection.h, listener.h); that leaves sessions with something to send in
 * the service's dirty list, its own and those of others whose waits have ended. net_settle, called
 * last, sends to each of them once, ends the connections that are to end, and sets the alarm. It is
 * the only place where a connection is freed, and nobody further up holds one there.
 *
 * One thread. Nothing blocks except in event_base_loop.
 */
#pragma once

#include "daemon/call/ending.h"
#include "daemon/log.h"
#include "daemon/net/alarm.h"
#include "daemon/net/input.h"
#include "daemon/net/memory.h"
#include "daemon/net/pool.h"

struct connection;
struct listener;

TAILQ_HEAD(connection_list, connection);

enum {
    NET_TURN_NS = 500000,  /* what all sessions that have much to run get in one turn of the loop */
    NET_TURN_STEPS = 1024, /* steps (pace.h) after which a session looks whether its turn is over */
    NET_MESSAGE_STEPS = 24, /* what a message costs, in steps */
};

struct net {
    struct event_base *base;   /* not owned */
    struct service *service;   /* not owned */
    struct log *log;           /* not owned */
    struct listener *listener; /* told when a connection has ended; not owned; NULL: none */
    struct input input;
    struct pool pool;
    struct alarm alarm;
    struct memory memory;
    struct event work;            /* rings in the next turn of the loop; pending while `working` */
    struct connection_list later; /* whose input is run on when it is their turn */
    struct timeval round;         /* the turn of the loop that `turn_end` is about */
    uint64_t
        turn_end; /* when those who have much to run have had their time in it: monotonic, ns */
    bool working;
    uint64_t now;      /* monotonic, nanoseconds: when the event in hand was read */
    uint64_t accepted; /* connections, from the start */
    bool stopping;     /* net_stop was called */
};

/* All are borrowed for as long as the net exists. 0, or ERR_MEMORY: nothing is left behind. */
int net_init(struct net *net, struct event_base *base, struct service *service, struct log *log);
/* Ends every connection at once. */
void net_deinit(struct net *net);

/* The monotonic clock, in nanoseconds; and as the service takes it. */
uint64_t net_clock(void);
extern const struct clock net_service_clock;

/* True if those who have much to run have had their time in this turn of the loop. */
bool net_turn_is_over(struct net *net);

/* Does what the event in hand has left to do; the last call of each callback. */
void net_settle(struct net *net);

/* The daemon stops: runs what the peers have sent, ends all waits with CANCELLED, and ends each
 * connection when its peer has read its answers, or after a time (CONNECTION_PATIENCE). The event
 * loop is left when the last one has ended. */
void net_stop(struct net *net);
