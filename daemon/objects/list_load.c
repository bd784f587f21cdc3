/*
 * list_load: makes a list of its rows; see list_rows.h. Long values come before the chunks that
 * they belong to, and are kept until then.
 *
 * Tests: tests/unit/objects/test_rows.c and model_list.c, tests/fuzz/fuzz_rows.c.
 */
#include "daemon/objects/list_rows.h"

#include <stdlib.h>

static const char what[] = "a list";

struct long_value {
    uint64_t number;
    struct blob *blob; /* a reference; NULL: the list has it */
};

struct list_loading {
    uint64_t base;
    uint64_t end;
    bool has_state;
    struct long_value *values; /* owned array */
    size_t count;
    size_t cap;
    size_t next; /* whose place comes next */
};

void list_loading_free(struct list *list)
{
    struct list_loading *loading = list->loading;
    for (size_t i = 0; loading != NULL && i < loading->count; i++) {
        blob_unref(loading->values[i].blob);
    }
    if (loading != NULL) {
        free(loading->values);
        free(loading);
        list->loading = NULL;
    }
}

static struct list_loading *loading_of(struct list *list)
{
    if (list->loading == NULL) {
        list->loading = calloc(1, sizeof(*list->loading));
    }
    return list->loading;
}

int list_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct list *list;
    int status = row_close(row, what);
    status = status < 0 ? status : list_new(common, &list);
    if (status == 0) {
        *out = &list->object;
    }
    return status;
}

static int load_state(struct list *list, struct row *row)
{
    struct list_loading *loading = list->loading;
    loading->base = row_uint(row);
    uint64_t len = row_uint(row);
    row->bad = row->bad || len > LIST_MAX || loading->base > INT64_MAX;
    loading->end = loading->base + (row->bad ? 0 : len);
    loading->has_state = true;
    return row_close(row, what);
}

static int load_long(struct list *list, uint64_t number, struct row *row)
{
    struct list_loading *loading = list->loading;
    struct origin origin;
    if (loading->count == loading->cap) {
        size_t cap = loading->cap * 2 + 8;
        struct long_value *values = realloc(loading->values, cap * sizeof(*values));
        if (values == NULL) {
            return ERR_MEMORY;
        }
        loading->values = values;
        loading->cap = cap;
    }
    struct incoming value = row_value(row, &origin);
    row->bad = row->bad || value.bytes.len <= CELL_INLINE_MAX;
    int status = row_close(row, what);
    struct blob *blob = status < 0 ? NULL : blob_new(value);
    row_value_done(&origin);
    if (blob == NULL) {
        return status < 0 ? status : ERR_MEMORY;
    }
    loading->values[loading->count++] = (struct long_value){number, blob};
    return list->rows == NULL ? 0 : list_add_long(list, number);
}

/* Takes over the cell, also when it fails. */
static int append(struct list *list, union cell cell)
{
    struct cells *cells = &list->cells;
    uint64_t cost = cell_cost(&cell) + cells_growth(cells, cells->len, 1);
    int status = cells_open(cells, cells->len, &cell, 1, NULL);
    if (status < 0) {
        cell_deinit(cell);
    } else {
        object_charge_always(&list->object, cost);
    }
    return status;
}

/* A place in a chunk whose value has a row of its own. */
static int append_long(struct list *list, uint64_t number, struct row *row)
{
    struct list_loading *loading = list->loading;
    struct long_value *value =
        loading->next < loading->count ? &loading->values[loading->next] : NULL;
    if (value == NULL || value->number != number) {
        row->bad = true;
        return 0;
    }
    union cell cell = {.blob = value->blob};
    value->blob = NULL;
    loading->next++;
    return append(list, cell);
}

static int load_one(struct list *list, uint64_t number, struct row *row)
{
    const struct list_loading *loading = list->loading;
    bool is_valid = number >= loading->base && number < loading->end;
    struct origin origin;
    union cell cell;
    row->bad = row->bad || (is_valid && number != loading->base + list_len(list));
    if (!row->bad && row->rest.data[0] == 0xc0) {
        row->rest = slice_from(row->rest, 1);
        return is_valid ? append_long(list, number, row) : 0;
    }
    struct incoming value = row_value(row, &origin);
    int status = 0;
    if (!row->bad && is_valid) {
        status = cell_init(&cell, value);
        status = status < 0 ? status : append(list, cell);
    }
    row_value_done(&origin);
    return status;
}

static int load_values(struct list *list, struct row *row)
{
    uint64_t number = row_uint(row);
    int status = 0;
    for (; !row->bad && row->rest.len > 0 && status == 0; number++) {
        status = load_one(list, number, row);
    }
    return status < 0 ? status : row_close(row, what);
}

int list_load(struct object *object, struct slice key, struct slice value,
              struct row_reader *reader)
{
    struct list *list = list_of(object);
    struct list_loading *loading = loading_of(list);
    struct row row;
    uint64_t number;
    if (loading == NULL) {
        return ERR_MEMORY;
    }
    if (!row_open(&row, value, reader, what)) {
        return ERR_VALUE;
    }
    bool is_good =
        row_key_number(key, &number) && (loading->has_state != (key.data[0] == LIST_STATE));
    switch (is_good ? key.data[0] : 0) {
    case LIST_STATE:
        return load_state(list, &row);
    case LIST_LONG:
        return load_long(list, number, &row);
    case LIST_VALUES:
        return load_values(list, &row);
    default:
        row.bad = true;
        return row_close(&row, what);
    }
}

int list_loaded(struct object *object, struct row_reader *reader)
{
    struct list *list = list_of(object);
    const struct list_loading *loading = loading_of(list);
    struct row row = {.reader = reader};
    if (loading == NULL) {
        return ERR_MEMORY;
    }
    row.bad = !loading->has_state || loading->next < loading->count ||
              loading->end - loading->base != list_len(list);
    if (row.bad) {
        return row_close(&row, what);
    }
    if (list->rows != NULL) {
        list->rows->base = loading->base;
        list_rows_saved(list);
    }
    list_loading_free(list);
    return 0;
}
