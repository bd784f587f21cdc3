/*
 * cells: see cells.h.
 *
 * The shorter side moves. When there is no room for that, everything is placed anew within the
 * array, or in a larger one if less than an eighth of it would be free: with all of the free part
 * behind, or half of it before if the room was wanted nearer to the front. So both ends grow in
 * constant time on average, also in turns, and first in first out.
 */
#include "daemon/objects/cells.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/bulk.h"
#include "proto/error.h"

static_assert(sizeof(union cell) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the lowest bit of a blob's address, which is 0, stands in bytes[0]");

enum { CELLS_KEPT = 16 }; /* an array of that size is not made smaller */

static bool is_inline(union cell cell)
{
    return (cell.bytes[0] & 1) != 0;
}

int cell_init(union cell *cell, struct incoming value)
{
    struct blob *blob = NULL;
    if (value.bytes.len > CELL_INLINE_MAX) {
        blob = blob_new(value);
        if (blob == NULL) {
            return ERR_MEMORY;
        }
    } else if (value.origin != NULL && blob_if_needed(value, &blob) < 0) {
        return ERR_MEMORY;
    }
    if (blob != NULL) {
        cell->blob = blob;
        return 0;
    }
    *cell = (union cell){.bytes = {(uint8_t)(value.bytes.len << 1 | 1)}};
    memcpy(cell->bytes + 1, value.bytes.data, value.bytes.len);
    return 0;
}

void cell_deinit(union cell cell)
{
    if (!is_inline(cell)) {
        blob_unref(cell.blob);
    }
}

size_t cell_drop(union cell *cell)
{
    if (is_inline(*cell)) {
        return 1;
    }
    size_t steps = cell_drop_steps(cell);
    blob_unref(cell->blob);
    *cell = (union cell){.bytes = {1 << 1 | 1, 0xc0}};
    return steps;
}

union cell cell_copy(union cell cell)
{
    if (!is_inline(cell)) {
        (void)blob_ref(cell.blob);
    }
    return cell;
}

struct stored cell_value(const union cell *cell)
{
    if (is_inline(*cell)) {
        return (struct stored){{cell->bytes + 1, cell->bytes[0] >> 1}, NULL};
    }
    return stored_blob(cell->blob);
}

size_t cell_cost(const union cell *cell)
{
    return is_inline(*cell) ? 0 : blob_cost(cell->blob);
}

size_t cell_drop_steps(const union cell *cell)
{
    return is_inline(*cell) ? 1 : 2 + cell->blob->len / BULK_FREE_STEP;
}

static uint32_t behind(const struct cells *cells)
{
    return cells->cap - cells->start - cells->len;
}

/* True if a place is nearer to the front, counting the cells that would have to move. */
static bool nearer_front(const struct cells *cells, uint32_t index, uint32_t count)
{
    return index < cells->len - index - count;
}

/* True if the side that will move has room for `count` cells. */
static bool has_room(const struct cells *cells, uint32_t index, uint32_t count)
{
    return nearer_front(cells, index, 0) ? cells->start >= count : behind(cells) >= count;
}

/* The size of the array once `count` cells have been opened at `index`. */
static uint32_t cap_after(const struct cells *cells, uint32_t index, uint32_t count)
{
    uint32_t needed = cells->len + count;
    if (count == 0 || has_room(cells, index, count) ||
        (cells->cap >= needed && cells->cap - needed >= needed / 8)) {
        return cells->cap;
    }
    return needed + needed / 8 + 4;
}

static size_t array_size(uint32_t cap)
{
    return cap * sizeof(union cell);
}

static size_t array_cost(uint32_t cap)
{
    return allocation_cost(array_size(cap));
}

size_t cells_cost(const struct cells *cells)
{
    return array_cost(cells->cap);
}

size_t cells_cost_after(const struct cells *cells, uint32_t index, uint32_t count)
{
    return array_cost(cap_after(cells, index, count));
}

size_t cells_growth(const struct cells *cells, uint32_t index, uint32_t count)
{
    uint32_t cap = cap_after(cells, index, count);
    return cap == cells->cap ? 0 : array_cost(cap) - array_cost(cells->cap);
}

static int resize(struct cells *cells, uint32_t cap)
{
    union cell *array = realloc(cells->array, array_size(cap));
    if (array == NULL) {
        return ERR_MEMORY;
    }
    cells->array = array;
    cells->cap = cap;
    return 0;
}

static void move(struct cells *cells, uint32_t to, uint32_t from, uint32_t count, struct pace *pace)
{
    if (count > 0 && to != from) {
        bulk_move(cells->array + to, cells->array + from, count * sizeof(*cells->array), pace);
    }
}

/* Moves everything so that `start` cells are free in front. */
static void place(struct cells *cells, uint32_t start, struct pace *pace)
{
    move(cells, start, cells->start, cells->len, pace);
    cells->start = start;
}

int cells_reserve(struct cells *cells, uint32_t index, uint32_t count, struct pace *pace)
{
    if (count == 0 || has_room(cells, index, count)) {
        return 0;
    }
    uint32_t cap = cap_after(cells, index, count);
    if (cap != cells->cap && resize(cells, cap) != 0) {
        return ERR_MEMORY;
    }
    uint32_t spare = cap - cells->len - count;
    place(cells, nearer_front(cells, index, 0) ? count + spare / 2 : 0, pace);
    return 0;
}

int cells_open(struct cells *cells, uint32_t index, const union cell *values, uint32_t count,
               struct pace *pace)
{
    if (count == 0) {
        return 0;
    }
    bool front = nearer_front(cells, index, 0);
    if (cells_reserve(cells, index, count, pace) != 0) {
        return ERR_MEMORY;
    }
    uint32_t start = cells->start;
    if (front) {
        start -= count;
        move(cells, start, cells->start, index, pace);
    } else {
        move(cells, start + index + count, start + index, cells->len - index, pace);
    }
    /* The new cells count when all of them have their values. */
    if (count == 1) {
        cells->array[start + index] = *values;
    } else {
        bulk_move(cells->array + start + index, values, count * sizeof(*values), pace);
    }
    cells->start = start;
    cells->len += count;
    return 0;
}

/* The size that the array is made smaller to when there are so many cells in it, at the latest: or
 * cap, if it stays. */
static uint32_t cap_shrunk(const struct cells *cells, uint32_t len)
{
    return cells->cap > CELLS_KEPT && len < cells->cap / 3 ? len + len / 8 + 4 : cells->cap;
}

/* Gives memory back when two thirds of it are free; without memory for the smaller array the larger
 * one stays. */
static void shrink(struct cells *cells, struct pace *pace)
{
    uint32_t cap = cap_shrunk(cells, cells->len);
    if (cap != cells->cap) {
        place(cells, 0, pace);
        bulk_give_back(cells->array, array_size(cap), array_size(cells->cap), pace);
        (void)resize(cells, cap);
    }
}

void cells_close(struct cells *cells, uint32_t index, uint32_t count, struct pace *pace)
{
    if (count == 0) {
        return;
    }
    if (nearer_front(cells, index, count)) {
        move(cells, cells->start + count, cells->start, index, pace);
        cells->start += count;
    } else {
        uint32_t next = index + count;
        move(cells, cells->start + index, cells->start + next, cells->len - next, pace);
    }
    cells->len -= count;
    shrink(cells, pace);
}

/* Drops values from the first on, as many as make a stretch. */
static void drop_stretch(struct cells *cells, struct pace *pace)
{
    uint32_t dropped = 0;
    size_t steps = 0;
    for (; dropped < cells->len && steps < PACE_STRETCH; dropped++) {
        union cell *cell = cells_at(cells, dropped);
        steps += cell_drop_steps(cell);
        cell_deinit(*cell);
    }
    cells->start += dropped;
    cells->len -= dropped;
    pace_step(pace, steps);
}

void cells_deinit(struct cells *cells, struct pace *pace)
{
    while (cells->len > 0) {
        drop_stretch(cells, pace);
    }
    bulk_free(cells->array, array_size(cells->cap), pace);
    *cells = (struct cells){0};
}

/* What is to be expected. */

static uint64_t move_steps(uint64_t cells)
{
    return cells * sizeof(union cell) / PACE_STEP_BYTES;
}

uint64_t cells_open_steps(const struct cells *cells, uint32_t index, uint32_t count)
{
    uint32_t moved = nearer_front(cells, index, 0) ? index : cells->len - index;
    return move_steps(has_room(cells, index, count) ? moved : (uint64_t)moved + cells->len);
}

uint64_t cells_close_steps(const struct cells *cells, uint32_t index, uint32_t count)
{
    uint32_t left = cells->len - count;
    uint32_t moved = nearer_front(cells, index, count) ? index : left - index;
    uint32_t cap = cap_shrunk(cells, left);
    uint64_t shrinking = 0;
    if (cap != cells->cap) {
        shrinking = move_steps(left) + array_size(cells->cap - cap) / BULK_FREE_STEP;
    }
    return move_steps(moved) + shrinking;
}
