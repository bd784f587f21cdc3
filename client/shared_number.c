/*
 * shared_number: see shared_number.h.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/shared_number.h"

static struct ipcc_value value_of(const struct header *number)
{
    switch (number->kind) {
    case KIND_BOOL:
        return ipcc_bool(number->b);
    case KIND_INT:
        return ipcc_int(number->i);
    case KIND_UINT:
        return ipcc_uint(number->u);
    case KIND_FLOAT:
        return ipcc_float(number->f);
    default:
        return ipcc_nil();
    }
}

/* The call that does it where the memory is not mapped. */
static int call_item(const struct shared *shared, const char *method, int64_t index,
                     const struct header *number, struct header *result)
{
    struct typed_call call = {.method = method};
    unsigned count = 0;
    if (shared->methods->indexed) {
        call.params[count++] = ipcc_int(index);
    }
    if (number != NULL) {
        call.params[count] = value_of(number);
    }
    struct ipcc_reply reply;
    int status = handle_call(shared->handle, &call, &reply);
    if (status < 0 || result == NULL) {
        ipcc_reply_free(&reply);
        return status;
    }
    *result = shared_to_number(&reply.value);
    if (result->kind == KIND_NIL) {
        return wrong_answer(method, "a number", &reply);
    }
    ipcc_reply_free(&reply);
    return 0;
}

static int no_such_index(const struct shared *shared, const char *method, int64_t index)
{
    return error_set(IPCC_ERR_INDEX, "%s: index %lld is out of range: \"%s\" has %llu items",
                     method, (long long)index, shared->handle->name,
                     (unsigned long long)shared->count);
}

/* The item that an index means, or NULL. */
static void *find(const struct shared *shared, int64_t index)
{
    uint64_t position = (uint64_t)(index < 0 ? index + (int64_t)shared->count : index);
    return position < shared->count ? shared_item(shared, position) : NULL;
}

static int get_number(const struct shared *shared, int64_t index, struct header *number)
{
    if (shared == NULL) {
        return shared_no_handle();
    }
    const char *method = shared->methods->get;
    if (shared->items == NULL) {
        return call_item(shared, method, index, NULL, number);
    }
    const void *item = find(shared, index);
    if (item == NULL) {
        return no_such_index(shared, method, index);
    }
    typecode_decode(shared->item, typecode_load(shared->item, item), number);
    return 0;
}

/* Finds a mapped number that is to be changed: 0, or an error. */
static int find_writable(const struct shared *shared, const char *method, int64_t index,
                         void **item)
{
    int status = shared_check_writable(shared, method);
    *item = status < 0 ? NULL : find(shared, index);
    return status == 0 && *item == NULL ? no_such_index(shared, method, index) : status;
}

static int set_number(const struct shared *shared, int64_t index, const struct header *number)
{
    if (shared == NULL) {
        return shared_no_handle();
    }
    const char *method = shared->methods->set;
    if (shared->items == NULL) {
        return call_item(shared, method, index, number, NULL);
    }
    void *item;
    uint64_t bits;
    int status = find_writable(shared, method, index, &item);
    if (status < 0) {
        return status;
    }
    status = typecode_encode(shared->item, number, &bits);
    if (status < 0) {
        return shared_refuse(shared, method, status);
    }
    typecode_store(shared->item, item, bits);
    return 0;
}

static int add_number(const struct shared *shared, int64_t index, const struct header *delta,
                      struct header *sum)
{
    if (shared == NULL) {
        return shared_no_handle();
    }
    const char *method = shared->methods->add;
    if (shared->items == NULL) {
        return call_item(shared, method, index, delta, sum);
    }
    void *item;
    uint64_t bits;
    int status = find_writable(shared, method, index, &item);
    if (status < 0) {
        return status;
    }
    status = typecode_add(shared->item, item, delta, &bits);
    if (status < 0) {
        return shared_refuse(shared, method, status);
    }
    typecode_decode(shared->item, bits, sum);
    return 0;
}

