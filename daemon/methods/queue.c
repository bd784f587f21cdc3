/*
 * methods/queue: the handlers of queue.*, but for queue.open (queue_open.c), those that take items
 * (queue_get.c) and those for what is taken (queue_taken.c); the operations are in
 * daemon/objects/queue.h.
 *
 * Tests: tests/unit/methods/, test_queue.c, test_queue_extremes.c, test_queue_shutdown.c.
 */
#include "daemon/objects/queue.h"
#include "daemon/objects/walk.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"
#include "proto/value.h"

enum { STEPS_PUT = 16 /* what a put takes, in steps */ };

static int read_priority(struct call *call, const struct param *given, struct rank *out)
{
    int status = option_given(given) ? rank_of(given->raw, out) : 0;
    if (status == ERR_TYPE) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "queue.put: option priority must be a number other than NaN, a str or a "
                         "bin, not %s",
                         kind_name(given->header.kind));
    }
    return status;
}

static int read_put_options(struct call *call, struct put_options *out, bool *head)
{
    struct param given[OPTIONS_queue_put];
    *out = (struct put_options){0};
    int status = options_read(call, 3, given);
    if (status < 0) {
        return status;
    }
    out->delay_ms = option_int(&given[OPTION_queue_put_delay_ms], 0);
    out->ttl_ms = option_int(&given[OPTION_queue_put_ttl_ms], 0);
    *head = option_bool(&given[OPTION_queue_put_head], false);
    return read_priority(call, &given[OPTION_queue_put_priority], &out->rank);
}

int method_queue_put(struct call *call)
{
    struct put_options options = {0};
    bool head = false;
    if (__builtin_expect(call_given(call, 3), 0)) {
        int status = read_put_options(call, &options, &head);
        if (status < 0) {
            return status;
        }
    }
    int status = ERR_FULL;
    if (head) {
        status = queue_return(queue_of(call->object), call_incoming(call, 1));
    } else if (!call_is_behind(call, QUEUE_PUTTERS)) {
        status = queue_put(queue_of(call->object), call_incoming(call, 1), &options, call->now);
    }
    rank_unref(&options.rank);
    if (status == ERR_TYPE) {
        return call_fail(
            call, status,
            "queue.put: the items of \"%s\" have priorities of another kind: they must "
            "be all numbers, all strs or all bins",
            call->object->name);
    }
    if (status == ERR_FULL) {
        return call_wait(call, QUEUE_PUTTERS, 2, ERR_FULL);
    }
    if (status < 0) {
        return status;
    }
    return call_answer_nil(call);
}

/* How many values of a put_many have been put, and where in the array the next one stands: what
 * call->progress notes, so that a call that waits for each place does not begin anew each time. */
static uint32_t values_put(const struct call *call)
{
    return (uint32_t)call->progress;
}

static size_t next_at(const struct call *call)
{
    size_t at = (size_t)(call->progress >> 32); /* a message has less than 2^32 bytes */
    return at > 0 ? at : call->params[1].header.size;
}

/* Puts the values of the array that have not been put, as many as there is room for. */
static int put_some(struct call *call)
{
    struct queue *queue = queue_of(call->object);
    const struct param *values = &call->params[1];
    struct slice rest = slice_from(values->raw, next_at(call));
    int status = 0;
    for (uint32_t i = values_put(call); i < values->header.count && status == 0; i++) {
        struct param value = walk_next(&rest, call->pace);
        struct incoming incoming = {value.raw, call->origin, call->pace};
        status = queue_put(queue, incoming, NULL, call->now);
        if (status == 0) {
            uint64_t at = values->raw.len - rest.len;
            call->progress = at << 32 | (i + 1);
            pace_step(call->pace, STEPS_PUT + value.raw.len / PACE_STEP_BYTES);
        }
    }
    return status;
}

int method_queue_put_many(struct call *call)
{
    const struct param *values = &call->params[1];
    bool nothing = values->header.count == 0; /* then there is nothing to wait for */
    bool behind = !nothing && call_is_behind(call, QUEUE_PUTTERS);
    uint64_t rest = (uint64_t)values->header.count - values_put(call);
    uint64_t room = behind ? 0 : queue_room(queue_of(call->object));
    if (call_needs_pace(call, (rest < room ? rest : room) * STEPS_PUT)) {
        return CALL_PACED;
    }
    int status = behind ? ERR_FULL : put_some(call);
    if (status == ERR_FULL) {
        status = call_wait(call, QUEUE_PUTTERS, 2, ERR_FULL);
        if (status == CALL_WAIT) {
            return status;
        }
    }
    if (status < 0 && call->progress == 0) {
        return status;
    }
    return call_answer_int(call, values_put(call));
}

int method_queue_qsize(struct call *call)
{
    return call_answer_int(call, (int64_t)queue_size(queue_of(call->object)));
}

int method_queue_empty(struct call *call)
{
    return call_answer_bool(call, queue_size(queue_of(call->object)) == 0);
}

int method_queue_full(struct call *call)
{
    return call_answer_bool(call, queue_is_full(queue_of(call->object)));
}

struct peeked {
    struct call *call;
    size_t count;
};

static bool show(void *data, struct stored value)
{
    struct peeked *peeked = data;
    if (peeked->count > 0 && !call_has_room(peeked->call, value)) {
        return false;
    }
    call_pack_value(peeked->call, value);
    peeked->count++;
    return !call_is_long(peeked->call);
}

int method_queue_peek(struct call *call)
{
    struct queue *queue = queue_of(call->object);
    uint64_t start = (uint64_t)call_int(call, 1, 0);
    uint64_t count = (uint64_t)call_int(call, 2, 1);
    if (call_needs_pace(call, queue_peek_steps(queue, start, count))) {
        return CALL_PACED;
    }
    struct peeked peeked = {.call = call};
    size_t at = pack_array_begin(call_result(call));
    int status = queue_peek(queue, start, count, show, &peeked, call->pace);
    pack_array_end(&call->out->bytes, at, peeked.count);
    return status;
}

int method_queue_clear(struct call *call)
{
    struct queue *queue = queue_of(call->object);
    if (call_needs_pace(call, queue_clear_steps(queue))) {
        return CALL_PACED;
    }
    uint64_t removed = queue_clear(queue, call->pace);
    return call_answer_int(call, (int64_t)removed);
}

int method_queue_shutdown(struct call *call)
{
    struct queue *queue = queue_of(call->object);
    struct param given[OPTIONS_queue_shutdown];
    int status = options_read(call, 2, given);
    if (status < 0) {
        return status;
    }
    bool immediate = call_bool(call, 1, false);
    if (immediate && call_needs_pace(call, queue_clear_steps(queue))) {
        return CALL_PACED;
    }
    bool drain = option_bool(&given[OPTION_queue_shutdown_drain], queue->drain);
    queue_shutdown(queue, immediate, drain, call->pace);
    return call_given(call, 2) ? call_answer_int(call, (int64_t)queue->tickets.live)
                               : call_answer_nil(call);
}

int method_queue_pause(struct call *call)
{
    queue_pause(queue_of(call->object), call_int(call, 1, -1), call->now);
    return call_answer_nil(call);
}

int method_queue_resume(struct call *call)
{
    queue_resume(queue_of(call->object));
    return call_answer_nil(call);
}
