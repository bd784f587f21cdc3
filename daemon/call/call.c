/* call: params, answers, refusals and the decision to wait; see call.h. */
#include "daemon/call/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/call/service.h"

bool call_needs_pace(const struct call *call, uint64_t steps)
{
    (void)call;
    (void)steps;
    return false; /* until calls can be run in steps */
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
    int status = call->origin == NULL ? 0 : blob_if_needed(call_incoming(call, i), &blob);
    if (status < 0) {
        return status;
    }
    value.blob = call->origin == NULL ? NULL : blob;
    status = call_answer_value(call, value);
    blob_unref(value.blob);
    return status;
}

/* The session has what the value refers to open. */
static void open_references(struct call *call, struct stored value)
{
    const struct attachments *attachments = value.blob == NULL ? NULL : value.blob->attachments;
    for (uint32_t i = 0; attachments != NULL && i < attachments->nobjects; i++) {
        struct object *object = attachments->objects[i];
        if (!object->deleted && session_open(call->session, object) < 0) {
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

void call_pack_item(struct call *call, struct queue *queue, const struct item_meta *meta,
                    struct stored value)
{
    open_references(call, value);
    output_item(call->out, queue, meta, value);
}

bool call_has_room(const struct call *call, struct stored value)
{
    return output_has_room(call->out, value);
}

int call_need_room(struct call *call, struct stored value)
{
    if (__builtin_expect(call_has_room(call, value), 1)) {
        return 0;
    }
    call->out->crowded = true;
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
    return size > call->service->accounts.limits.max_output;
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

bool call_is_behind_on(const struct call *call, const struct object *object, unsigned channel)
{
    return !call->parked && !TAILQ_EMPTY(&object->waits[channel]);
}

bool call_is_behind(const struct call *call, unsigned channel)
{
    return call_is_behind_on(call, call->object, channel);
}

int call_wait_on(struct call *call, struct object *object, unsigned channel, int64_t timeout_ms,
                 int error)
{
    if (call->timed_out || (!call->parked && timeout_ms == 0) || call->batch != NULL) {
        return error;
    }
    if (!call->parked) {
        call->timeout_ms = timeout_ms;
        call->wait.object = object;
        call->wait.channel = channel;
    }
    return CALL_WAIT;
}

int call_wait(struct call *call, unsigned channel, unsigned i, int error)
{
    return call_wait_on(call, call->object, channel, call_int(call, i, CALL_FOREVER), error);
}

int call_wait_again(struct call *call, unsigned channel, int64_t timeout_ms, int error)
{
    call->again = true;
    return call_wait_on(call, call->object, channel, timeout_ms, error);
}

int call_wait_any(struct call *call, const struct wait_set *set, unsigned i, int error)
{
    int64_t timeout_ms = call_int(call, i, CALL_FOREVER);
    int status = call_wait_on(call, set->objects[0], set->channel, timeout_ms, error);
    if (status != CALL_WAIT) {
        return status;
    }
    call->waits = calloc(set->count, sizeof(*call->waits));
    if (call->waits == NULL) {
        return ERR_MEMORY;
    }
    for (unsigned k = 0; k < set->count; k++) {
        call->waits[k] = (struct wait){.object = set->objects[k], .channel = set->channel};
    }
    call->nwaits = set->count;
    return CALL_WAIT;
}

void call_changed_on(struct call *call, struct object *object)
{
    bool timer_is_right =
        object->type->due == NULL || object->type->due(object) == object->deadline.at;
    if (object->waiting > 0 || !timer_is_right) {
        object_ready(call->service, object);
    }
}

void call_changed(struct call *call)
{
    call_changed_on(call, call->object);
}
