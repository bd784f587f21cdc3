/*
 * Slices of a list, by Python's rules, and the insertion of several values; see list.h.
 *
 * Tests: tests/unit/objects/test_list.c, test_list_steps.c and model_list.c.
 *
 * New values are first made beside the list, so that what they cost is known before anything is
 * changed.
 */
#include "daemon/objects/list_rows.h"

#include <stdlib.h>

#include "daemon/objects/bulk.h"
#include "daemon/objects/walk.h"

enum { FEW_CELLS = 16 }; /* moved one by one */

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

/* The positions of a range, from the lowest to the highest. */
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

static uint64_t range_cost(const struct list *list, const struct list_range *range,
                           struct pace *pace)
{
    uint64_t cost = 0;
    for (uint32_t i = 0; i < range->count; i++) {
        cost += cell_cost(cell_of(list, range, i));
        pace_each(pace, i);
    }
    return cost;
}

static void drop_range(const struct list *list, const struct list_range *range, struct pace *pace)
{
    size_t steps = 0;
    for (uint32_t i = 0; i < range->count; i++) {
        steps += cell_drop(cell_of(list, range, i));
        if (steps >= PACE_STRETCH) {
            pace_step(pace, steps);
            steps = 0;
        }
    }
}

/* Values that are not in the list yet. */

struct staged {
    union cell *cells;
    uint32_t count;
    uint64_t cost;
};

static void discard(struct staged *staged, struct pace *pace)
{
    for (uint32_t i = 0; i < staged->count; i++) {
        pace_step(pace, cell_drop_steps(&staged->cells[i]));
        cell_deinit(staged->cells[i]);
    }
    bulk_free(staged->cells, staged->count * sizeof(*staged->cells), pace);
}

/* Makes cells of the elements of an encoded array. 0 or ERR_MEMORY (memory). */
static int stage(struct staged *staged, struct incoming array, struct pace *pace)
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
        struct incoming value = {walk_next(&rest, pace).raw, array.origin, pace};
        if (cell_init(cell, value) != 0) {
            discard(staged, pace);
            return ERR_MEMORY;
        }
        staged->cost += cell_cost(cell);
        staged->count++;
        pace_step(pace, 1 + value.bytes.len / PACE_STEP_BYTES);
    }
    return 0;
}

/* Charges for what staged values cost more than the range they replace, and opens the room for
 * those `more` than it has. *charged is what then is charged for them and the array. */
static int admit(struct list *list, const struct list_range *range, const struct staged *staged,
                 uint32_t more, uint64_t *charged, struct pace *pace)
{
    struct cells *cells = &list->cells;
    uint32_t end = (uint32_t)range->start + range->count;
    if (more > LIST_MAX - cells->len) {
        return ERR_TOO_LARGE;
    }
    uint64_t have = range_cost(list, range, pace) + cells_cost(cells);
    uint64_t need = staged->cost + cells_cost_after(cells, end, more);
    uint64_t cost = need > have ? need - have : 0;
    int status = object_charge(&list->object, cost);
    if (status == 0 &&
        cells_open(cells, end, more > 0 ? staged->cells + range->count : NULL, more, pace) != 0) {
        object_release(&list->object, cost);
        status = ERR_MEMORY;
    }
    *charged = have + cost;
    return status;
}

/* Replaces a range by staged values, which belong to the list on success. If the step is not 1
 * there are as many of them as the range has. */
static int replace(struct list *list, const struct list_range *range, const struct staged *staged,
                   struct pace *pace)
{
    uint32_t more = staged->count > range->count ? staged->count - range->count : 0;
    uint32_t less = staged->count < range->count ? range->count - staged->count : 0;
    uint64_t charged;
    int status = admit(list, range, staged, more, &charged, pace);
    if (status != 0) {
        return status;
    }
    drop_range(list, range, pace);
    for (uint32_t i = 0; i < range->count && i < staged->count; i++) {
        *cell_of(list, range, i) = staged->cells[i];
        pace_each(pace, i);
    }
    cells_close(&list->cells, (uint32_t)range->start + staged->count, less, pace);
    object_release(&list->object, charged - staged->cost - cells_cost(&list->cells));
    return 0;
}

