/* list: see list.h. Slices are in list_range.c, sorting is in list_sort.c, rows are in list_rows.c.
 */
#include "daemon/objects/list_rows.h"

#include <stdlib.h>

#include "daemon/objects/bulk.h"
#include "proto/value.h"

/* The object. */

static void list_empty(struct object *object, struct pace *pace)
{
    list_clear(list_of(object), pace);
}

static uint64_t list_weight(const struct object *object)
{
    return list_clear_steps((const struct list *)object);
}

static size_t list_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    pack_key_uint(out, "size", list_len((const struct list *)object));
    return 1;
}

static void list_deinit(struct object *object)
{
    list_rows_free(list_of(object)->rows);
    list_loading_free(list_of(object));
}

const struct object_type list_type = {
    .kind = OBJECT_LIST,
    .size = sizeof(struct list),
    .deinit = list_deinit,
    .clear = list_empty,
    .describe = list_describe,
    .weight = list_weight,
    .make = list_make,
    .save = list_save,
    .load = list_load,
    .loaded = list_loaded,
    .durable = true,
};

int list_new(const struct object_options *common, struct list **out)
{
    struct list *list = calloc(1, sizeof(*list));
    if (list == NULL) {
        return ERR_MEMORY;
    }
    int status = common->lifetime == LIFETIME_DURABLE ? list_rows_new(list) : 0;
    status = status < 0 ? status : object_init(&list->object, &list_type, common);
    if (status != 0) {
        list_rows_free(list->rows);
        free(list);
        return status;
    }
    *out = list;
    return 0;
}

/* Positions. */

int list_position(const struct list *list, int64_t index, uint32_t *out)
{
    int64_t position = index < 0 ? index + list_len(list) : index;
    if (position < 0 || position >= list_len(list)) {
        return ERR_INDEX;
    }
    *out = (uint32_t)position;
    return 0;
}

uint32_t list_position_clamped(const struct list *list, int64_t index)
{
    int64_t position = index < 0 ? index + list_len(list) : index;
    return position < 0 ? 0 : position > list_len(list) ? list_len(list) : (uint32_t)position;
}

struct stored list_at(const struct list *list, uint32_t position)
{
    return cell_value(cells_at(&list->cells, position));
}

/* Changing one value. */

/* What is to be saved after an event. */
static void note(struct list *list, enum event_name event, uint32_t index, uint32_t count)
{
    switch (event) {
    case EVENT_insert:
        list_note_inserted(list, index, count);
        break;
    case EVENT_delete:
        list_note_deleted(list, index, count);
        break;
    case EVENT_set:
        list_note_set(list, index);
        break;
    case EVENT_clear:
        list->object.unsaved |= UNSAVED_ALL;
        break;
    case EVENT_set_slice:
        break; /* noted by who knows the slice */
    default:
        list_note_moved(list, 0);
        break;
    }
    object_join_changed(&list->object);
}

void list_changed(struct list *list, enum event_name event, uint64_t index, uint64_t a, uint64_t b)
{
    if (object_is_durable(&list->object)) {
        note(list, event, (uint32_t)index, (uint32_t)a);
    }
    if (object_is_watched(&list->object, event)) {
        const union detail details[] = {{.uint = index}, {.uint = a}, {.uint = b}};
        object_tell(&list->object, event, details);
    }
}

int list_insert(struct list *list, uint32_t position, struct incoming value, struct pace *pace)
{
    struct cells *cells = &list->cells;
    if (cells->len >= LIST_MAX) {
        return ERR_TOO_LARGE;
    }
    union cell cell;
    if (cell_init(&cell, value) != 0) {
        return ERR_MEMORY;
    }
    uint64_t cost = cell_cost(&cell) + cells_growth(cells, position, 1);
    int status = object_charge(&list->object, cost);
    if (status == 0) {
        status = cells_open(cells, position, &cell, 1, pace);
        if (status != 0) {
            object_release(&list->object, cost);
        }
    }
    if (status != 0) {
        cell_deinit(cell);
        return status;
    }
    list_changed(list, EVENT_insert, position, 1, 0);
    return 0;
}

int list_set(struct list *list, uint32_t position, struct incoming value)
{
    union cell *old = cells_at(&list->cells, position);
    union cell cell;
    if (cell_init(&cell, value) != 0) {
        return ERR_MEMORY;
    }
    int status = object_recharge(&list->object, cell_cost(old), cell_cost(&cell));
    if (status != 0) {
        cell_deinit(cell);
        return status;
    }
    cell_deinit(*old);
    *old = cell;
    list_changed(list, EVENT_set, position, 0, 0);
    return 0;
}

void list_delete(struct list *list, uint32_t position, struct pace *pace)
{
    struct cells *cells = &list->cells;
    union cell cell = *cells_at(cells, position);
    uint64_t before = cell_cost(&cell) + cells_cost(cells);
    cells_close(cells, position, 1, pace);
    cell_deinit(cell);
    object_release(&list->object, before - cells_cost(cells));
    list_changed(list, EVENT_delete, position, 1, 0);
}

void list_clear(struct list *list, struct pace *pace)
{
    uint32_t count = list_len(list);
    cells_deinit(&list->cells, pace);
    object_release(&list->object, list->object.bytes);
    if (count > 0) {
        list_changed(list, EVENT_clear, count, 0, 0);
    }
}

uint64_t list_clear_steps(const struct list *list)
{
    return bulk_drop_steps(list_len(list), list->object.bytes);
}

