/*
 * interruption: SIGINT, SIGTERM and SIGHUP end a command in good order: what it waits for at the
 * daemon ends, it puts right what it has begun, and then the signal does what it does to others.
 *
 *     interruption_begin(&interruption, conn);
 *     ...                                       what waits ends with IPCC_ERR_INTERRUPTED
 *     interruption_end(&interruption);          does not return if there was a signal
 *
 * A thread waits for the signals, so that nothing but the library's own call is done for one. Who
 * cannot come to an end within a moment, as nobody reads its output, is ended all the same; and so
 * is who gets a second signal.
 */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "client/ipcclient.h"

struct interruption {
    struct ipcc *conn; /* interruptible */
    pthread_t thread;
    sigset_t signals; /* those that the process does not ignore, and one that ends the thread */
    sigset_t before;  /* the mask to go back to */
    atomic_int came;  /* the signal that has come, or 0 */
    bool running;
};

void interruption_begin(struct interruption *interruption, struct ipcc *conn);
void interruption_end(struct interruption *interruption);
