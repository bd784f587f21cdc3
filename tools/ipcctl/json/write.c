/* write: MessagePack values as JSON; see json.h. */
#include "proto/pack.h"
#include "proto/scan.h"
#include "proto/utf8.h"
#include "proto/value.h"
#include "tools/ipcctl/json/base64.h"
#include "tools/ipcctl/json/escape.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/json/forms.h"
#include "tools/ipcctl/json/moment.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the writer is: `rest` begins with the next header. */
struct writer {
    struct slice rest;
    struct buffer *out;
    json_descriptor *descriptor; /* or NULL */
    const void *data;
};

static void put(struct buffer *out, const char *text)
{
    (void)buffer_append(out, text, strlen(text));
}

static struct slice skip(struct slice bytes, size_t len)
{
    return (struct slice){bytes.data + len, bytes.len - len};
}

/* The escape of a character that cannot stand in a line of JSON as it is, or should not be shown as
 * it is; or NULL. */
static const char *escape_of(struct slice text, char room[ESCAPE_TEXT])
{
    switch (text.data[0]) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (!escape_is_unseen(text)) {
        return NULL;
    }
    escape_print(text, room);
    return room;
}

void json_write_string(struct slice text, struct buffer *out)
{
    put(out, "\"");
    while (text.len > 0) {
        char room[ESCAPE_TEXT];
        size_t len = utf8_character(text.data, text.len);
        const char *escape = len > 0 ? escape_of(text, room) : "\xef\xbf\xbd";
        if (escape != NULL) {
            put(out, escape);
        } else {
            (void)buffer_append(out, text.data, len);
        }
        text = skip(text, len > 0 ? len : 1);
    }
    put(out, "\"");
}

/* {"form": "text"} */
static void put_form(struct buffer *out, const char *form, const char *text)
{
    put(out, "{\"");
    put(out, form);
    put(out, "\": \"");
    put(out, text);
    put(out, "\"}");
}

static void put_base64(struct buffer *out, const char *form, struct slice bytes)
{
    put(out, "{\"");
    put(out, form);
    put(out, "\": \"");
    base64_encode(bytes, out);
    put(out, "\"}");
}

