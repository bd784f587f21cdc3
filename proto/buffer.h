/*
 * buffer: bytes that grow at the end.
 *
 * Running out of memory is latched: the append fails, `failed` stays set, and everything appended
 * afterwards is dropped. So whoever builds a message appends freely and looks at `failed` once, at
 * the end. A zeroed struct buffer is an empty one that owns nothing.
 */
#pragma once

#include "proto/slice.h"

struct buffer {
    uint8_t *data; /* owned; NULL when cap is 0 */
    size_t len;
    size_t cap;
    bool failed; /* an append was dropped for want of memory */
};

/* Frees the bytes and leaves an empty buffer. */
void buffer_deinit(struct buffer *buffer);

/* Makes room for `more` bytes after the end. 0, or -1 with `failed` set. */
int buffer_reserve(struct buffer *buffer, size_t more);

/* Appends `len` bytes. 0, or -1 with `failed` set and nothing appended. */
int buffer_append(struct buffer *buffer, const void *data, size_t len);

/* Forgets the first `len` bytes (at most all of them) by moving the rest to the front. */
void buffer_consume(struct buffer *buffer, size_t len);

/* What is in it; valid until the buffer is next changed. */
static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->len};
}
