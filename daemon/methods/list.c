/* methods/list: the handlers of list.*; the operations are in daemon/objects/list.h. */
#include "daemon/objects/list.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"
#include "proto/value.h"

/* Completes a refusal of an operation that adds values. */
static int refuse_large(struct call *call, int status)
{
    if (status == ERR_TOO_LARGE) {
        return call_fail(call, status, "%s: a list has at most %u values", call->method->name,
                         (unsigned)LIST_MAX);
    }
    return status;
}

/* The position that the index in param 1 means; without it `standard`. */
static int read_position(struct call *call, int64_t standard, uint32_t *position)
{
    const struct list *list = list_of(call->object);
    int64_t index = call_int(call, 1, standard);
    int status = list_position(list, index, position);
    if (status < 0) {
        return call_fail(call, status, "%s: index %lld is out of range: \"%s\" has %u values",
                         call->method->name, (long long)index, call->object->name,
                         (unsigned)list_len(list));
    }
    return 0;
}

/* For what mostly takes no step beyond the call itself. */
static bool needs_pace(struct call *call, uint64_t steps)
{
    return __builtin_expect(steps > 0, 0) && call_needs_pace(call, steps);
}

/* list.open */

static int make_list(struct call *call, const struct object_options *common,
                     const struct param *given, struct object **out)
{
    struct list *list;
    int status = list_new(common, &list);
    if (status < 0) {
        return status;
    }
    const struct param *initial = &given[OPTION_list_open_initial];
    if (option_given(initial)) {
        status = call_check_lasting(call, &list->object);
        status = status < 0
                     ? status
                     : list_extend(list, (struct incoming){initial->raw, call->origin, call->pace},
                                   call->pace);
    }
    if (status < 0) {
        object_unref(&list->object); /* list_extend has put nothing into it */
        return status;
    }
    *out = &list->object;
    return 0;
}

int method_list_open(struct call *call)
{
    static const struct open_type type = {.type = &list_type, .make = make_list};
    return open_needs_pace(call) ? CALL_PACED : open_object(call, &type);
}

/* One value. */

int method_list_append(struct call *call)
{
    struct list *list = list_of(call->object);
    if (needs_pace(call, list_insert_steps(list, list_len(list)))) {
        return CALL_PACED;
    }
    int status = list_insert(list, list_len(list), call_incoming(call, 1), call->pace);
    return status < 0 ? refuse_large(call, status) : call_answer_int(call, list_len(list));
}

int method_list_insert(struct call *call)
{
    struct list *list = list_of(call->object);
    uint32_t position = list_position_clamped(list, call_int(call, 1, 0));
    if (needs_pace(call, list_insert_steps(list, position))) {
        return CALL_PACED;
    }
    int status = list_insert(list, position, call_incoming(call, 2), call->pace);
    return status < 0 ? refuse_large(call, status) : call_answer_nil(call);
}

int method_list_get(struct call *call)
{
    uint32_t position;
    int status = read_position(call, 0, &position);
    return status < 0 ? status : call_answer_value(call, list_at(list_of(call->object), position));
}

int method_list_delete(struct call *call)
{
    uint32_t position;
    int status = read_position(call, 0, &position);
    if (status < 0) {
        return status;
    }
    if (needs_pace(call, list_delete_steps(list_of(call->object), position))) {
        return CALL_PACED;
    }
    list_delete(list_of(call->object), position, call->pace);
    return call_answer_nil(call);
}

int method_list_set(struct call *call)
{
    uint32_t position;
    int status = read_position(call, 0, &position);
    if (status == 0) {
        status = list_set(list_of(call->object), position, call_incoming(call, 2));
    }
    return status < 0 ? status : call_answer_nil(call);
}

int method_list_pop(struct call *call)
{
    struct list *list = list_of(call->object);
    uint32_t position;
    if (list_len(list) == 0) {
        return call_fail(call, ERR_INDEX, "list.pop: \"%s\" is empty", call->object->name);
    }
    int status = read_position(call, -1, &position);
    if (status < 0) {
        return status;
    }
    if (needs_pace(call, list_delete_steps(list, position))) {
        return CALL_PACED;
    }
    (void)call_answer_value(call, list_at(list, position));
    if (!output_is_whole(call->out)) {
        return ERR_MEMORY; /* it stays where it is */
    }
    list_delete(list, position, call->pace);
    return 0;
}

int method_list_incr(struct call *call)
{
    static const uint8_t one[] = {0x01};
    uint32_t position;
    int status = read_position(call, 0, &position);
    if (status < 0) {
        return status;
    }
    struct slice delta = call_given(call, 2) ? call_value(call, 2) : (struct slice){one, 1};
    status = list_incr(list_of(call->object), position, delta, call_result(call));
    if (status == ERR_TYPE) {
        return call_fail(call, ERR_TYPE, "list.incr: the value at this index is not a number");
    }
    if (status == ERR_RANGE) {
        return call_fail(call, ERR_RANGE,
                         "list.incr: the sum is not between -2^63 and 2^64-1; nothing was changed");
    }
    return status;
}

/* Several values. */

int method_list_extend(struct call *call)
{
    struct list *list = list_of(call->object);
    struct list_range end = {.start = list_len(list), .step = 1};
    if (call_needs_pace(call, list_set_range_steps(list, &end, call_value(call, 1)))) {
        return CALL_PACED;
    }
    int status = list_extend(list, call_incoming(call, 1), call->pace);
    return status < 0 ? refuse_large(call, status) : call_answer_int(call, list_len(list));
}

