/* queue: tickets of joinable queues: done and give-back. */
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"

/* Counts the item of the ticket as done, or the oldest one if `ticket` is NULL. */
static enum status finish_item(struct context *context, const int64_t *ticket)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "queue.task_done");
    pack_string(request_param(&request), context->words[0]);
    if (ticket != NULL) {
        pack_int(request_param(&request), *ticket);
    }
    enum status status = request_send(context, &request, &reply);
    if (status == STATUS_OK && context->options[OPTION_JSON].is) {
        struct buffer record = {0};
        pack_map(&record, 1);
        pack_key_int(&record, "unfinished", reply.value.as.integer);
        output_record(context, &record);
    }
    if (status == STATUS_OK) {
        ipcc_reply_free(&reply);
    }
    return status;
}

static enum status return_item(struct context *context, const int64_t *ticket)
{
    struct request request;
    request_init(&request, "queue.give_back");
    pack_string(request_param(&request), context->words[0]);
    pack_int(request_param(&request), *ticket);
    pack_int(request_param(&request), context->options[OPTION_DELAY].number);
    if (context->options[OPTION_UNCOUNTED].is) {
        pack_map(request_param(&request), 1);
        pack_key_bool(&request.bytes, "uncounted", true);
    }
    return request_send(context, &request, NULL);
}

/* Does it for each ticket on the command line, until one fails. */
static enum status for_tickets(struct context *context,
                               enum status (*each)(struct context *context, const int64_t *ticket))
{
    enum status status = STATUS_OK;
    for (size_t i = 1; i < context->count && status == STATUS_OK; i++) {
        int64_t ticket = context->numbers[i];
        status = each(context, &ticket);
    }
    return status;
}

enum status run_done(struct context *context)
{
    return context->count > 1 ? for_tickets(context, finish_item) : finish_item(context, NULL);
}

enum status run_give_back(struct context *context)
{
    return for_tickets(context, return_item);
}
