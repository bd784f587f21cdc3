/*
 * list: values by position, as Python's list.
 *
 * What is charged is what the memory costs: object.bytes is the sum of cell_cost over the values
 * and the cost of the array. Values that list_repeat shares are charged each time, so that what a
 * list costs does not depend on how it was made. Whatever refuses (ERR_LIMIT, ERR_TOO_LARGE,
 * ERR_MEMORY for want of memory, ERR_VALUE, ERR_TYPE) has changed nothing.
 *
 * What looks at, moves or frees many values takes a pace (pace.h; NULL: in one go). The functions
 * called *_steps say how many steps such an operation takes, at most.
 *
 * Indices are Python's (negative ones count from the end) where they are int64_t; a position is an
 * index that has been checked. Not built for more than one thread; nothing blocks.
 */
#pragma once

#include "daemon/objects/cells.h"
#include "daemon/objects/watch.h"

#define LIST_NONE UINT32_MAX

#define LIST_MAX (UINT32_C(1) << 31) /* values in one list */

enum { LIST_SHORT = PACE_LONG }; /* moving so many values is no matter */

struct list {
    struct object object;
    struct cells cells;
    struct list_rows *rows;       /* of a durable one: what is saved (list_rows.h); else NULL */
    struct list_loading *loading; /* while it is loaded (list_load.c); else NULL */
};

extern const struct object_type list_type;

static inline struct list *list_of(struct object *object)
{
    return (struct list *)object;
}

/* A new, empty list, with one reference. 0, or ERR_MEMORY for want of memory. */
int list_new(const struct object_options *common, struct list **out);

static inline uint32_t list_len(const struct list *list)
{
    return list->cells.len;
}

/* The position that an index means: 0, or ERR_INDEX. */
int list_position(const struct list *list, int64_t index, uint32_t *out);
/* The position before which an index inserts: clamped to the ends. */
uint32_t list_position_clamped(const struct list *list, int64_t index);

/* The value at a position; valid until the list next changes. */
struct stored list_at(const struct list *list, uint32_t position);

/* Puts a value before a position (at most the length). 0, ERR_LIMIT, ERR_TOO_LARGE, ERR_MEMORY.
 */
int list_insert(struct list *list, uint32_t position, struct incoming value, struct pace *pace);
/* Appends the elements of an encoded array, all or none. 0, ERR_LIMIT, ERR_TOO_LARGE, ERR_MEMORY.
 */
int list_extend(struct list *list, struct incoming array, struct pace *pace);
/* Puts a value in the place of another. 0, ERR_LIMIT, ERR_MEMORY. */
int list_set(struct list *list, uint32_t position, struct incoming value);
/* Removes the value at a position. */
void list_delete(struct list *list, uint32_t position, struct pace *pace);
void list_clear(struct list *list, struct pace *pace);

static inline uint64_t list_insert_steps(const struct list *list, uint32_t position)
{
    return list->cells.cap <= LIST_SHORT ? 0 : cells_open_steps(&list->cells, position, 1);
}
static inline uint64_t list_delete_steps(const struct list *list, uint32_t position)
{
    return list->cells.cap <= LIST_SHORT ? 0 : cells_close_steps(&list->cells, position, 1);
}
/* To drop everything, and to go through `count` values or all of them and copy what is not kept by
 * reference. */
uint64_t list_clear_steps(const struct list *list);
uint64_t list_copy_steps(const struct list *list, uint32_t count);

/* Slices. A range is a slice's start, stop and step after Python's rules for this list: `count`
 * positions from `start`, `step` apart. Valid until the length changes. */
struct list_range {
    int64_t start;
    int64_t step;
    uint32_t count;
};

/* NULL stands for "left out". 0, or ERR_VALUE: the step is 0. */
int list_range(const struct list *list, const int64_t *start, const int64_t *stop,
               const int64_t *step, struct list_range *out);

/* Puts the elements of an encoded array in the place of a range. ERR_VALUE: the step is not 1 and
 * the array has not as many elements as the range. ERR_LIMIT, ERR_TOO_LARGE, ERR_MEMORY. */
int list_set_range(struct list *list, const struct list_range *range, struct incoming array,
                   struct pace *pace);
uint64_t list_set_range_steps(const struct list *list, const struct list_range *range,
                              struct slice array);
void list_delete_range(struct list *list, const struct list_range *range, struct pace *pace);
uint64_t list_delete_range_steps(const struct list *list, const struct list_range *range);

/* For the files of the list: values have come, have gone or are others. Tells the event, whose
 * details are the index and up to two more numbers, and notes what is to be saved (of a slice that
 * is set: list_note_set or list_note_moved, beforehand). */
void list_changed(struct list *list, enum event_name event, uint64_t index, uint64_t a, uint64_t b);

/* list_rows.c and list_load.c: what object_type asks for. */
int list_make(const struct object_options *common, struct row *options, struct object **out);
int list_save(struct object *object, enum rows which, const struct row_writer *out,
              const struct moment *now);
int list_load(struct object *object, struct slice key, struct slice value,
              struct row_reader *reader);
int list_loaded(struct object *object, struct row_reader *reader);
void list_loading_free(struct list *list);

/* The position of the first equal value between two indices (Python's, clamped), or LIST_NONE. */
uint32_t list_find(const struct list *list, struct slice value, int64_t start, int64_t stop,
                   struct pace *pace);
uint32_t list_count(const struct list *list, struct slice value, struct pace *pace);
/* To compare every value with one. */
uint64_t list_compare_steps(const struct list *list, struct slice value);

void list_reverse(struct list *list, struct pace *pace);
/* Sorts by value_compare; equal values keep their order, also in reverse. NaN counts as larger than
 * every other number. ERR_TYPE: not all numbers, all strs or all bins. ERR_MEMORY (memory). */
int list_sort(struct list *list, bool reverse, struct pace *pace);
uint64_t list_sort_steps(const struct list *list);
/* Makes the list n times itself; n ≤ 0 empties it. ERR_LIMIT, ERR_TOO_LARGE, ERR_MEMORY. */
int list_repeat(struct list *list, int64_t n, struct pace *pace);
uint64_t list_repeat_steps(const struct list *list, int64_t n);

/* Adds delta to the number at a position; appends the new value to *out. ERR_TYPE: not a number;
 * ERR_RANGE; ERR_LIMIT; ERR_MEMORY; then *out may have grown. */
int list_incr(struct list *list, uint32_t position, struct slice delta, struct buffer *out);
