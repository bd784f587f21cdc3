/*
 * Random operations on a list, each done on a plain model as well: an array of values in which
 * everything is moved one by one, and Python's slices are walked step by step. Limits are set at
 * random too: what is refused must have changed nothing. A durable list is saved now and then, and
 * made of its rows again, and must be what it was.
 */
#include "daemon/objects/list.h"
#include "proto/value.h"
#include "tests/support/random_value.h"
#include "tests/unit/objects/row_map.h"
#include "tests/unit/objects/world.h"

#include <stdlib.h>

enum { STEPS = 60000, MODEL_MAX = 2000, LEN_MAX = 200, CHECK_EVERY = 40 };

struct model {
    struct slice values[MODEL_MAX]; /* owned */
    uint32_t len;
};

struct run {
    struct world world;
    struct random random;
    struct registry registry;
    struct row_map rows; /* of a durable list */
    struct list *list;
    struct model model;
    unsigned kind; /* of the values that are made now */
};

static struct slice keep(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.len);
    assert_non_null(copy);
    memcpy(copy, bytes.data, bytes.len);
    return (struct slice){copy, bytes.len};
}

static void drop(struct slice bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

static void model_insert(struct model *model, uint32_t at, struct slice value)
{
    assert_true(model->len < MODEL_MAX);
    for (uint32_t i = model->len++; i > at; i--) {
        model->values[i] = model->values[i - 1];
    }
    model->values[at] = keep(value);
}

static void model_delete(struct model *model, uint32_t at)
{
    drop(model->values[at]);
    model->len--;
    for (uint32_t i = at; i < model->len; i++) {
        model->values[i] = model->values[i + 1];
    }
}

static void compare(struct run *run)
{
    uint64_t bytes = cells_cost(&run->list->cells);
    assert_int_equal(list_len(run->list), run->model.len);
    for (uint32_t i = 0; i < run->model.len; i++) {
        assert_bytes(list_at(run->list, i).bytes, run->model.values[i]);
        bytes += cell_cost(cells_at(&run->list->cells, i));
    }
    assert_int_equal(run->list->object.bytes, bytes);
    assert_int_equal(run->world.user->bytes, bytes + object_overhead(&run->list->object));
}

/* Random values and indices. */

static void any_value(struct run *run, struct buffer *out)
{
    struct random_shape shape = {.max_depth = 2, .max_count = 4, .max_run = 24, .any_form = true};
    switch (run->kind) {
    case 0: /* numbers, equal ones among them */
        if (random_below(&run->random, 2) == 0) {
            pack_int(out, (int64_t)random_below(&run->random, 50) - 25);
        } else {
            pack_double(out, (double)random_below(&run->random, 100) / 2 - 25);
        }
        break;
    case 1: { /* strings with long common beginnings */
        char text[] = "aaaaaaaaaaaaaaa";
        text[random_below(&run->random, sizeof(text))] = '\0';
        text[random_below(&run->random, sizeof(text) - 1)] ^= (char)random_below(&run->random, 3);
        pack_string(out, text);
        break;
    }
    default:
        shape.max_run = random_below(&run->random, 40) == 0 ? 3 * BLOB_MIN : 24;
        random_value(&run->random, &shape, out);
        break;
    }
}

static int64_t any_index(struct run *run)
{
    static const int64_t borders[] = {0, -1, INT64_MIN, INT64_MAX};
    uint32_t len = run->model.len;
    if (random_below(&run->random, 10) == 0) {
        return borders[random_below(&run->random, 4)];
    }
    return (int64_t)random_below(&run->random, 3 * len + 8) - (int64_t)(3 * len / 2 + 4);
}

/* An array of up to `most` values, encoded; and the values. */
static uint32_t any_array(struct run *run, uint32_t count, struct buffer *array,
                          struct slice *values)
{
    pack_array(array, count);
    for (uint32_t i = 0; i < count; i++) {
        struct buffer value = {0};
        any_value(run, &value);
        pack_raw(array, buffer_slice(&value));
        values[i] = keep(buffer_slice(&value));
        buffer_deinit(&value);
    }
    return count;
}

/* Operations: each does the same to both, or nothing to the model if the list refuses. */

static int op_insert(struct run *run)
{
    struct buffer value = {0};
    int64_t index = any_index(run);
    int64_t len = run->model.len;
    any_value(run, &value);
    int64_t at = index < 0 ? index + len : index;
    at = at < 0 ? 0 : at > len ? len : at;
    assert_int_equal(list_position_clamped(run->list, index), at);
    int status = list_insert(run->list, (uint32_t)at, incoming_plain(buffer_slice(&value)), NULL);
    if (status == 0) {
        model_insert(&run->model, (uint32_t)at, buffer_slice(&value));
    }
    buffer_deinit(&value);
    return status;
}

/* At either end, as a queue or a stack has it. */
static int op_push(struct run *run)
{
    struct buffer value = {0};
    uint32_t at = random_below(&run->random, 4) == 0 ? 0 : run->model.len;
    any_value(run, &value);
    int status = list_insert(run->list, at, incoming_plain(buffer_slice(&value)), NULL);
    if (status == 0) {
        model_insert(&run->model, at, buffer_slice(&value));
    }
    buffer_deinit(&value);
    return status;
}

static int op_pop(struct run *run)
{
    if (run->model.len > 0) {
        uint32_t at = random_below(&run->random, 2) == 0 ? 0 : run->model.len - 1;
        list_delete(run->list, at, NULL);
        model_delete(&run->model, at);
    }
    return 0;
}

static int op_set(struct run *run)
{
    struct buffer value = {0};
    uint32_t position;
    int64_t index = any_index(run);
    int64_t at = index < 0 ? index + run->model.len : index;
    int status = list_position(run->list, index, &position);
    assert_int_equal(status, at < 0 || at >= run->model.len ? ERR_INDEX : 0);
    if (status == ERR_INDEX) {
        return 0;
    }
    any_value(run, &value);
    status = list_set(run->list, position, incoming_plain(buffer_slice(&value)));
    if (status == 0) {
        drop(run->model.values[at]);
        run->model.values[at] = keep(buffer_slice(&value));
    }
    buffer_deinit(&value);
    return status;
}

static int op_delete(struct run *run)
{
    uint32_t position;
    if (list_position(run->list, any_index(run), &position) == 0) {
        list_delete(run->list, position, NULL);
        model_delete(&run->model, position);
    }
    return 0;
}

/* The positions of a slice, found by going along it. Returns how many, from the first one on. */
static uint32_t walk(const struct model *model, const int64_t *bounds, uint32_t *positions)
{
    __extension__ typedef __int128 wide;
    wide len = model->len;
    wide step = bounds[2];
    wide ends[2];
    for (int i = 0; i < 2; i++) {
        ends[i] = bounds[i] < 0 ? (wide)bounds[i] + len : bounds[i];
        if (step > 0) {
            ends[i] = ends[i] < 0 ? 0 : ends[i] > len ? len : ends[i];
        } else {
            ends[i] = ends[i] < -1 ? -1 : ends[i] >= len ? len - 1 : ends[i];
        }
    }
    uint32_t count = 0;
    for (wide at = ends[0]; step > 0 ? at < ends[1] : at > ends[1]; at += step) {
        positions[count++] = (uint32_t)at;
    }
    return count;
}

static int64_t any_step(struct run *run)
{
    int64_t step = (int64_t)random_below(&run->random, 9) - 4;
    if (random_below(&run->random, 30) == 0) {
        step = any_index(run);
    }
    return step == 0 ? 1 : step;
}

/* Where a slice begins, after Python's rules, for the values put into an empty one. */
static int op_slice(struct run *run)
{
    uint32_t positions[MODEL_MAX];
    const int64_t bounds[3] = {any_index(run), any_index(run), any_step(run)};
    struct list_range range;
    uint32_t count = walk(&run->model, bounds, positions);
    assert_int_equal(list_range(run->list, &bounds[0], &bounds[1], &bounds[2], &range), 0);
    assert_int_equal(range.count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(range.start + i * range.step, positions[i]);
    }
    if (random_below(&run->random, 4) == 0) {
        list_delete_range(run->list, &range, NULL);
        for (uint32_t i = 0; i < count; i++) {
            model_delete(&run->model, bounds[2] > 0 ? positions[count - 1 - i] : positions[i]);
        }
    }
    return 0;
}

/* The model of a set_slice that succeeds: with step 1 the old values go and the new ones come. */
static void model_set_slice(struct model *model, const struct list_range *range, uint32_t count,
                            const struct slice *values)
{
    for (uint32_t i = 0; range->step == 1 && i < range->count; i++) {
        model_delete(model, (uint32_t)range->start);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)(range->start + i * range->step);
        if (range->step != 1) {
            model_delete(model, at);
        }
        model_insert(model, at, values[i]);
    }
}

