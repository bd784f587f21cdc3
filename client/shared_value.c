/*
 * shared_value: a function for each row of the method table that begins with "value", and those
 * for its memory.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/shared_lock.h"
#include "client/shared_number.h"
#include "client/shared_open.h"

static const struct shared_methods methods = {.open = "value.open",
                                              .map = "value.map",
                                              .get = "value.get",
                                              .set = "value.set",
                                              .add = "value.add",
                                              .lock = "the lock of a value"};

static const struct shared *of(const struct ipcc_shared_value *value)
{
    return value != NULL ? &value->shared : NULL;
}

int ipcc_shared_value_open(struct ipcc *conn, const char *name,
                           const struct ipcc_shared_value_options *options,
                           struct ipcc_shared_value **value)
{
    struct option_map map = {.count = 0};
    struct shared_options common = {.methods = &methods};
    int status = 0;
    if (options != NULL) {
        common = (struct shared_options){&methods, &options->open, options->initial,
                                         options->typecode, options->unmapped};
        status = CHECK_RESERVED(options);
    }
    return status < 0 ? status : shared_open(conn, name, &common, &map, (struct shared **)value);
}

int ipcc_shared_value_close(struct ipcc_shared_value *value)
{
    return shared_close((struct shared *)value);
}

const char *ipcc_shared_value_name(const struct ipcc_shared_value *value)
{
    return value != NULL ? value->shared.handle->name : NULL;
}

int ipcc_shared_value_get(struct ipcc_shared_value *value, struct ipcc_value *number)
{
    return shared_get_value(of(value), 0, number);
}

int ipcc_shared_value_get_int(struct ipcc_shared_value *value, int64_t *number)
{
    return shared_get_int(of(value), 0, number);
}

int ipcc_shared_value_get_float(struct ipcc_shared_value *value, double *number)
{
    return shared_get_float(of(value), 0, number);
}

int ipcc_shared_value_set(struct ipcc_shared_value *value, struct ipcc_value number)
{
    return shared_set_value(of(value), 0, number);
}

int ipcc_shared_value_set_int(struct ipcc_shared_value *value, int64_t number)
{
    return shared_set_int(of(value), 0, number);
}

int ipcc_shared_value_set_float(struct ipcc_shared_value *value, double number)
{
    return shared_set_float(of(value), 0, number);
}

int ipcc_shared_value_add(struct ipcc_shared_value *value, struct ipcc_value delta,
                          struct ipcc_value *sum)
{
    return shared_add_value(of(value), 0, delta, sum);
}

int ipcc_shared_value_add_int(struct ipcc_shared_value *value, int64_t delta, int64_t *sum)
{
    return shared_add_int(of(value), 0, delta, sum);
}

int ipcc_shared_value_add_float(struct ipcc_shared_value *value, double delta, double *sum)
{
    return shared_add_float(of(value), 0, delta, sum);
}

int ipcc_shared_value_lock(struct ipcc_shared_value *value, int64_t timeout_ms, bool *abandoned)
{
    return shared_lock(of(value), timeout_ms, abandoned);
}

int ipcc_shared_value_unlock(struct ipcc_shared_value *value)
{
    return shared_unlock(of(value));
}

void *ipcc_shared_value_data(const struct ipcc_shared_value *value,
                             struct ipcc_shared_layout *layout)
{
    return shared_data(of(value), layout);
}