int list_incr(struct list *list, uint32_t position, struct slice delta, struct buffer *out)
{
    size_t at = out->len;
    int status = value_add(list_at(list, position).bytes, delta, out);
    if (status == 0 && out->failed) {
        status = ERR_MEMORY;
    }
    if (status != 0) {
        return status;
    }
    struct slice sum = {out->data + at, out->len - at};
    return list_set(list, position, incoming_plain(sum));
}

/* Looking for a value. */

struct search {
    const struct list *list;
    struct slice value;
    struct pace *pace;
    size_t steps; /* done and not said */
};

static inline bool matches(struct search *search, uint32_t position)
{
    struct slice other = list_at(search->list, position).bytes;
    size_t shorter = other.len < search->value.len ? other.len : search->value.len;
    search->steps += 1 + shorter / PACE_STEP_BYTES;
    if (search->steps >= PACE_STRETCH) {
        pace_step(search->pace, search->steps);
        search->steps = 0;
    }
    return value_equal(other, search->value);
}

uint32_t list_find(const struct list *list, struct slice value, int64_t start, int64_t stop,
                   struct pace *pace)
{
    struct search search = {.list = list, .value = value, .pace = pace};
    uint32_t end = list_position_clamped(list, stop);
    for (uint32_t i = list_position_clamped(list, start); i < end; i++) {
        if (matches(&search, i)) {
            return i;
        }
    }
    return LIST_NONE;
}

uint32_t list_count(const struct list *list, struct slice value, struct pace *pace)
{
    struct search search = {.list = list, .value = value, .pace = pace};
    uint32_t count = 0;
    for (uint32_t i = 0; i < list_len(list); i++) {
        count += matches(&search, i);
    }
    return count;
}

uint64_t list_compare_steps(const struct list *list, struct slice value)
{
    uint64_t bytes = (uint64_t)list_len(list) * value.len;
    if (bytes > list->object.bytes) {
        bytes = list->object.bytes;
    }
    return list_len(list) + bytes / PACE_STEP_BYTES;
}

uint64_t list_copy_steps(const struct list *list, uint32_t count)
{
    uint64_t bytes = (uint64_t)count * BLOB_MIN;
    if (bytes > list->object.bytes) {
        bytes = list->object.bytes;
    }
    return count + bytes / PACE_STEP_BYTES;
}

/* The whole list. */

void list_reverse(struct list *list, struct pace *pace)
{
    uint32_t len = list_len(list);
    if (len == 0) {
        return;
    }
    union cell *low = cells_at(&list->cells, 0);
    union cell *high = cells_at(&list->cells, len - 1);
    while (low < high) {
        const union cell *end = low + PACE_STRETCH;
        for (; low < high && low != end; low++, high--) {
            union cell cell = *low;
            *low = *high;
            *high = cell;
        }
        pace_step(pace, PACE_STRETCH);
    }
    list_changed(list, EVENT_reverse, 0, 0, 0);
}

/* What `more` further copies of all values cost; so much that it is refused if it is beyond all
 * bounds. */
static uint64_t repeat_cost(const struct list *list, uint32_t copies, uint32_t more,
                            struct pace *pace)
{
    uint64_t each = 0;
    uint64_t cost;
    for (uint32_t i = 0; i < list_len(list); i++) {
        each += cell_cost(cells_at(&list->cells, i));
        pace_each(pace, i);
    }
    if (__builtin_mul_overflow(each, copies, &cost) || cost > INT64_MAX) {
        return INT64_MAX;
    }
    return cost + cells_cost_after(&list->cells, list_len(list), more) - cells_cost(&list->cells);
}

/* Makes the list `n` times as long as its `len` values; there is room. What has been copied is
 * copied in turn. */
static void append_copies(struct list *list, uint32_t len, uint32_t n, struct pace *pace)
{
    struct cells *cells = &list->cells;
    for (uint32_t left = len * (n - 1); left > 0;) {
        uint32_t from = cells->len % len;
        uint32_t part = cells->len - from < PACE_STRETCH ? cells->len - from : PACE_STRETCH;
        if (part > left) {
            part = left;
        }
        const union cell *values = cells_at(cells, from);
        for (uint32_t i = 0; i < part; i++) {
            (void)cell_copy(values[i]); /* for its reference */
        }
        (void)cells_open(cells, cells->len, values, part, NULL);
        left -= part;
        pace_step(pace, part);
    }
}

int list_repeat(struct list *list, int64_t n, struct pace *pace)
{
    uint32_t len = list_len(list);
    if (n <= 0 || len == 0) {
        list_clear(list, pace);
        return 0;
    }
    if (n > LIST_MAX / len) {
        return ERR_TOO_LARGE;
    }
    uint32_t more = len * (uint32_t)(n - 1);
    uint64_t cost = repeat_cost(list, (uint32_t)(n - 1), more, pace);
    int status = object_charge(&list->object, cost);
    if (status != 0) {
        return status;
    }
    if (cells_reserve(&list->cells, len, more, pace) != 0) {
        object_release(&list->object, cost);
        return ERR_MEMORY;
    }
    append_copies(list, len, (uint32_t)n, pace);
    if (more > 0) {
        list_changed(list, EVENT_insert, len, more, 0);
    }
    return 0;
}

uint64_t list_repeat_steps(const struct list *list, int64_t n)
{
    uint64_t len = list_len(list);
    if (n <= 0) {
        return list_clear_steps(list);
    }
    return len == 0 || (uint64_t)n > LIST_MAX / len ? 0 : len * ((uint64_t)n + 1);
}
