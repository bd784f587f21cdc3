/*
 * ipcclient/batch: several calls that the daemon runs one after the other with nothing in between.
 * Part of ipcclient.h.
 *
 *     struct ipcc_value get[] = {ipcc_str("todo")};
 *     struct ipcc_value count[] = {ipcc_str("figures"), ipcc_str("taken")};
 *     if (ipcc_batch_new(&batch) == 0 && ipcc_batch_add(batch, "queue.get", get, 1) == 0 &&
 *         ipcc_batch_add(batch, "dict.incr", count, 2) == 0 &&
 *         ipcc_atomic(conn, batch, &reply, &failed) == 0) {
 *         struct ipcc_walk results = ipcc_walk_of(&reply.value);
 *         ipcc_walk_item(&results, &item); // the result of queue.get
 *         ipcc_walk_next(&results, &taken); // that of dict.incr
 *         ipcc_reply_free(&reply);
 *     }
 *     ipcc_batch_free(batch);
 */
#ifndef IPCCLIENT_BATCH_H
#define IPCCLIENT_BATCH_H

#include "connection.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_batch; /* calls, collected; belongs to no connection, and to one thread at a time */

#define IPCC_NO_CALL SIZE_MAX /* a call's place in a batch: none */

/* Makes an empty batch. `batch` is required. Does not block. NO_MEMORY. */
int ipcc_batch_new(struct ipcc_batch **batch);

/* Frees it. NULL is allowed. */
void ipcc_batch_free(struct ipcc_batch *batch);

/* Adds a call: a method by its name, and params as ipcc_call takes them, which are copied. Handles
 * are given by their names: ipcc_str(ipcc_queue_name(queue)). File descriptors cannot be params
 * here. Does not block. ARGUMENT, NO_MEMORY: nothing is added. */
int ipcc_batch_add(struct ipcc_batch *batch, const char *method, const struct ipcc_value *params,
                   size_t nparams);

/* How many calls have been added. */
size_t ipcc_batch_count(const struct ipcc_batch *batch);

/* Makes it empty, to be used for other calls. */
void ipcc_batch_clear(struct ipcc_batch *batch);

/*
 * Runs the calls of a batch, which stays as it is and may be run again. None of them waits at the
 * daemon: each acts as with timeout 0. `reply` is required.
 * 0: reply->value is an array with the result of each call, in order.
 * At the first call that fails the daemon stops, and what ran before it stays done. The code is
 * that call's, *failed its place (from 0), and reply->value the array of the results before it: the
 * reply is to be freed although the call failed.
 * With any other failure the reply is {0} and *failed is IPCC_NO_CALL, as it is with 0; what was
 * done is then not known if the code is _LOST, _NO_ANSWER, _NO_MEMORY or _INTERNAL, and otherwise
 * nothing.
 */
int ipcc_atomic(struct ipcc *conn, const struct ipcc_batch *batch, struct ipcc_reply *reply,
                size_t *failed);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_BATCH_H */
