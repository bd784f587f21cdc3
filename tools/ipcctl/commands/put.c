/*
 * put: values into a queue and onto a list, from the command line or standard input.
 *
 * What has come is sent in batches (queue.put_many, list.extend). Values with a priority, a delay
 * or a time to live go one by one, as put_many has no options.
 */
#include "proto/scan.h"
#include "tools/ipcctl/command_line/number.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/terminal/progress.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/commands/source.h"

#include <inttypes.h>

struct putter {
    struct context *context;
    struct source source;
    struct progress progress;
    struct buffer options; /* of queue.put, encoded; empty: none */
    uint64_t done;         /* values that have been put */
};

/* Sends the whole batch or a part of it; *count is how much. 0 or an IPCC_ERR_ code. */
typedef int send_fn(struct putter *putter, const struct batch *batch, uint64_t *count);

static void pack_batch(struct buffer *out, const struct batch *batch)
{
    pack_array(out, batch->count);
    pack_raw(out, buffer_slice(&batch->values));
}

static int put_many(struct putter *putter, const struct batch *batch, uint64_t *count)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "queue.put_many");
    pack_string(request_param(&request), putter->context->words[0]);
    pack_batch(request_param(&request), batch);
    request_timeout(&request, request_patience(putter->context));
    int error = request_try(putter->context, &request, &reply);
    if (error == 0) {
        *count = (uint64_t)reply.value.as.integer;
        ipcc_reply_free(&reply);
    }
    return error;
}

static int put_one(struct putter *putter, const struct batch *batch, uint64_t *count)
{
    struct request request;
    size_t len = scan_length(batch->values.data, batch->values.len);
    request_init(&request, "queue.put");
    pack_string(request_param(&request), putter->context->words[0]);
    pack_raw(request_param(&request), (struct slice){batch->values.data, len});
    request_timeout(&request, request_patience(putter->context));
    if (putter->options.len > 0) {
        pack_raw(request_param(&request), buffer_slice(&putter->options));
    }
    *count = 1;
    return request_try(putter->context, &request, NULL);
}

static int extend(struct putter *putter, const struct batch *batch, uint64_t *count)
{
    struct request request;
    request_init(&request, "list.extend");
    pack_string(request_param(&request), putter->context->words[0]);
    pack_batch(request_param(&request), batch);
    *count = batch->count;
    return request_try(putter->context, &request, NULL);
}

/* Forgets the first `count` values, which have been sent. */
static void drop(struct batch *batch, uint64_t count)
{
    size_t at = 0;
    batch->count -= count;
    for (; count > 0; count--) {
        at += scan_length(batch->values.data + at, batch->values.len - at);
    }
    buffer_consume(&batch->values, at);
}

/* Why no more can be sent, and how far it came. */
static enum status report_send(struct putter *putter, int error)
{
    struct context *context = putter->context;
    progress_end(&putter->progress);
    if (putter->done == 0) {
        return report_call(context, error);
    }
    return report(context, status_of(error), "%s; %" PRIu64 " value%s put before",
                  call_message(context, error), putter->done,
                  putter->done == 1 ? " was" : "s were");
}

/* Sends all of the batch, unless nothing of it can be sent any more. */
static enum status send_batch(struct putter *putter, struct batch *batch, send_fn *send)
{
    while (batch->count > 0) {
        uint64_t count = 0;
        int error = send(putter, batch, &count);
        if (error < 0) {
            return report_send(putter, error);
        }
        putter->done += count;
        drop(batch, count);
        progress_show(&putter->progress, putter->done, putter->source.bytes);
    }
    return STATUS_OK;
}

/* Sends all that the source has. What came before a value that is wrong is sent all the same. */
static enum status send_all(struct putter *putter, send_fn *send)
{
    enum status status;
    bool more;
    do {
        struct batch batch = {0};
        status = source_next(&putter->source, &batch);
        more = batch.count > 0 && status == STATUS_OK;
        enum status sent = send_batch(putter, &batch, send);
        status = status != STATUS_OK ? status : sent;
        buffer_deinit(&batch.values);
    } while (more && status == STATUS_OK);
    return status;
}

static enum status run_sender(struct putter *putter, send_fn *send)
{
    enum status status = source_init(&putter->source, putter->context, 1);
    if (status != STATUS_OK) {
        return status;
    }
    progress_begin(&putter->progress, !putter->source.words);
    status = send_all(putter, send);
    progress_end(&putter->progress);
    source_deinit(&putter->source);
    if (putter->context->options[OPTION_JSON].is) {
        struct buffer record = {0};
        pack_map(&record, 1);
        pack_key_uint(&record, "put", putter->done);
        output_record(putter->context, &record);
    }
    return status;
}

static void pack_options(struct buffer *out, const struct given *given)
{
    const struct given *priority = &given[OPTION_PRIORITY];
    const struct given *delay = &given[OPTION_DELAY];
    const struct given *ttl = &given[OPTION_TTL];
    size_t count = (size_t)priority->is + delay->is + ttl->is;
    if (count == 0) {
        return;
    }
    pack_map(out, count);
    if (priority->is) {
        pack_string(out, "priority");
        (void)number_pack(priority->text, out);
    }
    if (delay->is) {
        pack_key_int(out, "delay_ms", delay->number);
    }
    if (ttl->is) {
        pack_key_int(out, "ttl_ms", ttl->number);
    }
}

enum status run_put(struct context *context)
{
    struct putter putter = {.context = context};
    pack_options(&putter.options, context->options);
    if (putter.options.failed) {
        buffer_deinit(&putter.options);
        return report_memory(context);
    }
    bool single = putter.options.len > 0 || context->count == 2;
    enum status status = run_sender(&putter, single ? put_one : put_many);
    buffer_deinit(&putter.options);
    return status;
}

enum status run_list_append(struct context *context)
{
    struct putter putter = {.context = context};
    return run_sender(&putter, extend);
}
