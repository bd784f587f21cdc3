/* help: what ipcctl says about itself; see help.h. */
#include "tools/ipcctl/commands/help.h"
#include "proto/method.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/terminal/text.h"

#include <stdio.h>

enum { SUMMARY_COLUMN = 29, FAMILY_COLUMN = 13, LINE_WIDTH = 80 };

static const char exit_text[] =
    "Exit status: 0 success, 1 failure, 2 usage, 3 queue empty, 4 queue full,\n"
    "5 timeout, 6 not found. The manual page ipcctl(1) says more.\n";

/* "QUEUE", "[GLOB]", "NAME...", "[VALUE...]" */
static void put_argument(struct buffer *out, const struct argument *argument)
{
    bool optional = argument->presence == OPTIONAL || argument->presence == ANY;
    bool many = argument->presence == SEVERAL || argument->presence == ANY;
    text_format(out, " %s%s%s%s", optional ? "[" : "", argument->name, many ? "..." : "",
                optional ? "]" : "");
}

static void put_usage(struct buffer *out, const struct command *command)
{
    text_put(out, command->words);
    for (size_t i = 0; command->arguments[i].name != NULL; i++) {
        put_argument(out, &command->arguments[i]);
    }
}

/* The words of a text that begin at this column, where the line is already, on as many lines as
 * they need. */
static void put_column(struct buffer *out, size_t column, const char *text)
{
    size_t width = column;
    while (*text != '\0') {
        size_t len = strcspn(text, " \n");
        if (width > column && width + 1 + len > LINE_WIDTH) {
            text_format(out, "\n%*s", (int)column, "");
            width = column;
        } else if (width > column) {
            text_put(out, " ");
            width++;
        }
        text_format(out, "%.*s", (int)len, text);
        width += len;
        text += len + (text[len] != '\0');
    }
    text_put(out, "\n");
}

/* "  left side               summary", on two lines if the left side is long. */
static void put_row(struct buffer *out, struct buffer *left, const char *summary)
{
    size_t width = left->len + 2;
    text_format(out, "  %.*s", (int)left->len, (const char *)left->data);
    if (width + 2 > SUMMARY_COLUMN) {
        text_put(out, "\n");
        width = 0;
    }
    text_format(out, "%*s", (int)(SUMMARY_COLUMN - width), "");
    put_column(out, SUMMARY_COLUMN, summary);
    out->failed |= left->failed;
    buffer_deinit(left);
}

static void put_option(struct buffer *out, const struct command *command, enum option_id id)
{
    const struct option *option = &options[id];
    struct buffer left = {0};
    text_format(&left, option->letter != '\0' ? "-%c, " : "    ", option->letter);
    text_format(&left, "--%s", option->name);
    if (option->value != NULL) {
        text_format(&left, option->optional ? "[=%s]" : "=%s", option->value);
    }
    put_row(out, &left, command_option_summary(command, id));
}

static void put_global_options(struct buffer *out, const struct command *command)
{
    text_put(out, "\nOptions of every command:\n");
    for (size_t i = 0; i < global_option_count; i++) {
        put_option(out, command, global_options[i]);
    }
}

static void put_command_row(struct buffer *out, const struct command *command)
{
    struct buffer left = {0};
    put_usage(&left, command);
    put_row(out, &left, command->summary);
}

static void put_rows(struct buffer *out, const struct area *area)
{
    for (const struct command *command = area->commands; command->words != NULL; command++) {
        if (!command->hidden) {
            put_command_row(out, command);
        }
    }
}

/* The second words of a family, behind the first. */
static void put_family(struct buffer *out, const struct area *area)
{
    struct buffer words = {0};
    for (const struct command *command = area->commands; command->words != NULL; command++) {
        text_format(&words, "%s%s", words.len > 0 ? " " : "", command_last_word(command));
    }
    (void)buffer_append(&words, "", 1);
    text_format(out, "  %-*s", FAMILY_COLUMN - 2, area->type);
    put_column(out, FAMILY_COLUMN, words.failed ? "" : (const char *)words.data);
    out->failed |= words.failed;
    buffer_deinit(&words);
}

/* The commands of one area, or of all if it is NULL: of the types but for queues only the words. */
static void put_overview(struct buffer *out, const struct area *only)
{
    bool in_families = false;
    text_put(out, "usage: ipcctl COMMAND [ARGUMENT...] [OPTION...]\n");
    for (const struct area *area = areas; area->title != NULL; area++) {
        if (only == NULL && area_is_family(area)) {
            text_put(out, in_families ? "" : "\nOther types, as in 'ipcctl help dict':\n");
            put_family(out, area);
            in_families = true;
        } else if (area->commands->words != NULL && (only == NULL || only == area)) {
            text_format(out, "\n%s:\n", area->title);
            put_rows(out, area);
        }
    }
    put_global_options(out, NULL);
    text_put(out,
             "\n'ipcctl help COMMAND' shows a command, 'ipcctl help METHOD' a method.\n"
             "Values are JSON; - reads one from standard input, @FILE from a file. TIME is in\n"
             "milliseconds or has a unit: 500ms, 5s, 2m, 1h, 1d.\n");
    text_put(out, exit_text);
}

/* What TYPE can be, if the command has such a word or option. */
static void put_types(struct buffer *out, const struct command *command)
{
    bool has = false;
    for (size_t i = 0; command->arguments[i].name != NULL; i++) {
        has |= command->arguments[i].kind == WORD_TYPE;
    }
    for (size_t i = 0; command->options[i].id != OPTION_NONE; i++) {
        has |= options[command->options[i].id].kind == WORD_TYPE;
    }
    if (!has) {
        return;
    }
    text_put(out, "\nTYPE is one of:\n");
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        const struct type_row *row = type_row((enum object_kind)kind);
        struct buffer left = {0};
        text_put(&left, row->name);
        put_row(out, &left, row->summary);
    }
}

