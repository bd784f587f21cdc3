/* taken: the items of a queue that are taken and not done. */
#include "tools/ipcctl/description/taken.h"
#include "tools/ipcctl/description/record.h"
#include "tools/ipcctl/output.h"

enum { STANDARD = 100, AT_A_TIME = 1000 };

static size_t print_json(struct context *context, const struct ipcc_value *items)
{
    struct ipcc_walk walk = ipcc_walk_of(items);
    struct ipcc_value item;
    size_t count = 0;
    for (; ipcc_walk_next(&walk, &item); count++) {
        struct record record;
        record_begin(&record, &item);
        record_program(context, &record, &item);
        record_print(context, &record);
    }
    return count;
}

enum status run_taken(struct context *context)
{
    const struct given *given = context->options;
    int64_t left = given[OPTION_ALL].is     ? INT64_MAX
                   : given[OPTION_COUNT].is ? given[OPTION_COUNT].number
                                            : STANDARD;
    int64_t start = given[OPTION_START].number;
    struct table table;
    int error = 0;
    taken_init(&table);
    for (size_t came = 1; left > 0 && came > 0 && context->write_error == 0;) {
        struct ipcc_reply reply;
        error = taken_ask(context, context->words[0], start, left < AT_A_TIME ? left : AT_A_TIME,
                          &reply);
        if (error < 0) {
            break;
        }
        came = given[OPTION_JSON].is ? print_json(context, &reply.value)
                                     : taken_add(context, &table, &reply.value);
        left -= (int64_t)came;
        start = __builtin_add_overflow(start, (int64_t)came, &start) ? INT64_MAX : start;
        ipcc_reply_free(&reply);
    }
    if (error == 0 && !given[OPTION_JSON].is) {
        output_table(context, &table);
    }
    table_deinit(&table);
    return error < 0 ? report_call(context, error) : STATUS_OK;
}
