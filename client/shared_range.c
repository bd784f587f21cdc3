/*
 * shared_range: several numbers of an array: slices as values, and numbers as their C type.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/shared.h"
#include "client/encoding.h"
#include "client/reply.h"
#include "client/value.h"

static const struct shared *of(const struct ipcc_shared_array *array)
{
    return array != NULL ? &array->shared : NULL;
}

static int no_handle(const char *method)
{
    return error_set(IPCC_ERR_ARGUMENT, "%s needs a handle, not NULL", method);
}

/* A bound of a slice, clamped. */
static uint64_t clamp(const struct shared *shared, int64_t bound, uint64_t standard)
{
    int64_t count = (int64_t)shared->count;
    if (bound == IPCC_OMIT) {
        return standard;
    }
    int64_t position = bound < 0 ? bound + count : bound;
    return (uint64_t)(position < 0 ? 0 : position > count ? count : position);
}

static struct ipcc_value bound_value(int64_t bound)
{
    return bound == IPCC_OMIT ? ipcc_nil() : ipcc_int(bound);
}

int ipcc_shared_array_slice(struct ipcc_shared_array *array, int64_t start, int64_t stop,
                            struct ipcc_reply *reply)
{
    const struct shared *shared = of(array);
    reply_clear(reply);
    if (array == NULL || reply == NULL) {
        return array == NULL ? no_handle("array.slice")
                             : error_set(IPCC_ERR_ARGUMENT, "the reply must not be NULL");
    }
    if (shared->items == NULL) {
        struct typed_call call = {"array.slice", {bound_value(start), bound_value(stop)}, 0};
        return handle_call(shared->handle, &call, reply);
    }
    uint64_t from = clamp(shared, start, 0);
    uint64_t to = clamp(shared, stop, shared->count);
    struct buffer packed = {0};
    if (to > from && to - from > UINT32_MAX) {
        return error_set(IPCC_ERR_TOO_LARGE, "array.slice: more than 2^32-1 numbers");
    }
    pack_array(&packed, to > from ? to - from : 0);
    for (uint64_t i = from; i < to && !packed.failed; i++) {
        typecode_pack(shared->item, typecode_load(shared->item, shared_item(shared, i)), &packed);
    }
    int status = packed.failed ? IPCC_ERR_NO_MEMORY : reply_set(reply, buffer_slice(&packed));
    buffer_deinit(&packed);
    return status < 0 ? error_set(status, "no memory for a slice of an array") : 0;
}

/* Where `count` numbers from start on begin. VALUE: there are not so many. */
static int find_range(const struct shared *shared, const char *method, int64_t start,
                      uint64_t count, uint64_t *position)
{
    int64_t size = (int64_t)shared->count;
    int64_t from = start < 0 ? start + size : start;
    if (count > 0 && (from < 0 || from > size || count > (uint64_t)(size - from))) {
        return error_set(IPCC_ERR_VALUE, "%s: \"%s\" has %lld numbers, not %llu from index %lld on",
                         method, shared->handle->name, (long long)size, (unsigned long long)count,
                         (long long)start);
    }
    *position = (uint64_t)from;
    return 0;
}

/* Sets the numbers of an encoded array, all or none. */
static int set_encoded(const struct shared *shared, int64_t start, struct slice encoded)
{
    const char *method = "array.set_slice";
    struct header header;
    uint64_t position = 0;
    uint64_t bits;
    if (header_read(encoded.data, encoded.len, &header) != 0 || header.kind != KIND_ARRAY) {
        return error_set(IPCC_ERR_ARGUMENT, "%s: the numbers must be an array", method);
    }
    int status = find_range(shared, method, start, header.count, &position);
    struct slice rest = slice_from(encoded, header.size);
    for (uint32_t i = 0; i < header.count && status == 0; i++) {
        struct param number = value_next(&rest);
        status = typecode_encode(shared->item, &number.header, &bits);
        status = status < 0 ? shared_refuse(shared, method, status) : 0;
    }
    rest = slice_from(encoded, header.size);
    for (uint32_t i = 0; i < header.count && status == 0; i++) {
        struct param number = value_next(&rest);
        (void)typecode_encode(shared->item, &number.header, &bits); /* it was accepted above */
        typecode_store(shared->item, shared_item(shared, position + i), bits);
    }
    return status;
}

int ipcc_shared_array_set_slice(struct ipcc_shared_array *array, int64_t start,
                                struct ipcc_value numbers)
{
    const struct shared *shared = of(array);
    if (array == NULL) {
        return no_handle("array.set_slice");
    }
    if (shared->items == NULL) {
        struct typed_call call = {"array.set_slice", {ipcc_int(start), numbers}, 0};
        return handle_call_nil(shared->handle, &call);
    }
    int status = shared_check_writable(shared, "array.set_slice");
    if (status < 0) {
        return status;
    }
    struct buffer packed = {0};
    struct encoding encoding = {.out = &packed};
    status = value_encode(&numbers, MESSAGE_DEPTH, &encoding);
    if (status == 0 && packed.failed) {
        status = error_set(IPCC_ERR_NO_MEMORY, "no memory for a slice of an array");
    }
    status = status < 0 ? status : set_encoded(shared, start, buffer_slice(&packed));
    buffer_deinit(&packed);
    return status;
}

