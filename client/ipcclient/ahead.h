/*
 * ipcclient/ahead: items of a queue that the daemon has reserved for this session, and that are got
 * without a call. Part of ipcclient.h.
 *
 * ipcc_queue_get does all of it, for queues that were opened with ipcc_queue_options.ahead. This is
 * for programs that call queue.get by its name:
 *
 *     if (ipcc_ahead_take(ahead, &reply) < 0) {
 *         … a call of queue.get, with ipcc_ahead_options(ahead) as the param behind the timeout
 *         ipcc_ahead_keep(ahead, &reply);
 *     }
 *
 * An item is got at the moment at which it is taken, in the order of the queue. What is reserved
 * and not taken others may get at any time: then ipcc_ahead_take finds nothing more. In a child of
 * a fork nothing is there to take. Threads may share one.
 */
#ifndef IPCCLIENT_AHEAD_H
#define IPCCLIENT_AHEAD_H

#include "connection.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_ahead;

/* One for a queue, which the session has open. Frees nothing of the connection's. Does not block.
 * IPCC_ERR_NO_MEMORY. */
int ipcc_ahead_new(struct ipcc *conn, struct ipcc_ahead **ahead);
void ipcc_ahead_free(struct ipcc_ahead *ahead);

/* Takes the next item that is reserved; *reply is as that of a queue.get. Does not block.
 * IPCC_ERR_EMPTY: none is; IPCC_ERR_FORKED, _NO_MEMORY: nothing is taken. */
int ipcc_ahead_take(struct ipcc_ahead *ahead, struct ipcc_reply *reply);

/* The options that ask for items to be reserved: a map; IPCC_NONE, to be left out, as long as it is
 * not worth it, and for daemons that know nothing of it. It lives as long as `ahead`. Now and then
 * it makes a call, which does not wait, and it never fails. */
struct ipcc_value ipcc_ahead_options(struct ipcc_ahead *ahead);

/* Notes what an answer of queue.get says to be reserved, if it does. Does not block. */
void ipcc_ahead_keep(struct ipcc_ahead *ahead, const struct ipcc_reply *reply);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_AHEAD_H */
