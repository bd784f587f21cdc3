/*
 * pool: the memory of outputs that are empty, for the next session that has something to say.
 *
 * A busy session finds memory that is warm; an idle one owns none. At most POOL_SIZE outputs are
 * kept, and none that has grown large.
 */
#pragma once

#include "daemon/call/output.h"

enum { POOL_SIZE = 8, POOL_BYTES_MAX = 64 * 1024, POOL_NOTES_MAX = 256 };

struct pool {
    struct output spare[POOL_SIZE]; /* owned, empty */
    unsigned count;
};

void pool_deinit(struct pool *pool);

/* Gives an output that has no memory some, if there is any. */
void pool_take(struct pool *pool, struct output *output);

/* Takes the memory of an output that is empty and was reset; it is left without any. */
void pool_give(struct pool *pool, struct output *output);
