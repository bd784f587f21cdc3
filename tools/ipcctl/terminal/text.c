/* text: pieces of text for people; see text.h. */
#include "proto/utf8.h"
#include "tools/ipcctl/json/escape.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/terminal/text.h"

#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

void text_setup(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
}

void text_put(struct buffer *out, const char *text)
{
    (void)buffer_append(out, text, strlen(text));
}

void text_format(struct buffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text;
    if (vasprintf(&text, format, arguments) < 0) {
        out->failed = true;
    } else {
        text_put(out, text);
        free(text);
    }
    va_end(arguments);
}

/* Appends the text with those characters escaped that `needs_escape` is true of. */
static void put_escaped(struct buffer *out, struct slice text,
                        bool (*needs_escape)(struct slice text))
{
    while (text.len > 0) {
        size_t len = utf8_character(text.data, text.len);
        if (len == 0) {
            text_put(out, "\xef\xbf\xbd");
        } else if (needs_escape(text)) {
            char escape[ESCAPE_TEXT];
            escape_print(text, escape);
            text_put(out, escape);
        } else {
            (void)buffer_append(out, text.data, len);
        }
        len = len > 0 ? len : 1;
        text = (struct slice){text.data + len, text.len - len};
    }
}

void text_plain(struct buffer *out, struct slice text)
{
    put_escaped(out, text, escape_is_unseen);
}

void text_exact(struct buffer *out, struct slice text)
{
    put_escaped(out, text, escape_is_control);
}

void text_name(struct buffer *out, struct slice name)
{
    bool plain = name.len > 0;
    for (struct slice rest = name; rest.len > 0 && plain;) {
        size_t len = utf8_character(rest.data, rest.len);
        plain = len > 0 && !escape_is_unseen(rest) && strchr(" \"\\", rest.data[0]) == NULL;
        rest = (struct slice){rest.data + len, rest.len - len};
    }
    if (plain) {
        (void)buffer_append(out, name.data, name.len);
    } else {
        json_write_string(name, out);
    }
}

void text_time(struct buffer *out, int64_t milliseconds)
{
    int64_t seconds = milliseconds / 1000;
    if (milliseconds < 1000) {
        text_format(out, "%" PRId64 "ms", milliseconds);
    } else if (seconds < 10) {
        text_format(out, "%" PRId64 ".%" PRId64 "s", seconds, milliseconds / 100 % 10);
    } else if (seconds < 60) {
        text_format(out, "%" PRId64 "s", seconds);
    } else if (seconds < 3600) {
        text_format(out, "%" PRId64 "m%" PRId64 "s", seconds / 60, seconds % 60);
    } else if (seconds < 86400) {
        text_format(out, "%" PRId64 "h%" PRId64 "m", seconds / 3600, seconds / 60 % 60);
    } else {
        text_format(out, "%" PRId64 "d%" PRId64 "h", seconds / 86400, seconds / 3600 % 24);
    }
}

void text_bytes(struct buffer *out, int64_t bytes)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    double count = (double)bytes;
    size_t unit = 0;
    text_format(out, "%" PRId64, bytes);
    while (count >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        count /= 1024;
        unit++;
    }
    if (unit > 0) {
        text_format(out, " (%.1f %s)", count, units[unit]);
    }
}

/* The columns of the character at the front, which has `len` bytes. */
static size_t columns_of(struct slice text, size_t len)
{
    wchar_t wide;
    mbstate_t shift = {0};
    if (mbrtowc(&wide, (const char *)text.data, len, &shift) != len) {
        return 1;
    }
    int columns = wcwidth(wide);
    return columns < 0 ? 1 : (size_t)columns;
}

/* How many bytes of the text fit into `width` columns; *used is how many columns these take. */
static size_t fitting(struct slice text, size_t width, size_t *used)
{
    size_t at = 0;
    *used = 0;
    while (at < text.len) {
        struct slice rest = {text.data + at, text.len - at};
        size_t len = utf8_character(rest.data, rest.len);
        len = len > 0 ? len : 1;
        size_t columns = columns_of(rest, len);
        if (*used + columns > width) {
            break;
        }
        *used += columns;
        at += len;
    }
    return at;
}

size_t text_width(struct slice text)
{
    size_t used;
    (void)fitting(text, SIZE_MAX / 2, &used);
    return used;
}

void text_cut(struct buffer *out, struct slice text, size_t width)
{
    size_t used;
    size_t len = fitting(text, width, &used);
    if (len == text.len) {
        (void)buffer_append(out, text.data, text.len);
    } else if (width > 0) {
        len = fitting(text, width - 1, &used);
        (void)buffer_append(out, text.data, len);
        text_put(out, "…");
    }
}

void text_padded(struct buffer *out, struct slice text, size_t width)
{
    size_t start = out->len;
    text_plain(out, text);
    size_t used =
        out->failed ? width : text_width((struct slice){out->data + start, out->len - start});
    for (; used < width; used++) {
        text_put(out, " ");
    }
}
