/*
 * store: the commands that read the files of the durable objects: check, dump, load, backup,
 * compact.
 *
 * The directory is named, or the daemon is asked which it has.
 */
#include "daemon/store/offline.h"
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

static int print_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    struct context *context = data;
    struct buffer out = {0};
    pack_map(&out, 3);
    pack_key_uint(&out, "object", object);
    pack_string(&out, "key");
    pack_bin(&out, key);
    pack_string(&out, "value");
    pack_bin(&out, value);
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
    size_t at; /* in the batch */
    enum status status;
};

/* The bytes of a row's member; false if it has none. */
static bool row_bytes(const struct ipcc_value *row, const char *name, struct slice *out)
{
    struct ipcc_value bytes = field(row, name);
    *out = (struct slice){bytes.as.data, bytes.length};
    return bytes.kind == IPCC_BIN;
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
    if (!row_object(&row, object) || !row_bytes(&row, "key", key) ||
        !row_bytes(&row, "value", value)) {
        loading->status = report(loading->source.context, STATUS_FAILED,
                                 "a line is not a row as store dump prints it; the rows before it "
                                 "are in the store");
        return EINVAL;
    }
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
