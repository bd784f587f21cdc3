/*
 * mapping: what dict.c and namespace.c have in common beyond plain requests. `method` is the row of
 * the method table: "dict.scan", "namespace.scan".
 */
#include "client/typed.h"

int mapping_popitem(const struct handle *handle, const char *method, struct ipcc_value *key,
                    struct ipcc_value *value, struct ipcc_reply *reply)
{
    int status = handle_call_reply(handle, &(struct typed_call){.method = method}, reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    if (!ipcc_walk_next(&walk, key) || !ipcc_walk_next(&walk, value)) {
        return wrong_answer(method, "[key, value]", reply);
    }
    return 0;
}

int mapping_scan(const struct handle *handle, const char *method, uint64_t *cursor, size_t count,
                 struct ipcc_reply *reply)
{
    reply_clear(reply);
    if (cursor == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a cursor, 0 at first", method);
    }
    struct typed_call call = {
        method, {ipcc_uint(*cursor), count > 0 ? ipcc_uint(count) : ipcc_none()}, 0};
    int status = handle_call_reply(handle, &call, reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_value next;
    struct ipcc_value items;
    if (ipcc_map_get(&reply->value, "cursor", &next) < 0 || next.kind != IPCC_INT ||
        ipcc_map_get(&reply->value, "items", &items) < 0) {
        return wrong_answer(method, "a map of cursor and items", reply);
    }
    *cursor = (uint64_t)next.as.integer;
    reply->value = items;
    return 0;
}

struct ipcc_value mapping_delta(struct ipcc_value delta, struct ipcc_value initial)
{
    bool needed = delta.kind == IPCC_NONE && initial.kind != IPCC_NONE;
    return needed ? ipcc_nil() : delta;
}
