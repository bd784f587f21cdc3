/*
 * pinger: a client that only asks whether the daemon is there, every millisecond, and notes how
 * long it had to wait.
 *
 * Each ping is due at a time that is fixed beforehand, and its wait is counted from then: a ping
 * that could not even be sent, because the one before was not answered, has waited too. It runs in
 * a thread with a connection of its own; what it does meanwhile, the others cannot see.
 */
#pragma once

#include "tools/ipcbench/target.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    PING_NANOSECONDS = 1000000, /* from one to the next */
    PINGS_MAX = 250000,         /* that are noted */
};

struct pinger {
    int fd;
    pthread_t thread;
    atomic_ullong end;   /* pings that are due then or later are not sent: clock_now() */
    atomic_ullong leave; /* and from then on none is waited for */
    uint64_t *waits;     /* nanoseconds, one for each ping */
    size_t count;
    uint64_t late; /* by how much it was itself too late at most, with nothing under way */
    bool lost;     /* the daemon has closed the connection */
};

/* What the pings had to wait, in nanoseconds. */
struct pinger_waits {
    size_t count; /* of pings */
    double longest;
    double p99;
    double p999;
    double late; /* what of it may be the fault of the machine: see struct pinger */
};

/* Connects, has one ping answered and starts. 0, or -1 with a sentence and nothing started. */
int pinger_start(struct pinger *pinger, const struct target *target);

/*
 * Ends it when the pings that are due now have been answered, or after `patience` nanoseconds: the
 * one that is under way then has waited until now. 0 with *out set, or -1 with a sentence if the
 * daemon has closed the connection. Once for each pinger that was started.
 */
int pinger_stop(struct pinger *pinger, uint64_t patience, struct pinger_waits *out);

/* From waits, which it sorts; there is at least one. */
void pinger_sum(uint64_t *waits, size_t count, struct pinger_waits *out);
