/*
 * call: params, answers, refusals and the decision to wait; see call.h.
 *
 * Tests: tests/unit/methods/, whole calls.
 */
#include "daemon/call/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/call/service.h"

bool call_needs_pace(struct call *call, uint64_t steps)
{
    if (call->pace != NULL) {
        return false;
    }
    uint32_t most = call->service->jobs.most_at_once;
    if (steps > most && call->batch == NULL) {
        return true;
    }
    call->service->credit -= (int64_t)(steps < most ? steps : most);
    return false;
}

/* The call comes to an object of which something is reserved for a session. A call of a batch must
 * find what the one before it has left. */
static void settle(const struct call *call, struct object *object)
{
    unsigned flags = call->batch == NULL ? call->method->flags : 0;
    if ((flags & METHOD_BEHIND) == 0) {
        object_settle(object, (flags & METHOD_LOOKS) == 0);
    }
}

bool call_may_enter(struct call *call, struct object *object)
{
    if (__builtin_expect(!object_is_held(object, call->pace), 1)) {
        if (__builtin_expect(object->reserved != NULL, 0)) {
            settle(call, object);
        }
        return true;
    }
    call->held_up_by = object;
    return false;
}

void call_hold(struct call *call, struct object *object)
{
    job_hold((struct job *)call->pace, object);
}

int64_t call_int(const struct call *call, unsigned i, int64_t standard)
{
    return call_given(call, i) ? call->params[i].header.i : standard;
}

bool call_bool(const struct call *call, unsigned i, bool standard)
{
    return call_given(call, i) ? call->params[i].header.b : standard;
}

struct buffer *call_result(struct call *call)
{
    if (__builtin_expect(call->batch == NULL, 1)) {
        message_result(&call->out->bytes, call->msgid);
    }
    return &call->out->bytes;
}

int call_answer_nil(struct call *call)
{
    pack_nil(call_result(call));
    return 0;
}

int call_answer_bool(struct call *call, bool value)
{
    pack_bool(call_result(call), value);
    return 0;
}

int call_answer_int(struct call *call, int64_t value)
{
    pack_int(call_result(call), value);
    return 0;
}

int call_answer_value(struct call *call, struct stored value)
{
    (void)call_result(call);
    call_pack_value(call, value);
    return 0;
}

int call_answer_param(struct call *call, unsigned i)
{
    struct blob *blob;
    struct stored value = {.bytes = call_value(call, i)};
    bool has_blob = call->origin != NULL || call->pace != NULL;
    int status = has_blob ? blob_if_needed(call_incoming(call, i), &blob) : 0;
    if (status < 0) {
        return status;
    }
    value.blob = has_blob ? blob : NULL;
    status = call_answer_value(call, value);
    blob_unref(value.blob);
    return status;
}

/* The session has what the value refers to open, as far as it may. */
static void open_references(struct call *call, struct stored value)
{
    const struct attachments *attachments = value.blob == NULL ? NULL : value.blob->attachments;
    for (uint32_t i = 0; attachments != NULL && i < attachments->nobjects; i++) {
        struct object *object = attachments->objects[i];
        if (!object->deleted && object_may_be_kept(object, &call->session->credentials) &&
            session_open(call->session, object, true) < 0) {
            call->out->bytes.failed = true;
        }
    }
}

void call_pack_value(struct call *call, struct stored value)
{
    open_references(call, value);
    output_value(call->out, value);
}

void call_pack_descriptor(struct call *call, struct descriptor *descriptor)
{
    output_descriptor(call->out, descriptor);
}

void call_pack_taken(struct call *call, struct object *object, const void *note, size_t size,
                     struct stored value)
{
    open_references(call, value);
    output_taken(call->out, object, note, size, value);
}

bool call_has_room(const struct call *call, struct stored value)
{
    return output_has_room(call->out, value);
}

