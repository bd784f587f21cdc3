/*
 * ipcclient/barrier: barriers, where a number of parties wait for each other. Part of ipcclient.h;
 * opening and closing is described in ipcclient/object.h.
 */
#ifndef IPCCLIENT_BARRIER_H
#define IPCCLIENT_BARRIER_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_barrier; /* a handle: a name, on a connection */

struct ipcc_barrier_options {
    struct ipcc_open_options open;
    int64_t parties;    /* how many must come; a barrier that is created needs it */
    int64_t timeout_ms; /* of waits that give none; 0: none */
    uint64_t reserved[2];
};

int ipcc_barrier_open(struct ipcc *conn, const char *name,
                      const struct ipcc_barrier_options *options, struct ipcc_barrier **barrier);
int ipcc_barrier_close(struct ipcc_barrier *barrier);
const char *ipcc_barrier_name(const struct ipcc_barrier *barrier);

/*
 * Waits until all parties have come; then all go on, and the barrier can be used again. *index is
 * how many had come before, 0 to parties - 1: a different one for each. With IPCC_FOREVER the
 * barrier's own timeout counts, if it has one.
 * IPCC_ERR_BROKEN: the barrier is broken, or breaks during the wait, since one of those who wait
 * runs out of time (the caller too), is cancelled or dies, or by abort or reset.
 *
 * What Python's Barrier has as its action, one of the parties can do between two waits:
 *
 *     ipcc_barrier_wait(barrier, IPCC_FOREVER, &index);
 *     if (index == 0) { … }
 *     ipcc_barrier_wait(barrier, IPCC_FOREVER, NULL);
 */
int ipcc_barrier_wait(struct ipcc_barrier *barrier, int64_t timeout_ms, uint64_t *index);

/* Makes it as new; those who wait get IPCC_ERR_BROKEN. */
int ipcc_barrier_reset(struct ipcc_barrier *barrier);

/* Breaks it: all who wait, or will wait before it is reset, get IPCC_ERR_BROKEN. */
int ipcc_barrier_abort(struct ipcc_barrier *barrier);

struct ipcc_barrier_state {
    uint64_t parties;
    uint64_t waiting; /* how many have come */
    bool broken;
};

int ipcc_barrier_state(struct ipcc_barrier *barrier, struct ipcc_barrier_state *state);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_BARRIER_H */
