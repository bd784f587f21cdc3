/*
 * dict: a function for each row of the method table that begins with "dict". Those that are more
 * than a request are in mapping.c.
 */
#include "client/typed.h"

static const struct handle *of(const struct ipcc_dict *dict)
{
    return dict != NULL ? &dict->handle : NULL;
}

int ipcc_dict_open(struct ipcc *conn, const char *name, const struct ipcc_dict_options *options,
                   struct ipcc_dict **dict)
{
    struct option_map map = {.count = 0};
    int status = 0;
    if (options != NULL) {
        option_value(&map, "initial", options->initial);
        status = option_open(&map, &options->open);
        status = status < 0 ? status : CHECK_RESERVED(options);
    }
    return status < 0 ? status : handle_open(conn, "dict.open", name, &map, (struct handle **)dict);
}

int ipcc_dict_close(struct ipcc_dict *dict)
{
    return handle_close((struct handle *)dict);
}

const char *ipcc_dict_name(const struct ipcc_dict *dict)
{
    return dict != NULL ? dict->handle.name : NULL;
}

int ipcc_dict_get(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                  struct ipcc_reply *reply)
{
    return handle_call(of(dict), &(struct typed_call){"dict.get", {key, fallback}, 0}, reply);
}

int ipcc_dict_set(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                  bool *is_new)
{
    return handle_call_bool(of(dict), &(struct typed_call){"dict.set", {key, value}, 0}, is_new);
}

int ipcc_dict_update(struct ipcc_dict *dict, struct ipcc_value map, uint64_t *added)
{
    return handle_call_uint(of(dict), &(struct typed_call){"dict.update", {map}, 0}, added);
}

int ipcc_dict_setdefault(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                         struct ipcc_reply *reply)
{
    return handle_call(of(dict), &(struct typed_call){"dict.setdefault", {key, value}, 0}, reply);
}

int ipcc_dict_delete(struct ipcc_dict *dict, struct ipcc_value key)
{
    return handle_call_nil(of(dict), &(struct typed_call){"dict.delete", {key}, 0});
}

int ipcc_dict_pop(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                  struct ipcc_reply *reply)
{
    return handle_call(of(dict), &(struct typed_call){"dict.pop", {key, fallback}, 0}, reply);
}

int ipcc_dict_popitem(struct ipcc_dict *dict, struct ipcc_value *key, struct ipcc_value *value,
                      struct ipcc_reply *reply)
{
    return mapping_popitem(of(dict), "dict.popitem", key, value, reply);
}

int ipcc_dict_contains(struct ipcc_dict *dict, struct ipcc_value key, bool *there)
{
    return handle_call_bool(of(dict), &(struct typed_call){"dict.contains", {key}, 0}, there);
}

int ipcc_dict_len(struct ipcc_dict *dict, uint64_t *length)
{
    return handle_call_uint(of(dict), &(struct typed_call){.method = "dict.len"}, length);
}

int ipcc_dict_clear(struct ipcc_dict *dict)
{
    return handle_call_nil(of(dict), &(struct typed_call){.method = "dict.clear"});
}

int ipcc_dict_keys(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return handle_call(of(dict), &(struct typed_call){.method = "dict.keys"}, reply);
}

int ipcc_dict_values(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return handle_call(of(dict), &(struct typed_call){.method = "dict.values"}, reply);
}

int ipcc_dict_items(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return handle_call(of(dict), &(struct typed_call){.method = "dict.items"}, reply);
}

int ipcc_dict_copy(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return handle_call(of(dict), &(struct typed_call){.method = "dict.copy"}, reply);
}

int ipcc_dict_scan(struct ipcc_dict *dict, uint64_t *cursor, size_t count, struct ipcc_reply *reply)
{
    return mapping_scan(of(dict), "dict.scan", cursor, count, reply);
}

int ipcc_dict_incr(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value delta,
                   struct ipcc_value initial, struct ipcc_reply *reply)
{
    return handle_call(
        of(dict),
        &(struct typed_call){"dict.incr", {key, mapping_delta(delta, initial), initial}, 0}, reply);
}

int ipcc_dict_cas(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value expected,
                  struct ipcc_value value, bool *changed)
{
    struct typed_call call = {
        "dict.cas", {key, optional_array(&expected), optional_array(&value)}, 0};
    return handle_call_bool(of(dict), &call, changed);
}

int ipcc_dict_wait(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                   struct ipcc_reply *reply)
{
    return handle_call(
        of(dict), &(struct typed_call){"dict.wait", {key, timeout_value(timeout_ms)}, timeout_ms},
        reply);
}
