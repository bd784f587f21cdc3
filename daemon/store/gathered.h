/*
 * gathered: what one commit is to do, in the order in which it was asked for.
 *
 * The rows are copied one behind the other into one buffer, so that handing them to another thread
 * is a swap of two structs. A zeroed struct is an empty one that owns nothing. Want of memory is
 * latched, as in struct buffer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/buffer.h"

enum change_kind { CHANGE_PUT, CHANGE_REMOVE, CHANGE_REMOVE_OBJECT };

struct change {
    enum change_kind kind;
    uint64_t object;
    struct slice key;
    struct slice value; /* of CHANGE_PUT */
};

struct gathered {
    struct buffer bytes;
    uint64_t count;
    bool failed; /* one is missing: there was no memory for it, or it was too long */
};

/* Adds one behind the others. */
void gathered_add(struct gathered *changes, const struct change *change);

/* The change that begins at *at (0 for the first), and moves *at behind it; false at the end. Its
 * slices are valid until the changes are next changed. */
bool gathered_next(const struct gathered *changes, size_t *at, struct change *out);

/* Forgets all of them; memory is kept for the next, if it is not much. */
void gathered_clear(struct gathered *changes);

void gathered_deinit(struct gathered *changes);
