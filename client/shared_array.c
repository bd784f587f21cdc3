/*
 * shared_array: a function for each row of the method table that begins with "array", and those
 * for its memory. Those for several numbers are in shared_range.c.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/shared_lock.h"
#include "client/shared_number.h"
#include "client/shared_open.h"

static const struct shared_methods methods = {.open = "array.open",
                                              .map = "array.map",
                                              .get = "array.get",
                                              .set = "array.set",
                                              .add = "array.add",
                                              .lock = "the lock of an array",
                                              .indexed = true};

static const struct shared *of(const struct ipcc_shared_array *array)
{
    return array != NULL ? &array->shared : NULL;
}

int ipcc_shared_array_open(struct ipcc *conn, const char *name,
                           const struct ipcc_shared_array_options *options,
                           struct ipcc_shared_array **array)
{
    struct option_map map = {.count = 0};
    struct shared_options common = {.methods = &methods};
    int status = 0;
    if (options != NULL) {
        common = (struct shared_options){&methods, &options->open, options->initial,
                                         options->typecode, options->unmapped};
        option_value(&map, "size", options->size > 0 ? ipcc_uint(options->size) : ipcc_none());
        status = CHECK_RESERVED(options);
    }
    return status < 0 ? status : shared_open(conn, name, &common, &map, (struct shared **)array);
}

int ipcc_shared_array_close(struct ipcc_shared_array *array)
{
    return shared_close((struct shared *)array);
}

const char *ipcc_shared_array_name(const struct ipcc_shared_array *array)
{
    return array != NULL ? array->shared.handle->name : NULL;
}

/* ---- one number ------------------------------------------------------------------------------ */

int ipcc_shared_array_get(struct ipcc_shared_array *array, int64_t index, struct ipcc_value *number)
{
    return shared_get_value(of(array), index, number);
}

int ipcc_shared_array_get_int(struct ipcc_shared_array *array, int64_t index, int64_t *number)
{
    return shared_get_int(of(array), index, number);
}

int ipcc_shared_array_get_float(struct ipcc_shared_array *array, int64_t index, double *number)
{
    return shared_get_float(of(array), index, number);
}

int ipcc_shared_array_set(struct ipcc_shared_array *array, int64_t index, struct ipcc_value number)
{
    return shared_set_value(of(array), index, number);
}

int ipcc_shared_array_set_int(struct ipcc_shared_array *array, int64_t index, int64_t number)
{
    return shared_set_int(of(array), index, number);
}

int ipcc_shared_array_set_float(struct ipcc_shared_array *array, int64_t index, double number)
{
    return shared_set_float(of(array), index, number);
}

int ipcc_shared_array_add(struct ipcc_shared_array *array, int64_t index, struct ipcc_value delta,
                          struct ipcc_value *sum)
{
    return shared_add_value(of(array), index, delta, sum);
}

int ipcc_shared_array_add_int(struct ipcc_shared_array *array, int64_t index, int64_t delta,
                              int64_t *sum)
{
    return shared_add_int(of(array), index, delta, sum);
}

int ipcc_shared_array_add_float(struct ipcc_shared_array *array, int64_t index, double delta,
                                double *sum)
{
    return shared_add_float(of(array), index, delta, sum);
}

int ipcc_shared_array_len(struct ipcc_shared_array *array, uint64_t *length)
{
    if (array == NULL) {
        return shared_no_handle();
    }
    if (length != NULL) {
        *length = array->shared.count;
    }
    return 0;
}

/* ---- the memory ------------------------------------------------------------------------------ */

int ipcc_shared_array_lock(struct ipcc_shared_array *array, int64_t timeout_ms, bool *abandoned)
{
    return shared_lock(of(array), timeout_ms, abandoned);
}

int ipcc_shared_array_unlock(struct ipcc_shared_array *array)
{
    return shared_unlock(of(array));
}

void *ipcc_shared_array_data(const struct ipcc_shared_array *array,
                             struct ipcc_shared_layout *layout)
{
    return shared_data(of(array), layout);
}
