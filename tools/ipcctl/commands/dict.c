/* dict: going through a large dict in steps. All else about dicts and lists is run_method's. */
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"

enum { SCAN_COUNT = 1000 };

/* Prints one step's items and moves the cursor. */
static enum status scan_step(struct context *context, struct ipcc_value *cursor)
{
    const struct given *count = &context->options[OPTION_COUNT];
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "dict.scan");
    pack_string(request_param(&request), context->words[0]);
    value_encode(cursor, request_param(&request));
    pack_int(request_param(&request), count->is ? count->number : SCAN_COUNT);
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    struct ipcc_value items = field(&reply.value, "items");
    struct ipcc_walk walk = ipcc_walk_of(&items);
    struct ipcc_value key;
    struct ipcc_value value;
    while (ipcc_walk_pair(&walk, &key, &value)) {
        output_pair(context, &key, &value);
    }
    *cursor = ipcc_int(field_int(&reply.value, "cursor"));
    ipcc_reply_free(&reply);
    return STATUS_OK;
}

enum status run_dict_scan(struct context *context)
{
    struct ipcc_value cursor = ipcc_int(0);
    enum status status;
    do {
        status = scan_step(context, &cursor);
    } while (status == STATUS_OK && cursor.as.integer != 0 && context->write_error == 0);
    return status;
}
