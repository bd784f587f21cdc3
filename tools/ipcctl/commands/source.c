/* source: where the values for put and list append come from; see source.h. */
#include "tools/ipcctl/commands/source.h"
#include "proto/pack.h"
#include "proto/value.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

enum status source_init(struct source *source, struct context *context, size_t first)
{
    const struct given *given = context->options;
    bool lines = given[OPTION_LINES].is || given[OPTION_TEXT].is;
    bool split = lines || given[OPTION_JSON_LINES].is;
    *source = (struct source){.context = context,
                              .word = first,
                              .words = context->count > first,
                              .whole = given[OPTION_RAW].is && !split,
                              .text = lines};
    source->splitter.split = split ? SPLIT_LINES : SPLIT_VALUES;
    if (source->words && (given[OPTION_LINES].is || given[OPTION_JSON_LINES].is)) {
        return report_usage(context,
                            "--%s is for values from standard input, without a VALUE in the "
                            "command line",
                            given[OPTION_LINES].is ? "lines" : "json-lines");
    }
    if (!source->words && !source->whole && isatty(STDIN_FILENO) != 0) {
        (void)fprintf(stderr, "ipcctl: reading %s from the terminal; Ctrl-D ends them\n",
                      lines ? "lines of text" : "JSON values");
    }
    return STATUS_OK;
}

void source_deinit(struct source *source)
{
    splitter_deinit(&source->splitter);
}

static bool is_full(const struct batch *batch)
{
    return batch->count >= BATCH_VALUES || batch->values.len >= BATCH_BYTES;
}

/* All of them are one batch, so that nothing is sent if one is wrong. */
static enum status next_words(struct source *source, struct batch *batch)
{
    struct context *context = source->context;
    for (; source->word < context->count; source->word++) {
        enum status status = value_pack_word(context, source->word, &batch->values);
        if (status != STATUS_OK) {
            batch->count = 0;
            return status;
        }
        batch->count++;
    }
    return STATUS_OK;
}

/* All of standard input, once. */
static enum status next_whole(struct source *source, struct batch *batch)
{
    if (source->ended) {
        return STATUS_OK;
    }
    source->ended = true;
    enum status status = value_pack(source->context, "-", false, &batch->values);
    batch->count = status == STATUS_OK;
    return status;
}

/* An empty line, or one of white space, which is no value of --json-lines. */
static bool is_blank(struct slice text)
{
    while (text.len > 0 && memchr(" \t\r", text.data[text.len - 1], 3) != NULL) {
        text.len--;
    }
    return text.len == 0;
}

/* One text from standard input. */
static enum status add_text(struct source *source, struct slice text, struct batch *batch)
{
    struct json_error why;
    source->number++;
    if (!source->text && is_blank(text)) {
        return STATUS_OK;
    }
    if (source->text && value_is_utf8(text)) {
        pack_str(&batch->values, text);
    } else if (source->text) {
        return report(source->context, STATUS_FAILED, "line %" PRIu64 " is not UTF-8",
                      source->number);
    } else if (json_read(text, &batch->values, &why) < 0) {
        return report(source->context, STATUS_FAILED, "%s %" PRIu64 "%s%s",
                      source->splitter.split == SPLIT_LINES ? "line" : "value", source->number,
                      why.malformed ? " is not JSON: " : ": ", why.text);
    }
    batch->count++;
    return STATUS_OK;
}

/* Reads what standard input has, or waits until it has something. */
static enum status fill(struct source *source)
{
    char bytes[READ_BYTES];
    ssize_t got;
    do {
        got = read(STDIN_FILENO, bytes, sizeof(bytes));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return report(source->context, STATUS_FAILED, "cannot read standard input: %s",
                      strerror(errno));
    }
    source->ended = got == 0;
    source->bytes += (uint64_t)got;
    splitter_add(&source->splitter, bytes, (size_t)got);
    if (source->splitter.bytes.failed) {
        return report_memory(source->context);
    }
    if (source->splitter.bytes.len > SPLITTER_TEXT_MAX) {
        return report(source->context, STATUS_FAILED,
                      "a value on standard input has more than %d bytes", SPLITTER_TEXT_MAX);
    }
    return STATUS_OK;
}

static enum status next_texts(struct source *source, struct batch *batch)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !is_full(batch)) {
        struct slice text;
        if (splitter_take(&source->splitter, source->ended, &text)) {
            status = add_text(source, text, batch);
        } else if (batch->count > 0 || source->ended) {
            break;
        } else {
            status = fill(source);
        }
    }
    return status;
}

enum status source_next(struct source *source, struct batch *batch)
{
    enum status status = source->words   ? next_words(source, batch)
                         : source->whole ? next_whole(source, batch)
                                         : next_texts(source, batch);
    if (batch->values.failed) {
        return report_memory(source->context);
    }
    return status;
}
