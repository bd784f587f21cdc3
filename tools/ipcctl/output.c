/* output: what goes to standard output and standard error; see output.h. */
#include "tools/ipcctl/output.h"
#include "proto/method.h"
#include "proto/pack.h"
#include "proto/value.h"
#include "tools/ipcctl/command_line/wording.h"
#include "tools/ipcctl/hint.h"
#include "tools/ipcctl/json/descriptor.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/terminal/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void output_buffer(struct context *context, struct buffer *buffer)
{
    errno = ENOMEM;
    bool written =
        !buffer->failed && (buffer->len == 0 || fwrite(buffer->data, buffer->len, 1, stdout) == 1);
    if (!written && context->write_error == 0) {
        context->write_error = errno;
    }
    buffer_deinit(buffer);
}

void value_encode(const struct ipcc_value *value, struct buffer *out)
{
    switch (value->kind) {
    case IPCC_BOOL:
        pack_bool(out, value->as.boolean);
        break;
    case IPCC_INT:
        pack_int(out, value->as.integer);
        break;
    case IPCC_UINT:
        pack_uint(out, value->as.unsigned_integer);
        break;
    case IPCC_FLOAT:
        pack_double(out, value->as.number);
        break;
    case IPCC_STR:
        pack_str(out, (struct slice){value->as.data, value->length});
        break;
    case IPCC_BIN:
        pack_bin(out, (struct slice){value->as.data, value->length});
        break;
    case IPCC_RAW:
        pack_raw(out, (struct slice){value->as.data, value->length});
        break;
    default:
        pack_nil(out);
        break;
    }
}

/* The descriptor of that index in the last answer. */
static bool write_descriptor(const void *data, uint8_t index, struct buffer *out)
{
    const struct context *context = data;
    const uint8_t encoded[] = {0xd4, EXT_DESCRIPTOR, index};
    struct ipcc_value value = ipcc_raw(encoded, sizeof(encoded));
    int fd = ipcc_reply_fd(&context->answer, &value);
    if (fd < 0) {
        return false;
    }
    descriptor_write(fd, out);
    return true;
}

static void write_json(const struct context *context, const struct ipcc_value *value,
                       struct buffer *out)
{
    if (value->kind == IPCC_RAW) {
        json_write_with((struct slice){value->as.data, value->length}, write_descriptor, context,
                        out);
        return;
    }
    struct buffer encoded = {0};
    value_encode(value, &encoded);
    json_write(buffer_slice(&encoded), out);
    out->failed |= encoded.failed;
    buffer_deinit(&encoded);
}

void output_record(struct context *context, struct buffer *record)
{
    struct buffer line = {0};
    json_write_with(buffer_slice(record), write_descriptor, context, &line);
    text_put(&line, "\n");
    line.failed |= record->failed;
    buffer_deinit(record);
    output_buffer(context, &line);
}

static bool is_raw(const struct context *context)
{
    return context->options[OPTION_RAW].is && !context->options[OPTION_JSON].is;
}

/* Writes the value and what ends it, `end` if it is written raw. */
static void write_value(struct context *context, const struct ipcc_value *value, const char *end)
{
    struct buffer line = {0};
    if (is_raw(context) && (value->kind == IPCC_STR || value->kind == IPCC_BIN)) {
        (void)buffer_append(&line, value->as.data, value->length);
        text_put(&line, end);
    } else {
        write_json(context, value, &line);
        text_put(&line, "\n");
    }
    output_buffer(context, &line);
}

void output_value(struct context *context, const struct ipcc_value *value)
{
    write_value(context, value, "\n");
}

void output_only(struct context *context, const struct ipcc_value *value)
{
    write_value(context, value, isatty(STDOUT_FILENO) != 0 ? "\n" : "");
}

void output_pair(struct context *context, const struct ipcc_value *key,
                 const struct ipcc_value *value)
{
    bool json = context->options[OPTION_JSON].is;
    struct buffer line = {0};
    text_put(&line, json ? "{\"key\": " : "");
    write_json(context, key, &line);
    text_put(&line, json ? ", \"value\": " : ": ");
    write_json(context, value, &line);
    text_put(&line, json ? "}\n" : "\n");
    output_buffer(context, &line);
}

size_t output_width(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0) {
        return 0;
    }
    return size.ws_col;
}

void output_table(struct context *context, struct table *table)
{
    struct buffer text = {0};
    size_t width = table->whole ? 0 : output_width();
    text.failed |= table_print(table, 0, SIZE_MAX, width, &text) < 0;
    output_buffer(context, &text);
    table_deinit(table);
}

enum status output_flush(struct context *context, enum status status)
{
    if (fflush(stdout) != 0 && context->write_error == 0) {
        context->write_error = errno;
    }
    if (context->write_error == 0) {
        return status;
    }
    int error = context->write_error;
    context->write_error = EPIPE; /* it has been told */
    if (error == ENOMEM) {
        return report_memory(context);
    }
    if (error == EPIPE) {
        return STATUS_FAILED;
    }
    return report(context, STATUS_FAILED, "cannot write to standard output: %s", strerror(error));
}

