/*
 * walk: looking into the values of answers; here, into items of queues and maps.
 */
#pragma once

#include "client/ipcclient/queue.h"

/* Takes apart an item as queue.get answers it, [value, ticket, deliveries]. false: it is none. */
bool item_decode(const struct ipcc_value *array, struct ipcc_item *item);

/* Takes apart [name, value, ticket, deliveries], as queue.get_any answers it. */
bool item_decode_named(const struct ipcc_value *array, struct ipcc_value *name,
                       struct ipcc_item *item);

/* The value of a str key in an answer that is a map. false: there is none of that kind. */
bool map_count(const struct ipcc_value *map, const char *key, uint64_t *count);
bool map_bool(const struct ipcc_value *map, const char *key, bool *value);