/* The same, of a durable list: where all others stand as they did, those of the range are noted. */
static void note_slice(struct list *list, const struct list_range *up, uint32_t count)
{
    if (up->count != count) {
        list_note_moved(list, (uint32_t)up->start);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        list_note_set(list, (uint32_t)(up->start + i * up->step));
    }
}

/* A range has been replaced by so many values. */
static void tell_replaced(struct list *list, const struct list_range *range, uint32_t count)
{
    struct list_range up = upwards(range);
    if (range->count == 0 && count == 0) {
        return;
    }
    if (range->count == 0) {
        list_changed(list, EVENT_insert, (uint64_t)up.start, count, 0);
    } else if (count == 0 && up.step == 1) {
        list_changed(list, EVENT_delete, (uint64_t)up.start, range->count, 0);
    } else {
        if (object_is_durable(&list->object)) {
            note_slice(list, &up, count);
        }
        list_changed(list, EVENT_set_slice, (uint64_t)up.start, range->count, count);
    }
}

int list_set_range(struct list *list, const struct list_range *range, struct incoming array,
                   struct pace *pace)
{
    struct staged staged;
    int status = stage(&staged, array, pace);
    if (status != 0) {
        return status;
    }
    bool fits = range->step == 1 || staged.count == range->count;
    status = fits ? replace(list, range, &staged, pace) : ERR_VALUE;
    if (status == 0) {
        bulk_free(staged.cells, staged.count * sizeof(*staged.cells), pace);
        tell_replaced(list, range, staged.count);
    } else {
        discard(&staged, pace);
    }
    return status;
}

int list_extend(struct list *list, struct incoming array, struct pace *pace)
{
    struct list_range end = {.start = list_len(list), .step = 1, .count = 0};
    return list_set_range(list, &end, array, pace);
}

uint64_t list_set_range_steps(const struct list *list, const struct list_range *range,
                              struct slice array)
{
    struct header header = {0};
    (void)header_read(array.data, array.len, &header);
    uint64_t staging = 2 * (uint64_t)header.count + array.len / PACE_STEP_BYTES;
    uint32_t start = (uint32_t)range->start;
    uint64_t moving = 0;
    if (range->step == 1 && header.count < range->count) {
        moving = cells_close_steps(&list->cells, start + header.count, range->count - header.count);
    } else if (range->step == 1) {
        uint32_t more = header.count - range->count;
        uint32_t most = LIST_MAX - list_len(list);
        moving = cells_open_steps(&list->cells, start + range->count, more < most ? more : most);
    }
    return staging + bulk_drop_steps(range->count, list->object.bytes) + moving;
}

/* Moves the cells between those of a range together; what is free is then at the end. */
static void pack_around(struct list *list, const struct list_range *range, struct pace *pace)
{
    union cell *to = cell_of(list, range, 0);
    const union cell *end = cells_at(&list->cells, list_len(list));
    for (uint32_t i = 0; i < range->count; i++) {
        const union cell *from = cell_of(list, range, i) + 1;
        const union cell *next = i + 1 < range->count ? cell_of(list, range, i + 1) : end;
        size_t count = (size_t)(next - from);
        if (count < FEW_CELLS) {
            while (from < next) {
                *to++ = *from++;
            }
        } else {
            bulk_move(to, from, count * sizeof(*to), pace);
            to += count;
        }
        pace_each(pace, i);
    }
}

void list_delete_range(struct list *list, const struct list_range *range, struct pace *pace)
{
    struct list_range up = upwards(range);
    uint64_t before = range_cost(list, &up, pace) + cells_cost(&list->cells);
    uint32_t close_at = (uint32_t)up.start;
    drop_range(list, &up, pace);
    if (up.step != 1 && up.count > 0) {
        pack_around(list, &up, pace);
        close_at = list_len(list) - up.count;
    }
    cells_close(&list->cells, close_at, up.count, pace);
    object_release(&list->object, before - cells_cost(&list->cells));
    tell_replaced(list, &up, 0);
}

uint64_t list_delete_range_steps(const struct list *list, const struct list_range *range)
{
    struct list_range up = upwards(range);
    uint64_t dropping = bulk_drop_steps(up.count, list->object.bytes);
    if (up.count > 0 && up.step != 1) {
        return dropping + list_len(list) +
               cells_close_steps(&list->cells, list_len(list) - up.count, up.count);
    }
    return dropping + cells_close_steps(&list->cells, (uint32_t)up.start, up.count);
}
