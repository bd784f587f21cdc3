/*
 * blob: a stored value on its own, counted by reference.
 *
 * Values of BLOB_MIN bytes and more are kept as blobs everywhere, so that an answer can hold a
 * reference to the bytes instead of a copy of them, and so are values that carry descriptors or
 * references to objects; other ones may be packed into the structure that stores them. The bytes
 * never change once a blob is made.
 */
#pragma once

#include "daemon/objects/attachment.h"

enum { BLOB_MIN = 4096 };

struct blob {
    uint32_t refs;
    uint32_t len;
    struct attachments *attachments; /* owned; NULL: the value carries nothing */
    uint8_t data[];
};

/* A blob with one reference that holds a copy of the bytes, or NULL for want of memory. */
struct blob *blob_new(struct incoming value);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* frees it with the last reference; NULL is allowed */

/* A blob for a value that must be one: 0 with *out set, or NULL in *out if the value may be packed
 * instead (it is shorter than BLOB_MIN and carries nothing). ERR_MEMORY for want of memory. */
int blob_if_needed(struct incoming value, struct blob **out);

/* True if a durable object may have the value: it carries no descriptor, and refers to durable
 * objects only. */
bool blob_is_lasting(const struct blob *blob);

/* What a blob costs in memory: the figure that is charged. */
size_t blob_cost(const struct blob *blob);
/* What a blob of so many bytes will cost, if its value carries nothing. */
size_t blob_cost_of(size_t bytes);

/* A stored value as an operation shows it: the bytes, valid until the object next changes, and the
 * blob they are in, if they are in one (not a reference: whoever keeps it takes his own). */
struct stored {
    struct slice bytes;
    struct blob *blob;
};

static inline struct stored stored_blob(struct blob *blob)
{
    return (struct stored){.bytes = {blob->data, blob->len}, .blob = blob};
}
