/*
 * methods/atomic: calls that are run one after the other with nothing in between.
 *
 * They are run like requests (call_run_within), but their results are packed on their own, until it
 * is known whether they are the answer or the detail of an error. Meanwhile other answers of the
 * session may be packed: deleting an object ends the waits on it. What is checked before the first
 * call runs is the form of the entries only; whether a method, a param or an object is right turns
 * out when its call is run.
 */
#include "daemon/methods/methods.h"

#include <stdio.h>

/* Reads an entry, [method, params], as a message has them. False if it is none. */
static bool read_entry(const struct param *entry, struct message *out)
{
    if (entry->header.kind != KIND_ARRAY || entry->header.count != 2) {
        return false;
    }
    struct slice rest = slice_from(entry->raw, entry->header.size);
    struct param method = value_next(&rest);
    struct param params = value_next(&rest);
    if ((method.header.kind != KIND_STR && method.header.kind != KIND_BIN) ||
        params.header.kind != KIND_ARRAY) {
        return false;
    }
    out->method = slice_from(method.raw, method.header.size);
    out->nparams = params.header.count;
    rest = slice_from(params.raw, params.header.size);
    for (unsigned i = 0; i < out->nparams && i < MESSAGE_PARAMS_MAX; i++) {
        out->params[i] = value_next(&rest);
    }
    return true;
}

/* The error of a batch that is not what one of its calls was refused with. */
static int fail_batch(struct batch *batch, int error, const char *text)
{
    batch->error = error;
    (void)snprintf(batch->text, sizeof(batch->text), "%s", text);
    return error;
}

/* *index is set to the first entry that has not the right form. */
static int check_form(const struct param *calls, struct batch *batch, uint32_t *index)
{
    struct slice rest = slice_from(calls->raw, calls->header.size);
    for (*index = 0; *index < calls->header.count; (*index)++) {
        struct param entry = value_next(&rest);
        struct message message;
        if (!read_entry(&entry, &message)) {
            return fail_batch(batch, ERR_BAD_REQUEST,
                              "it must be [method, params], a str and an array; nothing was run");
        }
    }
    return 0;
}

/* Runs the calls up to the first error; *index is set to how many there were before it. */
static int run_all(const struct call *call, struct batch *batch, uint32_t *index)
{
    const struct param *calls = &call->params[0];
    const struct limits *limits = &call->service->accounts.limits;
    struct slice rest = slice_from(calls->raw, calls->header.size);
    int status = 0;
    for (*index = 0; *index < calls->header.count; (*index)++) {
        struct param entry = value_next(&rest);
        struct message message;
        if (output_pending(&batch->results) > limits->max_message) {
            return fail_batch(batch, ERR_TOO_LARGE,
                              "the results so far are longer than max_message");
        }
        (void)read_entry(&entry, &message);
        status = call_run_within(call, &message, batch);
        if (status < 0) {
            break;
        }
    }
    return status;
}

/* Packs the error up to the results. */
static void pack_refusal(struct call *call, const struct batch *batch, uint32_t index)
{
    struct buffer *out = &call->out->bytes;
    char text[CALL_TEXT_MAX + 32];
    (void)snprintf(text, sizeof(text), "atomic, call %u: %s", (unsigned)index, batch->text);
    message_error_head(out, call->msgid, batch->error, text);
    pack_map(out, 2);
    pack_key_uint(out, "index", index);
    pack_string(out, "results");
    call->refused = true;
}

/* Packs the answer: `count` results, or the error of the call at `index` with them. */
static void finish(struct call *call, int status, struct batch *batch, uint32_t index,
                   uint32_t count)
{
    if (status < 0) {
        pack_refusal(call, batch, index);
    } else {
        (void)call_result(call);
    }
    pack_array(&call->out->bytes, count);
    if (output_append(call->out, &batch->results) < 0) {
        (void)output_drop(&batch->results);
    }
    if (status < 0) {
        pack_nil(&call->out->bytes);
    }
}

int method__atomic(struct call *call)
{
    if (call->batch != NULL) {
        return call_fail(call, ERR_BAD_REQUEST, "atomic cannot be one of its own calls");
    }
    struct batch batch = {0};
    uint32_t index;
    uint32_t count = 0;
    int status = check_form(&call->params[0], &batch, &index);
    if (status == 0) {
        status = run_all(call, &batch, &index);
        count = index;
    }
    finish(call, status, &batch, index, count);
    output_deinit(&batch.results);
    return status;
}
