/*
 * ipcclient/result: what the typed functions give, out of the result of a call that was made by its
 * name: in the callback of ipcc_call_async, after ipcc_call, and within ipcc_atomic's array. Part
 * of ipcclient.h. None of these functions talks to the daemon or blocks.
 *
 *     static void got(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
 *     {
 *         struct ipcc_item item;
 *         if (status == 0 && ipcc_value_item(&reply->value, &item) == 0) {
 *             … item.value, until the callback returns, and item.ticket
 *
 * Which method's result is read by what:
 *
 *     queue.get                           ipcc_value_item
 *     queue.get_any                       ipcc_value_any_item
 *     queue.get_many                      ipcc_walk_of, and ipcc_walk_item for each
 *     popitem of dicts, namespaces        ipcc_value_pair
 *     scan of dicts, namespaces           ipcc_value_scan
 *     acquire of locks, conditions        ipcc_value_acquired
 *     barrier.state                       ipcc_value_barrier_state
 *     what is a count, depth or index     ipcc_value_uint
 *     what is true or false               ipcc_value_bool
 *     what is a number                    ipcc_value_int, ipcc_value_double
 *     open of any type                    ipcc_map_get with "name"
 *     what is an array or a map           ipcc_walk_of, ipcc_map_get
 *
 * All pointers are required. What is stored points into the reply and lives as long. IPCC_ERR_TYPE:
 * the value is no such result.
 */
#ifndef IPCCLIENT_RESULT_H
#define IPCCLIENT_RESULT_H

#include "barrier.h"
#include "guard.h"
#include "queue.h"

IPCC_DECLARATIONS_BEGIN

/* An item of a queue, [value, ticket, deliveries]. */
int ipcc_value_item(const struct ipcc_value *value, struct ipcc_item *item);

/* An item of one of several queues, [queue, value, ticket, deliveries]. *queue is its name, a str;
 * item->queue is 0. */
int ipcc_value_any_item(const struct ipcc_value *value, struct ipcc_value *queue,
                        struct ipcc_item *item);

/* [key, value]. */
int ipcc_value_pair(const struct ipcc_value *pair, struct ipcc_value *key,
                    struct ipcc_value *value);

/* A step of a scan. *cursor is for the next one, 0 after the last; *items is an array of
 * [key, value], for ipcc_walk_of and ipcc_walk_pair. */
int ipcc_value_scan(const struct ipcc_value *value, uint64_t *cursor, struct ipcc_value *items);

/* What is told to who gets a lock. */
int ipcc_value_acquired(const struct ipcc_value *value, struct ipcc_acquired *acquired);

int ipcc_value_barrier_state(const struct ipcc_value *value, struct ipcc_barrier_state *state);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_RESULT_H */
