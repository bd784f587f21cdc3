/*
 * ipcclient/async: the non-blocking core, for programs with an event loop. Part of ipcclient.h.
 */
#ifndef IPCCLIENT_ASYNC_H
#define IPCCLIENT_ASYNC_H

#include "connection.h"

IPCC_DECLARATIONS_BEGIN

/*
 * For programs with an event loop. None of these functions blocks. The loop watches ipcc_fd for
 * ipcc_events (level-triggered), calls ipcc_process when one came or ipcc_next_timeout ran out, and
 * then asks all three again, since they change. Blocking calls can be mixed in, from this or other
 * threads; while they wait they run the callbacks that are due.
 */

/* As ipcc_open, but returns at once; calls can be made at once, too, and leave when the connection
 * stands. If it cannot be made, they fail with IPCC_ERR_CONNECT. IPCC_ERR_CONNECT also at once if
 * nobody is there. */
int ipcc_open_async(struct ipcc **conn, const struct ipcc_options *options);

/* The descriptor to watch; -1 while there is none. Do not read, write or close it. */
int ipcc_fd(struct ipcc *conn);

/* What to watch for: POLLIN, and POLLOUT while there is something to send; 0 while there is no
 * descriptor. */
int ipcc_events(struct ipcc *conn);

/* Milliseconds until ipcc_process has to be called even if nothing happens; -1 for never. */
int ipcc_next_timeout(struct ipcc *conn);

/* Sends what waits to be sent, reads what came, and calls the callbacks of calls that are done.
 * `revents` is what poll(2) reported, or 0 for a timeout. 0, or the reason for which the connection
 * has just ended; calls in flight have then had their callbacks. IPCC_ERR_BUSY: in a callback. */
int ipcc_process(struct ipcc *conn, int revents);

/* Sends what asynchronous calls have left to be sent, as far as the socket takes it. ipcc_process
 * does the same; calling this after a batch of calls saves the loop a turn. */
int ipcc_flush(struct ipcc *conn);

/*
 * Told once that a call is done: status is 0 or an IPCC_ERR_ code. `reply` is never NULL; it is the
 * library's and ends with the callback: keep it with ipcc_reply_copy, and read it with the
 * functions of ipcclient/result.h. With an error of the daemon's its value is the detail, if there
 * is one. It runs in the thread that reads: the one in ipcc_process or ipcc_close, or one that is
 * blocked in a call on the connection. No lock is held: it may make asynchronous calls; blocking
 * ones on the same connection are IPCC_ERR_BUSY. It should be short, as nothing is read meanwhile.
 */
typedef void ipcc_done_fn(struct ipcc *conn, int status, const struct ipcc_reply *reply,
                          void *data);

/* Names an asynchronous call; never used twice on a connection, never 0. */
typedef uint64_t ipcc_call_id;

/* Starts a call. The request, params included, is copied; it leaves at the next ipcc_process or
 * ipcc_flush (or blocking call), so that many leave together. If this returns 0, `done` (NULL: no
 * interest) will be called exactly once; else never. `id` may be NULL. Started calls reach the
 * daemon in the order in which they were started, blocking ones included. */
int ipcc_call_async(struct ipcc *conn, const struct ipcc_request *request, ipcc_done_fn *done,
                    void *data, ipcc_call_id *id);

/* Asks the daemon to end the call's wait. Its callback comes as ever: with IPCC_ERR_CANCELLED, or
 * with the result if that was on its way already. IPCC_ERR_NOT_FOUND: no such call in flight. */
int ipcc_cancel(struct ipcc *conn, ipcc_call_id id);

/* Told of each notification from the daemon, such as object.event, but for goodbye, which the
 * library takes: `method` is a str, `params` a RAW array; both end with the callback. Where it runs
 * and what it may do: as ipcc_done_fn. */
typedef void ipcc_notify_fn(struct ipcc *conn, const struct ipcc_value *method,
                            const struct ipcc_value *params, void *data);

/* Sets who is told of notifications, in place of whoever was; NULL for nobody. */
int ipcc_on_notification(struct ipcc *conn, ipcc_notify_fn *notify, void *data);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_ASYNC_H */
