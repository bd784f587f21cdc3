/*
 * batch: calls that are collected, and sent as one call of atomic.
 *
 * A batch is the param of atomic, encoded as far as there are calls: an array of [method, params]
 * whose header is of fixed width, so that it can be counted up.
 */
#include "client/ipcclient/batch.h"

#include "client/encoding.h"
#include "client/reply.h"
#include "client/typed.h"
#include "client/value.h"

#include <stdlib.h>

struct ipcc_batch {
    struct buffer calls;
    size_t count;
};

/* What the params of a call in a batch are within: the message, its params, the array of calls, the
 * call, and its own params. */
enum { BATCH_DEPTH = 5 };

int ipcc_batch_new(struct ipcc_batch **batch)
{
    if (batch == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_batch_new needs a place for the batch");
    }
    struct ipcc_batch *made = calloc(1, sizeof(*made));
    if (made != NULL) {
        (void)pack_array_begin(&made->calls);
    }
    if (made == NULL || made->calls.failed) {
        free(made);
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for a batch");
    }
    *batch = made;
    return 0;
}

void ipcc_batch_free(struct ipcc_batch *batch)
{
    if (batch != NULL) {
        buffer_deinit(&batch->calls);
        free(batch);
    }
}

/* Appends [method, params]. */
static int encode_call(struct buffer *out, const char *method, const struct ipcc_value *params,
                       size_t nparams)
{
    struct encoding to = {.out = out};
    pack_array(out, 2);
    pack_string(out, method);
    pack_array(out, nparams);
    for (size_t i = 0; i < nparams; i++) {
        if (params[i].kind == IPCC_NONE) {
            return error_set(IPCC_ERR_ARGUMENT,
                             "%s: param %zu is no value (IPCC_NONE), and a "
                             "param behind it is one",
                             method, i + 1);
        }
        int status = value_encode(&params[i], MESSAGE_DEPTH - BATCH_DEPTH, &to);
        if (status < 0) {
            return status;
        }
    }
    if (to.count > 0) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "%s: a batch carries no file descriptors; make this a call of its own",
                         method);
    }
    return 0;
}

int ipcc_batch_add(struct ipcc_batch *batch, const char *method, const struct ipcc_value *params,
                   size_t nparams)
{
    if (batch == NULL || method == NULL || (params == NULL && nparams > 0)) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_batch_add needs a batch, a method and params");
    }
    while (nparams > 0 && params[nparams - 1].kind == IPCC_NONE) {
        nparams--;
    }
    struct buffer *calls = &batch->calls;
    size_t before = calls->len;
    int status = encode_call(calls, method, params, nparams);
    if (status == 0 && calls->failed) {
        status = error_set(IPCC_ERR_NO_MEMORY, "no memory for another call in the batch");
    }
    if (status < 0) {
        calls->len = before;
        calls->failed = false;
        return status;
    }
    pack_array_end(calls, 0, ++batch->count);
    return 0;
}

size_t ipcc_batch_count(const struct ipcc_batch *batch)
{
    return batch != NULL ? batch->count : 0;
}

void ipcc_batch_clear(struct ipcc_batch *batch)
{
    if (batch != NULL) {
        batch->calls.len = 0;
        batch->count = 0;
        (void)pack_array_begin(&batch->calls); /* has room */
    }
}

/* Takes apart the detail of a call that failed, {index, results}. False: it is none. */
static bool take_detail(struct ipcc_reply *reply, size_t *failed)
{
    struct ipcc_value index;
    struct ipcc_value results;
    char message[MESSAGE_TEXT];
    memcpy(message, ipcc_last_message(), sizeof(message)); /* the daemon's, which is to stay */
    bool found = ipcc_map_get(&reply->value, "index", &index) == 0 &&
                 ipcc_map_get(&reply->value, "results", &results) == 0 && index.kind == IPCC_INT &&
                 index.as.integer >= 0;
    memcpy(thread_state()->message, message, sizeof(message));
    if (found) {
        *failed = (size_t)index.as.integer;
        reply->value = results;
    }
    return found;
}

int ipcc_atomic(struct ipcc *conn, const struct ipcc_batch *batch, struct ipcc_reply *reply,
                size_t *failed)
{
    size_t unused;
    failed = failed != NULL ? failed : &unused;
    *failed = IPCC_NO_CALL;
    reply_clear(reply);
    if (batch == NULL || reply == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_atomic needs a batch and a reply");
    }
    struct typed_call call = {"atomic", {ipcc_raw(batch->calls.data, batch->calls.len)}, 0};
    int status = typed_call_detail(conn, &call, reply);
    if (status < 0 && !take_detail(reply, failed)) {
        ipcc_reply_free(reply);
    }
    return status;
}
