/*
 * ipcclient/condition: conditions, a lock and a place to wait under it until something has changed.
 * Part of ipcclient.h; opening and closing is described in ipcclient/object.h, owners and guards in
 * ipcclient/guard.h.
 */
#ifndef IPCCLIENT_CONDITION_H
#define IPCCLIENT_CONDITION_H

#include "guard.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_condition; /* a handle: a name, on a connection */

struct ipcc_condition_options {
    struct ipcc_open_options open;
    const char *lock; /* the name of a lock to go by; NULL: a recursive lock of its own */
    uint64_t reserved[2];
};

/* IPCC_ERR_NOT_FOUND, _WRONG_TYPE: of the lock, too. */
int ipcc_condition_open(struct ipcc *conn, const char *name,
                        const struct ipcc_condition_options *options,
                        struct ipcc_condition **condition);
int ipcc_condition_close(struct ipcc_condition *condition);
const char *ipcc_condition_name(const struct ipcc_condition *condition);

/* Acquire and release the condition's lock, as ipcc_lock_acquire, _release and _guard do. */
int ipcc_condition_acquire(struct ipcc_condition *condition, int64_t timeout_ms,
                           struct ipcc_acquired *acquired);
int ipcc_condition_acquire_as(struct ipcc_condition *condition, int64_t timeout_ms,
                              struct ipcc_value owner, struct ipcc_acquired *acquired);
int ipcc_condition_release(struct ipcc_condition *condition, uint64_t *depth);
int ipcc_condition_release_as(struct ipcc_condition *condition, struct ipcc_value owner,
                              uint64_t *depth);
int ipcc_condition_guard(struct ipcc_condition *condition, int64_t timeout_ms,
                         struct ipcc_guard *guard);

/*
 * Gives up the lock, waits to be notified, and holds the lock again, as often as before, when it
 * returns. *notified is false if the time ran out first, which is no error; the lock is held again
 * then, too, which may take longer than timeout_ms (ipcc_options.guard_ms does not count here). It
 * may return for no reason that concerns the caller, who looks again at what it waits for:
 * ipcc_condition_wait_for does.
 * IPCC_ERR_NOT_OWNER: the caller does not hold the lock. After IPCC_ERR_LOST, _CANCELLED,
 * _INTERRUPTED or _DELETED it does not hold it any more.
 */
int ipcc_condition_wait(struct ipcc_condition *condition, int64_t timeout_ms, bool *notified);
int ipcc_condition_wait_as(struct ipcc_condition *condition, int64_t timeout_ms,
                           struct ipcc_value owner, bool *notified);

/* Whether that for which the caller waits has come. It is called in the caller's thread while the
 * lock is held, and may use the connection. */
typedef bool ipcc_predicate_fn(void *data);

/*
 * Waits until `predicate` is true, looking before the first wait and after each. The lock is held
 * by the caller before, and again when this returns 0 or IPCC_ERR_TIMEOUT. timeout_ms is for all
 * waits together, by the clock of this process (CLOCK_MONOTONIC). Other errors: as those of
 * ipcc_condition_wait.
 */
int ipcc_condition_wait_for(struct ipcc_condition *condition, ipcc_predicate_fn *predicate,
                            void *data, int64_t timeout_ms);
int ipcc_condition_wait_for_as(struct ipcc_condition *condition, ipcc_predicate_fn *predicate,
                               void *data, int64_t timeout_ms, struct ipcc_value owner);

/* Wakes up to n of those who wait, the longest waiting first; all of them. The lock must be held.
 * *woken is how many. IPCC_ERR_NOT_OWNER. */
int ipcc_condition_notify(struct ipcc_condition *condition, uint64_t n, uint64_t *woken);
int ipcc_condition_notify_as(struct ipcc_condition *condition, uint64_t n, struct ipcc_value owner,
                             uint64_t *woken);
int ipcc_condition_notify_all(struct ipcc_condition *condition, uint64_t *woken);
int ipcc_condition_notify_all_as(struct ipcc_condition *condition, struct ipcc_value owner,
                                 uint64_t *woken);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_CONDITION_H */
