/*
 * allocation: what a piece of memory really costs, for the charges.
 *
 * The C library rounds a request up to multiples of 16 bytes with 8 of its own, and to 32 at least.
 * Computed instead of asked for, so that it is known before the memory is taken.
 */
#pragma once

#include <stddef.h>

static inline size_t allocation_cost(size_t bytes)
{
    size_t cost = (bytes + 8 + 15) / 16 * 16;
    return bytes == 0 ? 0 : cost < 32 ? 32 : cost;
}
