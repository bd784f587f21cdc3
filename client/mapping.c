/*
 * mapping: see mapping.h.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/mapping.h"

#include "client/reply.h"
#include "client/ipcclient/result.h"

int mapping_open(struct ipcc *conn, const char *name, const struct mapping_options *options,
                 struct handle **handle)
{
    struct option_map map = {.count = 0};
    option_value(&map, "initial", options->initial);
    int status = options->open != NULL ? option_open(&map, options->open) : 0;
    return status < 0 ? status : handle_open(conn, options->methods->open, name, &map, handle);
}

int mapping_get(struct mapping mapping, struct ipcc_value key, struct ipcc_value fallback,
                struct ipcc_reply *reply)
{
    return handle_call(mapping.handle,
                       &(struct typed_call){mapping.methods->get, {key, fallback}, 0}, reply);
}

int mapping_set(struct mapping mapping, struct ipcc_value key, struct ipcc_value value,
                bool *is_new)
{
    return handle_call_bool(mapping.handle,
                            &(struct typed_call){mapping.methods->set, {key, value}, 0}, is_new);
}

int mapping_update(struct mapping mapping, struct ipcc_value map, uint64_t *added)
{
    return handle_call_uint(mapping.handle, &(struct typed_call){mapping.methods->update, {map}, 0},
                            added);
}

int mapping_setdefault(struct mapping mapping, struct ipcc_value key, struct ipcc_value value,
                       struct ipcc_reply *reply)
{
    return handle_call(mapping.handle,
                       &(struct typed_call){mapping.methods->setdefault, {key, value}, 0}, reply);
}

int mapping_delete(struct mapping mapping, struct ipcc_value key)
{
    return handle_call_nil(mapping.handle, &(struct typed_call){mapping.methods->delete, {key}, 0});
}

int mapping_pop(struct mapping mapping, struct ipcc_value key, struct ipcc_value fallback,
                struct ipcc_reply *reply)
{
    return handle_call(mapping.handle,
                       &(struct typed_call){mapping.methods->pop, {key, fallback}, 0}, reply);
}

int mapping_popitem(struct mapping mapping, struct ipcc_value *key, struct ipcc_value *value,
                    struct ipcc_reply *reply)
{
    int status = handle_call_reply(mapping.handle,
                                   &(struct typed_call){.method = mapping.methods->popitem}, reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_value first;
    struct ipcc_value second;
    if (ipcc_value_pair(&reply->value, &first, &second) < 0) {
        return wrong_answer(mapping.methods->popitem, "[key, value]", reply);
    }
    if (key != NULL) {
        *key = first;
    }
    if (value != NULL) {
        *value = second;
    }
    return 0;
}

int mapping_contains(struct mapping mapping, struct ipcc_value key, bool *there)
{
    return handle_call_bool(mapping.handle,
                            &(struct typed_call){mapping.methods->contains, {key}, 0}, there);
}

int mapping_len(struct mapping mapping, uint64_t *length)
{
    return handle_call_uint(mapping.handle, &(struct typed_call){.method = mapping.methods->len},
                            length);
}

int mapping_clear(struct mapping mapping)
{
    return handle_call_nil(mapping.handle, &(struct typed_call){.method = mapping.methods->clear});
}

int mapping_keys(struct mapping mapping, struct ipcc_reply *reply)
{
    return handle_call(mapping.handle, &(struct typed_call){.method = mapping.methods->keys},
                       reply);
}

int mapping_values(struct mapping mapping, struct ipcc_reply *reply)
{
    return handle_call(mapping.handle, &(struct typed_call){.method = mapping.methods->values},
                       reply);
}

int mapping_items(struct mapping mapping, struct ipcc_reply *reply)
{
    return handle_call(mapping.handle, &(struct typed_call){.method = mapping.methods->items},
                       reply);
}

int mapping_copy(struct mapping mapping, struct ipcc_reply *reply)
{
    return handle_call(mapping.handle, &(struct typed_call){.method = mapping.methods->copy},
                       reply);
}

int mapping_scan(struct mapping mapping, uint64_t *cursor, size_t count, struct ipcc_reply *reply)
{
    const char *method = mapping.methods->scan;
    reply_clear(reply);
    if (cursor == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a cursor, 0 at first", method);
    }
    struct typed_call call = {
        method, {ipcc_uint(*cursor), count > 0 ? ipcc_uint(count) : ipcc_none()}, 0};
    int status = handle_call_reply(mapping.handle, &call, reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_value items;
    if (ipcc_value_scan(&reply->value, cursor, &items) < 0) {
        return wrong_answer(method, "a map of cursor and items", reply);
    }
    reply->value = items;
    return 0;
}

/* The param delta of incr. In front of others it cannot be left out; nil stands for its default. */
static struct ipcc_value before_others(struct ipcc_value delta, struct ipcc_value initial)
{
    bool needed = delta.kind == IPCC_NONE && initial.kind != IPCC_NONE;
    return needed ? ipcc_nil() : delta;
}

int mapping_incr(struct mapping mapping, struct ipcc_value key, struct ipcc_value delta,
                 struct ipcc_value initial, struct ipcc_reply *reply)
{
    return handle_call(mapping.handle,
                       &(struct typed_call){
                           mapping.methods->incr, {key, before_others(delta, initial), initial}, 0},
                       reply);
}

int mapping_cas(struct mapping mapping, struct ipcc_value key, struct ipcc_value expected,
                struct ipcc_value value, bool *changed)
{
    struct typed_call call = {
        mapping.methods->cas, {key, optional_array(&expected), optional_array(&value)}, 0};
    return handle_call_bool(mapping.handle, &call, changed);
}

int mapping_wait(struct mapping mapping, struct ipcc_value key, int64_t timeout_ms,
                 struct ipcc_reply *reply)
{
    return handle_call(
        mapping.handle,
        &(struct typed_call){mapping.methods->wait, {key, timeout_value(timeout_ms)}, timeout_ms},
        reply);
}
