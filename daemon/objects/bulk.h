/*
 * bulk: large pieces of memory, moved and freed in stretches (pace.h).
 *
 * Giving the pages of a large block back to the system takes a while too, so that is done before
 * the block is freed or made smaller, which is then quick. Small blocks stay whole: the heap uses
 * them again.
 */
#pragma once

#include <string.h>

#include "daemon/objects/pace.h"

enum { BULK_FREE_STEP = 512 }; /* bytes given back that count as one step */

/* As memmove, with the arguments in its order. */
void bulk_move(void *to, const void *from, size_t bytes, struct pace *pace);

/* As memcpy. */
static inline void bulk_copy(void *to, const void *from, size_t bytes, struct pace *pace)
{
    if (__builtin_expect(pace != NULL, 0)) {
        bulk_move(to, from, bytes, pace);
    } else {
        memcpy(to, from, bytes);
    }
}

/* As free; `bytes` is the size of the block. NULL is allowed. */
void bulk_free(void *memory, size_t bytes, struct pace *pace);

/* Gives the pages of a block behind its first `keep` bytes back: what stands there is lost. To be
 * followed by a realloc to that size. */
void bulk_give_back(void *memory, size_t keep, size_t bytes, struct pace *pace);

/* The steps that it takes, at most, to free so many values of an object that has `bytes`. A few of
 * them, of whatever size, are no matter. */
uint64_t bulk_drop_steps(uint64_t values, uint64_t bytes);
