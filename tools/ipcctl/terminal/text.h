/*
 * text: pieces of text for people, appended to buffers: always valid UTF-8 on one line, whatever
 * comes in, and measured as a terminal shows it. text_setup must have run for widths to be right.
 */
#pragma once

#include "proto/buffer.h"

/* Makes the C library take text as UTF-8, whatever the user's locale is. */
void text_setup(void);

/* Appends a C string as it is, and what printf would print. */
void text_put(struct buffer *out, const char *text);
void text_format(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends the text; characters that are not seen (escape.h) as \uXXXX, bytes that are no UTF-8 as
 * U+FFFD. */
void text_plain(struct buffer *out, struct slice text);

/* Appends a text for programs to read: only control characters are escaped, which no name has, so
 * that a name is what it is. */
void text_exact(struct buffer *out, struct slice text);

/* Appends what text_plain does, and spaces behind it up to `width` columns. */
void text_padded(struct buffer *out, struct slice text, size_t width);

/* Appends a name: as it is if it is a plain word, else as a JSON string, so that it stays one word
 * for the eye. */
void text_name(struct buffer *out, struct slice name);

/* Appends a length of time in at most two units: "4ms", "1.5s", "12s", "3m20s", "2h5m", "3d4h". */
void text_time(struct buffer *out, int64_t milliseconds);

/* Appends a number of bytes, with a larger unit from 1024 on: "3272704 (3.1 MiB)". */
void text_bytes(struct buffer *out, int64_t bytes);

/* The columns that valid UTF-8 takes on a terminal. */
size_t text_width(struct slice text);

/* Appends the text, or as much of it as fits with "…" at its end, in at most `width` columns. */
void text_cut(struct buffer *out, struct slice text, size_t width);
