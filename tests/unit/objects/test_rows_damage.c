/* Rows that are damaged or missing, and no memory to put or to load them. */
#include "tests/unit/objects/rows_fixture.h"
#include "tests/support/scarce.h"

#include <stdlib.h>

/* One of each kind, with something in each of their places. */
static void make_rich(struct fixture *f)
{
    struct buffer bytes = {0};
    struct origin origin;
    struct tie tie = {.taken = TAILQ_HEAD_INITIALIZER(tie.taken)};
    f->world.options.name = slice_of_string("l");
    struct list *list = rows_make_list(f);
    static const uint8_t zeros[600];
    pack_bin(&bytes, (struct slice){zeros, sizeof(zeros)});
    rows_append(list, 0, buffer_slice(&bytes));
    rows_append(list, 0, VALUE("\x01"));
    f->world.options.name = slice_of_string("d");
    struct dict *dict = rows_make_dict(f);
    rows_set_pair(dict, "a", VALUE("\x93\x01\x02\x03"));
    rows_set_pair(dict, "b", VALUE("\xc0"));
    const struct queue_options options = {
        .joinable = true, .lease_ms = 100, .dead_letter = slice_of_string("x")};
    for (int order = QUEUE_FIFO; order <= QUEUE_PRIORITY; order++) {
        static const char *const names[] = {"f", "i", "p"};
        struct queue_options of = options;
        struct delivery head;
        of.order = (enum queue_order)order;
        f->world.options.name = slice_of_string(names[order]);
        struct queue *queue = rows_make_queue(f, &of);
        rows_put_number(f, queue, 1, NULL);
        rows_put_long(f, queue, 1500, &(struct put_options){.ttl_ms = 100});
        rows_put_number(f, queue, 2, &(struct put_options){.delay_ms = 100});
        rows_put_number(f, queue, 3, &(struct put_options){.ttl_ms = 50, .rank = {.number = 1}});
        rows_put_number(f, queue, 4, NULL);
        assert_int_equal(queue_put(queue, rows_reference(f, "d", &origin, &bytes), NULL, 0), 0);
        rows_save(f);
        assert_int_equal(queue_return(queue, incoming_plain(VALUE("\x05"))), 0);
        assert_int_equal(queue_head(queue, &head), 0);
        assert_int_equal(queue_take_head(queue, &tie, f->now.monotonic_ns, &head, NULL), 0);
        object_tick(&queue->object, f->now.monotonic_ns + 60 * NS_PER_MS, NULL);
        rows_save(f);
        tie.object = &queue->object;
        tie_abandon(&tie, f->now.monotonic_ns, NULL);
    }
    buffer_deinit(&bytes);
}

/* Loads rows of which one is another, and does something with what came of it. */
static void load_damaged(struct fixture *f, size_t row, struct slice value, bool newer)
{
    char why[256];
    struct slice good = f->rows.rows[row].value;
    f->rows.rows[row].value = value;
    registry_init(&f->registry, 7);
    int status = row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, why);
    if (newer) {
        assert_int_equal(status, ERR_VALUE);
        assert_non_null(strstr(why, "a newer one has written it"));
    }
    assert_true(status == 0 || status == ERR_VALUE);
    assert_int_equal(status == 0, why[0] == '\0');
    struct object *object = status == 0 ? registry_from(&f->registry, 0) : NULL;
    for (; object != NULL; object = registry_from(&f->registry, object->entry.seq + 1)) {
        struct buffer description = {0};
        (void)object->type->describe(object, &description, f->now.monotonic_ns);
        buffer_deinit(&description);
        if (object->type->give_back_untied != NULL) {
            object->type->give_back_untied(object, f->now.monotonic_ns);
        }
        object_tick(object, f->now.monotonic_ns + 200 * NS_PER_MS, NULL);
        struct row_map other = {0};
        struct row_writer out = row_map_writer(&other, 1);
        assert_int_equal(object_save(object, ROWS_CHANGED, &out, &f->now), 0);
        assert_int_equal(object_save(object, ROWS_ALL, &out, &f->now), 0);
        row_map_deinit(&other);
    }
    rows_end_objects(f);
    assert_int_equal(f->world.accounts.bytes, 0);
    f->rows.rows[row].value = good;
}

