/*
 * store: the commands on the directory of a durable store, with a daemon at work in it or without.
 *
 * A dump has a row on each line, as the daemon's types write them: the number of the object, the
 * key in hexadecimal digits (its first byte says what the row is; the row without a key is the
 * object's own), and the values. What they mean is in the daemon's files on rows. Load makes a
 * store of that.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/offline.h"
#include "daemon/store/store.h"
#include "proto/message.h"
#include "proto/scan.h"
#include "proto/value.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"

enum {
    KEY_MOST = 1 << 20,       /* bytes of a key */
    COMMIT_BYTES = 1 << 22,   /* what load gathers before it commits */
    DUMPED_AT_ONCE = 1 << 16, /* bytes of JSON that are written at a time */
};

/* The directory that is meant: --state, or that of the daemon that runs; the caller frees it. NULL
 * having reported why not. */
static char *find_directory(struct context *context, enum status *status)
{
    struct request request;
    struct ipcc_reply reply;
    if (context->options[OPTION_STATE].is) {
        *status = STATUS_OK;
        return strdup(context->options[OPTION_STATE].text);
    }
    request_init(&request, "server.stats");
    if (request_try(context, &request, &reply) < 0) {
        *status = report(context, STATUS_FAILED,
                         "no daemon answers that could say where its store is (%s); give --state "
                         "DIRECTORY",
                         ipcc_last_message());
        return NULL;
    }
    struct slice path = field_text(&reply.value, "state_directory");
    char *directory = path.len > 0 ? strndup((const char *)path.data, path.len) : NULL;
    *status = directory != NULL ? STATUS_OK
                                : report(context, STATUS_FAILED,
                                         "the daemon has no durable store (ipcd --state)");
    ipcc_reply_free(&reply);
    return directory;
}

/* Reports what an offline function has said, whose sentence it frees. */
static enum status finish(struct context *context, char *directory, int code, char *error)
{
    enum status status = STATUS_OK;
    if (code != 0) {
        status = report(context, STATUS_FAILED, "%s", error != NULL ? error : strerror(code));
    }
    free(error);
    free(directory);
    return output_flush(context, status);
}

static void print_line(struct context *context, const char *format, uint64_t a, uint64_t b)
{
    char text[128];
    struct buffer line = {0};
    (void)snprintf(text, sizeof(text), format, a, b);
    (void)buffer_append(&line, text, strlen(text));
    output_buffer(context, &line);
    buffer_deinit(&line);
}

enum status run_store_check(struct context *context)
{
    enum status status;
    char *directory = find_directory(context, &status);
    if (directory == NULL) {
        return status;
    }
    struct offline_report found = {0};
    char *error = NULL;
    int code = offline_check(directory, &found, &error);
    if (code == 0 && context->options[OPTION_JSON].is) {
        struct buffer record = {0};
        pack_map(&record, 2);
        pack_key_uint(&record, "rows", found.rows);
        pack_key_uint(&record, "bytes", found.bytes);
        output_record(context, &record);
        buffer_deinit(&record);
    } else if (code == 0) {
        print_line(context, "whole: %" PRIu64 " rows, %" PRIu64 " bytes\n", found.rows,
                   found.bytes);
    }
    return finish(context, directory, code, error);
}

enum status run_store_compact(struct context *context)
{
    enum status status;
    char *directory = find_directory(context, &status);
    if (directory == NULL) {
        return status;
    }
    char *error = NULL;
    int code = offline_compact(directory, &error);
    return finish(context, directory, code, error);
}

enum status run_store_backup(struct context *context)
{
    enum status status;
    char *directory = find_directory(context, &status);
    if (directory == NULL) {
        return status;
    }
    char *error = NULL;
    int code = offline_backup(directory, context->words[0], &error);
    return finish(context, directory, code, error);
}

/* Dumping. */

struct dumping {
    struct context *context;
    struct buffer row;  /* MessagePack */
    struct buffer text; /* JSON */
};

static void pack_key(struct buffer *out, struct slice key)
{
    static const char digits[] = "0123456789abcdef";
    struct buffer hex = {0};
    for (size_t i = 0; i < key.len; i++) {
        const char pair[2] = {digits[key.data[i] >> 4], digits[key.data[i] & 15]};
        (void)buffer_append(&hex, pair, sizeof(pair));
    }
    pack_string(out, "key");
    pack_str(out, buffer_slice(&hex));
    buffer_deinit(&hex);
}

/* A row's value is a run of MessagePack values: how many, or 0: it is something else. */
static size_t count_values(struct slice value)
{
    size_t count = 0;
    while (value.len > 0) {
        size_t len = scan_length(value.data, value.len);
        if (len == 0 || len > value.len) {
            return 0;
        }
        value = slice_from(value, len);
        count++;
    }
    return count;
}

static int dump_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    struct dumping *dumping = data;
    struct buffer *row = &dumping->row;
    size_t count = count_values(value);
    row->len = 0;
    pack_map(row, 3);
    pack_key_uint(row, "object", object);
    pack_key(row, key);
    if (count > 0) {
        pack_string(row, "row");
        pack_array(row, count);
        pack_raw(row, value);
    } else {
        pack_string(row, "bytes");
        pack_bin(row, value);
    }
    if (row->failed) {
        return ENOMEM;
    }
    json_write(buffer_slice(row), &dumping->text);
    (void)buffer_append(&dumping->text, "\n", 1);
    if (dumping->text.len > DUMPED_AT_ONCE) {
        output_buffer(dumping->context, &dumping->text);
    }
    return dumping->context->write_error;
}

