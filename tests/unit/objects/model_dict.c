/*
 * Random operations on a dict, each done on a plain model as well: an array of pairs that is
 * searched from the front. Limits are set at random too: what is refused must have changed nothing.
 * A durable dict is saved now and then, and made of its rows again, and must be what it was.
 */
#include "daemon/objects/dict.h"
#include "daemon/objects/pair.h"
#include "proto/value.h"
#include "tests/support/random_value.h"
#include "tests/unit/objects/row_map.h"
#include "tests/unit/objects/world.h"

#include <stdlib.h>

enum { STEPS = 60000, KEYS = 80, CHECK_EVERY = 40 };

struct model_pair {
    struct slice key; /* canonical; owned, as is the value */
    struct slice value;
    uint64_t seq;
};

struct model {
    struct model_pair pairs[KEYS];
    uint32_t len;
    uint64_t next_seq;
};

struct run {
    struct world world;
    struct random random;
    struct registry registry;
    struct row_map rows; /* of a durable dict */
    struct dict *dict;
    struct model model;
    struct buffer keys[KEYS]; /* encoded, in any form; some of them equal, some no keys */
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

static uint32_t model_find(const struct model *model, struct slice key)
{
    uint32_t i = 0;
    while (i < model->len && !value_equal(model->pairs[i].key, key)) {
        i++;
    }
    return i;
}

static void model_set(struct model *model, struct slice key, struct slice value)
{
    uint32_t at = model_find(model, key);
    struct model_pair *pair = &model->pairs[at];
    if (at < model->len) {
        drop(pair->value);
    } else {
        struct buffer canonical = {0};
        value_canonical(key, &canonical);
        *pair =
            (struct model_pair){.key = keep(buffer_slice(&canonical)), .seq = model->next_seq++};
        buffer_deinit(&canonical);
        model->len++;
    }
    pair->value = keep(value);
}

static void model_remove(struct model *model, uint32_t at)
{
    drop(model->pairs[at].key);
    drop(model->pairs[at].value);
    model->len--;
    memmove(&model->pairs[at], &model->pairs[at + 1], (model->len - at) * sizeof(model->pairs[0]));
}

static void compare(struct run *run)
{
    const struct dict *dict = run->dict;
    uint64_t bytes = ordered_cost(&dict->pairs);
    uint32_t position = dict_next(dict, 0);
    assert_int_equal(dict_len(dict), run->model.len);
    for (uint32_t i = 0; i < run->model.len; i++) {
        struct dict_item item = dict_at(dict, position);
        assert_bytes(item.key, run->model.pairs[i].key);
        assert_bytes(item.value.bytes, run->model.pairs[i].value);
        assert_int_equal(item.seq, run->model.pairs[i].seq);
        assert_int_equal(dict_from_seq(dict, item.seq), position);
        bytes += pair_cost((struct pair *)dict->pairs.entries[position]);
        position = dict_next(dict, position + 1);
    }
    assert_int_equal(position, ORDERED_NONE);
    assert_int_equal(dict->object.bytes, bytes);
    assert_int_equal(run->world.user->bytes, bytes + object_overhead(&dict->object));
}

/* Random keys and values. */

static void make_keys(struct run *run)
{
    const struct random_shape shape = {
        .max_depth = 2, .max_count = 3, .max_run = 40, .any_form = true};
    for (uint32_t i = 0; i < KEYS; i++) {
        random_value(&run->random, &shape, &run->keys[i]);
    }
}

static struct slice any_key(struct run *run)
{
    return buffer_slice(&run->keys[random_below(&run->random, KEYS)]);
}

static void any_value(struct run *run, struct buffer *out)
{
    struct random_shape shape = {.max_depth = 3, .max_count = 5, .max_run = 30, .any_form = true};
    switch (random_below(&run->random, 20)) {
    case 0:
        shape.max_run = 3 * BLOB_MIN;
        break;
    case 1:
    case 2:
        shape = (struct random_shape){0};
        break;
    default:
        break;
    }
    random_value(&run->random, &shape, out);
}

/* Operations: each does the same to both, or nothing to the model if the dict refuses. */

static int op_set(struct run *run, const struct dict_key *key)
{
    struct buffer value = {0};
    uint32_t position = dict_find(run->dict, key);
    any_value(run, &value);
    bool expect_new = model_find(&run->model, key->bytes) == run->model.len;
    int status = dict_set(run->dict, key, position, incoming_plain(buffer_slice(&value)), NULL);
    if (status == 0) {
        assert_int_equal(position == ORDERED_NONE, expect_new);
        model_set(&run->model, key->bytes, buffer_slice(&value));
    }
    buffer_deinit(&value);
    return status;
}

static int op_remove(struct run *run, const struct dict_key *key)
{
    uint32_t position = dict_find(run->dict, key);
    uint32_t at = model_find(&run->model, key->bytes);
    assert_int_equal(position == ORDERED_NONE, at == run->model.len);
    if (position != ORDERED_NONE) {
        dict_remove(run->dict, position, NULL);
        model_remove(&run->model, at);
    }
    return 0;
}

static int op_remove_end(struct run *run, const struct dict_key *key)
{
    bool last = random_below(&run->random, 2) == 0;
    uint32_t position = last ? dict_last(run->dict) : dict_next(run->dict, 0);
    assert_int_equal(position == ORDERED_NONE, run->model.len == 0);
    if (position != ORDERED_NONE) {
        dict_remove(run->dict, position, NULL);
        model_remove(&run->model, last ? run->model.len - 1 : 0);
    }
    return 0;
}

static int op_update(struct run *run, const struct dict_key *key)
{
    struct buffer map = {0};
    struct slice keys[8];
    struct buffer values[8] = {{0}};
    uint32_t count = random_below(&run->random, 8);
    uint64_t new_keys;
    struct key_fault fault;
    int expected = 0;
    pack_map(&map, count);
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = any_key(run);
        any_value(run, &values[i]);
        pack_raw(&map, keys[i]);
        pack_raw(&map, buffer_slice(&values[i]));
        expected = expected == 0 ? value_check_key(keys[i], NULL) : expected;
    }
    int status =
        dict_update(run->dict, incoming_plain(buffer_slice(&map)), &new_keys, &fault, NULL);
    if (status != ERR_LIMIT) {
        assert_int_equal(status, expected);
    }
    uint32_t before = run->model.len;
    for (uint32_t i = 0; i < count; i++) {
        if (status == 0) {
            model_set(&run->model, keys[i], buffer_slice(&values[i]));
        }
        buffer_deinit(&values[i]);
    }
    if (status == 0) {
        assert_int_equal(new_keys, run->model.len - before);
    }
    buffer_deinit(&map);
    return status == ERR_TYPE ? 0 : status;
}

