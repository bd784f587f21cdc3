/*
 * namespace: a function for each row of the method table that begins with "namespace". What they do
 * is in mapping.c.
 */
#include "client/mapping.h"

static const struct mapping_methods methods = {
    .open = "namespace.open",
    .get = "namespace.get",
    .set = "namespace.set",
    .update = "namespace.update",
    .setdefault = "namespace.setdefault",
    .delete = "namespace.delete",
    .pop = "namespace.pop",
    .popitem = "namespace.popitem",
    .contains = "namespace.contains",
    .len = "namespace.len",
    .clear = "namespace.clear",
    .keys = "namespace.keys",
    .values = "namespace.values",
    .items = "namespace.items",
    .copy = "namespace.copy",
    .scan = "namespace.scan",
    .incr = "namespace.incr",
    .cas = "namespace.cas",
    .wait = "namespace.wait",
};

static struct mapping of(const struct ipcc_namespace *space)
{
    return (struct mapping){space != NULL ? &space->handle : NULL, &methods};
}

/* A key that is NULL is refused when it is encoded. */
static struct ipcc_value key_value(const char *key)
{
    return ipcc_strn(key, key != NULL ? strlen(key) : 1);
}

int ipcc_namespace_open(struct ipcc *conn, const char *name,
                        const struct ipcc_namespace_options *options, struct ipcc_namespace **space)
{
    struct mapping_options given = {.methods = &methods};
    int status = 0;
    if (options != NULL) {
        given.open = &options->open;
        given.initial = options->initial;
        status = CHECK_RESERVED(options);
    }
    return status < 0 ? status : mapping_open(conn, name, &given, (struct handle **)space);
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
    return mapping_get(of(space), key_value(key), fallback, reply);
}

int ipcc_namespace_set(struct ipcc_namespace *space, const char *key, struct ipcc_value value,
                       bool *is_new)
{
    return mapping_set(of(space), key_value(key), value, is_new);
}

int ipcc_namespace_update(struct ipcc_namespace *space, struct ipcc_value map, uint64_t *added)
{
    return mapping_update(of(space), map, added);
}

int ipcc_namespace_setdefault(struct ipcc_namespace *space, const char *key,
                              struct ipcc_value value, struct ipcc_reply *reply)
{
    return mapping_setdefault(of(space), key_value(key), value, reply);
}

int ipcc_namespace_delete(struct ipcc_namespace *space, const char *key)
{
    return mapping_delete(of(space), key_value(key));
}

int ipcc_namespace_pop(struct ipcc_namespace *space, const char *key, struct ipcc_value fallback,
                       struct ipcc_reply *reply)
{
    return mapping_pop(of(space), key_value(key), fallback, reply);
}

int ipcc_namespace_popitem(struct ipcc_namespace *space, struct ipcc_value *key,
                           struct ipcc_value *value, struct ipcc_reply *reply)
{
    return mapping_popitem(of(space), key, value, reply);
}

int ipcc_namespace_contains(struct ipcc_namespace *space, const char *key, bool *there)
{
    return mapping_contains(of(space), key_value(key), there);
}

int ipcc_namespace_len(struct ipcc_namespace *space, uint64_t *length)
{
    return mapping_len(of(space), length);
}

int ipcc_namespace_clear(struct ipcc_namespace *space)
{
    return mapping_clear(of(space));
}

int ipcc_namespace_keys(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return mapping_keys(of(space), reply);
}

int ipcc_namespace_values(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return mapping_values(of(space), reply);
}

int ipcc_namespace_items(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return mapping_items(of(space), reply);
}

int ipcc_namespace_copy(struct ipcc_namespace *space, struct ipcc_reply *reply)
{
    return mapping_copy(of(space), reply);
}

int ipcc_namespace_scan(struct ipcc_namespace *space, uint64_t *cursor, size_t count,
                        struct ipcc_reply *reply)
{
    return mapping_scan(of(space), cursor, count, reply);
}

int ipcc_namespace_incr(struct ipcc_namespace *space, const char *key, struct ipcc_value delta,
                        struct ipcc_value initial, struct ipcc_reply *reply)
{
    return mapping_incr(of(space), key_value(key), delta, initial, reply);
}

int ipcc_namespace_cas(struct ipcc_namespace *space, const char *key, struct ipcc_value expected,
                       struct ipcc_value value, bool *changed)
{
    return mapping_cas(of(space), key_value(key), expected, value, changed);
}

int ipcc_namespace_wait(struct ipcc_namespace *space, const char *key, int64_t timeout_ms,
                        struct ipcc_reply *reply)
{
    return mapping_wait(of(space), key_value(key), timeout_ms, reply);
}

/* ---- numbers -------------------------------------------------------------------------------- */

int ipcc_namespace_get_int(struct ipcc_namespace *space, const char *key,
                           struct ipcc_value fallback, int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_get(space, key, fallback, &reply);
    return take_int(methods.get, status, &reply, number);
}

int ipcc_namespace_setdefault_int(struct ipcc_namespace *space, const char *key, int64_t value,
                                  int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_setdefault(space, key, ipcc_int(value), &reply);
    return take_int(methods.setdefault, status, &reply, number);
}

int ipcc_namespace_incr_int(struct ipcc_namespace *space, const char *key, int64_t delta,
                            int64_t initial, int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_incr(space, key, ipcc_int(delta), ipcc_int(initial), &reply);
    return take_int(methods.incr, status, &reply, number);
}

int ipcc_namespace_wait_int(struct ipcc_namespace *space, const char *key, int64_t timeout_ms,
                            int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_wait(space, key, timeout_ms, &reply);
    return take_int(methods.wait, status, &reply, number);
}

int ipcc_namespace_get_double(struct ipcc_namespace *space, const char *key,
                              struct ipcc_value fallback, double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_get(space, key, fallback, &reply);
    return take_double(methods.get, status, &reply, number);
}

int ipcc_namespace_setdefault_double(struct ipcc_namespace *space, const char *key, double value,
                                     double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_setdefault(space, key, ipcc_float(value), &reply);
    return take_double(methods.setdefault, status, &reply, number);
}

int ipcc_namespace_incr_double(struct ipcc_namespace *space, const char *key, double delta,
                               double initial, double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_incr(space, key, ipcc_float(delta), ipcc_float(initial), &reply);
    return take_double(methods.incr, status, &reply, number);
}

int ipcc_namespace_wait_double(struct ipcc_namespace *space, const char *key, int64_t timeout_ms,
                               double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_namespace_wait(space, key, timeout_ms, &reply);
    return take_double(methods.wait, status, &reply, number);
}
