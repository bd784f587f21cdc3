/*
 * print: a value as text for people; see value_print in value.h.
 *
 * The text is put together from pieces that are never cut in two: a character, an escape, a number,
 * a bracket. The first piece that goes over the limit becomes "…" and ends the printing, so the
 * work is bounded by the limit and not by the value.
 */
#include "proto/utf8.h"
#include "proto/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct printer {
    struct slice value;
    size_t at; /* the next header in it */
    struct buffer *out;
    size_t room; /* bytes left of the limit */
    bool stopped;
};

static void put(struct printer *printer, const void *piece, size_t len)
{
    if (printer->stopped) {
        return;
    }
    if (len > printer->room) {
        piece = "…";
        len = strlen(piece);
        printer->stopped = true;
    } else {
        printer->room -= len;
    }
    printer->stopped |= buffer_append(printer->out, piece, len) < 0;
}

static void put_text(struct printer *printer, const char *text)
{
    put(printer, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void put_format(struct printer *printer,
                                                             const char *format, ...)
{
    char text[32];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len > 0) {
        put_text(printer, text);
    }
}

static void put_float(struct printer *printer, double value)
{
    if (isnan(value)) {
        put_text(printer, "NaN");
        return;
    }
    if (isinf(value)) {
        put_text(printer, value > 0 ? "Infinity" : "-Infinity");
        return;
    }
    /* The fewest digits that read back as the same number; 17 always do. */
    char text[32];
    int digits = 15;
    do {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
    } while (strtod(text, NULL) != value && ++digits <= 17);
    put_format(printer, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

/* JSON's short escape for a byte, or 0. */
static char short_escape(uint8_t byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* Puts the first character of `text` and answers how many bytes it took. */
static size_t put_character(struct printer *printer, struct slice text)
{
    uint8_t first = text.data[0];
    size_t len = utf8_character(text.data, text.len);
    if (short_escape(first) != 0) {
        put_format(printer, "\\%c", short_escape(first));
    } else if (len == 0) {
        put_format(printer, "\\x%02x", first);
        return 1;
    } else if (first < 0x20 || first == 0x7f) {
        put_format(printer, "\\u%04x", first);
    } else if (first == 0xc2 && text.data[1] < 0xa0) { /* the controls U+0080 to U+009F */
        put_format(printer, "\\u%04x", text.data[1]);
    } else {
        put(printer, text.data, len);
    }
    return len;
}

static void put_str(struct printer *printer, struct slice text)
{
    put_text(printer, "\"");
    while (text.len > 0 && !printer->stopped) {
        size_t used = put_character(printer, text);
        text = (struct slice){text.data + used, text.len - used};
    }
    put_text(printer, "\"");
}

static void put_bytes(struct printer *printer, struct slice bytes)
{
    put_text(printer, "b\"");
    for (size_t i = 0; i < bytes.len && !printer->stopped; i++) {
        uint8_t byte = bytes.data[i];
        if (byte < 0x20 || byte > 0x7e) {
            put_format(printer, "\\x%02x", byte);
        } else if (byte == '"' || byte == '\\') {
            put_format(printer, "\\%c", byte);
        } else {
            put(printer, &byte, 1);
        }
    }
    put_text(printer, "\"");
}

static void put_value(struct printer *printer);

static void put_ext(struct printer *printer, int type, struct slice body)
{
    if (type == EXT_REFERENCE) {
        put_text(printer, "reference(");
        put_str(printer, body);
    } else if (type == EXT_DESCRIPTOR && body.len == 1) {
        put_format(printer, "descriptor(%u", body.data[0]);
    } else {
        put_format(printer, "ext(%d, ", type);
        put_bytes(printer, body);
    }
    put_text(printer, ")");
}

static void put_array(struct printer *printer, uint32_t count)
{
    put_text(printer, "[");
    for (uint32_t i = 0; i < count && !printer->stopped; i++) {
        put_text(printer, i > 0 ? ", " : "");
        put_value(printer);
    }
    put_text(printer, "]");
}

static void put_map(struct printer *printer, uint32_t count)
{
    put_text(printer, "{");
    for (uint32_t i = 0; i < count && !printer->stopped; i++) {
        put_text(printer, i > 0 ? ", " : "");
        put_value(printer);
        put_text(printer, ": ");
        put_value(printer);
    }
    put_text(printer, "}");
}

static void put_scalar(struct printer *printer, const struct header *header)
{
    switch (header->kind) {
    case KIND_NIL:
        put_text(printer, "null");
        break;
    case KIND_BOOL:
        put_text(printer, header->b ? "true" : "false");
        break;
    case KIND_INT:
        put_format(printer, "%" PRId64, header->i);
        break;
    case KIND_UINT:
        put_format(printer, "%" PRIu64, header->u);
        break;
    default:
        put_float(printer, header->f);
        break;
    }
}

/* Puts the value at printer->at and steps behind it. Values within values are at most
 * SCAN_DEPTH_MAX deep, and so is this recursion. */
static void put_value(struct printer *printer)
{
    struct header header;
    const uint8_t *start = printer->value.data + printer->at;
    size_t left = printer->value.len - printer->at;
    if (header_read(start, left, &header) != 0 || header.length > left - header.size) {
        printer->stopped = true;
        return;
    }
    struct slice body = {start + header.size, header.length};
    printer->at += header.size + header.length;
    switch (header.kind) {
    case KIND_STR:
        put_str(printer, body);
        break;
    case KIND_BIN:
        put_bytes(printer, body);
        break;
    case KIND_EXT:
        put_ext(printer, header.ext_type, body);
        break;
    case KIND_ARRAY:
        put_array(printer, header.count);
        break;
    case KIND_MAP:
        put_map(printer, header.count);
        break;
    default:
        put_scalar(printer, &header);
        break;
    }
}

void value_print(struct slice value, size_t limit, struct buffer *out)
{
    struct printer printer = {.value = value, .out = out, .room = limit};
    put_value(&printer);
}