bool find_subject(const struct context *context, size_t *word, enum word_kind *kind)
{
    for (size_t i = 0; i < context->count; i++) {
        const struct argument *argument = command_argument(context->command, i);
        if (argument == NULL || argument->presence != ONE) {
            break;
        }
        if (word_is_object(argument->kind)) {
            *word = i;
            *kind = argument->kind;
            return true;
        }
    }
    return false;
}

/* "ipcctl: get jobs: the message" and `more`. There is always memory to say that there is none. */
static void print_report(const struct context *context, const char *message, const char *more)
{
    struct buffer line = {0};
    text_put(&line, "ipcctl: ");
    if (context->command != NULL) {
        size_t word;
        enum word_kind kind;
        text_put(&line, context->command->words);
        if (find_subject(context, &word, &kind)) {
            text_put(&line, " ");
            text_name(&line, slice_of_string(context->words[word]));
        }
        text_put(&line, ": ");
    }
    text_plain(&line, slice_of_string(message != NULL ? message : "out of memory"));
    text_put(&line, more);
    text_put(&line, "\n");
    (void)fflush(stdout);
    if (line.failed) {
        (void)fputs("ipcctl: out of memory\n", stderr);
    } else {
        (void)fwrite(line.data, 1, line.len, stderr);
    }
    buffer_deinit(&line);
}

/* The message, to be freed; NULL for want of memory, which print_report takes. */
static char *format_message(const char *format, va_list arguments)
{
    char *message;
    return vasprintf(&message, format, arguments) < 0 ? NULL : message;
}

enum status report(struct context *context, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = format_message(format, arguments);
    va_end(arguments);
    print_report(context, message, "");
    free(message);
    return status;
}

enum status report_usage(struct context *context, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = format_message(format, arguments);
    va_end(arguments);
    struct buffer more = {0};
    text_format(&more, "; see 'ipcctl help%s%s'", context->command != NULL ? " " : "",
                context->command != NULL ? context->command->words : "");
    (void)buffer_append(&more, "", 1);
    print_report(context, message, more.failed ? "" : (const char *)more.data);
    buffer_deinit(&more);
    free(message);
    return STATUS_USAGE;
}

enum status status_of(int error)
{
    switch (error) {
    case IPCC_ERR_EMPTY:
        return STATUS_EMPTY;
    case IPCC_ERR_FULL:
        return STATUS_FULL;
    case IPCC_ERR_TIMEOUT:
    case IPCC_ERR_NO_ANSWER:
        return STATUS_TIMEOUT;
    case IPCC_ERR_NOT_FOUND:
    case IPCC_ERR_KEY:
    case IPCC_ERR_INDEX:
    case IPCC_ERR_UNKNOWN_METHOD:
        return STATUS_NOT_FOUND;
    default:
        return STATUS_FAILED;
    }
}

const char *call_message(struct context *context, int error)
{
    switch (error) {
    case IPCC_ERR_EMPTY:
        return strstr(ipcc_last_message(), "\" is paused") != NULL ? "the queue is paused"
                                                                   : "the queue is empty";
    case IPCC_ERR_FULL:
        return "the queue is full";
    case IPCC_ERR_SHUT_DOWN:
        return "the queue is shut down";
    case IPCC_ERR_TIMEOUT:
        return "the time ran out";
    case IPCC_ERR_EXISTS:
        if (command_option(context->command, "existing", 8) != OPTION_NONE) {
            return "it is there already (--existing allows that)";
        }
        break;
    default:
        break;
    }
    const char *message = ipcc_last_message();
    size_t len = strcspn(message, ":");
    struct slice method = {(const uint8_t *)message, len};
    bool is_call = context->command->run == run_call;
    if (!is_call && method_find(method) != NULL && message[len] != '\0') {
        message += len + 2;
    }
    buffer_deinit(&context->message);
    wording_put(&context->message, is_call ? NULL : context->command, message);
    (void)buffer_append(&context->message, "", 1);
    return context->message.failed ? message : (const char *)context->message.data;
}

enum status report_call(struct context *context, int error)
{
    struct buffer message = {0};
    struct buffer hint = {0};
    text_put(&message, call_message(context, error)); /* what the hint asks has messages too */
    (void)buffer_append(&message, "", 1);
    if (!message.failed) {
        hint_put(&hint, context, error, (const char *)message.data);
    }
    (void)buffer_append(&hint, "", 1);
    print_report(context, message.failed ? NULL : (const char *)message.data,
                 hint.failed ? "" : (const char *)hint.data);
    buffer_deinit(&message);
    buffer_deinit(&hint);
    return status_of(error);
}

enum status report_memory(struct context *context)
{
    return report(context, STATUS_FAILED, "out of memory");
}
