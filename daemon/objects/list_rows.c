/*
 * list_rows: what a durable list knows of its rows, and how they are saved; see list_rows.h.
 * list_load.c makes a list of them.
 *
 * Tests: tests/unit/objects/test_rows.c and model_list.c.
 */
#include "daemon/objects/list_rows.h"

#include <stdlib.h>

int list_rows_new(struct list *list)
{
    list->rows = calloc(1, sizeof(*list->rows));
    if (list->rows == NULL) {
        return ERR_MEMORY;
    }
    list->rows->base = LIST_BASE;
    list->rows->above = 0; /* all of it has changed */
    return 0;
}

void list_rows_free(struct list_rows *rows)
{
    if (rows != NULL) {
        changes_deinit(&rows->changes);
        free(rows->long_values.numbers);
        free(rows);
    }
}

/* What has changed. */

static void raise_below(struct list_rows *rows, uint64_t number)
{
    rows->below = number > rows->below ? number : rows->below;
}

static void lower_above(struct list_rows *rows, uint64_t number)
{
    rows->above = number < rows->above ? number : rows->above;
}

void list_note_inserted(struct list *list, uint32_t position, uint32_t count)
{
    struct list_rows *rows = list->rows;
    uint32_t behind = list_len(list) - position - count;
    if (position < behind) {
        rows->base -= count;
        raise_below(rows, rows->base + position + count);
    } else {
        lower_above(rows, rows->base + position);
    }
}

void list_note_deleted(struct list *list, uint32_t position, uint32_t count)
{
    struct list_rows *rows = list->rows;
    uint32_t behind = list_len(list) - position;
    if (position < behind) {
        rows->base += count;
        raise_below(rows, rows->base + position);
    } else {
        lower_above(rows, rows->base + position);
    }
}

void list_note_set(struct list *list, uint32_t position)
{
    struct list_rows *rows = list->rows;
    uint64_t number = rows->base + position;
    bool is_known = number < rows->below || number >= rows->above;
    if (!is_known && changes_note(&rows->changes, number) < 0) {
        lower_above(rows, number);
    }
}

void list_note_moved(struct list *list, uint32_t position)
{
    lower_above(list->rows, list->rows->base + position);
}

/* The set of values that have rows of their own. */

