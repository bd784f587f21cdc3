/* object: the commands for objects of any type but describe: ls, create, rm, chmod, chown, chgrp.
 */
#include "tools/ipcctl/command_line/owner.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/description/listing.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/value.h"
#include "tools/ipcctl/description/record.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/terminal/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- ls ---- */

static const struct column short_columns[] = {
    {"NAME", false, true},    {"TYPE", false, false}, {"SIZE", true, false},
    {"WAITING", true, false}, {"BYTES", true, false}, {"STATE", false, false},
};

static const struct column long_columns[] = {
    {"NAME", false, true},      {"TYPE", false, false},    {"SIZE", true, false},
    {"DELAYED", true, false},   {"TAKEN", true, false},    {"UNFINISHED", true, false},
    {"WAITING", true, false},   {"BYTES", true, false},    {"ON DISK", true, false},
    {"OWNER", false, false},    {"GROUP", false, false},   {"MODE", true, false},
    {"LIFETIME", false, false}, {"CREATED", false, false}, {"WHERE", false, false},
    {"STATE", false, false},
};

struct list {
    struct context *context;
    bool terminal; /* a person reads it */
    struct table table;
};

static void list_short(struct table *table, const struct ipcc_value *description)
{
    table_name(table, field_text(description, "name"));
    table_plain(table, field_text(description, "type"));
    show_number(table, description, "size");
    show_number(table, description, "waiting");
    show_number(table, description, "bytes");
    table_put(table, show_state(description));
}

static void list_long(struct table *table, const struct ipcc_value *description)
{
    static const char *const numbers[] = {"size",       "delayed", "taken",
                                          "unfinished", "waiting", "bytes"};
    static const char *const others[] = {"owner", "group", "mode", "lifetime", "created"};
    table_name(table, field_text(description, "name"));
    table_plain(table, field_text(description, "type"));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        show_number(table, description, numbers[i]);
    }
    struct ipcc_value durable = field(description, "durable");
    show_number(table, &durable, "bytes");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct ipcc_value value = field(description, others[i]);
        show_field(table_text(table), others[i], &value);
        table_cell(table);
    }
    show_where(table_text(table), description);
    table_cell(table);
    table_put(table, show_state(description));
}

static void print_record(struct context *context, const struct ipcc_value *description)
{
    struct record record;
    record_begin(&record, description);
    record_print(context, &record);
}

static bool list_one(void *data, const struct ipcc_value *description)
{
    struct list *list = data;
    const struct given *given = list->context->options;
    if (given[OPTION_NAMES].is) {
        struct buffer line = {0};
        (list->terminal ? text_plain : text_exact)(&line, field_text(description, "name"));
        text_put(&line, "\n");
        output_buffer(list->context, &line);
    } else if (given[OPTION_JSON].is) {
        print_record(list->context, description);
    } else if (given[OPTION_LONG].is) {
        list_long(&list->table, description);
    } else {
        list_short(&list->table, description);
    }
    return list->context->write_error == 0;
}

enum status run_ls(struct context *context)
{
    const struct given *given = context->options;
    struct filter filter = {.glob = context->count > 0 ? context->words[0] : NULL,
                            .type = given[OPTION_TYPE].text};
    struct list list = {.context = context, .terminal = isatty(STDOUT_FILENO) != 0};
    if (given[OPTION_LONG].is) {
        table_init(&list.table, long_columns, sizeof(long_columns) / sizeof(long_columns[0]));
        list.table.whole = true;
    } else {
        table_init(&list.table, short_columns, sizeof(short_columns) / sizeof(short_columns[0]));
    }
    int error = listing_run(context, &filter, (struct listener){list_one, &list});
    /* What has been listed is shown, though an engine that is away may have more. */
    if ((error == 0 || list.table.ends.len > 0) && !given[OPTION_NAMES].is &&
        !given[OPTION_JSON].is) {
        output_table(context, &list.table);
    }
    table_deinit(&list.table);
    return error < 0 ? report_call(context, error) : STATUS_OK;
}

/* ---- create ---- */

static enum status refuse_type(struct context *context, const char *type)
{
    char hint[NEAREST_HINT];
    struct nearest nearest = command_nearest_type(type);
    return report_usage(context, "there is no type \"%s\"%s", type,
                        nearest_hint(&nearest, "", "", hint));
}

