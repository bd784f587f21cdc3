/*
 * dict: a function for each row of the method table that begins with "dict". What they do is in
 * mapping.c.
 *
 * Tests: tests/system/test_client_dict.c.
 */
#include "client/mapping.h"

static const struct mapping_methods methods = {
    .open = "dict.open",
    .get = "dict.get",
    .set = "dict.set",
    .update = "dict.update",
    .setdefault = "dict.setdefault",
    .delete = "dict.delete",
    .pop = "dict.pop",
    .popitem = "dict.popitem",
    .contains = "dict.contains",
    .len = "dict.len",
    .clear = "dict.clear",
    .keys = "dict.keys",
    .values = "dict.values",
    .items = "dict.items",
    .copy = "dict.copy",
    .scan = "dict.scan",
    .incr = "dict.incr",
    .cas = "dict.cas",
    .wait = "dict.wait",
};

static struct mapping of(const struct ipcc_dict *dict)
{
    return (struct mapping){dict != NULL ? &dict->handle : NULL, &methods};
}

int ipcc_dict_open(struct ipcc *conn, const char *name, const struct ipcc_dict_options *options,
                   struct ipcc_dict **dict)
{
    struct mapping_options given = {.methods = &methods};
    int status = 0;
    if (options != NULL) {
        given.open = &options->open;
        given.initial = options->initial;
        status = CHECK_RESERVED(options);
    }
    return status < 0 ? status : mapping_open(conn, name, &given, (struct handle **)dict);
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
    return mapping_get(of(dict), key, fallback, reply);
}

int ipcc_dict_set(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                  bool *is_new)
{
    return mapping_set(of(dict), key, value, is_new);
}

int ipcc_dict_update(struct ipcc_dict *dict, struct ipcc_value map, uint64_t *added)
{
    return mapping_update(of(dict), map, added);
}

int ipcc_dict_setdefault(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                         struct ipcc_reply *reply)
{
    return mapping_setdefault(of(dict), key, value, reply);
}

int ipcc_dict_delete(struct ipcc_dict *dict, struct ipcc_value key)
{
    return mapping_delete(of(dict), key);
}

int ipcc_dict_pop(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                  struct ipcc_reply *reply)
{
    return mapping_pop(of(dict), key, fallback, reply);
}

int ipcc_dict_popitem(struct ipcc_dict *dict, struct ipcc_value *key, struct ipcc_value *value,
                      struct ipcc_reply *reply)
{
    return mapping_popitem(of(dict), key, value, reply);
}

int ipcc_dict_contains(struct ipcc_dict *dict, struct ipcc_value key, bool *there)
{
    return mapping_contains(of(dict), key, there);
}

int ipcc_dict_len(struct ipcc_dict *dict, uint64_t *length)
{
    return mapping_len(of(dict), length);
}

int ipcc_dict_clear(struct ipcc_dict *dict)
{
    return mapping_clear(of(dict));
}

int ipcc_dict_keys(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return mapping_keys(of(dict), reply);
}

int ipcc_dict_values(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return mapping_values(of(dict), reply);
}

int ipcc_dict_items(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return mapping_items(of(dict), reply);
}

int ipcc_dict_copy(struct ipcc_dict *dict, struct ipcc_reply *reply)
{
    return mapping_copy(of(dict), reply);
}

int ipcc_dict_scan(struct ipcc_dict *dict, uint64_t *cursor, size_t count, struct ipcc_reply *reply)
{
    return mapping_scan(of(dict), cursor, count, reply);
}

int ipcc_dict_incr(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value delta,
                   struct ipcc_value initial, struct ipcc_reply *reply)
{
    return mapping_incr(of(dict), key, delta, initial, reply);
}

int ipcc_dict_cas(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value expected,
                  struct ipcc_value value, bool *changed)
{
    return mapping_cas(of(dict), key, expected, value, changed);
}

int ipcc_dict_wait(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                   struct ipcc_reply *reply)
{
    return mapping_wait(of(dict), key, timeout_ms, reply);
}

/* ---- numbers -------------------------------------------------------------------------------- */

int ipcc_dict_get_int(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                      int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_get(dict, key, fallback, &reply);
    return take_int(methods.get, status, &reply, number);
}

int ipcc_dict_setdefault_int(struct ipcc_dict *dict, struct ipcc_value key, int64_t value,
                             int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_setdefault(dict, key, ipcc_int(value), &reply);
    return take_int(methods.setdefault, status, &reply, number);
}

int ipcc_dict_incr_int(struct ipcc_dict *dict, struct ipcc_value key, int64_t delta,
                       int64_t initial, int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_incr(dict, key, ipcc_int(delta), ipcc_int(initial), &reply);
    return take_int(methods.incr, status, &reply, number);
}

int ipcc_dict_wait_int(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                       int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_wait(dict, key, timeout_ms, &reply);
    return take_int(methods.wait, status, &reply, number);
}

int ipcc_dict_get_double(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                         double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_get(dict, key, fallback, &reply);
    return take_double(methods.get, status, &reply, number);
}

int ipcc_dict_setdefault_double(struct ipcc_dict *dict, struct ipcc_value key, double value,
                                double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_setdefault(dict, key, ipcc_float(value), &reply);
    return take_double(methods.setdefault, status, &reply, number);
}

int ipcc_dict_incr_double(struct ipcc_dict *dict, struct ipcc_value key, double delta,
                          double initial, double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_incr(dict, key, ipcc_float(delta), ipcc_float(initial), &reply);
    return take_double(methods.incr, status, &reply, number);
}

int ipcc_dict_wait_double(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                          double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_dict_wait(dict, key, timeout_ms, &reply);
    return take_double(methods.wait, status, &reply, number);
}
