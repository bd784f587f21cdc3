/*
 * slice: a stretch of bytes that somebody else owns.
 *
 * A slice is valid for as long as the bytes it points at are; every function that hands one out
 * says how long that is. A slice of length 0 may have any pointer, NULL included.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t len;
};

/* The bytes of a C string without its terminating NUL. */
static inline struct slice slice_of_string(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* What is left of a slice behind its first `count` bytes (count <= len). */
static inline struct slice slice_from(struct slice slice, size_t count)
{
    return (struct slice){slice.data + count, slice.len - count};
}
