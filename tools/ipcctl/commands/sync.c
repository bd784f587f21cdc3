/* sync: the commands for conditions and events that are more than a method. */
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"

#include <stdio.h>

enum status run_event_wait(struct context *context)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "event.wait");
    pack_string(request_param(&request), context->words[0]);
    request_timeout(&request, request_patience(context));
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    bool set = reply.value.kind == IPCC_BOOL && reply.value.as.boolean;
    if (context->options[OPTION_JSON].is) {
        output_value(context, &reply.value);
    }
    ipcc_reply_free(&reply);
    return set ? STATUS_OK : report(context, STATUS_TIMEOUT, "the time ran out");
}

/* Holds the condition's lock from now on. */
static enum status acquire(struct context *context)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "condition.acquire");
    pack_string(request_param(&request), context->words[0]);
    request_timeout(&request, request_patience(context));
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    if (field_true(&reply.value, "abandoned")) {
        (void)report(context, STATUS_OK,
                     "its lock was abandoned: the last holder died, or it was "
                     "taken from it; the next holder will not be told again");
    }
    ipcc_reply_free(&reply);
    return STATUS_OK;
}

static enum status release(struct context *context)
{
    struct request request;
    request_init(&request, "condition.release");
    pack_string(request_param(&request), context->words[0]);
    return request_send(context, &request, NULL);
}

enum status run_condition_notify(struct context *context)
{
    struct request request;
    struct ipcc_reply reply;
    enum status status = acquire(context);
    if (status != STATUS_OK) {
        return status;
    }
    request_init(&request, context->command->method);
    status = request_words(context, &request, 0);
    if (status != STATUS_OK) {
        request_deinit(&request);
        return status;
    }
    status = request_send(context, &request, &reply);
    if (status == STATUS_OK) {
        output_value(context, &reply.value);
        ipcc_reply_free(&reply);
    }
    enum status released = release(context);
    return status != STATUS_OK ? status : released;
}
