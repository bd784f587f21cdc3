/*
 * cells: an array of stored values that grows and shrinks anywhere in it: at both ends in constant
 * time on average, in the middle by moving the shorter side.
 *
 * A cell is 8 bytes. A value of up to 7 encoded bytes (numbers, nil, booleans, short strings) that
 * carries nothing stands in the cell itself; any other one is a blob. Free cells are kept before
 * the first and behind the last one. Memory follows the number of cells down as well as up.
 */
#pragma once

#include "daemon/objects/blob.h"

enum { CELL_INLINE_MAX = 7 };

union cell {
    struct blob *blob; /* a reference */
    uint8_t bytes[8];  /* [0] odd: the value's length << 1 | 1, and then its bytes */
};

/* Keeps a copy of a value (never empty) in *cell. 0, or ERR_MEMORY for want of memory. */
int cell_init(union cell *cell, struct incoming value);
void cell_deinit(union cell cell);
/* Another cell with the same value, which may share its blob. */
union cell cell_copy(union cell cell);
/* The value in the cell, valid as long as the cell stays where it is. */
struct stored cell_value(const union cell *cell);
/* What it costs besides the cell itself. A blob that several cells share costs each the whole. */
size_t cell_cost(const union cell *cell);

struct cells {
    union cell *array; /* owned */
    uint32_t cap;
    uint32_t start; /* free cells before the first one */
    uint32_t len;
};

static inline union cell *cells_at(const struct cells *cells, uint32_t index)
{
    return cells->array + cells->start + index;
}

/* Opens room for `count` cells before `index` (at most len); they are the caller's to fill. At most
 * 2^31 cells in all. 0, or ERR_MEMORY for want of memory. */
int cells_open(struct cells *cells, uint32_t index, uint32_t count);

/* Closes over `count` cells from `index` on, which the caller has dealt with. */
void cells_close(struct cells *cells, uint32_t index, uint32_t count);

/* Drops all values and the memory. */
void cells_deinit(struct cells *cells);

/* Bytes of the array: what is charged beside the values; and the same after a cells_open. */
size_t cells_cost(const struct cells *cells);
size_t cells_cost_after(const struct cells *cells, uint32_t index, uint32_t count);