static int op_incr(struct run *run, const struct dict_key *key)
{
    struct buffer delta = {0};
    struct buffer sum = {0};
    struct buffer expected = {0};
    uint32_t at = model_find(&run->model, key->bytes);
    bool missing = at == run->model.len;
    struct slice initial = VALUE("\x64");
    pack_uint(&delta, random_below(&run->random, 1000));
    uint32_t position = dict_find(run->dict, key);
    int status = dict_incr(run->dict, key, position, buffer_slice(&delta), initial, &sum, NULL);
    int wanted =
        value_add(missing ? initial : run->model.pairs[at].value, buffer_slice(&delta), &expected);
    if (status != ERR_LIMIT) {
        assert_int_equal(status, wanted);
    }
    if (status == 0) {
        assert_int_equal(position == ORDERED_NONE, missing);
        assert_bytes(buffer_slice(&sum), buffer_slice(&expected));
        model_set(&run->model, key->bytes, buffer_slice(&expected));
    }
    buffer_deinit(&delta);
    buffer_deinit(&sum);
    buffer_deinit(&expected);
    return status == ERR_LIMIT ? status : 0;
}

static int op_cas(struct run *run, const struct dict_key *key)
{
    struct buffer value = {0};
    uint32_t at = model_find(&run->model, key->bytes);
    bool missing = at == run->model.len;
    bool right = random_below(&run->random, 3) > 0;
    bool removes = random_below(&run->random, 3) == 0;
    bool done;
    struct slice other = VALUE("\xc7\x02\x63no"); /* an ext that no random value is */
    struct slice expected = right && !missing ? run->model.pairs[at].value : other;
    any_value(run, &value);
    struct slice new_value = buffer_slice(&value);
    struct incoming incoming = incoming_plain(new_value);
    int status =
        dict_cas(run->dict, key, dict_find(run->dict, key), missing && right ? NULL : &expected,
                 removes ? NULL : &incoming, &done, NULL);
    if (status == 0) {
        assert_int_equal(done, right);
    }
    if (status == 0 && done && !removes) {
        model_set(&run->model, key->bytes, new_value);
    } else if (status == 0 && done && !missing) {
        model_remove(&run->model, at);
    }
    buffer_deinit(&value);
    return status;
}