/* Where the first number that is not below this one stands. */
static size_t find_long(const struct long_values *set, uint64_t number)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->numbers[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Puts `count` numbers in the place of those from `at` to before `end`. 0 or ERR_MEMORY. */
static int replace_long(struct long_values *set, size_t at, size_t end, const uint64_t *numbers,
                        size_t count)
{
    size_t total = set->count - (end - at) + count;
    if (total > set->cap) {
        size_t cap = total + total / 2 + 8;
        uint64_t *grown = realloc(set->numbers, cap * sizeof(*grown));
        if (grown == NULL) {
            return ERR_MEMORY;
        }
        set->numbers = grown;
        set->cap = cap;
    }
    if (total > 0 && set->count > end) {
        memmove(set->numbers + at + count, set->numbers + end,
                (set->count - end) * sizeof(*numbers));
    }
    if (count > 0) {
        memcpy(set->numbers + at, numbers, count * sizeof(*numbers));
    }
    set->count = total;
    return 0;
}

int list_add_long(struct list *list, uint64_t number)
{
    struct long_values *set = &list->rows->long_values;
    return replace_long(set, set->count, set->count, &number, 1);
}

/* Saving. */

struct saving {
    struct list *list;
    const struct row_writer *out;
    uint64_t base; /* the numbers of the values */
    uint64_t end;
    bool apart; /* long values get rows of their own */
    struct buffer buffer;
    uint64_t next_chunk; /* those below have been put */
};

static struct stored value_of(const struct saving *saving, uint64_t number)
{
    return list_at(saving->list, (uint32_t)(number - saving->base));
}

static bool is_long(const struct saving *saving, uint64_t number)
{
    return saving->apart && value_of(saving, number).bytes.len >= LIST_VALUE_ALONE;
}

static int put_row(struct saving *saving, enum list_row what, uint64_t number)
{
    struct row_key key;
    return row_put(saving->out, row_key(&key, (uint8_t)what, number), &saving->buffer);
}

static int remove_row(const struct saving *saving, enum list_row what, uint64_t number)
{
    struct row_key key;
    return saving->out->remove(saving->out->data, row_key(&key, (uint8_t)what, number));
}

static int put_state(struct saving *saving)
{
    row_begin(&saving->buffer);
    pack_uint(&saving->buffer, saving->base);
    pack_uint(&saving->buffer, saving->end - saving->base);
    return put_row(saving, LIST_STATE, 0);
}

static int put_chunk(struct saving *saving, uint64_t chunk)
{
    uint64_t from = chunk * LIST_CHUNK;
    uint64_t to = from + LIST_CHUNK < saving->end ? from + LIST_CHUNK : saving->end;
    from = from > saving->base ? from : saving->base;
    row_begin(&saving->buffer);
    pack_uint(&saving->buffer, from);
    for (uint64_t number = from; number < to; number++) {
        if (is_long(saving, number)) {
            pack_nil(&saving->buffer);
        } else {
            row_pack_value(&saving->buffer, value_of(saving, number), saving->out);
        }
    }
    return put_row(saving, LIST_VALUES, chunk);
}

/* Puts the chunks of the numbers from `from` to before `to`, all of which are values, as far as
 * they have not been put. */
static int put_chunks(struct saving *saving, uint64_t from, uint64_t to)
{
    uint64_t chunk = from / LIST_CHUNK;
    int status = 0;
    if (chunk < saving->next_chunk) {
        chunk = saving->next_chunk;
    }
    for (; chunk * LIST_CHUNK < to && status == 0; chunk++) {
        status = put_chunk(saving, chunk);
        saving->next_chunk = chunk + 1;
    }
    return status;
}

static int put_long(struct saving *saving, uint64_t number)
{
    row_begin(&saving->buffer);
    row_pack_value(&saving->buffer, value_of(saving, number), saving->out);
    return put_row(saving, LIST_LONG, number);
}

/* Puts the long values among the numbers from `from` to before `to`, all of which are values, and
 * notes them in *found. */
static int put_all_long(struct saving *saving, uint64_t from, uint64_t to,
                        struct long_values *found)
{
    int status = 0;
    for (uint64_t number = from; number < to && status == 0; number++) {
        if (is_long(saving, number)) {
            status = replace_long(found, found->count, found->count, &number, 1);
            status = status < 0 ? status : put_long(saving, number);
        }
    }
    return status;
}

/* What has the numbers from `from` to before `to` has changed, or has no such number any more: puts
 * it, and removes what was there. */
static int save_range(struct saving *saving, uint64_t from, uint64_t to)
{
    struct long_values *known = &saving->list->rows->long_values;
    size_t at = find_long(known, from);
    size_t end = find_long(known, to);
    struct long_values found = {0};
    uint64_t first = from > saving->base ? from : saving->base;
    uint64_t last = to < saving->end ? to : saving->end;
    int status = 0;
    if (first < last) {
        status = put_all_long(saving, first, last, &found);
        status = status < 0 ? status : put_chunks(saving, first, last);
    }
    for (size_t i = at; i < end && status == 0; i++) {
        size_t there = find_long(&found, known->numbers[i]);
        if (there == found.count || found.numbers[there] != known->numbers[i]) {
            status = remove_row(saving, LIST_LONG, known->numbers[i]);
        }
    }
    status = status < 0 ? status : replace_long(known, at, end, found.numbers, found.count);
    free(found.numbers);
    return status;
}

/* Removes the chunks that no value is in any more. */
static int remove_chunks(struct saving *saving)
{
    const struct list_rows *rows = saving->list->rows;
    bool is_empty = saving->base == saving->end;
    uint64_t first = saving->base / LIST_CHUNK;
    uint64_t end = (saving->end + LIST_CHUNK - 1) / LIST_CHUNK;
    uint64_t chunk = rows->saved_base / LIST_CHUNK;
    int status = 0;
    if (rows->saved_base == rows->saved_end) {
        return 0;
    }
    for (; chunk * LIST_CHUNK < rows->saved_end && status == 0; chunk++) {
        if (!is_empty && chunk >= first && chunk < end) {
            chunk = end - 1; /* those of values are passed over at once */
        } else {
            status = remove_row(saving, LIST_VALUES, chunk);
        }
    }
    return status;
}

/* Saves what has changed, the numbers ascending. */
static int save_changes(struct saving *saving)
{
    struct list_rows *rows = saving->list->rows;
    uint64_t below = rows->below > saving->base ? rows->below : saving->base;
    uint64_t above = rows->above < saving->end ? rows->above : saving->end;
    bool all = below >= above;
    int status = save_range(saving, 0, all ? UINT64_MAX : below);
    changes_sort(&rows->changes);
    for (size_t i = 0; i < rows->changes.len && !all && status == 0; i++) {
        uint64_t number = rows->changes.numbers[i];
        if (number >= below && number < above) {
            status = save_range(saving, number, number + 1);
        }
    }
    if (status == 0 && !all) {
        status = save_range(saving, above, UINT64_MAX);
    }
    return status < 0 ? status : remove_chunks(saving);
}

static int save_known(struct saving *saving)
{
    struct list_rows *rows = saving->list->rows;
    if ((saving->list->object.unsaved & UNSAVED_ALL) != 0) {
        rows->long_values.count = 0;
        rows->saved_end = rows->saved_base;
        rows->above = 0;
    }
    int status = save_changes(saving);
    bool is_moved = rows->saved_base != saving->base || rows->saved_end != saving->end;
    bool is_new = saving->list->object.unsaved != 0;
    if (status == 0 && (is_moved || is_new)) {
        status = put_state(saving);
    }
    if (status == 0) {
        list_rows_saved(saving->list);
    }
    return status;
}

void list_rows_saved(struct list *list)
{
    struct list_rows *rows = list->rows;
    changes_deinit(&rows->changes);
    rows->saved_base = rows->base;
    rows->saved_end = rows->base + list_len(list);
    rows->below = rows->saved_base;
    rows->above = rows->saved_end;
}

int list_save(struct object *object, enum rows which, const struct row_writer *out,
              const struct moment *now)
{
    struct list *list = list_of(object);
    bool all = which == ROWS_ALL;
    struct saving saving = {.list = list, .out = out, .apart = !all};
    saving.base = all ? LIST_BASE : list->rows->base;
    saving.end = saving.base + list_len(list);
    int status;
    if (all) {
        status = put_chunks(&saving, saving.base, saving.end);
        status = status < 0 ? status : put_state(&saving);
    } else {
        status = save_known(&saving);
    }
    buffer_deinit(&saving.buffer);
    return status;
}
