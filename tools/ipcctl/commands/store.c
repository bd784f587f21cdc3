/*
 * store: the commands that read the files of the durable objects: check, dump, load, backup,
 * compact.
 *
 * The directory is named, or the daemon is asked which it has.
 */
#include "daemon/store/offline.h"
#include "proto/message.h"
#include "proto/scan.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/commands/source.h"
#include "tools/ipcctl/terminal/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The directory that the daemon says it has; the caller's to free. */
static enum status ask_directory(struct context *context, char **out)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "server.stats");
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    struct ipcc_value store = field(&reply.value, "store");
    struct slice path = field_text(&store, "path");
    if (path.len == 0) {
        status = report(context, STATUS_FAILED, "the daemon has no store: name one with --state");
    } else {
        *out = strndup((const char *)path.data, path.len);
        status = *out != NULL ? STATUS_OK : report_memory(context);
    }
    ipcc_reply_free(&reply);
    return status;
}

static enum status find_directory(struct context *context, char **out)
{
    const struct given *state = &context->options[OPTION_STATE];
    if (!state->is) {
        return ask_directory(context, out);
    }
    /* The daemon's is absolute too; and "" would be the root. */
    *out = realpath(state->text, NULL);
    return *out != NULL ? STATUS_OK
                        : report(context, STATUS_FAILED, "%s: %s", state->text, strerror(errno));
}

/* Says what came of it; the sentence is freed. */
static enum status conclude(struct context *context, int code, char *error)
{
    enum status status = STATUS_OK;
    if (code != 0) {
        status = report(context, STATUS_FAILED, "%s", error != NULL ? error : strerror(code));
    }
    free(error);
    return status;
}

static void say_check(struct context *context, const char *directory,
                      const struct offline_report *found)
{
    struct buffer out = {0};
    if (context->options[OPTION_JSON].is) {
        pack_map(&out, 3);
        pack_key_string(&out, "path", directory);
        pack_key_uint(&out, "rows", found->rows);
        pack_key_uint(&out, "bytes", found->bytes);
        output_record(context, &out);
    } else {
        text_plain(&out, slice_of_string(directory));
        text_format(&out, " is whole: %" PRIu64 " rows, %" PRIu64 " bytes\n", found->rows,
                    found->bytes);
        output_buffer(context, &out);
    }
    buffer_deinit(&out);
}

enum status run_store_check(struct context *context)
{
    struct offline_report found;
    char *directory = NULL;
    char *error = NULL;
    enum status status = find_directory(context, &directory);
    if (status == STATUS_OK) {
        int code = offline_check(directory, &found, &error);
        status = conclude(context, code, error);
    }
    if (status == STATUS_OK) {
        say_check(context, directory, &found);
    }
    free(directory);
    return status;
}

/* A key in hexadecimal digits. */
static void pack_key(struct buffer *out, struct slice key)
{
    static const char digits[] = "0123456789abcdef";
    struct buffer hex = {0};
    for (size_t i = 0; i < key.len; i++) {
        const char pair[2] = {digits[key.data[i] >> 4], digits[key.data[i] & 15]};
        (void)buffer_append(&hex, pair, sizeof(pair));
    }
    pack_key_str(out, "key", buffer_slice(&hex));
    buffer_deinit(&hex);
}

/* What a row has is a run of MessagePack values: how many; 0: it is something else. */
static size_t count_values(struct slice run)
{
    size_t count = 0;
    while (run.len > 0) {
        size_t len = scan_length(run.data, run.len);
        if (len == 0) {
            return 0;
        }
        run = slice_from(run, len);
        count++;
    }
    return count;
}

static int print_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    struct context *context = data;
    struct buffer out = {0};
    size_t count = count_values(value);
    pack_map(&out, 3);
    pack_key_uint(&out, "object", object);
    pack_key(&out, key);
    if (count > 0) {
        pack_string(&out, "row");
        pack_array(&out, count);
        pack_raw(&out, value);
    } else {
        pack_string(&out, "bytes");
        pack_bin(&out, value);
    }
    output_record(context, &out);
    buffer_deinit(&out);
    return context->write_error; /* which output_flush says */
}

enum status run_store_dump(struct context *context)
{
    char *directory = NULL;
    char *error = NULL;
    enum status status = find_directory(context, &directory);
    if (status == STATUS_OK) {
        int code = offline_read(directory, print_row, context, &error);
        status = context->write_error == 0 ? conclude(context, code, error) : STATUS_FAILED;
    }
    free(directory);
    return status;
}

