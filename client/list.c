/*
 * list: a function for each row of the method table that begins with "list".
 *
 * Tests: tests/system/test_client_dict.c.
 */
#include "client/handle.h"

static const struct handle *of(const struct ipcc_list *list)
{
    return list != NULL ? &list->handle : NULL;
}

/* A bound or step of a slice: nil stands for one that is left out. */
static struct ipcc_value bound(int64_t value)
{
    return value == IPCC_OMIT ? ipcc_nil() : ipcc_int(value);
}

int ipcc_list_open(struct ipcc *conn, const char *name, const struct ipcc_list_options *options,
                   struct ipcc_list **list)
{
    struct option_map map = {.count = 0};
    int status = 0;
    if (options != NULL) {
        option_value(&map, "initial", options->initial);
        status = option_open(&map, &options->open);
        status = status < 0 ? status : CHECK_RESERVED(options);
    }
    return status < 0 ? status : handle_open(conn, "list.open", name, &map, (struct handle **)list);
}

int ipcc_list_close(struct ipcc_list *list)
{
    return handle_close((struct handle *)list);
}

const char *ipcc_list_name(const struct ipcc_list *list)
{
    return list != NULL ? list->handle.name : NULL;
}

int ipcc_list_append(struct ipcc_list *list, struct ipcc_value value, uint64_t *length)
{
    return handle_call_uint(of(list), &(struct typed_call){"list.append", {value}, 0}, length);
}

int ipcc_list_extend(struct ipcc_list *list, struct ipcc_value values, uint64_t *length)
{
    return handle_call_uint(of(list), &(struct typed_call){"list.extend", {values}, 0}, length);
}

int ipcc_list_insert(struct ipcc_list *list, int64_t index, struct ipcc_value value)
{
    return handle_call_nil(of(list),
                           &(struct typed_call){"list.insert", {ipcc_int(index), value}, 0});
}

int ipcc_list_get(struct ipcc_list *list, int64_t index, struct ipcc_reply *reply)
{
    return handle_call(of(list), &(struct typed_call){"list.get", {ipcc_int(index)}, 0}, reply);
}

int ipcc_list_delete(struct ipcc_list *list, int64_t index)
{
    return handle_call_nil(of(list), &(struct typed_call){"list.delete", {ipcc_int(index)}, 0});
}

int ipcc_list_set(struct ipcc_list *list, int64_t index, struct ipcc_value value)
{
    return handle_call_nil(of(list), &(struct typed_call){"list.set", {ipcc_int(index), value}, 0});
}

int ipcc_list_pop(struct ipcc_list *list, int64_t index, struct ipcc_reply *reply)
{
    return handle_call(of(list), &(struct typed_call){"list.pop", {ipcc_int(index)}, 0}, reply);
}

int ipcc_list_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step,
                    struct ipcc_reply *reply)
{
    return handle_call(
        of(list), &(struct typed_call){"list.slice", {bound(start), bound(stop), bound(step)}, 0},
        reply);
}

int ipcc_list_set_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step,
                        struct ipcc_value values)
{
    struct typed_call call = {
        "list.set_slice", {bound(start), bound(stop), bound(step), values}, 0};
    return handle_call_nil(of(list), &call);
}

int ipcc_list_delete_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step)
{
    struct typed_call call = {"list.delete_slice", {bound(start), bound(stop), bound(step)}, 0};
    return handle_call_nil(of(list), &call);
}

int ipcc_list_len(struct ipcc_list *list, uint64_t *length)
{
    return handle_call_uint(of(list), &(struct typed_call){.method = "list.len"}, length);
}

int ipcc_list_clear(struct ipcc_list *list)
{
    return handle_call_nil(of(list), &(struct typed_call){.method = "list.clear"});
}

int ipcc_list_index(struct ipcc_list *list, struct ipcc_value value, int64_t start, int64_t stop,
                    uint64_t *index)
{
    struct typed_call call = {"list.index", {value, bound(start), bound(stop)}, 0};
    return handle_call_uint(of(list), &call, index);
}

int ipcc_list_count(struct ipcc_list *list, struct ipcc_value value, uint64_t *count)
{
    return handle_call_uint(of(list), &(struct typed_call){"list.count", {value}, 0}, count);
}

int ipcc_list_contains(struct ipcc_list *list, struct ipcc_value value, bool *there)
{
    return handle_call_bool(of(list), &(struct typed_call){"list.contains", {value}, 0}, there);
}

int ipcc_list_remove(struct ipcc_list *list, struct ipcc_value value)
{
    return handle_call_nil(of(list), &(struct typed_call){"list.remove", {value}, 0});
}

int ipcc_list_reverse(struct ipcc_list *list)
{
    return handle_call_nil(of(list), &(struct typed_call){.method = "list.reverse"});
}

int ipcc_list_sort(struct ipcc_list *list, bool reverse)
{
    return handle_call_nil(of(list), &(struct typed_call){"list.sort", {ipcc_bool(reverse)}, 0});
}

int ipcc_list_repeat(struct ipcc_list *list, int64_t times)
{
    return handle_call_nil(of(list), &(struct typed_call){"list.repeat", {ipcc_int(times)}, 0});
}

int ipcc_list_incr(struct ipcc_list *list, int64_t index, struct ipcc_value delta,
                   struct ipcc_reply *reply)
{
    return handle_call(of(list), &(struct typed_call){"list.incr", {ipcc_int(index), delta}, 0},
                       reply);
}

/* ---- numbers -------------------------------------------------------------------------------- */

int ipcc_list_get_int(struct ipcc_list *list, int64_t index, int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_list_get(list, index, &reply);
    return take_int("list.get", status, &reply, number);
}

int ipcc_list_incr_int(struct ipcc_list *list, int64_t index, int64_t delta, int64_t *number)
{
    struct ipcc_reply reply;
    int status = ipcc_list_incr(list, index, ipcc_int(delta), &reply);
    return take_int("list.incr", status, &reply, number);
}

int ipcc_list_get_double(struct ipcc_list *list, int64_t index, double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_list_get(list, index, &reply);
    return take_double("list.get", status, &reply, number);
}

int ipcc_list_incr_double(struct ipcc_list *list, int64_t index, double delta, double *number)
{
    struct ipcc_reply reply;
    int status = ipcc_list_incr(list, index, ipcc_float(delta), &reply);
    return take_double("list.incr", status, &reply, number);
}