/* ---- in bulk --------------------------------------------------------------------------------- */

/* An item of the caller's, wherever it stands; a boolean is 0 or 1. */
static void put_item(const struct typecode *item, uint64_t bits, void *to)
{
    const uint8_t narrow = (uint8_t)(item->kind == TYPECODE_BOOL ? bits != 0 : bits);
    const uint16_t half = (uint16_t)bits;
    const uint32_t word = (uint32_t)bits;
    const void *const forms[] = {[1] = &narrow, [2] = &half, [4] = &word, [8] = &bits};
    memcpy(to, forms[item->size], item->size);
}

static uint64_t take_item(const struct typecode *item, const void *from)
{
    uint64_t aligned = 0;
    memcpy(&aligned, from, item->size);
    uint64_t bits = typecode_load(item, &aligned);
    return item->kind == TYPECODE_BOOL ? bits != 0 : bits;
}

/* Reads by a call. */
static int call_read(const struct shared *shared, uint64_t start, void *items, size_t count)
{
    struct typed_call call = {"array.slice", {ipcc_uint(start), ipcc_uint(start + count)}, 0};
    struct ipcc_reply reply;
    struct ipcc_value number;
    uint64_t bits;
    int status = handle_call(shared->handle, &call, &reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    for (size_t i = 0; i < count; i++) {
        struct header header = {.kind = KIND_NIL};
        if (ipcc_walk_next(&walk, &number)) {
            header = shared_to_number(&number);
        }
        if (typecode_encode(shared->item, &header, &bits) < 0) {
            return wrong_answer(call.method, "an array of as many numbers", &reply);
        }
        put_item(shared->item, bits, (uint8_t *)items + i * shared->item->size);
    }
    ipcc_reply_free(&reply);
    return 0;
}

static int call_write(const struct shared *shared, uint64_t start, const void *items, size_t count)
{
    struct buffer packed = {0};
    if (count > UINT32_MAX) {
        return error_set(IPCC_ERR_TOO_LARGE, "a call carries at most 2^32-1 numbers");
    }
    pack_array(&packed, count);
    for (size_t i = 0; i < count && !packed.failed; i++) {
        const uint8_t *from = (const uint8_t *)items + i * shared->item->size;
        typecode_pack(shared->item, take_item(shared->item, from), &packed);
    }
    int status = packed.failed ? error_set(IPCC_ERR_NO_MEMORY, "no memory for numbers") : 0;
    struct ipcc_value numbers = ipcc_raw(packed.data, packed.len);
    if (status == 0) {
        struct typed_call call = {"array.set_slice", {ipcc_uint(start), numbers}, 0};
        status = handle_call_nil(shared->handle, &call);
    }
    buffer_deinit(&packed);
    return status;
}

/* What reading and writing begin with. */
static int begin_bulk(const struct shared *shared, const char *method, int64_t start,
                      const void *items, size_t count, uint64_t *position)
{
    if (shared == NULL) {
        return no_handle(method);
    }
    if (items == NULL && count > 0) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a place for the numbers, not NULL", method);
    }
    return find_range(shared, method, start, count, position);
}

int ipcc_shared_array_read(struct ipcc_shared_array *array, int64_t start, void *items,
                           size_t count)
{
    const struct shared *shared = of(array);
    uint64_t from = 0;
    int status = begin_bulk(shared, "reading an array", start, items, count, &from);
    if (status < 0 || count == 0) {
        return status;
    }
    if (shared->items == NULL) {
        return call_read(shared, from, items, count);
    }
    for (size_t i = 0; i < count; i++) {
        put_item(shared->item, typecode_load(shared->item, shared_item(shared, from + i)),
                 (uint8_t *)items + i * shared->item->size);
    }
    return 0;
}

int ipcc_shared_array_write(struct ipcc_shared_array *array, int64_t start, const void *items,
                            size_t count)
{
    const struct shared *shared = of(array);
    const char *method = "writing an array";
    uint64_t from = 0;
    int status = begin_bulk(shared, method, start, items, count, &from);
    status = status < 0 ? status : shared_check_writable(shared, method);
    if (status < 0 || count == 0) {
        return status;
    }
    if (shared->items == NULL) {
        return call_write(shared, from, items, count);
    }
    for (size_t i = 0; i < count; i++) {
        typecode_store(shared->item, shared_item(shared, from + i),
                       take_item(shared->item, (const uint8_t *)items + i * shared->item->size));
    }
    return 0;
}
