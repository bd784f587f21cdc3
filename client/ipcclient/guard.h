/*
 * ipcclient/guard: what locks, conditions and semaphores have in common: who holds them, what one
 * is told who gets one, and giving them back at the end of a scope. Part of ipcclient.h.
 */
#ifndef IPCCLIENT_GUARD_H
#define IPCCLIENT_GUARD_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

/*
 * Who holds a lock, its own or a condition's, is a session and, within it, an owner. Here each
 * thread is an owner: two threads of one connection exclude each other, and a recursive lock counts
 * for each thread. The owner is the thread's number, as gettid(2) has it and ipcctl shows it.
 *
 * The functions whose names end in _as take another owner, for tasks that are no threads, or to
 * release in one thread what another has acquired: an integer, a str of up to 255 bytes, or
 * ipcc_nil() for the whole session as one. What one owner acquired only the same one can release.
 *
 * A thread that ends gives nothing back, and its number may come again: release before. A session
 * that ends (ipcc_close, the connection lost, the process dead) gives back all that it held, as the
 * object's on_disconnect says. A child of fork(2) holds nothing, and can neither use nor release
 * what its parent holds, as its handles answer IPCC_ERR_FORKED; on a connection of its own it is
 * another session, and waits like everybody else.
 */

/* The calling thread as an owner: for the _as functions in another thread, and for ipcc_call. */
struct ipcc_value ipcc_thread_owner(void);

/* What is told to who gets a lock. */
struct ipcc_acquired {
    uint64_t depth; /* how often the caller holds it now: 1, or more if it is recursive */
    /* The session of the last holder ended while it held the lock, or the lock was broken, so that
     * what the lock guards may be half done. Only the next holder is told. Who passes NULL for the
     * struct says that this makes no difference. */
    bool abandoned;
};

/*
 * A guard gives back, by ipcc_guard_release, what ipcc_lock_guard, ipcc_condition_guard or
 * ipcc_semaphore_guard has acquired for it:
 *
 *     IPCC_CLEANUP(ipcc_guard_release) struct ipcc_guard guard = {0};
 *     int status = ipcc_lock_guard(lock, IPCC_FOREVER, &guard);
 *     if (status < 0) {
 *         return status;
 *     }
 *     … however the scope is left, the lock is released
 *
 * The handle must be closed after the guard's release. A guard is for one thread at a time, but
 * need not be released in the thread that acquired.
 */
struct ipcc_guard {
    struct ipcc_acquired acquired; /* of a lock or condition */
    /* The library's. All zero: nothing is held. */
    const void *held;
    const char *release;
    struct ipcc_value param;
    uint64_t reserved[2];
};

/* The function is called with the variable's address when the variable goes out of scope; also
 * good with ipcc_reply_free. */
#define IPCC_CLEANUP(function) __attribute__((cleanup(function)))

/*
 * Gives back what the guard holds, and makes it {0}, whatever is returned. NULL and {0} are
 * allowed.
 *
 * A cleanup's result is seen by nobody. Who wants to know that the lock was held up to the end
 * calls this as the last thing in the scope, and the cleanup has nothing left to do:
 *  - IPCC_ERR_LOST: the session ended on the way, and the daemon gave the lock back then. It
 *    may have been held by others since.
 *  - IPCC_ERR_NOT_OWNER: the same, and the connection was made anew; or the lock was broken.
 *  - anything else, IPCC_ERR_BUSY in a callback, say: it may still be held, until the session ends
 *    or it is released by ipcc_lock_release or its like.
 */
int ipcc_guard_release(struct ipcc_guard *guard);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_GUARD_H */
