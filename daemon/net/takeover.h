/*
 * takeover: the connections, handed over to the daemon that takes this one's place, with their
 * sockets: what has come on them and was not run, what is to be sent (daemon/call/handover.h), and
 * in what state they are; and how they get there, in a carrier.
 *
 * A carrier is a connected socket in whose queue the descriptors lie, in their order. So the two
 * daemons need not share a process, nor the numbers of descriptors, and whoever passes the state on
 * (exec, the service manager) has a few descriptors to pass and not all. One carrier takes what the
 * kernel lets it take, some ten thousands; there are as many as are needed.
 */
#pragma once

#include "daemon/call/handover.h"
#include "daemon/call/takeover.h"
#include "daemon/net/context.h"

enum { CARRIERS_MAX = 16 };

struct carriers {
    int fds[CARRIERS_MAX]; /* owned */
    unsigned count;
};

/* Puts descriptors, which stay the caller's, into carriers. 0; or ERR_MEMORY with errno, and there
 * is none. */
int carriers_fill(struct carriers *carriers, const int *fds, uint32_t nfds);
/* Takes out what is in them, and closes them. 0 with *fds, an array that is the caller's, and
 * *nfds; ERR_MEMORY: as many as could be had. */
int carriers_empty(struct carriers *carriers, int **fds, uint32_t *nfds);
void carriers_close(struct carriers *carriers);

/* Writes down the service with all connections, at net->now. */
void net_hand_over(struct net *net, struct state_writer *state);

/* Makes them again, of a net and a service that were just initialised. 0; ERR_VALUE, with a
 * sentence in `why`; ERR_MEMORY: both are to be taken down. */
int net_take_over(struct net *net, struct state_reader *state, const struct stored_rows *stored,
                  char why[STATE_WHY_MAX]);
