/*
 * net: what is done at each event, and how it all begins and ends.
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

#include "daemon/net/context.h"

/* All are borrowed for as long as the net exists. 0, or ERR_MEMORY: nothing is left behind. */
int net_init(struct net *net, struct event_base *base, struct service *service, struct log *log);
/* Ends every connection at once. */
void net_deinit(struct net *net);

/* Serves until the event loop is broken. Where net.spin is set up, it looks for more to do before
 * it sleeps, as long as that pays. 0, or ERR_INTERNAL: the loop fails. */
int net_run(struct net *net);

/* Does what the event in hand has left to do; the last call of each callback. */
void net_settle(struct net *net);

/* The daemon stops: runs what the peers have sent, ends all waits with CANCELLED, and ends each
 * connection when its peer has read its answers, or after a time (CONNECTION_PATIENCE). The event
 * loop is left when the last one has ended. */
void net_stop(struct net *net);