static void put_command(struct buffer *out, const struct command *command)
{
    text_put(out, "usage: ipcctl ");
    put_usage(out, command);
    text_format(out, " [OPTION...]\n\n%s.\n", command->summary);
    if (command->details != NULL) {
        text_put(out, "\n");
        put_column(out, 0, command->details);
    }
    put_types(out, command);
    if (command->options[0].id != OPTION_NONE) {
        text_put(out, "\nOptions:\n");
    }
    for (size_t i = 0; command->options[i].id != OPTION_NONE; i++) {
        put_option(out, command, command->options[i].id);
    }
    put_global_options(out, command);
}

/* "one of "fifo", "lifo", "priority"; default: fifo"; of no choice what its type is called. */
static void put_values(struct buffer *out, const struct method_option *option)
{
    const char *words = option->words;
    text_put(out, words[0] != '\0' ? "one of " : param_type_name(option->type));
    while (words[0] != '\0') {
        size_t len = strcspn(words, " ");
        text_format(out, "\"%.*s\"%s", (int)len, words, words[len] == ' ' ? ", " : "");
        words += len + (words[len] == ' ');
    }
    text_format(out, "; default: %s", option->standard);
}

/* The options that may stand in the map of a method: each with what it does, and below that its
 * values and the default. */
static void put_method_options(struct buffer *out, const struct method_signature *signature)
{
    text_put(out, signature->option_count > 0 ? "\nOptions, in a map:\n" : "");
    for (unsigned i = 0; i < signature->option_count; i++) {
        const struct method_option *option = signature->options[i];
        struct buffer values = {0};
        put_values(&values, option);
        (void)buffer_append(&values, "", 1);
        text_format(out, "  %-*s", SUMMARY_COLUMN - 2, option->name);
        put_column(out, SUMMARY_COLUMN, option->summary);
        text_format(out, "%*s", SUMMARY_COLUMN, "");
        put_column(out, SUMMARY_COLUMN, values.failed ? "" : (const char *)values.data);
        out->failed |= values.failed;
        buffer_deinit(&values);
    }
}

/* A method, from the table that this ipcctl was built with. */
static void put_method(struct buffer *out, const struct method *method)
{
    text_format(out, "usage: ipcctl call %s", method->name);
    struct method_signature signature;
    method_signature(method, &signature);
    for (unsigned i = 0; i < signature.count; i++) {
        const struct method_param *param = &signature.params[i];
        text_format(out, param->optional ? " [%.*s]" : " %.*s", (int)param->name.len,
                    (const char *)param->name.data);
    }
    text_format(out, "\n\n%s.\n", method->summary);
    text_put(out, signature.count > 0 ? "\nParams, in JSON:\n" : "");
    for (unsigned i = 0; i < signature.count; i++) {
        const struct method_param *param = &signature.params[i];
        struct buffer left = {0};
        text_format(&left, "%.*s", (int)param->name.len, (const char *)param->name.data);
        put_row(out, &left, param_type_name(param->type));
    }
    put_method_options(out, &signature);
    text_format(out, "\nResult: %s\n", method->result);
    if (method->errors[0] != '\0') {
        text_format(out, "Errors of its own: %s\n", method->errors);
    }
}

static enum status print(struct context *context, struct buffer *out)
{
    output_buffer(context, out);
    return STATUS_OK;
}

enum status help_print(struct context *context)
{
    struct buffer out = {0};
    if (context->command != NULL) {
        put_command(&out, context->command);
    } else {
        put_overview(&out, context->count > 0 ? command_family(context->words[0]) : NULL);
    }
    return print(context, &out);
}

/* There is no command and no method of these words: what may be meant. */
static enum status report_unknown(struct context *context)
{
    char hint[NEAREST_HINT];
    bool second = context->count > 1 && command_family(context->words[0]) != NULL;
    char before[NEAREST_MOST] = "";
    struct nearest nearest =
        command_nearest(second ? context->words[0] : NULL, context->words[second ? 1 : 0]);
    if (second) {
        (void)snprintf(before, sizeof(before), "%s ", context->words[0]);
    }
    for (size_t i = 0; i < METHOD_COUNT && !second; i++) {
        nearest_offer(&nearest, slice_of_string(methods[i].name));
    }
    return report(context, STATUS_NOT_FOUND, "there is no command and no method \"%s%s%s\"%s",
                  context->words[0], context->count > 1 ? " " : "",
                  context->count > 1 ? context->words[1] : "",
                  nearest_hint(&nearest, before, "", hint));
}

enum status run_help(struct context *context)
{
    struct buffer out = {0};
    size_t taken;
    if (context->count == 0) {
        put_overview(&out, NULL);
        return print(context, &out);
    }
    const struct command *command = command_find(context->words, context->count, &taken);
    if (command != NULL && taken == context->count) {
        put_command(&out, command);
        return print(context, &out);
    }
    const struct area *family = command_family(context->words[0]);
    if (context->count == 1 && family != NULL) {
        put_overview(&out, family);
        return print(context, &out);
    }
    const struct method *method = method_find(slice_of_string(context->words[0]));
    if (method == NULL || context->count > 1) {
        return report_unknown(context);
    }
    put_method(&out, method);
    return print(context, &out);
}
