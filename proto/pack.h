/*
 * pack: MessagePack into a struct buffer, with msgpack-c's packer.
 *
 * Thin wrappers that give the packer a buffer to write to; the compiler sees through the callback,
 * so that packing an integer is a few stores. None of them reports failure: the buffer latches it
 * (buffer.h). Encodings are the shortest ones, floats are float64.
 */
#pragma once

#include "proto/buffer.h"

void pack_nil(struct buffer *buffer);
void pack_bool(struct buffer *buffer, bool value);
void pack_int(struct buffer *buffer, int64_t value);
void pack_uint(struct buffer *buffer, uint64_t value);
void pack_double(struct buffer *buffer, double value);
void pack_array(struct buffer *buffer, size_t count); /* header; the elements follow */
void pack_map(struct buffer *buffer, size_t count);   /* header; the pairs follow */
void pack_str(struct buffer *buffer, struct slice text);
void pack_string(struct buffer *buffer, const char *text); /* NUL-terminated; NULL packs nil */
void pack_bin(struct buffer *buffer, struct slice bytes);
void pack_ext(struct buffer *buffer, int8_t type, struct slice bytes);
void pack_raw(struct buffer *buffer, struct slice value); /* an encoded value, as it is */

/* A point of time as MessagePack's timestamp (ext type -1), in its shortest form. */
void pack_timestamp(struct buffer *buffer, int64_t seconds, uint32_t nanoseconds);

/* "key": value, for the maps that describe something. */
void pack_key_int(struct buffer *buffer, const char *key, int64_t value);
void pack_key_uint(struct buffer *buffer, const char *key, uint64_t value);
void pack_key_bool(struct buffer *buffer, const char *key, bool value);
void pack_key_str(struct buffer *buffer, const char *key, struct slice value);
void pack_key_string(struct buffer *buffer, const char *key, const char *value);

/*
 * A map whose number of pairs is known only at the end: begin reserves a header of fixed width
 * and returns where it stands, end writes the count into it. The same for arrays. These headers
 * are map32 and array32: valid MessagePack, though not the shortest.
 */
size_t pack_map_begin(struct buffer *buffer);
void pack_map_end(struct buffer *buffer, size_t at, size_t count);
size_t pack_array_begin(struct buffer *buffer);
void pack_array_end(struct buffer *buffer, size_t at, size_t count);
