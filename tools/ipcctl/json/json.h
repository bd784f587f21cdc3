/*
 * json: MessagePack values as JSON, and back.
 *
 * What JSON has is written as it is: nil, booleans, integers of 64 bits with sign, floats (always
 * with a point or an exponent, so that 1.0 stays a float), UTF-8 strings, arrays, and maps with
 * string keys. What it lacks is an object with one member:
 *
 *     {"$bin": "base64"}                    bin
 *     {"$ext": [type, "base64"]}            ext
 *     {"$timestamp": "2026-01-31T12:00:00Z"}  ext type -1 (RFC 3339; any offset is understood)
 *     {"$object": "name"}                   ext type 1, a reference to an object
 *     {"$fd": {"type": "file", ...}}        ext type 2, an open file (descriptor.h); only written
 *     {"$uint": "18446744073709551615"}     an integer above 9223372036854775807
 *     {"$float": "nan"}                     nan, inf, -inf
 *     {"$str": "base64"}                    a str that is not UTF-8
 *     {"$map": [[key, value], ...]}         a map with other keys than UTF-8 strings, with the
 *                                           same key twice, or that looks like one of these forms
 *
 * Reading back what was written gives an equal value (proto/value.h), with these exceptions: an
 * open file cannot be read back; a NaN becomes the usual one, and of a timestamp that is not in its
 * shortest form the bytes are kept by writing it as "$ext". Memory: running out of it is latched in
 * the buffer (proto/buffer.h).
 */
#pragma once

#include "proto/buffer.h"

enum { JSON_ERROR_TEXT = 256 };

/* Appends the value as JSON on one line. `value` is a whole, valid encoding. The text is valid
 * UTF-8; characters that are not seen (escape.h) are escaped in it. */
void json_write(struct slice value, struct buffer *out);

/* Appends the form for the descriptor of this index; false if there is none, and nothing is. */
typedef bool json_descriptor(const void *data, uint8_t index, struct buffer *out);

/* Appends a value that came with descriptors as json_write does, but for these: `descriptor`, which
 * is called with `data`, appends what each of them is. */
void json_write_with(struct slice value, json_descriptor *descriptor, const void *data,
                     struct buffer *out);

/* Appends the string as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD. */
void json_write_string(struct slice text, struct buffer *out);

/* What is wrong with a text. */
struct json_error {
    char text[JSON_ERROR_TEXT]; /* a sentence without its point */
    bool malformed;             /* it is not JSON; else it is, but stands for no value */
    size_t line;                /* where, counted from 1; 0: not known */
};

/* Appends the encoding of the value that the JSON text stands for. 0, or -1 with *error set; then
 * *out is as it was. */
int json_read(struct slice text, struct buffer *out, struct json_error *error);
