/*
 * Slices of a list, by Python's rules, and the insertion of several values; see list.h.
 *
 * New values are first made beside the list, so that what they cost is known before anything is
 * changed.
 */
#include "daemon/objects/list.h"

#include <stdlib.h>

#include "proto/message.h"

/* Ranges. */

/* An index as Python's slices take it: counted from the end if it is negative, and clamped to
 * `low` … `high`. */
static int64_t bound(int64_t index, int64_t len, int64_t low, int64_t high)
{
    int64_t position = index < 0 ? index + len : index;
    return position < low ? low : position > high ? high : position;
}

int list_range(const struct list *list, const int64_t *start, const int64_t *stop,
               const int64_t *step, struct list_range *out)
{
    int64_t len = list_len(list);
    int64_t by = step == NULL ? 1 : *step;
    if (by == 0) {
        return ERR_VALUE;
    }
    if (by < -INT64_MAX) {
        by = -INT64_MAX;
    }
    int64_t low = by > 0 ? 0 : -1;
    int64_t high = by > 0 ? len : len - 1;
    int64_t from = start != NULL ? bound(*start, len, low, high) : by > 0 ? low : high;
    int64_t to = stop != NULL ? bound(*stop, len, low, high) : by > 0 ? high : low;
    int64_t distance = by > 0 ? to - from : from - to;
    int64_t stride = by > 0 ? by : -by;
    *out = (struct list_range){.start = from, .step = by};
    if (distance > 0) {
        out->count = (uint32_t)((distance - 1) / stride + 1);
    }
    return 0;
}

/* The same positions, from the lowest to the highest. */
static struct list_range upwards(const struct list_range *range)
{
    struct list_range up = *range;
    if (range->step < 0 && range->count > 0) {
        up.start = range->start + (range->count - 1) * range->step;
        up.step = -range->step;
    }
    return up;
}

static union cell *cell_of(const struct list *list, const struct list_range *range, uint32_t i)
{
    return cells_at(&list->cells, (uint32_t)(range->start + i * range->step));
}

static uint64_t range_cost(const struct list *list, const struct list_range *range)
{
    uint64_t cost = 0;
    for (uint32_t i = 0; i < range->count; i++) {
        cost += cell_cost(cell_of(list, range, i));
    }
    return cost;
}

/* Values that are not in the list yet. */

struct staged {
    union cell *cells;
    uint32_t count;
    uint64_t cost;
};

static void discard(struct staged *staged)
{
    for (uint32_t i = 0; i < staged->count; i++) {
        cell_deinit(staged->cells[i]);
    }
    free(staged->cells);
}

/* Makes cells of the elements of an encoded array. 0 or ERR_MEMORY (memory). */
static int stage(struct staged *staged, struct incoming array)
{
    struct header header;
    *staged = (struct staged){0};
    if (header_read(array.bytes.data, array.bytes.len, &header) != 0 || header.count == 0) {
        return 0;
    }
    staged->cells = malloc(header.count * sizeof(*staged->cells));
    if (staged->cells == NULL) {
        return ERR_MEMORY;
    }
    struct slice rest = slice_from(array.bytes, header.size);
    while (staged->count < header.count) {
        union cell *cell = &staged->cells[staged->count];
        struct incoming value = {value_next(&rest).raw, array.origin};
        if (cell_init(cell, value) != 0) {
            discard(staged);
            return ERR_MEMORY;
        }
        staged->cost += cell_cost(cell);
        staged->count++;
    }
    return 0;
}

/* Charges for what staged values cost more than the range they replace, and opens the room for
 * those `more` than it has. *charged is what then is charged for them and the array. */
static int admit(struct list *list, const struct list_range *range, const struct staged *staged,
                 uint32_t more, uint64_t *charged)
{
    struct cells *cells = &list->cells;
    uint32_t end = (uint32_t)range->start + range->count;
    if (more > LIST_MAX - cells->len) {
        return ERR_TOO_LARGE;
    }
    uint64_t have = range_cost(list, range) + cells_cost(cells);
    uint64_t need = staged->cost + cells_cost_after(cells, end, more);
    uint64_t cost = need > have ? need - have : 0;
    int status = object_charge(&list->object, cost);
    if (status == 0 && cells_open(cells, end, more) != 0) {
        object_release(&list->object, cost);
        status = ERR_MEMORY;
    }
    *charged = have + cost;
    return status;
}

/* Replaces a range by staged values, which belong to the list on success. If the step is not 1
 * there are as many of them as the range has. */
static int replace(struct list *list, const struct list_range *range, const struct staged *staged)
{
    uint32_t more = staged->count > range->count ? staged->count - range->count : 0;
    uint32_t less = staged->count < range->count ? range->count - staged->count : 0;
    uint64_t charged;
    int status = admit(list, range, staged, more, &charged);
    if (status != 0) {
        return status;
    }
    for (uint32_t i = 0; i < range->count; i++) {
        cell_deinit(*cell_of(list, range, i));
    }
    cells_close(&list->cells, (uint32_t)range->start + staged->count, less);
    for (uint32_t i = 0; i < staged->count; i++) {
        *cell_of(list, range, i) = staged->cells[i];
    }
    object_release(&list->object, charged - staged->cost - cells_cost(&list->cells));
    return 0;
}

/* A range has been replaced by so many values. */
static void tell_replaced(struct list *list, const struct list_range *range, uint32_t count)
{
    struct list_range up = upwards(range);
    if (range->count == 0 && count == 0) {
        return;
    }
    if (range->count == 0) {
        list_tell(list, EVENT_insert, (uint64_t)up.start, count, 0);
    } else if (count == 0 && up.step == 1) {
        list_tell(list, EVENT_delete, (uint64_t)up.start, range->count, 0);
    } else {
        list_tell(list, EVENT_set_slice, (uint64_t)up.start, range->count, count);
    }
}

int list_set_range(struct list *list, const struct list_range *range, struct incoming array)
{
    struct staged staged;
    int status = stage(&staged, array);
    if (status != 0) {
        return status;
    }
    bool fits = range->step == 1 || staged.count == range->count;
    status = fits ? replace(list, range, &staged) : ERR_VALUE;
    if (status == 0) {
        free(staged.cells);
        tell_replaced(list, range, staged.count);
    } else {
        discard(&staged);
    }
    return status;
}

int list_extend(struct list *list, struct incoming array)
{
    struct list_range end = {.start = list_len(list), .step = 1, .count = 0};
    return list_set_range(list, &end, array);
}

/* Moves the cells between those of a range together; what is free is then at the end. */
static void pack_around(struct list *list, const struct list_range *range)
{
    uint32_t gone = 0;
    for (uint32_t i = (uint32_t)range->start; i < list_len(list); i++) {
        if (gone < range->count && i == range->start + gone * range->step) {
            gone++;
        } else {
            *cells_at(&list->cells, i - gone) = *cells_at(&list->cells, i);
        }
    }
}

void list_delete_range(struct list *list, const struct list_range *range)
{
    struct list_range up = upwards(range);
    uint64_t before = range_cost(list, &up) + cells_cost(&list->cells);
    uint32_t close_at = (uint32_t)up.start;
    for (uint32_t i = 0; i < up.count; i++) {
        cell_deinit(*cell_of(list, &up, i));
    }
    if (up.step != 1) {
        pack_around(list, &up);
        close_at = list_len(list) - up.count;
    }
    cells_close(&list->cells, close_at, up.count);
    object_release(&list->object, before - cells_cost(&list->cells));
    tell_replaced(list, &up, 0);
}