static int op_set_slice(struct run *run)
{
    struct slice values[LEN_MAX * 5];
    struct buffer array = {0};
    struct list_range range;
    int64_t bounds[3] = {any_index(run), any_index(run), any_step(run)};
    if (random_below(&run->random, 2) == 0) {
        bounds[2] = 1;
    }
    assert_int_equal(list_range(run->list, &bounds[0], &bounds[1], &bounds[2], &range), 0);
    bool same = random_below(&run->random, 2) == 0;
    uint32_t count =
        any_array(run, same ? range.count : random_below(&run->random, 12), &array, values);
    int status = list_set_range(run->list, &range, incoming_plain(buffer_slice(&array)), NULL);
    if (status != ERR_LIMIT) {
        assert_int_equal(status, bounds[2] == 1 || count == range.count ? 0 : ERR_VALUE);
    }
    if (status == 0) {
        model_set_slice(&run->model, &range, count, values);
    }
    for (uint32_t i = 0; i < count; i++) {
        drop(values[i]);
    }
    buffer_deinit(&array);
    return status == ERR_VALUE ? 0 : status;
}

static int op_find(struct run *run)
{
    struct buffer value = {0};
    uint32_t count = 0;
    int64_t start = any_index(run);
    int64_t stop = any_index(run);
    const int64_t bounds[3] = {start, stop, 1};
    uint32_t positions[MODEL_MAX];
    uint32_t within = walk(&run->model, bounds, positions);
    uint32_t first = LIST_NONE;
    any_value(run, &value);
    for (uint32_t i = 0; i < run->model.len; i++) {
        count += value_equal(run->model.values[i], buffer_slice(&value));
    }
    for (uint32_t i = 0; i < within && first == LIST_NONE; i++) {
        if (value_equal(run->model.values[positions[i]], buffer_slice(&value))) {
            first = positions[i];
        }
    }
    assert_int_equal(list_find(run->list, buffer_slice(&value), start, stop, NULL), first);
    assert_int_equal(list_count(run->list, buffer_slice(&value), NULL), count);
    buffer_deinit(&value);
    return 0;
}

