/*
 * blob: a stored value on its own, counted by reference.
 *
 * Values of BLOB_MIN bytes and more are kept as blobs everywhere, so that an answer can hold a
 * reference to the bytes instead of a copy of them; smaller ones are packed into the structure
 * that stores them. The bytes never change once a blob is made.
 */
#pragma once

#include "proto/slice.h"

enum { BLOB_MIN = 4096 };

struct blob {
    uint32_t refs;
    uint32_t len;
    uint8_t data[];
};

/* A blob with one reference that holds a copy of the bytes, or NULL for want of memory. */
struct blob *blob_new(struct slice bytes);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* frees it with the last reference; NULL is allowed */

/* What a blob of this many bytes costs in memory: the figure that is charged. */
static inline size_t blob_cost(size_t len)
{
    return sizeof(struct blob) + len + 16;
}

/* A stored value as an operation shows it: the bytes, valid until the object next changes, and the
 * blob they are in, if they are in one (not a reference: whoever keeps it takes his own). */
struct stored {
    struct slice bytes;
    struct blob *blob;
};
