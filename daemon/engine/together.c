/*
 * together: see together.h.
 *
 * Tests: tests/unit/methods/test_atomic.c, the suite "engine".
 */
#include "daemon/engine/together.h"

#include <stdio.h>

#include "daemon/call/dispatch.h"
#include "daemon/call/lookup.h"
#include "daemon/engine/answer.h"
#include "daemon/engine/asking.h"
#include "daemon/engine/tag.h"
#include "daemon/engine/taken.h"
#include "daemon/methods/atomic.h"

/* One of its calls. */
struct inner {
    struct message message;
    struct call call; /* its params are the message's */
};

/* The entry at *rest, as a call of the batch. */
static void next_inner(struct call *outer, struct slice *rest, struct batch *batch,
                       struct inner *inner)
{
    struct param entry = value_next(rest);
    (void)atomic_read_entry(&entry, &inner->message, NULL);
    inner->call = *outer;
    inner->call.method = method_index_find(&outer->service->index, inner->message.method);
    inner->call.params = inner->message.params;
    inner->call.parked = NULL;
    inner->call.batch = batch;
    inner->call.out = &batch->results;
    inner->call.start = output_mark(&batch->results);
    inner->call.refused = false;
}

/* There is such a method, and the params are right. Else 0 < 0: refused, as wherever it is run. */
static int check_form(const struct call *outer, struct inner *inner, struct batch *batch)
{
    struct call *call = &inner->call;
    if (call->method != NULL && call_check_params(call, inner->message.nparams) == 0 &&
        call->method->id != METHOD__atomic) {
        return 0;
    }
    struct param entry_params[MESSAGE_PARAMS_MAX];
    memcpy(entry_params, inner->message.params, sizeof(entry_params));
    asking_forget_refusal(call);
    return call_run_within(outer, &inner->message, batch);
}

/* It is about no object: it is run here, when its turn has come. */
static bool is_of_here(const struct call *call)
{
    return call->method != NULL && strcmp(call->method->type, "server") == 0;
}

/* Whether the call names something that lives in the engine, and nothing else. */
static bool is_away(const struct engine *engine, const struct call *call)
{
    const struct param *first = &call->params[0];
    const struct service *service = engine->service;
    const struct method_signature *signature = &service->index.signatures[call->method->id];
    if (signature->count == 0 || first->raw.len == 0) {
        return false;
    }
    if (first->header.kind == KIND_STR) {
        return engine_takes(service, call->method, param_bytes(first));
    }
    struct slice rest = slice_from(first->raw, first->header.size);
    bool away = first->header.kind == KIND_ARRAY && first->header.count > 0;
    for (uint32_t i = 0; i < first->header.count && away; i++) {
        struct param name = value_next(&rest);
        away =
            name.header.kind == KIND_STR && engine_takes(service, call->method, param_bytes(&name));
    }
    return away;
}

static int refuse_tags(struct call *call, struct slice a, struct slice b)
{
    return call_fail(call, ERR_UNSUPPORTED,
                     "atomic: \"%.*s\" and \"%.*s\" live in the engine at two places, where "
                     "nothing can be done in one step; names that have the same {tag} are at one",
                     (int)a.len, (const char *)a.data, (int)b.len, (const char *)b.data);
}

/* All of them must be about objects at one place: that is asked before anything is run. */
static int check_places(struct engine *engine, struct call *call)
{
    const struct param *calls = &call->params[0];
    struct slice rest = slice_from(calls->raw, calls->header.size);
    struct slice first = {0};
    for (uint32_t i = 0; i < calls->header.count; i++) {
        struct batch batch = {0};
        struct inner inner;
        next_inner(call, &rest, &batch, &inner);
        bool is_call = inner.call.method != NULL && inner.message.nparams > 0;
        if (is_call && is_away(engine, &inner.call)) {
            struct slice name = asking_name(&inner.call);
            if (first.len > 0 && !tag_is_same(first, name) && engine->options.tag == NULL) {
                return refuse_tags(call, first, name);
            }
            first = first.len == 0 ? name : first;
        } else if (inner.call.method != NULL && inner.call.method->id != METHOD__atomic &&
                   !is_of_here(&inner.call)) {
            return call_refuse_mixed(call);
        }
    }
    return 0;
}

