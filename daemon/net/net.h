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

#include "daemon/call/service.h"
#include "daemon/log.h"
#include "daemon/net/alarm.h"
#include "daemon/net/input.h"
#include "daemon/net/memory.h"
#include "daemon/net/pool.h"

struct listener;

struct net {
    struct event_base *base;   /* not owned */
    struct service *service;   /* not owned */
    struct log *log;           /* not owned */
    struct listener *listener; /* told when a connection has ended; not owned; NULL: none */
    struct input input;
    struct pool pool;
    struct alarm alarm;
    struct memory memory;
    uint64_t now;      /* monotonic, nanoseconds: when the event in hand was read */
    uint64_t accepted; /* connections, from the start */
    bool stopping;     /* net_stop was called */
};

/* All are borrowed for as long as the net exists. 0, or ERR_MEMORY: nothing is left behind. */
int net_init(struct net *net, struct event_base *base, struct service *service, struct log *log);
/* Ends every connection at once. */
void net_deinit(struct net *net);

/* The monotonic clock, in nanoseconds. */
uint64_t net_clock(void);

/* Does what the event in hand has left to do; the last call of each callback. */
void net_settle(struct net *net);

/* The daemon stops: runs what the peers have sent, ends all waits with CANCELLED, and ends each
 * connection when its peer has read its answers, or after a time (CONNECTION_PATIENCE). The event
 * loop is left when the last one has ended. */
void net_stop(struct net *net);
