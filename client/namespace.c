/*
 * namespace: a function for each row of the method table that begins with "namespace". Those that
 * are more than a request are in mapping.c.
 */
#include "client/typed.h"

static const struct handle *of(const struct ipcc_namespace *space)
{
    return space != NULL ? &space->handle : NULL;
}

/* A key that is NULL is refused when it is encoded. */
static struct ipcc_value key_value(const char *key)
{
    return ipcc_strn(key, key != NULL ? strlen(key) : 1);
}

int ipcc_namespace_open(struct ipcc *conn, const char *name,
                        const struct ipcc_namespace_options *options, struct ipcc_namespace **space)
{
    struct option_map map = {.count = 0};
    int status = 0;
    if (options != NULL) {
        option_value(&map, "initial", options->initial);
        status = option_open(&map, &options->open);
        status = status < 0 ? status : CHECK_RESERVED(options);
    }
    return status < 0 ? status
                      : handle_open(conn, "namespace.open", name, &map, (struct handle **)space);
}

int ipcc_namespace_close(struct ipcc_namespace *space)
{
    return handle_close((struct handle *)space);
}

const char *ipcc_namespace_name(const struct ipcc_namespace *space)
{
    return space != NULL ? space->handle.name : NULL;
}

int ipcc_namespace_get(struct ipcc_namespace *space, const char *key, struct ipcc_value fallback,
                       struct ipcc_reply *reply)
{
    return handle_call(of(space),
                       &(struct typed_call){"namespace.get", {key_value(key), fallback}, 0}, reply);
}

int ipcc_namespace_set(struct ipcc_namespace *space, const char *key, struct ipcc_value value,
                       bool *is_new)
{
    return handle_call_bool(
        of(space), &(struct typed_call){"namespace.set", {key_value(key), value}, 0}, is_new);
}

int ipcc_namespace_update(struct ipcc_namespace *space, struct ipcc_value map, uint64_t *added)
{
    return handle_call_uint(of(space), &(struct typed_call){"namespace.update", {map}, 0}, added);
}

int ipcc_namespace_setdefault(struct ipcc_namespace *space, const char *key,
                              struct ipcc_value value, struct ipcc_reply *reply)
{
    return handle_call(
        of(space), &(struct typed_call){"namespace.setdefault", {key_value(key), value}, 0}, reply);
}

int ipcc_namespace_delete(struct ipcc_namespace *space, const char *key)
{
    return handle_call_nil(of(space),
                           &(struct typed_call){"namespace.delete", {key_value(key)}, 0});
}

int ipcc_namespace_pop(struct ipcc_namespace *space, const char *key, struct ipcc_value fallback,
                       struct ipcc_reply *reply)
{
    return handle_call(of(space),
                       &(struct typed_call){"namespace.pop", {key_value(key), fallback}, 0}, reply);
}

int ipcc_namespace_popitem(struct ipcc_namespace *space, struct ipcc_value *key,
                           struct ipcc_value *value, struct ipcc_reply *reply)
{
    return mapping_popitem(of(space), "namespace.popitem", key, value, reply);
}

int ipcc_namespace_contains(struct ipcc_namespace *space, const char *key, bool *there)
{
    return handle_call_bool(of(space),
                            &(struct typed_call){"namespace.contains", {key_value(key)}, 0}, there);
}

int ipcc_namespace_len(struct ipcc_namespace *space, uint64_t *length)
{
    return handle_call_uint(of(space), &(struct typed_call){.method = "namespace.len"}, length);
}

int ipcc_namespace_clear(struct ipcc_namespace *space)
{
    return handle_call_nil(of(space), &(struct typed_call){.method = "namespace.clear"});
}

int ipcc_namespace_keys(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return handle_call(of(space), &(struct typed_call){.method = "namespace.keys"}, reply);
}

int ipcc_namespace_values(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return handle_call(of(space), &(struct typed_call){.method = "namespace.values"}, reply);
}

int ipcc_namespace_items(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return handle_call(of(space), &(struct typed_call){.method = "namespace.items"}, reply);
}

int ipcc_namespace_copy(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return handle_call(of(space), &(struct typed_call){.method = "namespace.copy"}, reply);
}

int ipcc_namespace_scan(struct ipcc_namespace *space, uint64_t *cursor, size_t count,
                        struct ipcc_reply *reply)
{
    return mapping_scan(of(space), "namespace.scan", cursor, count, reply);
}

int ipcc_namespace_incr(struct ipcc_namespace *space, const char *key, struct ipcc_value delta,
                        struct ipcc_value initial, struct ipcc_reply *reply)
{
    return handle_call(
        of(space),
        &(struct typed_call){
            "namespace.incr", {key_value(key), mapping_delta(delta, initial), initial}, 0},
        reply);
}

int ipcc_namespace_cas(struct ipcc_namespace *space, const char *key, struct ipcc_value expected,
                       struct ipcc_value value, bool *changed)
{
    struct typed_call call = {
        "namespace.cas", {key_value(key), optional_array(&expected), optional_array(&value)}, 0};
    return handle_call_bool(of(space), &call, changed);
}

int ipcc_namespace_wait(struct ipcc_namespace *space, const char *key, int64_t timeout_ms,
                        struct ipcc_reply *reply)
{
    return handle_call(of(space),
                       &(struct typed_call){"namespace.wait",
                                            {key_value(key), timeout_value(timeout_ms)},
                                            timeout_ms},
                       reply);
}