int together_prepare(struct engine *engine, struct call *call, struct op *op, bool *leaves)
{
    const struct param *calls = &call->params[0];
    struct slice rest = slice_from(calls->raw, calls->header.size);
    struct batch batch = {0};
    int status = check_places(engine, call);
    *leaves = false;
    status = status < 0 ? status : op_init_atomic(op, calls->header.count);
    if (status < 0) {
        return status;
    }
    op->count = 0;
    for (uint32_t i = 0; i < calls->header.count && status == 0; i++) {
        struct inner inner;
        next_inner(call, &rest, &batch, &inner);
        if (is_of_here(&inner.call)) {
            continue;
        }
        status = check_form(call, &inner, &batch);
        if (status < 0) {
            break;
        }
        struct op_part *part = &op->parts[op->count++];
        part_init(part, inner.call.method->name, asking_name(&inner.call));
        status = asking_encode(engine, &inner.call, part);
        if (status == 0) {
            (void)asking_check(engine, &inner.call, NULL, part);
            asking_forget_refusal(&inner.call);
            *leaves |= asking_leaves_something(&inner.call);
        } else {
            op_truncate(op, op->count - 1);
        }
    }
    output_deinit(&batch.results);
    return status == ERR_MEMORY ? status : 0;
}

struct slice together_name(const struct op *op)
{
    return part_name(&op->parts[0]);
}

bool together_must_ask_again(struct engine *engine, struct call *call, struct op *op,
                             const struct outcome *outcome)
{
    const struct param *calls = &call->params[0];
    struct slice rest = slice_from(calls->raw, calls->header.size);
    struct batch batch = {0};
    bool asks = false;
    for (size_t i = 0; i < outcome->count && i < op->count; i++) {
        struct slice reply = outcome->replies[i];
        struct inner inner;
        do {
            next_inner(call, &rest, &batch, &inner);
        } while (is_of_here(&inner.call));
        if (reply.len == 0 || reply.data[0] != '?') {
            continue;
        }
        struct slice fresh = slice_from(reply, 1);
        asks = true;
        (void)call_check_params(&inner.call, inner.message.nparams);
        if (asking_check(engine, &inner.call, &fresh, &op->parts[i]) < 0) {
            op_truncate(op, (unsigned)i);
        }
        asking_forget_refusal(&inner.call);
    }
    output_deinit(&batch.results);
    return asks;
}

/* The call at which the op ended, as it could not be begun: its refusal. */
static int refuse_next(struct engine *engine, const struct call *outer, struct inner *inner,
                       struct batch *batch)
{
    struct op_part part;
    int status = check_form(outer, inner, batch);
    if (status < 0) {
        return status;
    }
    part_init(&part, inner->call.method->name, asking_name(&inner->call));
    status = asking_encode(engine, &inner->call, &part);
    status = status < 0 ? status : asking_check(engine, &inner->call, NULL, &part);
    if (status == 0 || status == ERR_NOT_FOUND) {
        status = answer_failure(&inner->call, false, "%s: the object changes all the time",
                                inner->call.method->name);
    }
    buffer_deinit(&part.arguments.bytes);
    buffer_deinit(&part.version);
    return status;
}

/* The calls from a part on have been run, and their results are too long to be told: what they took
 * from queues goes back. */
static void return_rest(struct engine *engine, const struct op *op, const struct outcome *outcome,
                        size_t part)
{
    for (; part < op->count && part < outcome->count; part++) {
        struct slice reply = outcome->replies[part];
        if (reply.len > 0 && reply.data[0] == '=') {
            taken_return(engine, op->parts[part].verb, part_name(&op->parts[part]),
                         slice_from(reply, 1));
        }
    }
}

int together_answer(struct engine *engine, struct call *call, struct lane *lane,
                    const struct op *op, const struct outcome *outcome)
{
    const struct param *calls = &call->params[0];
    const struct limits *limits = &call->service->accounts.limits;
    struct slice rest = slice_from(calls->raw, calls->header.size);
    struct batch batch = {0};
    uint32_t index = 0;
    size_t part = 0;
    int status = 0;
    for (; index < calls->header.count && status == 0; index++) {
        struct inner inner;
        next_inner(call, &rest, &batch, &inner);
        if (output_pending(&batch.results) > limits->max_message) {
            status = call_fail(&inner.call, ERR_TOO_LARGE,
                               "the results so far are longer than max_message; in the engine the "
                               "rest has been run all the same");
            return_rest(engine, op, outcome, part);
        } else if (is_of_here(&inner.call)) {
            status = call_run_within(call, &inner.message, &batch);
        } else if (part >= op->count) {
            status = refuse_next(engine, call, &inner, &batch);
        } else if (part >= outcome->count || outcome->replies[part].len == 0) {
            status = answer_failure(&inner.call, true, "the engine did not answer it");
        } else {
            (void)call_check_params(&inner.call, inner.message.nparams);
            call->service->figures[inner.call.method->id].calls++;
            status = asking_answer(engine, &inner.call, lane, outcome->replies[part++]);
            call->service->figures[inner.call.method->id].errors += status < 0;
        }
        if (status < 0) {
            break;
        }
    }
    atomic_finish(call, status, &batch, index, index);
    output_deinit(&batch.results);
    return status;
}
