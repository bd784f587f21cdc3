/* shared: see shared.h. */
#include "daemon/methods/shared.h"

#include <errno.h>

#include "daemon/call/dispatch.h"
#include "proto/value.h"

enum { SHOWN = 64 }; /* bytes of a value in an error's text */

/* The row of option typecode, or NULL. */
static const struct typecode *read_typecode(const struct param *given)
{
    struct slice code = option_str(given);
    return code.len == 1 ? typecode_find((char)code.data[0]) : NULL;
}

/* What the system refuses is told in its own words. */
static int refuse_system(struct call *call, int status)
{
    if (status != ERR_MEMORY) {
        return status;
    }
    char text[128];
    return call_fail(call, status, "%s: the system gives no shared memory: %s", call->method->name,
                     strerror_r(errno, text, sizeof(text)));
}

int shared_make(struct call *call, const struct object_options *common,
                const struct param *typecode, uint64_t count, struct shared **out)
{
    struct shared_options options = {
        .type = call->method->id == METHOD_array_open ? &shared_array_type : &shared_value_type,
        .item = read_typecode(typecode),
        .count = count,
    };
    if (options.item == NULL) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "%s: a new %s needs option typecode, one of b B h H i I l L q Q f d ?",
                         call->method->name, call->method->type);
    }
    int status = shared_new(common, &options, out);
    return status < 0 ? refuse_system(call, status) : 0;
}

bool shared_differs(const struct shared *shared, const struct param *typecode)
{
    return option_given(typecode) && read_typecode(typecode) != shared->item;
}

static int refuse_number(struct call *call, const struct typecode *item, const struct param *number,
                         int status)
{
    static const char *const kinds[] = {
        [TYPECODE_SIGNED] = "a signed integer",
        [TYPECODE_UNSIGNED] = "an unsigned integer",
        [TYPECODE_FLOAT] = "a number as a float",
        [TYPECODE_BOOL] = "a number as true or false",
    };
    struct buffer shown = {0};
    value_print(number->raw, SHOWN, &shown);
    (void)call_fail(call, status, "%s: typecode %c holds %s of %u bits, not %.*s",
                    call->method->name, item->code, kinds[item->kind],
                    item->kind == TYPECODE_BOOL ? 1U : item->size * 8U, (int)shown.len,
                    (const char *)shown.data);
    buffer_deinit(&shown);
    return status;
}

int shared_read(struct call *call, const struct typecode *item, const struct param *number,
                uint64_t *bits)
{
    int status = typecode_encode(item, &number->header, bits);
    return status < 0 ? refuse_number(call, item, number, status) : 0;
}

int shared_answer_get(struct call *call, uint64_t position)
{
    const struct shared *shared = shared_of(call->object);
    typecode_pack(shared->item, shared_get(shared, position), call_result(call));
    return 0;
}

int shared_answer_set(struct call *call, uint64_t position, unsigned number)
{
    struct shared *shared = shared_of(call->object);
    uint64_t bits;
    int status = shared_read(call, shared->item, &call->params[number], &bits);
    if (status < 0) {
        return status;
    }
    shared_set(shared, position, bits);
    return call_answer_nil(call);
}

int shared_answer_add(struct call *call, uint64_t position, unsigned delta)
{
    struct shared *shared = shared_of(call->object);
    uint64_t sum;
    int status = shared_add(shared, position, &call->params[delta].header, &sum);
    if (status == ERR_RANGE) {
        return call_fail(call, status, "%s: the sum does not fit typecode %c; nothing was changed",
                         call->method->name, shared->item->code);
    }
    if (status == ERR_TYPE && shared->item->kind == TYPECODE_BOOL) {
        return call_fail(call, status, "%s: \"%s\" holds booleans, which cannot be added to",
                         call->method->name, call->object->name);
    }
    if (status < 0) {
        return refuse_number(call, shared->item, &call->params[delta], status);
    }
    typecode_pack(shared->item, sum, call_result(call));
    return 0;
}

/* Whether the caller may write to the object. */
static bool may_write(const struct call *call)
{
    const struct object *object = call->object;
    return access_granted(&call->session->credentials, call->service->accounts.self, object->uid,
                          object->gid, object->mode, ACCESS_WRITE);
}

static void pack_layout(const struct shared *shared, bool writable, struct buffer *out)
{
    const struct slice code = {(const uint8_t *)&shared->item->code, 1};
    pack_map(out, 7);
    pack_key_str(out, "typecode", code);
    pack_key_uint(out, "itemsize", shared->item->size);
    pack_key_uint(out, "count", shared->count);
    pack_key_uint(out, "offset", SHARED_ITEMS);
    pack_key_uint(out, "size", shared->mapping.size);
    pack_key_bool(out, "writable", writable);
    pack_string(out, "lock");
    pack_map(out, 3);
    pack_key_string(out, "kind", "pthread_mutex");
    pack_key_uint(out, "offset", SHARED_LOCK);
    pack_key_uint(out, "size", shared_lock_size());
}

int shared_answer_map(struct call *call)
{
    const struct shared *shared = shared_of(call->object);
    struct descriptor *descriptor;
    bool writable = may_write(call);
    int status = shared_descriptor(shared, writable, call->session->user, &descriptor);
    if (status < 0) {
        return refuse_system(call, status);
    }
    struct buffer *out = call_result(call);
    pack_array(out, 2);
    call_pack_descriptor(call, descriptor);
    pack_layout(shared, writable, out);
    descriptor_unref(descriptor);
    return 0;
}
