/*
 * value: what the protocol says about MessagePack values as data ("Values" there): canonical form,
 * equality, order, which ones may be keys, arithmetic, and a printed form for people.
 *
 * Every function takes whole, valid encodings: slices that scan or message_decode has accepted,
 * at most SCAN_DEPTH_MAX containers deep. None keeps a pointer to its arguments, none blocks; all
 * may be called from any thread.
 */
#pragma once

#include "proto/pack.h"
#include "proto/scan.h"

/* True if the bytes are their own canonical encoding (the usual case; cheap). */
bool value_is_canonical(struct slice value);

/* Appends the canonical encoding to *out: shortest headers and integers, float64 floats.
 * Want of memory is latched in the buffer. A value of n bytes becomes at most 9n/5 bytes long
 * (float32 to float64). */
void value_canonical(struct slice value, struct buffer *out);

/* True if both have the same canonical encoding. Takes no memory. */
bool value_equal(struct slice a, struct slice b);

/* 0 if the value may be a dict key. ERR_TYPE if not, with *why (if not NULL) set to a static text
 * that completes "a dict key cannot be …": "a map", "an array that holds a map", "NaN", … Object
 * references and descriptors are refused inside arrays too: their meaning is not in their bytes.
 * A NaN inside an array is not, since it is found again by its bytes. */
int value_check_key(struct slice value, const char **why);

/* The three for a large value, part by part: an encoding is a plain sequence of headers with their
 * bytes, and can be cut in front of any. value_part takes such a part off its front, of not much
 * more than `size` bytes if what is in it is short. value_canonical is right for parts as it is. */
struct slice value_part(struct slice *rest, size_t size);
bool value_part_is_canonical(struct slice part);
/* `first`: it is the first part of the key. */
int value_check_key_part(struct slice part, bool first, const char **why);

/* The order of list.sort and of priorities: *order is set to -1, 0 or 1. Integers and floats
 * compare by number, exactly (no rounding of an integer to a double); str and bin by their bytes,
 * a prefix first. Any other kind or a mixture is ERR_TYPE. NaN compares as Python's does: neither
 * less nor greater (0). */
int value_compare(struct slice a, struct slice b, int *order);

/* a + b, appended to *out in canonical form; a and b are numbers. Integer with integer gives an
 * integer, anything with a float a float. ERR_TYPE if one is no number (booleans are none);
 * ERR_RANGE if an integer result is outside -2^63 … 2^64-1. */
int value_add(struct slice a, struct slice b, struct buffer *out);

/* Appends the value as text for people and logs, cut off with "…" at about `limit` bytes: JSON
 * as far as JSON goes; bin as b"…" with \xNN, ext as ext(type, b"…"), those of the protocol's own
 * as reference("name") and descriptor(index), NaN and infinities by name, bytes of a str that are
 * no UTF-8 as \xNN. The text is valid UTF-8 without control characters, whatever the value holds.
 */
void value_print(struct slice value, size_t limit, struct buffer *out);

/* True if the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool value_is_utf8(struct slice text);
