/*
 * wait: threads that wait for answers, many at once on one connection, one of them reading for all.
 *
 * Leader and followers. The first thread that has to wait takes the reader's role: it waits for the
 * socket and finishes the calls of all others, waking exactly the thread whose call is done. The
 * others sleep, each on a futex of its own. When the leader's own call is done it gives the role to
 * one of the sleepers, by name. A thread that is alone costs two system calls for each call: one
 * send and one receive.
 *
 * A leader with nothing to send waits for input only. If another thread's request does not fit into
 * the socket just then, that thread becomes the flusher: it waits for room itself. An eventfd, made
 * when first needed, tells the flusher that its call is done or that the role has become free.
 */
#pragma once

#include "client/connection.h"

/* Around a blocking call: takes the lock, and back (the lock is not held any more then). The
 * library's waiting is no cancellation point: a thread that was cancelled as the leader would leave
 * the others without one. */
int wait_enter(struct ipcc *conn);
void wait_leave(struct ipcc *conn, int cancellation);

/* Waits until the waiter's call is done, or `deadline` has passed (NO_ANSWER; the call `msgid` is
 * abandoned then; TIMEOUT if it waits for events). Called with the lock held, returns without it.
 * The status of the call. */
int wait_for_answer(struct ipcc *conn, struct waiter *waiter, uint32_t msgid, int64_t deadline);