static void put_float(struct buffer *out, double number)
{
    if (isnan(number)) {
        put_form(out, FORM_FLOAT, "nan");
        return;
    }
    if (isinf(number)) {
        put_form(out, FORM_FLOAT, number > 0 ? "inf" : "-inf");
        return;
    }
    /* The fewest digits that read back as the same number; 17 always do. */
    char text[32];
    int digits = 15;
    do {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
    } while (strtod(text, NULL) != number && ++digits <= 17);
    put(out, text);
    put(out, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void put_str(struct buffer *out, struct slice text)
{
    if (value_is_utf8(text)) {
        json_write_string(text, out);
    } else {
        put_base64(out, FORM_STR, text);
    }
}

/* True if the bytes are the shortest form of a timestamp that has a text, which is then set. */
static bool timestamp_text(struct slice bytes, char text[MOMENT_TEXT])
{
    struct moment moment;
    struct header header;
    struct buffer again = {0};
    if (moment_decode(bytes, &moment) < 0 || moment_print(moment, text) < 0) {
        return false;
    }
    pack_timestamp(&again, moment.seconds, moment.nanoseconds);
    bool same = !again.failed && header_read(again.data, again.len, &header) == 0 &&
                slice_equal(bytes, skip(buffer_slice(&again), header.size));
    buffer_deinit(&again);
    return same;
}

static void put_ext(const struct writer *writer, int8_t type, struct slice bytes)
{
    struct buffer *out = writer->out;
    char text[MOMENT_TEXT];
    if (type == EXT_DESCRIPTOR && bytes.len == 1 && writer->descriptor != NULL &&
        writer->descriptor(writer->data, bytes.data[0], out)) {
        return;
    }
    if (type == EXT_TIMESTAMP && timestamp_text(bytes, text)) {
        put_form(out, FORM_TIMESTAMP, text);
        return;
    }
    if (type == EXT_REFERENCE && bytes.len > 0 && value_is_utf8(bytes)) {
        put(out, "{\"" FORM_OBJECT "\": ");
        json_write_string(bytes, out);
        put(out, "}");
        return;
    }
    (void)snprintf(text, sizeof(text), "{\"" FORM_EXT "\": [%d, \"", type);
    put(out, text);
    base64_encode(bytes, out);
    put(out, "\"]}");
}

static int order_slices(const void *left, const void *right)
{
    const struct slice *a = left;
    const struct slice *b = right;
    size_t common = a->len < b->len ? a->len : b->len;
    int order = common > 0 ? memcmp(a->data, b->data, common) : 0;
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static bool has_twice(struct slice *keys, size_t count)
{
    qsort(keys, count, sizeof(*keys), order_slices);
    for (size_t i = 1; i < count; i++) {
        if (slice_equal(keys[i - 1], keys[i])) {
            return true;
        }
    }
    return false;
}

/* Collects the keys of the map whose pairs begin at `rest`. false if one of them cannot be the name
 * of a JSON member. */
static bool collect_keys(struct slice rest, size_t count, struct slice *keys)
{
    for (size_t i = 0; i < count; i++) {
        struct header header;
        if (header_read(rest.data, rest.len, &header) != 0 || header.kind != KIND_STR ||
            header.length > rest.len - header.size) {
            return false;
        }
        keys[i] = (struct slice){rest.data + header.size, header.length};
        if (!value_is_utf8(keys[i]) ||
            (keys[i].len > 0 && memchr(keys[i].data, '\0', keys[i].len) != NULL)) {
            return false;
        }
        rest = skip(rest, header.size + header.length);
        rest = skip(rest, scan_length(rest.data, rest.len));
    }
    return true;
}

/* True if a map can be written as a JSON object that reads back as the same map. */
static bool is_plain_map(struct slice pairs, size_t count, struct buffer *out)
{
    if (count == 0 || count > pairs.len / 2) { /* empty, or not the whole map that was promised */
        return count == 0;
    }
    struct slice *keys = calloc(count, sizeof(*keys));
    if (keys == NULL) {
        out->failed = true;
        return false;
    }
    bool plain = collect_keys(pairs, count, keys) && !has_twice(keys, count) &&
                 !(count == 1 && json_form_of(keys[0]) != NULL);
    free(keys);
    return plain;
}

static void write_next(struct writer *writer);

static void write_elements(struct writer *writer, size_t count)
{
    put(writer->out, "[");
    for (size_t i = 0; i < count && writer->rest.len > 0; i++) {
        put(writer->out, i > 0 ? ", " : "");
        write_next(writer);
    }
    put(writer->out, "]");
}

static void write_map(struct writer *writer, size_t count)
{
    bool plain = is_plain_map(writer->rest, count, writer->out);
    put(writer->out, plain ? "{" : "{\"" FORM_MAP "\": [");
    for (size_t i = 0; i < count && writer->rest.len > 0; i++) {
        put(writer->out, i > 0 ? ", " : "");
        put(writer->out, plain ? "" : "[");
        write_next(writer);
        put(writer->out, plain ? ": " : ", ");
        write_next(writer);
        put(writer->out, plain ? "" : "]");
    }
    put(writer->out, plain ? "}" : "]}");
}

static void write_scalar(const struct header *header, struct buffer *out)
{
    char text[32];
    switch (header->kind) {
    case KIND_BOOL:
        put(out, header->b ? "true" : "false");
        break;
    case KIND_INT:
        (void)snprintf(text, sizeof(text), "%" PRId64, header->i);
        put(out, text);
        break;
    case KIND_UINT:
        (void)snprintf(text, sizeof(text), "%" PRIu64, header->u);
        put_form(out, FORM_UINT, text);
        break;
    case KIND_FLOAT:
        put_float(out, header->f);
        break;
    default:
        put(out, "null");
        break;
    }
}

static void write_next(struct writer *writer)
{
    struct header header;
    if (header_read(writer->rest.data, writer->rest.len, &header) != 0 ||
        header.length > writer->rest.len - header.size) {
        writer->rest.len = 0; /* not the whole value that was promised */
        put(writer->out, "null");
        return;
    }
    struct slice data = {writer->rest.data + header.size, header.length};
    writer->rest = skip(writer->rest, header.size + header.length);
    switch (header.kind) {
    case KIND_STR:
        put_str(writer->out, data);
        break;
    case KIND_BIN:
        put_base64(writer->out, FORM_BIN, data);
        break;
    case KIND_EXT:
        put_ext(writer, header.ext_type, data);
        break;
    case KIND_ARRAY:
        write_elements(writer, header.count);
        break;
    case KIND_MAP:
        write_map(writer, header.count);
        break;
    default:
        write_scalar(&header, writer->out);
        break;
    }
}

void json_write(struct slice value, struct buffer *out)
{
    json_write_with(value, NULL, NULL, out);
}

void json_write_with(struct slice value, json_descriptor *descriptor, const void *data,
                     struct buffer *out)
{
    struct writer writer = {value, out, descriptor, data};
    write_next(&writer);
}