/* ---- as C types ------------------------------------------------------------------------------ */

/* The functions with _int are for all but floats, those with _float for floats. */
static int check_kind(const struct shared *shared, bool is_float, const char *suffix)
{
    if (shared == NULL) {
        return shared_no_handle();
    }
    if ((shared->item->kind == TYPECODE_FLOAT) != is_float) {
        return error_set(IPCC_ERR_TYPE, "\"%s\" has typecode %c; the functions with %s are for %s",
                         shared->handle->name, shared->item->code, suffix,
                         is_float ? "f and d" : "the others");
    }
    return 0;
}

static int check_int(const struct shared *shared)
{
    return check_kind(shared, false, "_int");
}

static int check_float(const struct shared *shared)
{
    return check_kind(shared, true, "_float");
}

static int no_result(void)
{
    return error_set(IPCC_ERR_ARGUMENT, "getting a number needs a place for it, not NULL");
}

int shared_get_value(const struct shared *shared, int64_t index, struct ipcc_value *number)
{
    struct header got;
    int status = number == NULL ? no_result() : get_number(shared, index, &got);
    if (status == 0) {
        *number = value_of(&got);
    }
    return status;
}

int shared_get_int(const struct shared *shared, int64_t index, int64_t *number)
{
    struct header got;
    int status = number == NULL ? no_result() : check_int(shared);
    status = status < 0 ? status : get_number(shared, index, &got);
    if (status < 0) {
        return status;
    }
    if (got.kind == KIND_UINT) {
        return error_set(IPCC_ERR_RANGE, "%s: the number is above INT64_MAX", shared->methods->get);
    }
    *number = got.kind == KIND_BOOL ? got.b : got.i;
    return 0;
}

int shared_get_float(const struct shared *shared, int64_t index, double *number)
{
    struct header got;
    int status = number == NULL ? no_result() : check_float(shared);
    status = status < 0 ? status : get_number(shared, index, &got);
    if (status == 0) {
        *number = got.f;
    }
    return status;
}

int shared_set_value(const struct shared *shared, int64_t index, struct ipcc_value number)
{
    const struct header header = shared_to_number(&number);
    return set_number(shared, index, &header);
}

int shared_set_int(const struct shared *shared, int64_t index, int64_t number)
{
    const struct header header = {.kind = KIND_INT, .i = number};
    int status = check_int(shared);
    return status < 0 ? status : set_number(shared, index, &header);
}

int shared_set_float(const struct shared *shared, int64_t index, double number)
{
    const struct header header = {.kind = KIND_FLOAT, .f = number};
    int status = check_float(shared);
    return status < 0 ? status : set_number(shared, index, &header);
}

int shared_add_value(const struct shared *shared, int64_t index, struct ipcc_value delta,
                     struct ipcc_value *sum)
{
    const struct header more = shared_to_number(&delta);
    struct header result;
    int status = add_number(shared, index, &more, &result);
    if (status == 0 && sum != NULL) {
        *sum = value_of(&result);
    }
    return status;
}

int shared_add_int(const struct shared *shared, int64_t index, int64_t delta, int64_t *sum)
{
    const struct header more = {.kind = KIND_INT, .i = delta};
    struct header result;
    int status = check_int(shared);
    status = status < 0 ? status : add_number(shared, index, &more, &result);
    if (status == 0 && sum != NULL) {
        *sum = result.i; /* the same bits as result.u */
    }
    return status;
}

int shared_add_float(const struct shared *shared, int64_t index, double delta, double *sum)
{
    const struct header more = {.kind = KIND_FLOAT, .f = delta};
    struct header result;
    int status = check_float(shared);
    status = status < 0 ? status : add_number(shared, index, &more, &result);
    if (status == 0 && sum != NULL) {
        *sum = result.f;
    }
    return status;
}
