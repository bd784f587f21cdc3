/* methods/barrier: the handlers of barrier.*; the operations are in daemon/objects/barrier.h. */
#include "daemon/objects/barrier.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"

static int make_barrier(struct call *call, const struct object_options *common,
                        const struct param *given, struct object **out)
{
    int64_t parties = option_int(&given[OPTION_barrier_open_parties], 0);
    if (parties < 1 || parties > BARRIER_PARTIES_MAX) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "barrier.open: a new barrier needs option parties, from 1 to %d",
                         BARRIER_PARTIES_MAX);
    }
    struct barrier_options options = {
        .parties = (uint32_t)parties,
        .timeout_ms = option_int(&given[OPTION_barrier_open_timeout], CALL_FOREVER)};
    struct barrier *barrier;
    int status = barrier_new(common, &options, &barrier);
    if (status == 0) {
        *out = &barrier->object;
    }
    return status;
}

static void barrier_differs(const struct object *object, const struct param *given, bool *differs)
{
    const struct barrier_options *is = &((const struct barrier *)object)->options;
    differs[OPTION_barrier_open_parties] =
        option_int(&given[OPTION_barrier_open_parties], is->parties) != is->parties;
    differs[OPTION_barrier_open_timeout] =
        option_int(&given[OPTION_barrier_open_timeout], is->timeout_ms) != is->timeout_ms;
}

int method_barrier_open(struct call *call)
{
    static const struct open_type type = {
        .type = &barrier_type,
        .make = make_barrier,
        .differs = barrier_differs,
    };
    return open_object(call, &type);
}

/* The last of the parties: lets all go. */
static int pass(struct call *call, struct barrier *barrier)
{
    int status = call_answer_int(call, barrier->arrived);
    if (call->out->bytes.failed) {
        return ERR_MEMORY;
    }
    barrier_pass(barrier);
    return status;
}

static int begin_wait(struct call *call, struct barrier *barrier)
{
    if (barrier->broken) {
        return ERR_BROKEN;
    }
    if (barrier_is_complete(barrier)) {
        return pass(call, barrier);
    }
    int64_t timeout = call_int(call, 1, barrier->options.timeout_ms);
    int status = call_wait_again(call, BARRIER_WAITERS, timeout, ERR_BROKEN);
    if (status == ERR_BROKEN) {
        barrier_break(barrier);
    }
    return status;
}

int method_barrier_wait(struct call *call)
{
    struct barrier *barrier = barrier_of(call->object);
    if (!call->waited) {
        return begin_wait(call, barrier);
    }
    if (call->progress == 0) {
        call->progress = barrier_arrive(barrier);
        return CALL_WAIT;
    }
    switch (barrier_outcome(barrier, call->progress)) {
    case BARRIER_PASSED:
        return call_answer_int(call, barrier_index(call->progress));
    case BARRIER_FAILED:
        return ERR_BROKEN;
    case BARRIER_WAITS:
        break;
    }
    return call->timed_out ? ERR_BROKEN : CALL_WAIT;
}

int method_barrier_reset(struct call *call)
{
    barrier_reset(barrier_of(call->object));
    return call_answer_nil(call);
}

int method_barrier_abort(struct call *call)
{
    barrier_break(barrier_of(call->object));
    return call_answer_nil(call);
}

int method_barrier_state(struct call *call)
{
    const struct barrier *barrier = barrier_of(call->object);
    struct buffer *out = call_result(call);
    pack_map(out, 3);
    pack_key_uint(out, "parties", barrier->options.parties);
    pack_key_uint(out, "waiting", barrier->arrived);
    pack_key_bool(out, "broken", barrier->broken);
    return 0;
}