/* Sorts by insertion; false if two values cannot be ordered. */
static bool model_sort(struct model *model, bool reverse)
{
    int order;
    for (uint32_t i = 1; i < model->len; i++) {
        if (value_compare(model->values[0], model->values[i], &order) != 0) {
            return false;
        }
    }
    for (uint32_t i = 1; i < model->len; i++) {
        for (uint32_t j = i; j > 0; j--) {
            (void)value_compare(model->values[j], model->values[j - 1], &order);
            if (reverse ? order <= 0 : order >= 0) {
                break;
            }
            struct slice value = model->values[j];
            model->values[j] = model->values[j - 1];
            model->values[j - 1] = value;
        }
    }
    return true;
}

static bool holds_nan(const struct model *model)
{
    struct header header;
    for (uint32_t i = 0; i < model->len; i++) {
        (void)header_read(model->values[i].data, model->values[i].len, &header);
        if (header.kind == KIND_FLOAT && header.f != header.f) {
            return true;
        }
    }
    return false;
}

static int op_sort(struct run *run)
{
    bool reverse = random_below(&run->random, 2) == 0;
    if (random_below(&run->random, 10) == 0 && !holds_nan(&run->model)) {
        int expected = model_sort(&run->model, reverse) ? 0 : ERR_TYPE;
        assert_int_equal(list_sort(run->list, reverse, NULL), expected);
        compare(run);
    }
    return 0;
}

static int op_reverse(struct run *run)
{
    list_reverse(run->list, NULL);
    for (uint32_t i = 0; i < run->model.len / 2; i++) {
        struct slice value = run->model.values[i];
        run->model.values[i] = run->model.values[run->model.len - 1 - i];
        run->model.values[run->model.len - 1 - i] = value;
    }
    return 0;
}

static int op_repeat(struct run *run)
{
    uint32_t len = run->model.len;
    int64_t n = (int64_t)random_below(&run->random, 5) - 1;
    if (random_below(&run->random, 20) > 0 || len * 3 > LEN_MAX) {
        return 0;
    }
    int status = list_repeat(run->list, n, NULL);
    while (status == 0 && n <= 0 && run->model.len > 0) {
        model_delete(&run->model, run->model.len - 1);
    }
    for (uint32_t i = 0; status == 0 && n > 1 && i < len * (uint32_t)(n - 1); i++) {
        model_insert(&run->model, run->model.len, run->model.values[i]);
    }
    return status;
}