static int op_clear(struct run *run, const struct dict_key *key)
{
    if (random_below(&run->random, 50) == 0) {
        dict_clear(run->dict, NULL);
        while (run->model.len > 0) {
            model_remove(&run->model, run->model.len - 1);
        }
        assert_int_equal(run->world.user->bytes, object_overhead(&run->dict->object));
    }
    return 0;
}

static void step(struct run *run, bool growing)
{
    static int (*const ops[])(struct run *, const struct dict_key *) = {
        op_set, op_set, op_set, op_update, op_incr, op_cas, op_clear, op_remove, op_remove_end};
    const uint32_t count = sizeof(ops) / sizeof(ops[0]);
    struct slice raw = any_key(run);
    struct dict_key key;
    struct key_fault fault;
    int status = dict_key_init(&key, run->dict, raw, &fault, NULL);
    assert_int_equal(status, value_check_key(raw, NULL));
    if (random_below(&run->random, 10) == 0) {
        world_limit(&run->world, random_below(&run->random, 2000));
    }
    if (status == 0) {
        uint32_t op = random_below(&run->random, growing ? count : count + 6);
        status = ops[op < count ? op : count - 1 - op % 2](run, &key);
        if (status == ERR_LIMIT) {
            compare(run);
        } else {
            assert_int_equal(status, 0);
        }
    }
    world_limit(&run->world, UINT32_MAX);
    dict_key_deinit(&key);
}

/* Goes on with a dict that is made of the rows, which were saved whole (`all`), or again and again.
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
    run->dict = dict_of(registry_find(&run->registry, run->world.options.name));
    if (all) {
        object_unsaved(&run->dict->object, UNSAVED_ALL); /* it knows nothing of run->rows */
    }
    assert_true(run->dict->pairs.next_seq <= run->model.next_seq);
    run->model.next_seq = run->dict->pairs.next_seq;
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
    const struct dict_options options = {.seed = 7};
    run = (struct run){.random = random_from_seed(world_seed()), .model = {.next_seq = 1}};
    world_init(&run.world);
    run.world.options.lifetime = lifetime;
    registry_init(&run.registry, 7);
    assert_int_equal(dict_new(&run.world.options, &options, &run.dict), 0);
    assert_int_equal(registry_add(&run.registry, &run.dict->object), 0);
    object_unref(&run.dict->object);
    make_keys(&run);
    for (unsigned i = 0; i < STEPS; i++) {
        step(&run, i / 500 % 2 == 0);
        if (lifetime == LIFETIME_DURABLE) {
            save_or_load(&run);
            world_limit(&run.world, UINT32_MAX);
        }
        if (i % CHECK_EVERY == 0) {
            compare(&run);
        }
    }
    assert_int_equal(TAILQ_EMPTY(&run.registry.changed), lifetime != LIFETIME_DURABLE);
    registry_deinit(&run.registry);
    row_map_deinit(&run.rows);
    world_deinit(&run.world);
    for (uint32_t i = 0; i < KEYS; i++) {
        buffer_deinit(&run.keys[i]);
    }
    while (run.model.len > 0) {
        model_remove(&run.model, run.model.len - 1);
    }
}

static void a_dict_agrees_with_an_array_of_pairs(void **state)
{
    run_model(LIFETIME_DAEMON);
}

static void a_durable_dict_does_so_when_it_is_made_of_its_rows_again_and_again(void **state)
{
    run_model(LIFETIME_DURABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_durable_dict_does_so_when_it_is_made_of_its_rows_again_and_again),
        cmocka_unit_test(a_dict_agrees_with_an_array_of_pairs),
    };
    return cmocka_run_group_tests_name("dict model", tests, NULL, NULL);
}
