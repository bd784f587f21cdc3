/*
 * ipcclient/lock: locks, recursive or not. Part of ipcclient.h; opening and closing is described in
 * ipcclient/object.h, owners and guards in ipcclient/guard.h.
 */
#ifndef IPCCLIENT_LOCK_H
#define IPCCLIENT_LOCK_H

#include "guard.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_lock; /* a handle: a name, on a connection */

enum ipcc_release_by {
    IPCC_RELEASE_BY_DEFAULT = 0,
    IPCC_RELEASE_BY_OWNER, /* only its holder may release it, as by default */
    IPCC_RELEASE_BY_ANYONE /* who may use it may release it, as with Python's Lock */
};

struct ipcc_lock_options {
    struct ipcc_open_options open;
    bool recursive; /* its holder may acquire it again, and must release it as often */
    enum ipcc_on_disconnect on_disconnect; /* RELEASE by default, or KEEP */
    enum ipcc_release_by release_by;
    uint64_t reserved[4];
};

int ipcc_lock_open(struct ipcc *conn, const char *name, const struct ipcc_lock_options *options,
                   struct ipcc_lock **lock);
int ipcc_lock_close(struct ipcc_lock *lock);
const char *ipcc_lock_name(const struct ipcc_lock *lock);

/* Waits until the caller holds the lock; those who wait get it in the order in which they came. A
 * lock that is not recursive makes its own holder wait, too. Look at acquired->abandoned.
 * IPCC_ERR_TIMEOUT. After IPCC_ERR_NO_ANSWER or _NO_MEMORY it may be held all the same. */
int ipcc_lock_acquire(struct ipcc_lock *lock, int64_t timeout_ms, struct ipcc_acquired *acquired);
int ipcc_lock_acquire_as(struct ipcc_lock *lock, int64_t timeout_ms, struct ipcc_value owner,
                         struct ipcc_acquired *acquired);

/* Holds it once less. *depth is how often it is still held. IPCC_ERR_NOT_OWNER. */
int ipcc_lock_release(struct ipcc_lock *lock, uint64_t *depth);
int ipcc_lock_release_as(struct ipcc_lock *lock, struct ipcc_value owner, uint64_t *depth);

/* Takes it from whoever holds it, however often: for the lock's owner (the user), when the holder
 * hangs. The next in the queue gets it and is told that it was abandoned; the one who held it is
 * not told, and its release is IPCC_ERR_NOT_OWNER. The answer is a map of session, owner and depth,
 * or nil if nobody held it. */
int ipcc_lock_break(struct ipcc_lock *lock, struct ipcc_reply *reply);

/* Whether somebody holds it. */
int ipcc_lock_locked(struct ipcc_lock *lock, bool *locked);

/* ipcc_lock_acquire for a guard, which is required: it holds the lock once more if this returns 0,
 * else nothing. What it held before is forgotten. */
int ipcc_lock_guard(struct ipcc_lock *lock, int64_t timeout_ms, struct ipcc_guard *guard);

/* What is done while a lock is held. `acquired` is never NULL. The result goes to who called
 * ipcc_lock_run: 0, or anything else for a failure. */
typedef int ipcc_section_fn(const struct ipcc_acquired *acquired, void *data);

/* Acquires, calls `section`, and releases. If acquiring fails, its code, and nothing was called;
 * else what `section` returned, if not 0; else the code of releasing. So 0 says that all was done,
 * and that the lock was held all the time. */
int ipcc_lock_run(struct ipcc_lock *lock, int64_t timeout_ms, ipcc_section_fn *section, void *data);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_LOCK_H */