int call_check_lasting(struct call *call, const struct object *object)
{
    unsigned count = call->service->index.signatures[call->method->id].count;
    const struct object *other = NULL;
    int status = 0;
    if (!object_is_durable(object) || call->method->needs == METHOD_NEEDS_READ) {
        return 0;
    }
    for (unsigned i = 0; i < count && status == 0; i++) {
        status = incoming_check_lasting(call_incoming(call, i), &other);
    }
    if (status == 0) {
        return 0;
    }
    if (other == NULL) {
        return call_fail(call, ERR_TYPE,
                         "%s: \"%s\" is durable and can have no value with a descriptor, which "
                         "would be closed after a restart",
                         call->method->name, object->name);
    }
    return call_fail(call, ERR_TYPE,
                     "%s: \"%s\" is durable and can have references to durable objects only; "
                     "\"%s\" has lifetime \"%s\"",
                     call->method->name, object->name, other->name,
                     lifetime_name((enum lifetime)other->lifetime));
}

int call_need_room(struct call *call, struct stored value)
{
    if (__builtin_expect(call_has_room(call, value), 1)) {
        return 0;
    }
    call->out->overfull = true;
    return ERR_TOO_LARGE;
}

static uint64_t answer_size(const struct call *call)
{
    const struct output *out = call->out;
    return out->bytes.len - call->start.bytes + out->spliced - call->start.spliced;
}

bool call_is_long(const struct call *call)
{
    return answer_size(call) >= call->service->accounts.limits.max_message;
}

bool call_is_over(const struct call *call)
{
    uint64_t size = call->batch == NULL ? answer_size(call) : output_pending(call->out);
    return call->out->overfull || size > call->service->accounts.limits.max_output;
}

int call_fail(struct call *call, int error, const char *format, ...)
{
    char text[CALL_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    output_rewind(call->out, call->start);
    if (call->batch != NULL) {
        call->batch->error = error;
        memcpy(call->batch->text, text, sizeof(text));
    } else {
        message_error(&call->out->bytes, call->msgid, error, text, (struct slice){0});
    }
    call->refused = true;
    return error;
}

int call_refuse_sealed(struct call *call, const struct object *object)
{
    return call_fail(call, ERR_INTERNAL,
                     "\"%s\" is sealed: a fault of the daemon's own was found in it, its log says "
                     "which; object.delete makes room for a new one",
                     object->name);
}

bool call_is_behind_on(const struct call *call, const struct object *object, unsigned channel)
{
    return !call->waited && !TAILQ_EMPTY(&object->waits[channel]);
}

bool call_is_behind(const struct call *call, unsigned channel)
{
    return call_is_behind_on(call, call->object, channel);
}

int call_wait_on(struct call *call, struct object *object, unsigned channel, int64_t timeout_ms,
                 int error)
{
    if (call->timed_out || (!call->waited && timeout_ms == 0) || call->batch != NULL) {
        return error;
    }
    if (!call->waited) {
        call->wish = (struct wish){.object = object, .channel = channel, .timeout_ms = timeout_ms};
    }
    return CALL_WAIT;
}

int call_wait(struct call *call, unsigned channel, unsigned i, int error)
{
    return call_wait_on(call, call->object, channel, call_int(call, i, CALL_FOREVER), error);
}

int call_wait_again(struct call *call, unsigned channel, int64_t timeout_ms, int error)
{
    int status = call_wait_on(call, call->object, channel, timeout_ms, error);
    if (status == CALL_WAIT) {
        call->wish.again = true;
    }
    return status;
}

int call_wait_for_key(struct call *call, unsigned channel, uint32_t hash, unsigned i, int error)
{
    int status = call_wait(call, channel, i, error);
    if (status == CALL_WAIT) {
        call->wish.by_key = true;
        call->wish.hash = hash;
    }
    return status;
}

int call_wait_any(struct call *call, const struct wait_set *set, unsigned i, int error)
{
    int64_t timeout_ms = call_int(call, i, CALL_FOREVER);
    int status = call_wait_on(call, NULL, set->channel, timeout_ms, error);
    if (status != CALL_WAIT) {
        return status;
    }
    struct wait *waits = calloc(set->count, sizeof(*waits));
    if (waits == NULL) {
        return ERR_MEMORY;
    }
    for (unsigned k = 0; k < set->count; k++) {
        waits[k].object = set->objects[k];
        waits[k].channel = set->channel;
    }
    call->wish.waits = waits;
    call->wish.count = set->count;
    return CALL_WAIT;
}
