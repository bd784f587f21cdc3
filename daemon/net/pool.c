/*
 * pool: see pool.h.
 *
 * Tests: tests/unit/net/test_connection.c.
 */
#include "daemon/net/pool.h"

#include <assert.h>

void pool_deinit(struct pool *pool)
{
    while (pool->count > 0) {
        output_deinit(&pool->spare[--pool->count]);
    }
}

void pool_take(struct pool *pool, struct output *output)
{
    if (output->bytes.cap == 0 && output->splices_cap == 0 && output->undelivered_cap == 0 &&
        pool->count > 0) {
        *output = pool->spare[--pool->count];
    }
}

void pool_give(struct pool *pool, struct output *output)
{
    assert(output->bytes.len == 0 && output->nsplices == 0 && output->nundelivered == 0);
    if (output->bytes.cap > 0 && output->bytes.cap <= POOL_BYTES_MAX && pool->count < POOL_SIZE &&
        output->splices_cap <= POOL_NOTES_MAX && output->undelivered_cap <= POOL_NOTES_MAX) {
        pool->spare[pool->count++] = *output;
        *output = (struct output){0};
    } else {
        output_deinit(output);
    }
}
