/*
 * result: the results of calls as the structs of the typed functions, which read their own answers
 * with these.
 */
#include "client/ipcclient/result.h"

#include "client/error.h"
#include "client/value.h"
#include "client/walk.h"

static int not_given(const char *function)
{
    return error_set(IPCC_ERR_ARGUMENT, "%s wants a value and places for what is in it, not NULL",
                     function);
}

static int not_a(const struct ipcc_value *value, const char *expected)
{
    return error_set(IPCC_ERR_TYPE, "the value is %s where %s was expected", value_kind_name(value),
                     expected);
}

int ipcc_value_item(const struct ipcc_value *value, struct ipcc_item *item)
{
    if (value == NULL || item == NULL) {
        return not_given("ipcc_value_item");
    }
    return item_decode(value, item) ? 0 : not_a(value, "[value, ticket, deliveries]");
}

int ipcc_value_any_item(const struct ipcc_value *value, struct ipcc_value *queue,
                        struct ipcc_item *item)
{
    if (value == NULL || queue == NULL || item == NULL) {
        return not_given("ipcc_value_any_item");
    }
    struct ipcc_value name;
    if (!item_decode_named(value, &name, item)) {
        return not_a(value, "[queue, value, ticket, deliveries]");
    }
    *queue = name;
    return 0;
}

int ipcc_value_pair(const struct ipcc_value *pair, struct ipcc_value *key, struct ipcc_value *value)
{
    if (pair == NULL || key == NULL || value == NULL) {
        return not_given("ipcc_value_pair");
    }
    struct ipcc_walk walk = ipcc_walk_of(pair);
    struct ipcc_value first;
    struct ipcc_value second;
    if (walk.in_map || !ipcc_walk_next(&walk, &first) || !ipcc_walk_next(&walk, &second)) {
        return not_a(pair, "[key, value]");
    }
    *key = first;
    *value = second;
    return 0;
}

int ipcc_value_scan(const struct ipcc_value *value, uint64_t *cursor, struct ipcc_value *items)
{
    if (value == NULL || cursor == NULL || items == NULL) {
        return not_given("ipcc_value_scan");
    }
    struct ipcc_value found;
    uint64_t next;
    if (!map_count(value, "cursor", &next) || ipcc_map_get(value, "items", &found) < 0) {
        return not_a(value, "a map of cursor and items");
    }
    *cursor = next;
    *items = found;
    return 0;
}

int ipcc_value_acquired(const struct ipcc_value *value, struct ipcc_acquired *acquired)
{
    if (value == NULL || acquired == NULL) {
        return not_given("ipcc_value_acquired");
    }
    struct ipcc_acquired now;
    if (!map_count(value, "depth", &now.depth) || !map_bool(value, "abandoned", &now.abandoned)) {
        return not_a(value, "a map of depth and abandoned");
    }
    *acquired = now;
    return 0;
}

int ipcc_value_barrier_state(const struct ipcc_value *value, struct ipcc_barrier_state *state)
{
    if (value == NULL || state == NULL) {
        return not_given("ipcc_value_barrier_state");
    }
    struct ipcc_barrier_state now;
    if (!map_count(value, "parties", &now.parties) || !map_count(value, "waiting", &now.waiting) ||
        !map_bool(value, "broken", &now.broken)) {
        return not_a(value, "a map of parties, waiting and broken");
    }
    *state = now;
    return 0;
}
