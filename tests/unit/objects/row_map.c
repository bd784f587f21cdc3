/* row_map: see row_map.h. */
#include "tests/unit/objects/row_map.h"

#include <stdlib.h>

#include "tests/support/unit.h"

static struct slice keep(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.len + 1);
    assert_non_null(copy);
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    return (struct slice){copy, bytes.len};
}

static void drop(struct map_row *row)
{
    free((void *)(uintptr_t)row->key.data);
    free((void *)(uintptr_t)row->value.data);
}

void row_map_deinit(struct row_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        drop(&map->rows[i]);
    }
    free(map->rows);
    *map = (struct row_map){0};
}

static int compare(const struct map_row *row, uint64_t number, struct slice key)
{
    if (row->number != number) {
        return row->number < number ? -1 : 1;
    }
    size_t common = row->key.len < key.len ? row->key.len : key.len;
    int order = common == 0 ? 0 : memcmp(row->key.data, key.data, common);
    if (order != 0) {
        return order;
    }
    return row->key.len < key.len ? -1 : row->key.len > key.len;
}

/* Where the row is, or would be. */
static size_t place(const struct row_map *map, uint64_t number, struct slice key)
{
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&map->rows[middle], number, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct row_map *map, size_t at, uint64_t number, struct slice key)
{
    return at < map->count && compare(&map->rows[at], number, key) == 0;
}

static int put(void *data, struct slice key, struct slice value)
{
    struct row_map *map = data;
    size_t at = place(map, map->number, key);
    map->puts++;
    map->bytes += value.len;
    if (is_at(map, at, map->number, key)) {
        struct map_row *row = &map->rows[at];
        free((void *)(uintptr_t)row->value.data);
        row->value = keep(value);
        return 0;
    }
    if (map->count == map->cap) {
        map->cap = map->cap * 2 + 16;
        map->rows = realloc(map->rows, map->cap * sizeof(*map->rows));
        assert_non_null(map->rows);
    }
    memmove(&map->rows[at + 1], &map->rows[at], (map->count - at) * sizeof(*map->rows));
    map->rows[at] = (struct map_row){map->number, keep(key), keep(value)};
    map->count++;
    return 0;
}

static void remove_rows(struct row_map *map, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        drop(&map->rows[i]);
    }
    if (to > from) {
        memmove(&map->rows[from], &map->rows[to], (map->count - to) * sizeof(*map->rows));
    }
    map->count -= to - from;
}

static int remove_row(void *data, struct slice key)
{
    struct row_map *map = data;
    size_t at = place(map, map->number, key);
    if (is_at(map, at, map->number, key)) {
        remove_rows(map, at, at + 1);
        map->removes++;
    } else {
        map->vain++;
    }
    return 0;
}

static int remove_all(void *data)
{
    struct row_map *map = data;
    remove_rows(map, place(map, map->number, (struct slice){0}),
                place(map, map->number + 1, (struct slice){0}));
    return 0;
}

struct row_writer row_map_writer(struct row_map *map, uint64_t number)
{
    map->number = number;
    return (struct row_writer){
        .put = put, .remove = remove_row, .remove_all = remove_all, .data = map};
}

struct slice row_map_find(const struct row_map *map, uint64_t number, struct slice key)
{
    size_t at = place(map, number, key);
    return is_at(map, at, number, key) ? map->rows[at].value : (struct slice){0};
}

size_t row_map_count(const struct row_map *map, uint64_t number)
{
    return place(map, number + 1, (struct slice){0}) - place(map, number, (struct slice){0});
}

static bool is_never_busy(const struct object *object)
{
    (void)object;
    return false;
}

void row_map_save(struct row_map *map, struct registry *registry, struct moment now)
{
    struct object *object;
    while ((object = registry_next_changed(registry, is_never_busy)) != NULL) {
        struct row_writer out = row_map_writer(map, object->entry.seq);
        assert_int_equal(object_save(object, ROWS_CHANGED, &out, &now), 0);
        object_unref(object);
    }
    struct row_writer out = row_map_writer(map, 0);
    assert_int_equal(registry_save(registry, ROWS_CHANGED, &out), 0);
}

void row_map_save_all(struct row_map *map, struct registry *registry, struct moment now)
{
    struct row_writer out = row_map_writer(map, 0);
    assert_int_equal(registry_save(registry, ROWS_ALL, &out), 0);
    for (struct object *object = registry_from(registry, 0); object != NULL;
         object = registry_from(registry, object->entry.seq + 1)) {
        out = row_map_writer(map, object->entry.seq);
        assert_int_equal(object_save(object, ROWS_ALL, &out, &now), 0);
    }
}

int row_map_load(const struct row_map *map, struct registry *registry, struct accounts *accounts,
                 struct moment now, char why[256])
{
    struct row_reader reader = {.registry = registry, .accounts = accounts, .now = now};
    int status = 0;
    loading_begin(&reader);
    for (size_t i = 0; i < map->count && status == 0; i++) {
        const struct map_row *row = &map->rows[i];
        if (row->key.len == 0) {
            status = loading_object(&reader, row->number, row->value);
        }
    }
    for (size_t i = 0; i < map->count && status == 0; i++) {
        const struct map_row *row = &map->rows[i];
        if (row->key.len > 0) {
            status = loading_row(&reader, row->number, row->key, row->value);
        }
    }
    int end = loading_end(&reader);
    status = status == 0 ? end : status;
    if (why != NULL) {
        memcpy(why, reader.why, sizeof(reader.why));
    }
    return status;
}
