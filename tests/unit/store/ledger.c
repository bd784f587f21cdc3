/* ledger: see ledger.h. */
#include "tests/unit/store/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/random_value.h"
#include "tests/support/unit.h"

enum { OBJECTS = 3, KEYS = 60, CHANGES = 12, VALUE_MOST = 12000 };

/* What a row's value is, is known by two numbers. */
struct row {
    uint32_t len; /* 0: it is not there */
    uint8_t byte;
};

struct model {
    struct row rows[OBJECTS][KEYS];
};

struct step {
    enum { PUT, REMOVE, REMOVE_OBJECT } kind;
    uint32_t object;
    uint32_t key;
    struct row row;
};

static struct step next_step(struct random *random)
{
    struct step step = {.object = random_below(random, OBJECTS), .key = random_below(random, KEYS)};
    uint32_t kind = random_below(random, 100);
    step.kind = kind < 60 ? PUT : kind < 98 ? REMOVE : REMOVE_OBJECT;
    uint32_t most = random_below(random, 10) == 0 ? VALUE_MOST : 200;
    step.row = (struct row){1 + random_below(random, most), (uint8_t)random_below(random, 256)};
    return step;
}

static struct random random_of(const struct ledger *ledger, uint64_t commit)
{
    return random_from_seed(ledger->seed * 1000003 + commit);
}

static void do_step(struct store *store, const struct step *step)
{
    char key[16];
    static uint8_t value[VALUE_MOST];
    (void)snprintf(key, sizeof(key), "k%u", step->key);
    switch (step->kind) {
    case PUT:
        memset(value, step->row.byte, step->row.len);
        store_put(store, step->object, slice_of_string(key), (struct slice){value, step->row.len});
        break;
    case REMOVE:
        store_remove(store, step->object, slice_of_string(key));
        break;
    default:
        store_remove_object(store, step->object);
        break;
    }
}

void ledger_commit(struct ledger *ledger, struct store *store)
{
    char text[24];
    uint64_t number;
    struct random random = random_of(ledger, ++ledger->handed);
    for (int i = 0; i < CHANGES; i++) {
        struct step step = next_step(&random);
        do_step(store, &step);
    }
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)ledger->handed);
    store_put(store, OBJECTS, slice_of_string("number"), slice_of_string(text));
    assert_int_equal(store_commit(store, &number), 0);
}

static void model_step(struct model *model, const struct step *step)
{
    struct row none = {0};
    switch (step->kind) {
    case PUT:
        model->rows[step->object][step->key] = step->row;
        break;
    case REMOVE:
        model->rows[step->object][step->key] = none;
        break;
    default:
        memset(model->rows[step->object], 0, sizeof(model->rows[step->object]));
        break;
    }
}

static void model_make(const struct ledger *ledger, uint64_t commits, struct model *model)
{
    memset(model, 0, sizeof(*model));
    for (uint64_t commit = 1; commit <= commits; commit++) {
        struct random random = random_of(ledger, commit);
        for (int i = 0; i < CHANGES; i++) {
            struct step step = next_step(&random);
            model_step(model, &step);
        }
    }
}

/* What a store has. */
struct found {
    uint64_t number;
    struct model model;
};

static int note_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    struct found *found = data;
    char text[24] = {0};
    assert_true(object <= OBJECTS && key.len < sizeof(text) && value.len > 0);
    if (object == OBJECTS) {
        assert_true(value.len < sizeof(text));
        memcpy(text, value.data, value.len);
        found->number = strtoull(text, NULL, 10);
        return 0;
    }
    memcpy(text, key.data, key.len);
    unsigned long number = strtoul(text + 1, NULL, 10);
    assert_true(text[0] == 'k' && number < KEYS);
    for (size_t i = 1; i < value.len; i++) {
        assert_int_equal(value.data[i], value.data[0]);
    }
    found->model.rows[object][number] = (struct row){(uint32_t)value.len, value.data[0]};
    return 0;
}

uint64_t ledger_find(const struct ledger *ledger, struct box *box, uint64_t least, uint64_t most)
{
    static struct found found;
    static struct model expected;
    char *error = NULL;
    memset(&found, 0, sizeof(found));
    if (store_read(box->store, note_row, &found, &error) != 0) {
        fail_msg("%s", error);
    }
    if (found.number < least || found.number > most) {
        fail_msg("commit %llu is there, where %llu to %llu are right",
                 (unsigned long long)found.number, (unsigned long long)least,
                 (unsigned long long)most);
    }
    model_make(ledger, found.number, &expected);
    for (int object = 0; object < OBJECTS; object++) {
        for (int key = 0; key < KEYS; key++) {
            struct row is = found.model.rows[object][key];
            struct row should = expected.rows[object][key];
            if (is.len != should.len || is.byte != should.byte) {
                fail_msg("after commit %llu, row %d k%d has %u bytes of %u, not %u of %u",
                         (unsigned long long)found.number, object, key, is.len, is.byte, should.len,
                         should.byte);
            }
        }
    }
    return found.number;
}
