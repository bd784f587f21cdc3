/*
 * ipcclient/semaphore: semaphores, permits that are taken and given back. Part of ipcclient.h;
 * opening and closing is described in ipcclient/object.h, guards in ipcclient/guard.h.
 */
#ifndef IPCCLIENT_SEMAPHORE_H
#define IPCCLIENT_SEMAPHORE_H

#include "guard.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_semaphore; /* a handle: a name, on a connection */

#define IPCC_NO_PERMITS (-1) /* ipcc_semaphore_options.value: none to begin with */

struct ipcc_semaphore_options {
    struct ipcc_open_options open;
    int64_t value; /* permits to begin with, or IPCC_NO_PERMITS; 0: not given, which makes one */
    bool bounded;  /* there are never more than that */
    /* RELEASE, as a bounded one does by default, or KEEP, as others do. */
    enum ipcc_on_disconnect on_disconnect;
    uint64_t reserved[4];
};

int ipcc_semaphore_open(struct ipcc *conn, const char *name,
                        const struct ipcc_semaphore_options *options,
                        struct ipcc_semaphore **semaphore);
int ipcc_semaphore_close(struct ipcc_semaphore *semaphore);
const char *ipcc_semaphore_name(const struct ipcc_semaphore *semaphore);

/* Takes n permits, waiting until there are so many. Those who wait get theirs in the order in which
 * they came. *value is how many are left. Permits belong to the session, not to a thread.
 * IPCC_ERR_TIMEOUT; _VALUE: n is 0, or more than a bounded one can have. */
int ipcc_semaphore_acquire(struct ipcc_semaphore *semaphore, uint64_t n, int64_t timeout_ms,
                           uint64_t *value);

/* Gives n permits back, or adds them: who has taken none may do so, too. *value is how many there
 * are now. IPCC_ERR_VALUE: n is 0, or a bounded one would have more than it began with; _RANGE. */
int ipcc_semaphore_release(struct ipcc_semaphore *semaphore, uint64_t n, uint64_t *value);

/* How many permits can be had now. */
int ipcc_semaphore_value(struct ipcc_semaphore *semaphore, uint64_t *value);

/* ipcc_semaphore_acquire for a guard, which is required: it holds the n permits if this returns 0,
 * else nothing. What it held before is forgotten. */
int ipcc_semaphore_guard(struct ipcc_semaphore *semaphore, uint64_t n, int64_t timeout_ms,
                         struct ipcc_guard *guard);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_SEMAPHORE_H */