/* The range of params 1 to 3: start, stop, step. */
static int read_range(struct call *call, struct list_range *range)
{
    const int64_t *bounds[3];
    for (unsigned i = 0; i < 3; i++) {
        bounds[i] = call_given(call, i + 1) ? &call->params[i + 1].header.i : NULL;
    }
    int status = list_range(list_of(call->object), bounds[0], bounds[1], bounds[2], range);
    return status < 0
               ? call_fail(call, status, "%s: the step of a slice cannot be 0", call->method->name)
               : 0;
}

int method_list_slice(struct call *call)
{
    const struct list *list = list_of(call->object);
    struct list_range range;
    int status = read_range(call, &range);
    if (status < 0) {
        return status;
    }
    if (call_needs_pace(call, list_copy_steps(list, range.count))) {
        return CALL_PACED;
    }
    struct buffer *out = call_result(call);
    pack_array(out, range.count);
    for (uint32_t i = 0; i < range.count && !call_is_over(call); i++) {
        size_t before = out->len;
        call_pack_value(call, list_at(list, (uint32_t)(range.start + i * range.step)));
        pace_step(call->pace, 1 + (out->len - before) / PACE_STEP_BYTES);
    }
    return 0;
}

int method_list_set_slice(struct call *call)
{
    struct list_range range;
    int status = read_range(call, &range);
    if (status < 0) {
        return status;
    }
    struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_set_range_steps(list, &range, call_value(call, 4)))) {
        return CALL_PACED;
    }
    status = list_set_range(list, &range, call_incoming(call, 4), call->pace);
    if (status == ERR_VALUE) {
        return call_fail(call, status,
                         "list.set_slice: %u values do not fit an extended slice of %u",
                         (unsigned)call->params[4].header.count, (unsigned)range.count);
    }
    return status < 0 ? refuse_large(call, status) : call_answer_nil(call);
}

int method_list_delete_slice(struct call *call)
{
    struct list_range range;
    int status = read_range(call, &range);
    if (status < 0) {
        return status;
    }
    struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_delete_range_steps(list, &range))) {
        return CALL_PACED;
    }
    list_delete_range(list, &range, call->pace);
    return call_answer_nil(call);
}

/* Looking for a value. */

static int refuse_value(struct call *call)
{
    struct buffer shown = {0};
    value_print(call_value(call, 1), 64, &shown);
    int status = call_fail(call, ERR_VALUE, "%s: %.*s is not in \"%s\"", call->method->name,
                           (int)shown.len, (const char *)shown.data, call->object->name);
    buffer_deinit(&shown);
    return status;
}

int method_list_index(struct call *call)
{
    const struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_compare_steps(list, call_value(call, 1)))) {
        return CALL_PACED;
    }
    uint32_t position = list_find(list, call_value(call, 1), call_int(call, 2, 0),
                                  call_int(call, 3, INT64_MAX), call->pace);
    return position == LIST_NONE ? refuse_value(call) : call_answer_int(call, position);
}

int method_list_count(struct call *call)
{
    const struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_compare_steps(list, call_value(call, 1)))) {
        return CALL_PACED;
    }
    return call_answer_int(call, list_count(list, call_value(call, 1), call->pace));
}

int method_list_contains(struct call *call)
{
    const struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_compare_steps(list, call_value(call, 1)))) {
        return CALL_PACED;
    }
    uint32_t position = list_find(list, call_value(call, 1), 0, INT64_MAX, call->pace);
    return call_answer_bool(call, position != LIST_NONE);
}

int method_list_remove(struct call *call)
{
    struct list *list = list_of(call->object);
    /* To take one out is no more than to look at all of them. */
    if (call_needs_pace(call, list_compare_steps(list, call_value(call, 1)) + list_len(list))) {
        return CALL_PACED;
    }
    uint32_t position = list_find(list, call_value(call, 1), 0, INT64_MAX, call->pace);
    if (position == LIST_NONE) {
        return refuse_value(call);
    }
    list_delete(list, position, call->pace);
    return call_answer_nil(call);
}

/* The whole list. */

int method_list_len(struct call *call)
{
    return call_answer_int(call, list_len(list_of(call->object)));
}

int method_list_clear(struct call *call)
{
    struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_clear_steps(list))) {
        return CALL_PACED;
    }
    list_clear(list, call->pace);
    return call_answer_nil(call);
}

int method_list_reverse(struct call *call)
{
    struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_len(list))) {
        return CALL_PACED;
    }
    list_reverse(list, call->pace);
    return call_answer_nil(call);
}

int method_list_sort(struct call *call)
{
    struct list *list = list_of(call->object);
    if (call_needs_pace(call, list_sort_steps(list))) {
        return CALL_PACED;
    }
    int status = list_sort(list, call_bool(call, 1, false), call->pace);
    if (status == ERR_TYPE) {
        return call_fail(call, status,
                         "list.sort: the values of \"%s\" cannot be ordered: they must be all "
                         "numbers, all strings or all binaries",
                         call->object->name);
    }
    return status < 0 ? status : call_answer_nil(call);
}

int method_list_repeat(struct call *call)
{
    struct list *list = list_of(call->object);
    int64_t n = call_int(call, 1, 1);
    if (call_needs_pace(call, list_repeat_steps(list, n))) {
        return CALL_PACED;
    }
    int status = list_repeat(list, n, call->pace);
    return status < 0 ? refuse_large(call, status) : call_answer_nil(call);
}