static int op_incr(struct run *run)
{
    struct buffer sum = {0};
    struct buffer expected = {0};
    struct slice delta = VALUE("\xcd\x01\x00");
    if (run->model.len == 0) {
        return 0;
    }
    uint32_t at = random_below(&run->random, run->model.len);
    int status = list_incr(run->list, at, delta, &sum);
    int wanted = value_add(run->model.values[at], delta, &expected);
    if (status != ERR_LIMIT) {
        assert_int_equal(status, wanted);
    }
    if (status == 0) {
        assert_bytes(buffer_slice(&sum), buffer_slice(&expected));
        drop(run->model.values[at]);
        run->model.values[at] = keep(buffer_slice(&expected));
    }
    buffer_deinit(&sum);
    buffer_deinit(&expected);
    return status == ERR_LIMIT ? status : 0;
}

static void empty(struct run *run)
{
    list_clear(run->list, NULL);
    while (run->model.len > 0) {
        model_delete(&run->model, run->model.len - 1);
    }
    assert_int_equal(run->world.user->bytes, object_overhead(&run->list->object));
}

static void step(struct run *run, bool growing)
{
    static int (*const ops[])(struct run *) = {
        op_insert,  op_push, op_push,   op_set,    op_slice,     op_find, op_sort,
        op_reverse, op_incr, op_repeat, op_delete, op_set_slice, op_pop};
    const uint32_t count = sizeof(ops) / sizeof(ops[0]);
    if (random_below(&run->random, 10) == 0) {
        world_limit(&run->world, random_below(&run->random, 2000));
    }
    uint32_t op = random_below(&run->random, growing ? count : count + 6);
    int status = ops[op < count ? op : count - 1](run);
    if (status == ERR_LIMIT) {
        compare(run);
    } else {
        assert_int_equal(status, 0);
    }
    world_limit(&run->world, UINT32_MAX);
}

/* Goes on with a list that is made of the rows, which were saved whole (`all`), or again and again.
 */
static void load(struct run *run, bool all)
{
    struct row_map rows = {0};
    const struct moment now = {0};
    row_map_save(&run->rows, &run->registry, now);
    if (all) {
        row_map_save_all(&rows, &run->registry, now);
    }
    registry_deinit(&run->registry);
    assert_int_equal(run->world.user->bytes, 0);
    registry_init(&run->registry, 7);
    world_limit(&run->world, 0);
    assert_int_equal(
        row_map_load(all ? &rows : &run->rows, &run->registry, &run->world.accounts, now, NULL), 0);
    assert_true(TAILQ_EMPTY(&run->registry.changed));
    row_map_deinit(&rows);
    run->list = list_of(registry_find(&run->registry, run->world.options.name));
    if (all) {
        object_unsaved(&run->list->object, UNSAVED_ALL); /* it knows nothing of run->rows */
    }
    world_limit(&run->world, UINT32_MAX);
    user_give_back(run->world.user, RESOURCE_OBJECTS, 1);
}

static void save_or_load(struct run *run)
{
    uint32_t choice = random_below(&run->random, 100);
    if (choice < 20) {
        row_map_save(&run->rows, &run->registry, (struct moment){0});
    } else if (choice < 24) {
        load(run, choice == 20);
    }
}

static void run_model(uint8_t lifetime)
{
    static struct run run;
    run = (struct run){.random = random_from_seed(world_seed())};
    world_init(&run.world);
    run.world.options.lifetime = lifetime;
    registry_init(&run.registry, 7);
    assert_int_equal(list_new(&run.world.options, &run.list), 0);
    assert_int_equal(registry_add(&run.registry, &run.list->object), 0);
    object_unref(&run.list->object);
    for (unsigned i = 0; i < STEPS; i++) {
        if (i % 1000 == 0) {
            empty(&run);
            run.kind = i / 1000 % 3;
        }
        step(&run, run.model.len < LEN_MAX && i / 300 % 2 == 0);
        if (lifetime == LIFETIME_DURABLE) {
            save_or_load(&run);
        }
        if (i % CHECK_EVERY == 0) {
            compare(&run);
        }
        while (run.model.len > 4 * LEN_MAX) {
            list_delete(run.list, run.model.len - 1, NULL);
            model_delete(&run.model, run.model.len - 1);
        }
    }
    empty(&run);
    registry_deinit(&run.registry);
    row_map_deinit(&run.rows);
    world_deinit(&run.world);
}

static void a_list_agrees_with_a_plain_array(void **state)
{
    run_model(LIFETIME_DAEMON);
}

static void a_durable_list_does_so_when_it_is_made_of_its_rows_again_and_again(void **state)
{
    run_model(LIFETIME_DURABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_agrees_with_a_plain_array),
        cmocka_unit_test(a_durable_list_does_so_when_it_is_made_of_its_rows_again_and_again),
    };
    return cmocka_run_group_tests_name("list model", tests, NULL, NULL);
}
