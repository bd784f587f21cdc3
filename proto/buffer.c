/* buffer: growth and consumption; see buffer.h. */
#include "proto/buffer.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

int buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed) {
        return -1;
    }
    if (buffer->cap - buffer->len >= more) {
        return 0;
    }
    size_t need;
    if (__builtin_add_overflow(buffer->len, more, &need)) {
        buffer->failed = true;
        return -1;
    }
    size_t cap = buffer->cap > 0 ? buffer->cap : FIRST_CAPACITY;
    while (cap < need) {
        if (__builtin_mul_overflow(cap, (size_t)2, &cap)) {
            cap = need;
        }
    }
    uint8_t *data = realloc(buffer->data, cap);
    if (data == NULL) {
        buffer->failed = true;
        return -1;
    }
    buffer->data = data;
    buffer->cap = cap;
    return 0;
}

int buffer_append(struct buffer *buffer, const void *data, size_t len)
{
    if (buffer_reserve(buffer, len) < 0) {
        return -1;
    }
    if (len > 0) {
        memcpy(buffer->data + buffer->len, data, len);
        buffer->len += len;
    }
    return 0;
}

void buffer_consume(struct buffer *buffer, size_t len)
{
    if (len >= buffer->len) {
        buffer->len = 0;
        return;
    }
    memmove(buffer->data, buffer->data + len, buffer->len - len);
    buffer->len -= len;
}
