/*
 * cells: an array of stored values that grows and shrinks anywhere in it: at both ends in constant
 * time on average, in the middle by moving the shorter side.
 *
 * A cell is 8 bytes. A value of up to 7 encoded bytes (numbers, nil, booleans, short strings) that
 * carries nothing stands in the cell itself; any other one is a blob. Free cells are kept before
 * the first and behind the last one. Memory follows the number of cells down as well as up.
 *
 * What moves, copies or frees many cells takes a pace (NULL: in one go). While it gives way every
 * cell from the first to the last has a value, though not all of them are where they belong.
 */
#pragma once

#include "daemon/objects/blob.h"
#include "daemon/objects/pace.h"

enum { CELL_INLINE_MAX = 7 };

union cell {
    struct blob *blob; /* a reference */
    uint8_t bytes[8];  /* [0] odd: the value's length << 1 | 1, and then its bytes */
};

/* Keeps a copy of a value (never empty) in *cell. 0, or ERR_MEMORY for want of memory. */
int cell_init(union cell *cell, struct incoming value);
void cell_deinit(union cell cell);
/* Gives the value of a cell up; another one, without meaning, stands in its place. Returns the
 * steps that it took. */
size_t cell_drop(union cell *cell);
/* Another cell with the same value, which may share its blob. */
union cell cell_copy(union cell cell);
/* The value in the cell, valid as long as the cell stays where it is. */
struct stored cell_value(const union cell *cell);
/* What it costs besides the cell itself. A blob that several cells share costs each the whole. */
size_t cell_cost(const union cell *cell);
/* The steps that it takes to drop it. */
size_t cell_drop_steps(const union cell *cell);

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

/* Makes room, so that cells_open of `count` cells before `index` (at most len) cannot fail; at the
 * end also in parts. At most 2^31 cells in all. 0, or ERR_MEMORY for want of memory. */
int cells_reserve(struct cells *cells, uint32_t index, uint32_t count, struct pace *pace);

/* Puts copies of `count` cells before `index`; with them go their references to blobs. They may
 * stand in the array itself if there is room behind it and nothing has to move. 0, or ERR_MEMORY
 * for want of memory: they are still the caller's. */
int cells_open(struct cells *cells, uint32_t index, const union cell *values, uint32_t count,
               struct pace *pace);

/* Closes over `count` cells from `index` on. What was in them is the caller's to deinit, afterwards
 * or before by cell_drop. */
void cells_close(struct cells *cells, uint32_t index, uint32_t count, struct pace *pace);

/* Drops all values and the memory. */
void cells_deinit(struct cells *cells, struct pace *pace);

/* Bytes of the array: what is charged beside the values; and as it is after a cells_open. */
size_t cells_cost(const struct cells *cells);
size_t cells_cost_after(const struct cells *cells, uint32_t index, uint32_t count);
/* The difference of the two. */
size_t cells_growth(const struct cells *cells, uint32_t index, uint32_t count);

/* The steps (pace.h) that cells_open and cells_close take to move the others, at most. */
uint64_t cells_open_steps(const struct cells *cells, uint32_t index, uint32_t count);
uint64_t cells_close_steps(const struct cells *cells, uint32_t index, uint32_t count);
