/*
 * method: commands that are no more than a method of the protocol (run_method), and the two that
 * are about methods: call and methods.
 */
#include "proto/method.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/terminal/text.h"

#include <stdio.h>

static void show_elements(struct context *context, const struct ipcc_value *array)
{
    struct ipcc_walk walk = ipcc_walk_of(array);
    struct ipcc_value element;
    while (ipcc_walk_next(&walk, &element)) {
        output_value(context, &element);
    }
}

static void show_pairs(struct context *context, const struct ipcc_value *array)
{
    struct ipcc_walk walk = ipcc_walk_of(array);
    struct ipcc_value key;
    struct ipcc_value value;
    while (ipcc_walk_pair(&walk, &key, &value)) {
        output_pair(context, &key, &value);
    }
}

static void show(struct context *context, const struct ipcc_value *result)
{
    switch (context->command->show) {
    case SHOW_NOTHING:
        if (context->options[OPTION_JSON].is && result->kind != IPCC_NIL) {
            output_value(context, result);
        }
        break;
    case SHOW_VALUE:
        output_only(context, result);
        break;
    case SHOW_ELEMENTS:
        show_elements(context, result);
        break;
    case SHOW_PAIRS:
        show_pairs(context, result);
        break;
    }
}

/* Sends what has been packed and shows the result. */
static enum status finish(struct context *context, struct request *request)
{
    struct ipcc_reply reply;
    enum status status = request_send(context, request, &reply);
    if (status == STATUS_OK) {
        show(context, &reply.value);
        ipcc_reply_free(&reply);
    }
    return status;
}

enum status run_method(struct context *context)
{
    const struct command *command = context->command;
    struct request request;
    request_init(&request, command->method);
    enum status status = request_words(context, &request, 0);
    if (status != STATUS_OK) {
        request_deinit(&request);
        return status;
    }
    if (command->flag != OPTION_NONE && context->options[command->flag].is) {
        pack_bool(request_param(&request), true);
    }
    if (command->waits) {
        request_timeout(&request, request_patience(context));
    }
    return finish(context, &request);
}

/* A call failed, and the daemon said more than why. Of atomic it is what the calls before have
 * returned: items that they took are nowhere else now. The message says which call it was. */
static enum status report_detail(struct context *context, int error,
                                 const struct ipcc_value *detail)
{
    char message[512];
    (void)snprintf(message, sizeof(message), "%s", ipcc_last_message());
    struct ipcc_value results = field(detail, "results");
    if (results.kind != IPCC_NONE) {
        output_value(context, &results);
    }
    return report(context, status_of(error), "%s", message);
}

/* There is no method of that name: which one may be meant. */
static enum status report_unknown(struct context *context, const char *name)
{
    char hint[NEAREST_HINT];
    struct nearest nearest = nearest_to(slice_of_string(name));
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        nearest_offer(&nearest, slice_of_string(methods[i].name));
    }
    return report(context, STATUS_NOT_FOUND,
                  "the daemon has no method \"%s\"%s; 'ipcctl methods' lists what it has", name,
                  nearest_hint(&nearest, "", "", hint));
}

enum status run_call(struct context *context)
{
    struct request request;
    request_init(&request, context->words[0]);
    request.wait_ms = request_patience(context);
    enum status status = request_words(context, &request, 1);
    if (status != STATUS_OK) {
        request_deinit(&request);
        return status;
    }
    struct ipcc_reply reply;
    int error = request_try_detail(context, &request, &reply);
    if (error == 0) {
        show(context, &reply.value);
    } else if (error == IPCC_ERR_UNKNOWN_METHOD) {
        status = report_unknown(context, context->words[0]);
    } else {
        status = reply.value.kind != IPCC_NIL && reply.value.kind != IPCC_NONE
                     ? report_detail(context, error, &reply.value)
                     : report_call(context, error);
    }
    ipcc_reply_free(&reply);
    return status;
}

/* "option   drain (bool, default: as it was): gets wait as long as something is taken" */
static void show_option(struct buffer *out, const struct ipcc_value *option)
{
    static const char *const keys[] = {"name", "type", "default", "summary"};
    static const char *const before[] = {"option   ", " (", ", default: ", "): "};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        text_put(out, before[i]);
        text_plain(out, field_text(option, keys[i]));
    }
    text_put(out, "\n");
}

static void show_method(struct context *context, const struct ipcc_value *method)
{
    static const char *const keys[] = {"name", "params", "result", "summary"};
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        text_format(&text, "%-9s", keys[i]);
        text_plain(&text, field_text(method, keys[i]));
        text_put(&text, "\n");
    }
    struct ipcc_value options_there = field(method, "options");
    struct ipcc_walk options_walk = ipcc_walk_of(&options_there);
    struct ipcc_value option;
    while (ipcc_walk_next(&options_walk, &option)) {
        show_option(&text, &option);
    }
    struct ipcc_value flags = field(method, "flags");
    struct ipcc_walk walk = ipcc_walk_of(&flags);
    struct ipcc_value flag;
    text_format(&text, "%-8s", "flags");
    while (ipcc_walk_next(&walk, &flag)) {
        text_put(&text, " ");
        text_plain(&text, (struct slice){flag.as.data, flag.length});
    }
    text_put(&text, "\n");
    output_buffer(context, &text);
}

/* The methods whose name is the word that was given, or all. */
static size_t show_methods(struct context *context, const struct ipcc_value *methods_there)
{
    static const struct column columns[] = {{"METHOD", false, false}, {"SUMMARY", false, true}};
    struct table table;
    table_init(&table, columns, 2);
    struct ipcc_walk walk = ipcc_walk_of(methods_there);
    struct ipcc_value method;
    size_t shown = 0;
    while (ipcc_walk_next(&walk, &method)) {
        struct ipcc_value name = field(&method, "name");
        if (context->count > 0 && !ipcc_value_is_str(&name, context->words[0])) {
            continue;
        }
        shown++;
        if (context->options[OPTION_JSON].is) {
            output_value(context, &method);
        } else if (context->count > 0) {
            show_method(context, &method);
        } else {
            table_plain(&table, field_text(&method, "name"));
            table_plain(&table, field_text(&method, "summary"));
        }
    }
    if (table_rows(&table) > 0) {
        output_table(context, &table);
    }
    table_deinit(&table);
    return shown;
}

enum status run_methods(struct context *context)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "server.methods");
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    if (show_methods(context, &reply.value) == 0) {
        status = report_unknown(context, context->count > 0 ? context->words[0] : "");
    }
    ipcc_reply_free(&reply);
    return status;
}