enum status run_store_dump(struct context *context)
{
    enum status status;
    char *directory = find_directory(context, &status);
    if (directory == NULL) {
        return status;
    }
    struct dumping dumping = {.context = context};
    char *error = NULL;
    int code = offline_read(directory, dump_row, &dumping, &error);
    output_buffer(context, &dumping.text);
    buffer_deinit(&dumping.text);
    buffer_deinit(&dumping.row);
    if (code != 0 && code == context->write_error) {
        code = 0; /* output_flush says it */
    }
    return finish(context, directory, code, error);
}

/* Loading. */

/* One line of a dump. */
struct line {
    uint64_t object;
    struct buffer key;
    struct slice row; /* the values; or the bytes as they are */
};

static int digit_of(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool read_key(struct slice hex, struct buffer *key)
{
    key->len = 0;
    if (hex.len % 2 != 0 || hex.len / 2 > KEY_MOST) {
        return false;
    }
    for (size_t i = 0; i < hex.len; i += 2) {
        int high = digit_of(hex.data[i]);
        int low = digit_of(hex.data[i + 1]);
        uint8_t byte = (uint8_t)(high * 16 + low);
        if (high < 0 || low < 0 || buffer_append(key, &byte, 1) < 0) {
            return false;
        }
    }
    return true;
}

/* The members of the map that a line stands for. False: it is no row. */
static bool read_members(struct slice value, struct line *line)
{
    struct param map = value_next(&value);
    struct slice rest = slice_from(map.raw, map.header.size);
    unsigned seen = 0;
    if (map.header.kind != KIND_MAP) {
        return false;
    }
    for (uint32_t i = 0; i < map.header.count; i++) {
        struct param name = value_next(&rest);
        struct param member = value_next(&rest);
        struct slice key = slice_from(name.raw, name.header.size);
        struct slice content = slice_from(member.raw, member.header.size);
        if (slice_equal(key, slice_of_string("object")) && member.header.kind == KIND_INT &&
            member.header.i >= 0) {
            line->object = (uint64_t)member.header.i;
            seen |= 1;
        } else if (slice_equal(key, slice_of_string("key")) && member.header.kind == KIND_STR &&
                   read_key(content, &line->key)) {
            seen |= 2;
        } else if ((slice_equal(key, slice_of_string("row")) && member.header.kind == KIND_ARRAY) ||
                   (slice_equal(key, slice_of_string("bytes")) && member.header.kind == KIND_BIN)) {
            line->row = content;
            seen |= 4;
        } else {
            return false;
        }
    }
    return seen == 7 && map.header.count == 3;
}

struct loading {
    struct context *context;
    struct store *store;
    uint64_t number; /* of the line in hand */
    uint64_t rows;
};

/* Hands over what has been gathered and waits until it is on disk. */
static enum status commit(struct loading *loading)
{
    struct pollfd ended = {.fd = store_descriptor(loading->store), .events = POLLIN};
    uint64_t number;
    const char *error = "out of memory";
    if (store_gathered(loading->store) == 0) {
        return STATUS_OK;
    }
    if (store_commit(loading->store, &number) < 0) {
        return report(loading->context, STATUS_FAILED, "%s", error);
    }
    int code = 0;
    while (code == 0 && store_is_busy(loading->store)) {
        (void)poll(&ended, 1, -1);
        code = store_reap(loading->store, &number, &error);
        code = code == EAGAIN ? 0 : code;
    }
    return code == 0 ? STATUS_OK : report(loading->context, STATUS_FAILED, "%s", error);
}

static enum status load_line(struct loading *loading, struct slice text, struct line *line,
                             struct buffer *value)
{
    struct json_error error;
    value->len = 0;
    if (json_read(text, value, &error) < 0) {
        return report(loading->context, STATUS_FAILED, "line %" PRIu64 " is not JSON: %s",
                      loading->number, error.text);
    }
    if (!read_members(buffer_slice(value), line)) {
        return report(loading->context, STATUS_FAILED,
                      "line %" PRIu64 " is no row: it must be {\"object\": NUMBER, \"key\": "
                      "\"HEXADECIMAL\", \"row\": [VALUE, ...]}, as store dump writes it",
                      loading->number);
    }
    store_put(loading->store, line->object, buffer_slice(&line->key), line->row);
    loading->rows++;
    return store_gathered(loading->store) > COMMIT_BYTES ? commit(loading) : STATUS_OK;
}

static enum status load_lines(struct loading *loading)
{
    struct line line = {0};
    struct buffer value = {0};
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (len = getline(&text, &cap, stdin)) > 0) {
        loading->number++;
        status =
            load_line(loading, (struct slice){(const uint8_t *)text, (size_t)len}, &line, &value);
    }
    if (status == STATUS_OK && ferror(stdin) != 0) {
        status = report(loading->context, STATUS_FAILED, "standard input: %s", strerror(errno));
    }
    free(text);
    buffer_deinit(&line.key);
    buffer_deinit(&value);
    return status == STATUS_OK ? commit(loading) : status;
}

enum status run_store_load(struct context *context)
{
    const struct store_options wanted = {.directory = context->words[0],
                                          .sync = STORE_SYNC_ALWAYS};
    struct loading loading = {.context = context};
    char *error = NULL;
    int code = store_open(&wanted, &loading.store, &error);
    if (code != 0) {
        return finish(context, NULL, code, error);
    }
    enum status status;
    if (store_row_count(loading.store) > 0) {
        status = report(context, STATUS_FAILED,
                        "%s has a store with objects in it already; load makes a new one: give a "
                        "directory that is empty or not there",
                        context->words[0]);
    } else {
        status = load_lines(&loading);
    }
    store_close(loading.store);
    if (status == STATUS_OK) {
        print_line(context, "%" PRIu64 " rows of %" PRIu64 " lines\n", loading.rows,
                   loading.number);
    }
    return output_flush(context, status);
}
