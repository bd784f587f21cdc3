/*
 * running: see running.h.
 *
 * Tests: tests/unit/methods/, whole calls.
 */
#include "daemon/call/running.h"

#include <inttypes.h>

#include "daemon/call/lookup.h"
#include "daemon/call/commits.h"

#define METHOD(type, verb, ...) call_handler method_##type##_##verb;
#include "proto/methods.def"
#undef METHOD

static call_handler *const handlers[METHOD_COUNT] = {
#define METHOD(type, verb, ...) [METHOD_##type##_##verb] = method_##type##_##verb,
#include "proto/methods.def"
#undef METHOD
};

/* The sentence for a handler's bare error code. */
static void default_refusal(struct call *call, int error)
{
    struct buffer text = {0};
    if (error == ERR_LIMIT) {
        refusal_print(&call->service->accounts.refusal, &text);
    } else {
        const char *meaning = error_meaning(error);
        (void)buffer_append(&text, meaning, strlen(meaning));
        if (call->object != NULL) {
            (void)buffer_append(&text, ": \"", 3);
            (void)buffer_append(&text, call->object->name, call->object->name_len);
            (void)buffer_append(&text, "\"", 1);
        }
    }
    (void)call_fail(call, error, "%.*s", (int)text.len, (const char *)text.data);
    buffer_deinit(&text);
}

/* An answer that its session could never be given. A reader can ask for less at a time. */
static int check_size(struct call *call)
{
    if (__builtin_expect(call->method->needs != METHOD_NEEDS_READ || !call_is_over(call), 1)) {
        return 0;
    }
    return call_fail(call, ERR_TOO_LARGE,
                     "%s: the answer is longer than max_output, %" PRIu64
                     " bytes; ask for a part at a time (dict.scan, list.slice, queue.peek)",
                     call->method->name, call->service->accounts.limits.max_output);
}

/* There was no room for all of an answer. */
static int refuse_overfull(struct call *call)
{
    if (call->over) {
        return call_fail(call, ERR_LIMIT,
                         "%s: the answer takes its user over the limit max_user_bytes, or all over "
                         "max_bytes; ask for a part at a time",
                         call->method->name);
    }
    return call_fail(call, ERR_TOO_LARGE,
                     "%s: the answer would carry more than %d descriptors; ask for fewer values at "
                     "a time",
                     call->method->name, DESCRIPTORS_PER_MESSAGE);
}

/* The answer is whole: it is the session's now. One that was packed on the side, because it took
 * more than one turn, moves to the end of what the session has been answered meanwhile. */
static void hand_over(struct call *call)
{
    struct session *session = call->session;
    struct output *output = &session->output;
    if (__builtin_expect(call->out != output, 0)) {
        if (session_append(session, call->out) < 0) {
            output_give_back(call->out, call->start);
        }
    } else {
        output_seal(output, call->start);
    }
    session_dirty(session);
}

uint64_t call_commit(const struct call *call)
{
    const struct service *service = call->service;
    if (__builtin_expect(service->commits.next == 0, 1)) {
        return 0;
    }
    if (call->shows_all) {
        /* What a job has changed is saved when it is over: in the next commit at the earliest. */
        return call->pace != NULL && !TAILQ_EMPTY(&service->registry.changed)
                   ? service->commits.next
                   : commit_of(service, NULL);
    }
    return call->object != NULL && object_is_durable(call->object)
               ? commit_of(service, call->object)
               : 0;
}

/* Hands over an answer that may have to wait for the disk, with what comes behind it. */
static void hand_over_held(struct call *call, uint64_t commit)
{
    bool packed_here = call->out == &call->session->output;
    uint64_t bytes = packed_here ? output_since(call->out, call->start) : output_pending(call->out);
    hand_over(call);
    session_hold(call->session, commit, bytes);
}

int call_complete(struct call *call, int status)
{
    struct output *out = call->out;
    if (__builtin_expect(out->bytes.failed, 0)) {
        status = ERR_MEMORY;
        call->refused = false;
    } else if (__builtin_expect(out->overfull, 0)) {
        output_give_back(out, call->start);
        status = refuse_overfull(call);
    } else if (status == 0) {
        status = check_size(call);
    }
    if (__builtin_expect(status < 0, 0)) {
        call->service->figures[call->method->id].errors++;
        if (!call->refused) {
            output_give_back(out, call->start);
            default_refusal(call, status);
        }
    }
    if (__builtin_expect(call->batch != NULL, 0)) {
        call->batch->shows |= call_commit(call) > 0;
        return status; /* its answer is that of the whole batch */
    }
    if (__builtin_expect(call->notification, 0)) {
        output_rewind(out, call->start);
        return status;
    }
    uint64_t commit = call_commit(call);
    if (__builtin_expect(commit > 0, 0)) {
        hand_over_held(call, commit);
    } else {
        hand_over(call);
    }
    return status;
}

/* Of a durable object: may its contents be those that the call brings, and is there space? */
static int admit_change(struct call *call)
{
    int status = call->origin == NULL ? 0 : call_check_lasting(call, call->object);
    return status < 0 ? status : call_promise(call);
}

int call_try(struct call *call)
{
    int status = 0;
    if (__builtin_expect(call->object != NULL && object_is_durable(call->object), 0) &&
        call->method->needs == METHOD_NEEDS_WRITE && !call->timed_out) {
        status = admit_change(call);
    }
    status = status < 0 ? status : handlers[call->method->id](call);
    return status > 0 ? status : call_complete(call, status);
}

/* True if a job would hold all that the call has found. One that names several objects is short,
 * but nobody holds them. */
static bool may_be_job(const struct call *call)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    return signature->count == 0 || signature->params[0].type != PARAM_OBJECTS;
}

int call_begin(struct call *call, bool in_steps)
{
    int status = call_find_objects(call);
    if (__builtin_expect(status == 0, 1)) {
        bool by_job = __builtin_expect(in_steps, 0) && may_be_job(call);
        return __builtin_expect(by_job, 0) ? CALL_PACED : call_try(call);
    }
    return status > 0 ? status : call_complete(call, status);
}