/* Rows as they come from standard input. */
struct loading {
    struct source source;
    struct batch batch;
    size_t at;         /* in the batch */
    struct buffer key; /* of the row in hand */
    struct buffer value;
    enum status status;
};

static int digit_of(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* The key of a row; false if it has none. */
static bool row_key(const struct ipcc_value *row, struct buffer *out)
{
    struct ipcc_value key = field(row, "key");
    struct slice hex = {key.as.data, key.length};
    out->len = 0;
    bool good = key.kind == IPCC_STR && hex.len % 2 == 0;
    for (size_t i = 0; good && i < hex.len; i += 2) {
        int high = digit_of(hex.data[i]);
        int low = digit_of(hex.data[i + 1]);
        uint8_t byte = (uint8_t)(high * 16 + low);
        good = high >= 0 && low >= 0 && buffer_append(out, &byte, 1) == 0;
    }
    return good;
}

/* What it has; false if that is missing. */
static bool row_value(const struct ipcc_value *row, struct buffer *out)
{
    struct ipcc_value values = field(row, "row");
    struct ipcc_value bytes = field(row, "bytes");
    out->len = 0;
    if (bytes.kind == IPCC_BIN) {
        return buffer_append(out, bytes.as.data, bytes.length) == 0;
    }
    struct slice rest = {values.as.data, values.length};
    if (values.kind != IPCC_RAW || rest.len == 0) {
        return false;
    }
    struct param array = value_next(&rest);
    struct slice run = slice_from(array.raw, array.header.size);
    return array.header.kind == KIND_ARRAY && run.len > 0 &&
           buffer_append(out, run.data, run.len) == 0;
}

static bool row_object(const struct ipcc_value *row, uint64_t *out)
{
    struct ipcc_value object = field(row, "object");
    *out = object.kind == IPCC_UINT ? object.as.unsigned_integer : (uint64_t)object.as.integer;
    return object.kind == IPCC_UINT || (object.kind == IPCC_INT && object.as.integer >= 0);
}

static int next_row(void *data, uint64_t *object, struct slice *key, struct slice *value)
{
    struct loading *loading = data;
    struct buffer *values = &loading->batch.values;
    if (loading->at == values->len) {
        values->len = loading->at = loading->batch.count = 0;
        loading->status = source_next(&loading->source, &loading->batch);
        if (loading->status != STATUS_OK) {
            return EINVAL; /* it has been reported */
        }
        if (loading->batch.count == 0) {
            return 0;
        }
    }
    size_t len = scan_length(values->data + loading->at, values->len - loading->at);
    struct ipcc_value row = ipcc_raw(values->data + loading->at, len);
    loading->at += len;
    if (!row_object(&row, object) || !row_key(&row, &loading->key) ||
        !row_value(&row, &loading->value)) {
        loading->status = report(loading->source.context, STATUS_FAILED,
                                 "a line is not a row as store dump prints it; the rows before it "
                                 "are in the store");
        return EINVAL;
    }
    *key = buffer_slice(&loading->key);
    *value = buffer_slice(&loading->value);
    return 1;
}

enum status run_store_load(struct context *context)
{
    const struct given *state = &context->options[OPTION_STATE];
    struct loading loading = {0};
    char *error = NULL;
    if (!state->is || state->text[0] != '/') {
        return report_usage(context,
                            "name the new directory by an absolute path: --state=/DIRECTORY");
    }
    loading.status = source_init(&loading.source, context, context->count);
    if (loading.status == STATUS_OK) {
        int code = offline_fill(state->text, next_row, &loading, &error);
        if (loading.status == STATUS_OK) {
            loading.status = conclude(context, code, error);
        }
        source_deinit(&loading.source);
    }
    buffer_deinit(&loading.batch.values);
    buffer_deinit(&loading.key);
    buffer_deinit(&loading.value);
    return loading.status;
}

enum status run_store_backup(struct context *context)
{
    char *directory = NULL;
    char *error = NULL;
    enum status status = find_directory(context, &directory);
    if (status == STATUS_OK) {
        int code = offline_backup(directory, context->words[0], &error);
        status = conclude(context, code, error);
    }
    free(directory);
    return status;
}

enum status run_store_compact(struct context *context)
{
    char *directory = NULL;
    char *error = NULL;
    enum status status = find_directory(context, &directory);
    if (status == STATUS_OK) {
        int code = offline_compact(directory, &error);
        status = conclude(context, code, error);
    }
    free(directory);
    return status;
}
