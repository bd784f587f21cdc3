/*
 * methods/array: the handlers of array.*; the operations are in daemon/objects/shared.h.
 *
 * Tests: tests/unit/methods/test_shared.c.
 */
#include "daemon/methods/methods.h"
#include "daemon/methods/shared.h"
#include "daemon/objects/walk.h"

/* Sets the items from a position on to the numbers of an encoded array, which fit: all of them, or
 * none if one cannot be an item. */
static int set_items(struct call *call, struct shared *shared, uint64_t position,
                     const struct param *array)
{
    const struct slice numbers = slice_from(array->raw, array->header.size);
    struct slice rest = numbers;
    uint64_t bits;
    for (uint32_t i = 0; i < array->header.count; i++) {
        struct param number = walk_next(&rest, call->pace);
        int status = shared_read(call, shared->item, &number, &bits);
        if (status < 0) {
            return status;
        }
        pace_each(call->pace, i);
    }
    rest = numbers;
    for (uint32_t i = 0; i < array->header.count; i++) {
        struct param number = value_next(&rest);
        (void)typecode_encode(shared->item, &number.header, &bits); /* it was accepted above */
        shared_set(shared, position + i, bits);
        pace_each(call->pace, i);
    }
    return 0;
}

static int make_array(struct call *call, const struct object_options *common,
                      const struct param *given, struct object **out)
{
    const struct param *initial = &given[OPTION_array_open_initial];
    bool has_initial = option_given(initial);
    int64_t numbers = has_initial ? (int64_t)initial->header.count : -1;
    int64_t size = option_int(&given[OPTION_array_open_size], numbers);
    if (size < 0 || (has_initial && size != numbers)) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "array.open: a new array needs option size or option initial, and if both "
                         "are given size must be how many numbers are in initial");
    }
    struct shared *shared;
    int status =
        shared_make(call, common, &given[OPTION_array_open_typecode], (uint64_t)size, &shared);
    if (status < 0) {
        return status;
    }
    status = has_initial ? set_items(call, shared, 0, initial) : 0;
    if (status < 0) {
        object_unref(&shared->object);
        return status;
    }
    *out = &shared->object;
    return 0;
}

static void array_differs(const struct object *object, const struct param *given, bool *differs)
{
    const struct shared *shared = (const struct shared *)object;
    int64_t count = (int64_t)shared->count;
    differs[OPTION_array_open_typecode] =
        shared_differs(shared, &given[OPTION_array_open_typecode]);
    differs[OPTION_array_open_size] = option_int(&given[OPTION_array_open_size], count) != count;
}

int method_array_open(struct call *call)
{
    static const struct open_type type = {
        .type = &shared_array_type,
        .make = make_array,
        .differs = array_differs,
    };
    return open_needs_pace(call) ? CALL_PACED : open_object(call, &type);
}

int method_array_map(struct call *call)
{
    return shared_answer_map(call);
}

/* The position that the index in param 1 means. */
static int read_position(struct call *call, uint64_t *position)
{
    const struct shared *shared = shared_of(call->object);
    int64_t index = call_int(call, 1, 0);
    int status = shared_position(shared, index, position);
    if (status < 0) {
        return call_fail(call, status, "%s: index %lld is out of range: \"%s\" has %llu items",
                         call->method->name, (long long)index, call->object->name,
                         (unsigned long long)shared->count);
    }
    return 0;
}

int method_array_get(struct call *call)
{
    uint64_t position;
    int status = read_position(call, &position);
    return status < 0 ? status : shared_answer_get(call, position);
}

int method_array_set(struct call *call)
{
    uint64_t position;
    int status = read_position(call, &position);
    return status < 0 ? status : shared_answer_set(call, position, 2);
}

int method_array_add(struct call *call)
{
    uint64_t position;
    int status = read_position(call, &position);
    return status < 0 ? status : shared_answer_add(call, position, 2);
}

/* A bound of a slice as Python takes it: from the end if it is negative, and clamped. */
static uint64_t read_bound(const struct call *call, unsigned i, int64_t standard)
{
    int64_t count = (int64_t)shared_of(call->object)->count;
    int64_t bound = call_int(call, i, standard);
    bound = bound < 0 ? bound + count : bound;
    return (uint64_t)(bound < 0 ? 0 : bound > count ? count : bound);
}

int method_array_slice(struct call *call)
{
    const struct shared *shared = shared_of(call->object);
    uint64_t start = read_bound(call, 1, 0);
    uint64_t stop = read_bound(call, 2, (int64_t)shared->count);
    uint64_t count = stop > start ? stop - start : 0;
    if (count > UINT32_MAX) {
        return call_fail(call, ERR_TOO_LARGE,
                         "array.slice: an answer has at most 4294967295 numbers; ask for a part");
    }
    if (call_needs_pace(call, count)) {
        return CALL_PACED;
    }
    struct buffer *out = call_result(call);
    pack_array(out, count);
    for (uint64_t i = 0; i < count && !call_is_over(call); i++) {
        typecode_pack(shared->item, shared_get(shared, start + i), out);
        pace_each(call->pace, i);
    }
    return 0;
}

int method_array_set_slice(struct call *call)
{
    struct shared *shared = shared_of(call->object);
    int64_t start = call_int(call, 1, 0);
    int64_t size = (int64_t)shared->count;
    uint32_t count = call->params[2].header.count;
    if (call_needs_pace(call, 2 * (uint64_t)count)) {
        return CALL_PACED;
    }
    int64_t from = start < 0 ? start + size : start;
    if (count > 0 && (from < 0 || from > size || count > size - from)) {
        return call_fail(call, ERR_VALUE,
                         "array.set_slice: %lu numbers from index %lld on do not fit: \"%s\" has "
                         "%lld items",
                         (unsigned long)count, (long long)start, call->object->name,
                         (long long)size);
    }
    int status = set_items(call, shared, (uint64_t)from, &call->params[2]);
    return status < 0 ? status : call_answer_nil(call);
}

int method_array_len(struct call *call)
{
    return call_answer_int(call, (int64_t)shared_of(call->object)->count);
}