/* The value of an option of TYPE.open, as the kind of its word says. */
static enum status pack_open_option(struct context *context, enum option_id id, struct buffer *out)
{
    const struct given *given = &context->options[id];
    switch (options[id].kind) {
    case WORD_NONE:
        if (id == OPTION_DURABLE) {
            pack_string(out, "durable");
        } else {
            pack_bool(out, id != OPTION_NO_DUPLEX);
        }
        return STATUS_OK;
    case WORD_JSON:
        return value_pack_option(context, options[id].name, given->text, out);
    case WORD_INTEGER:
    case WORD_COUNT:
    case WORD_TIME:
    case WORD_MODE:
    case WORD_GROUP:
        pack_int(out, given->number);
        return STATUS_OK;
    default:
        pack_string(out, given->text);
        return STATUS_OK;
    }
}

/* KEY=JSON, where a bare word is a string. */
static enum status pack_pair(struct context *context, const char *pair, struct buffer *out)
{
    char name[64];
    size_t len = strcspn(pair, "=");
    if (len == 0 || pair[len] == '\0') {
        return report_usage(context, "--option must be KEY=JSON, not \"%s\"", pair);
    }
    pack_str(out, (struct slice){(const uint8_t *)pair, len});
    (void)snprintf(name, sizeof(name), "option %.*s", (int)len, pair);
    return value_pack_option(context, name, pair + len + 1, out);
}

static enum status pack_create_options(struct context *context, struct buffer *out)
{
    enum status status = STATUS_OK;
    size_t at = pack_map_begin(out);
    size_t count = 0;
    if (!context->options[OPTION_EXISTING].is) {
        pack_key_bool(out, "exclusive", true);
        count++;
    }
    for (enum option_id id = OPTION_NONE; id < OPTIONS && status == STATUS_OK; id++) {
        if (options[id].key != NULL && context->options[id].is) {
            pack_string(out, options[id].key);
            status = pack_open_option(context, id, out);
            count++;
        }
    }
    for (size_t i = 0; i < context->pair_count && status == STATUS_OK; i++) {
        status = pack_pair(context, context->pairs[i], out);
        count++;
    }
    pack_map_end(out, at, count);
    return status;
}

enum status run_create(struct context *context)
{
    char method[64];
    struct request request;
    struct ipcc_reply reply;
    if (snprintf(method, sizeof(method), "%s.open", context->words[0]) >= (int)sizeof(method)) {
        return report_usage(context, "there is no type of such a long name");
    }
    if (context->options[OPTION_DURABLE].is && context->options[OPTION_LIFETIME].is) {
        return report_usage(context, "--durable is --lifetime=durable: give one of the two");
    }
    request_init(&request, method);
    pack_string(request_param(&request), context->words[1]);
    enum status status = pack_create_options(context, request_param(&request));
    if (status != STATUS_OK) {
        request_deinit(&request);
        return status;
    }
    int error = request_try(context, &request, &reply);
    if (error == IPCC_ERR_UNKNOWN_METHOD) {
        return refuse_type(context, context->words[0]);
    }
    if (error < 0) {
        return report_call(context, error);
    }
    if (context->options[OPTION_JSON].is) {
        print_record(context, &reply.value);
    }
    ipcc_reply_free(&reply);
    return STATUS_OK;
}

/* ---- rm, chmod, chown, chgrp ---- */

enum status run_rm(struct context *context)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < context->count; i++) {
        struct request request;
        request_init(&request, "object.delete");
        pack_string(request_param(&request), context->words[i]);
        int error = request_try(context, &request, NULL);
        if (error < 0 && !(error == IPCC_ERR_NOT_FOUND && context->options[OPTION_FORCE].is)) {
            status = report_call(context, error);
        }
    }
    return status;
}

/* Calls a method for each name behind the first word, with the name and these params; negative ones
 * are nil. */
static enum status change_all(struct context *context, const char *method, const int64_t *params,
                              size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 1; i < context->count; i++) {
        struct request request;
        request_init(&request, method);
        pack_string(request_param(&request), context->words[i]);
        for (size_t at = 0; at < count; at++) {
            if (params[at] >= 0) {
                pack_int(request_param(&request), params[at]);
            } else {
                pack_nil(request_param(&request));
            }
        }
        enum status one = request_send(context, &request, NULL);
        status = one != STATUS_OK ? one : status;
    }
    return status;
}

enum status run_chmod(struct context *context)
{
    return change_all(context, "object.chmod", (const int64_t[]){context->numbers[0]}, 1);
}

enum status run_chown(struct context *context)
{
    int64_t uid;
    int64_t gid;
    (void)owner_parse(context->words[0], &uid, &gid); /* it has been checked */
    return change_all(context, "object.chown", (const int64_t[]){uid, gid}, 2);
}

enum status run_chgrp(struct context *context)
{
    return change_all(context, "object.chown", (const int64_t[]){-1, context->numbers[0]}, 2);
}
