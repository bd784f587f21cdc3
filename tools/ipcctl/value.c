/* value: the values of the command line; see value.h. */
#include "tools/ipcctl/value.h"
#include "proto/pack.h"
#include "proto/utf8.h"
#include "tools/ipcctl/command_line/word.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

/* What a value is made from: JSON may be so much longer than the value that it stands for, as one
 * byte of a string can be \u0001. */
enum { JSON_LENGTH = 8 };

enum input_form { INPUT_JSON, INPUT_TEXT, INPUT_BYTES };

/* What is read, and where from. */
struct input {
    struct context *context;
    const char *name; /* for messages */
    int fd;
    enum input_form form;
    size_t most; /* bytes of a value */
    struct buffer bytes;
};

static enum input_form form_of(const struct context *context)
{
    return context->options[OPTION_TEXT].is  ? INPUT_TEXT
           : context->options[OPTION_RAW].is ? INPUT_BYTES
                                             : INPUT_JSON;
}

static enum status refuse_length(const struct input *input)
{
    return report(
        input->context, STATUS_FAILED,
        "%s has more than max_message, %zu bytes, which is the most that the daemon takes",
        input->name, input->most);
}

/* Reads all that is there. */
static enum status read_all(struct input *input)
{
    size_t most = input->form == INPUT_JSON ? JSON_LENGTH * input->most : input->most;
    ssize_t got = 1;
    while (got > 0 && input->bytes.len <= most) {
        if (buffer_reserve(&input->bytes, READ_BYTES) < 0) {
            return report_memory(input->context);
        }
        got = read(input->fd, input->bytes.data + input->bytes.len, READ_BYTES);
        if (got < 0 && errno != EINTR) {
            return report(input->context, STATUS_FAILED, "cannot read %s: %s", input->name,
                          strerror(errno));
        }
        input->bytes.len += got > 0 ? (size_t)got : 0;
        got = got < 0 ? 1 : got;
    }
    return input->bytes.len <= most ? STATUS_OK : refuse_length(input);
}

static enum status pack_json(const struct input *input, struct buffer *out)
{
    struct json_error error;
    if (json_read(buffer_slice(&input->bytes), out, &error) == 0) {
        return STATUS_OK;
    }
    char line[32] = "";
    if (input->bytes.len == 0) {
        return report(input->context, STATUS_FAILED, "%s is empty, and a value is JSON",
                      input->name);
    }
    if (error.line > 0) {
        (void)snprintf(line, sizeof(line), ", line %zu", error.line);
    }
    return report(input->context, STATUS_FAILED, "%s%s%s%s", input->name, line,
                  error.malformed ? " is not JSON: " : ": ", error.text);
}

/* The line of the first byte that is not UTF-8; 0: all of it is. */
static size_t find_foreign(struct slice text)
{
    size_t line = 1;
    for (size_t at = 0; at < text.len;) {
        size_t len = utf8_character(text.data + at, text.len - at);
        if (len == 0) {
            return line;
        }
        line += text.data[at] == '\n';
        at += len;
    }
    return 0;
}

static enum status pack_text(const struct input *input, struct buffer *out)
{
    size_t line = find_foreign(buffer_slice(&input->bytes));
    if (line > 0) {
        return report(input->context, STATUS_FAILED,
                      "%s, line %zu is not UTF-8; --raw without --text takes any bytes",
                      input->name, line);
    }
    pack_str(out, buffer_slice(&input->bytes));
    return STATUS_OK;
}

static enum status pack_input(const struct input *input, struct buffer *out)
{
    size_t before = out->len;
    enum status status = STATUS_OK;
    switch (input->form) {
    case INPUT_JSON:
        status = pack_json(input, out);
        break;
    case INPUT_TEXT:
        status = pack_text(input, out);
        break;
    case INPUT_BYTES:
        pack_bin(out, buffer_slice(&input->bytes));
        break;
    }
    return status == STATUS_OK && out->len - before > input->most ? refuse_length(input) : status;
}

/* Reads the value; the input is ended. */
static enum status take(struct input *input, struct buffer *out)
{
    int error = request_message_most(input->context, &input->most);
    enum status status = error < 0 ? report_call(input->context, error) : read_all(input);
    if (status == STATUS_OK) {
        status = pack_input(input, out);
    }
    buffer_deinit(&input->bytes);
    return status;
}

static enum status take_standard_input(struct context *context, enum input_form form,
                                       struct buffer *out)
{
    struct input input = {context, "standard input", STDIN_FILENO, form, 0, {0}};
    if (context->took_input) {
        return report_usage(context, "standard input can be one value only, and - stands for it "
                                     "twice");
    }
    context->took_input = true;
    if (isatty(STDIN_FILENO) != 0) {
        (void)fprintf(stderr, "ipcctl: reading %s from the terminal; Ctrl-D ends it\n",
                      form == INPUT_JSON   ? "a JSON value"
                      : form == INPUT_TEXT ? "a text"
                                           : "bytes");
    }
    return take(&input, out);
}

static enum status take_file(struct context *context, const char *path, enum input_form form,
                             struct buffer *out)
{
    struct input input = {context, path, -1, form, 0, {0}};
    if (path[0] == '\0') {
        return report_usage(context, "@ must have the name of a file behind it: @FILE");
    }
    input.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (input.fd < 0) {
        return report(context, STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    }
    enum status status = take(&input, out);
    (void)close(input.fd);
    return status;
}

enum status value_pack(struct context *context, const char *word, bool literal, struct buffer *out)
{
    char error[WORD_ERROR_TEXT];
    if (!literal && strcmp(word, "-") == 0) {
        return take_standard_input(context, form_of(context), out);
    }
    if (!literal && word[0] == '@') {
        return take_file(context, word + 1, form_of(context), out);
    }
    if (word_pack(word, WORD_JSON, context->options[OPTION_TEXT].is, out, error) < 0) {
        return report_usage(context, "%s", error);
    }
    return STATUS_OK;
}

enum status value_pack_word(struct context *context, size_t index, struct buffer *out)
{
    return value_pack(context, context->words[index], index >= context->literal, out);
}

enum status value_pack_option(struct context *context, const char *name, const char *word,
                              struct buffer *out)
{
    struct json_error error;
    if (strcmp(word, "-") == 0 || word[0] == '@') {
        return value_pack(context, word, false, out);
    }
    if (json_read(slice_of_string(word), out, &error) < 0) {
        return report_usage(context, "--%s%s%s", name, error.malformed ? " is not JSON: " : ": ",
                            error.text);
    }
    return STATUS_OK;
}