static void damaged_rows_are_refused_or_harmless(void **state)
{
    struct fixture *f = *state;
    make_rich(f);
    rows_end_objects(f);
    for (size_t row = 0; row < f->rows.count; row++) {
        struct slice good = f->rows.rows[row].value;
        uint8_t *bytes = malloc(good.len + 1);
        assert_non_null(bytes);
        memcpy(bytes, good.data, good.len);
        bytes[0] = 2;
        load_damaged(f, row, (struct slice){bytes, good.len}, true);
        bytes[0] = good.data[0];
        for (size_t i = 0; i < good.len; i += i < 200 ? 1 : 97) {
            static const uint8_t others[] = {0x00, 0x01, 0x7f, 0x91, 0xc0, 0xc4, 0xcf, 0xdd, 0xff};
            for (size_t j = 0; j < sizeof(others); j++) {
                bytes[i] = others[j];
                load_damaged(f, row, (struct slice){bytes, good.len}, false);
            }
            bytes[i] = good.data[i];
            load_damaged(f, row, (struct slice){bytes, i}, false);
        }
        bytes[good.len] = 0xc0;
        load_damaged(f, row, (struct slice){bytes, good.len + 1}, false);
        free(bytes);
    }
    registry_init(&f->registry, 7);
}

static void a_row_that_is_missing_is_missed_or_harmless(void **state)
{
    struct fixture *f = *state;
    make_rich(f);
    rows_end_objects(f);
    for (size_t i = 0; i < f->rows.count; i++) {
        struct map_row row = f->rows.rows[i];
        memmove(&f->rows.rows[i], &f->rows.rows[i + 1],
                (f->rows.count - i - 1) * sizeof(f->rows.rows[0]));
        f->rows.count--;
        struct slice same = f->rows.rows[0].value;
        load_damaged(f, 0, same, false);
        memmove(&f->rows.rows[i + 1], &f->rows.rows[i],
                (f->rows.count - i) * sizeof(f->rows.rows[0]));
        f->rows.rows[i] = row;
        f->rows.count++;
    }
    registry_init(&f->registry, 7);
}

static void loading_without_memory_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    make_rich(f);
    rows_end_objects(f);
    for (unsigned n = 0;; n++) {
        registry_init(&f->registry, 7);
        scarce_begin(n);
        int status = row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, NULL);
        if (!scarce_end()) {
            assert_int_equal(status, 0);
            break;
        }
        assert_true(status == ERR_MEMORY || status == 0);
        rows_end_objects(f);
    }
}

static bool is_not(const struct object *object)
{
    return false;
}

static int full(void *data, struct slice key, struct slice value)
{
    int *left = data;
    return (*left)-- > 0 ? 0 : ERR_MEMORY;
}

static int no_remove(void *data, struct slice key)
{
    return full(data, key, key);
}

static int no_remove_all(void *data)
{
    return 0;
}

static void what_could_not_be_put_is_still_changed(void **state)
{
    struct fixture *f = *state;
    struct dict *dict = rows_make_dict(f);
    rows_set_pair(dict, "a", VALUE("\x01"));
    rows_set_pair(dict, "b", VALUE("\x02"));
    for (int enough = 0; enough < 3; enough++) {
        int left = enough;
        const struct row_writer out = {
            .put = full, .remove = no_remove, .remove_all = no_remove_all, .data = &left};
        struct object *object = registry_next_changed(&f->registry, is_not);
        assert_ptr_equal(object, &dict->object);
        assert_int_equal(object_save(object, ROWS_CHANGED, &out, &f->now), ERR_MEMORY);
        object_unref(object);
    }
    rows_save(f);
    rows_restart(f, 0);
    assert_int_equal(dict_len(dict_of(rows_find(f, "object"))), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS_TEST(damaged_rows_are_refused_or_harmless),
        ROWS_TEST(a_row_that_is_missing_is_missed_or_harmless),
        ROWS_TEST(loading_without_memory_leaves_nothing),
        ROWS_TEST(what_could_not_be_put_is_still_changed),
    };
    return cmocka_run_group_tests_name("damaged rows", tests, NULL, NULL);
}
