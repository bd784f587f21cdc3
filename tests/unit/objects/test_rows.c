/*
 * What durable objects write down, row by row, and what comes back of it; the models of the types
 * (model_*.c) see that all of it does, whatever has been done.
 */
#include "tests/unit/objects/rows_fixture.h"

/* Dicts and lists. */

static void a_pair_is_a_row_and_keeps_it(void **state)
{
    struct fixture *f = *state;
    struct dict *dict = rows_make_dict(f);
    rows_set_pair(dict, "a", VALUE("\x01"));
    rows_set_pair(dict, "b", VALUE("\x02"));
    rows_save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 3);
    for (uint8_t i = 0; i < 100; i++) {
        rows_set_pair(dict, "a", (struct slice){&i, 1});
        rows_set_pair(dict, "c", (struct slice){&i, 1});
        dict_remove(dict, dict_last(dict), NULL);
    }
    rows_save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(f->rows.removes + f->rows.vain, 0);
    dict_remove(dict, dict_next(dict, 0), NULL);
    rows_save(f);
    assert_int_equal(f->rows.puts, 0);
    assert_int_equal(f->rows.removes, 1);
    dict_clear(dict, NULL);
    rows_save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 1);
    rows_save(f);
    assert_int_equal(f->rows.puts, 0);
}

static void the_ends_of_a_list_touch_few_rows(void **state)
{
    struct fixture *f = *state;
    struct list *list = rows_make_list(f);
    for (unsigned i = 0; i < 10000; i++) {
        rows_append(list, i, VALUE("\x01"));
    }
    rows_save(f);
    rows_append(list, 10000, VALUE("\x02"));
    rows_save(f);
    assert_int_equal(f->rows.puts, 2); /* and the state */
    rows_append(list, 0, VALUE("\x03"));
    rows_save(f);
    assert_int_equal(f->rows.puts, 2);
    list_delete(list, 0, NULL);
    rows_save(f);
    assert_in_range(f->rows.puts + f->rows.removes, 1, 2);
    list_delete(list, 10000, NULL);
    rows_save(f);
    assert_in_range(f->rows.puts + f->rows.removes, 1, 2);
    assert_int_equal(list_set(list, 5000, incoming_plain(VALUE("\x04"))), 0);
    rows_save(f);
    assert_int_equal(f->rows.puts, 1);
    rows_append(list, 9990, VALUE("\x05"));
    rows_save(f);
    assert_in_range(f->rows.puts, 1, 4);
    rows_restart(f, 0);
    list = list_of(rows_find(f, "object"));
    assert_int_equal(list_len(list), 10001);
    assert_bytes(list_at(list, 5000).bytes, VALUE("\x04"));
    assert_bytes(list_at(list, 9990).bytes, VALUE("\x05"));
}

static void a_long_value_is_not_written_again_with_its_neighbours(void **state)
{
    struct fixture *f = *state;
    struct list *list = rows_make_list(f);
    static const uint8_t zeros[100000];
    struct buffer bytes = {0};
    pack_bin(&bytes, (struct slice){zeros, sizeof(zeros)});
    rows_append(list, 0, buffer_slice(&bytes));
    rows_append(list, 1, VALUE("\x01"));
    rows_save(f);
    assert_true(f->rows.bytes > sizeof(zeros));
    rows_append(list, 2, VALUE("\x01"));
    rows_save(f);
    assert_in_range(f->rows.bytes, 1, 500);
    assert_int_equal(list_set(list, 0, incoming_plain(VALUE("\x07"))), 0);
    rows_save(f);
    assert_int_equal(f->rows.removes, 1);
    assert_in_range(f->rows.bytes, 1, 500);
    rows_restart(f, 0);
    assert_bytes(list_at(list_of(rows_find(f, "object")), 0).bytes, VALUE("\x07"));
    buffer_deinit(&bytes);
}

/* Any object. */

static void objects_of_other_lifetimes_have_no_rows(void **state)
{
    struct fixture *f = *state;
    f->world.options.lifetime = LIFETIME_DAEMON;
    rows_put_number(f, rows_make_queue(f, &(struct queue_options){0}), 1, NULL);
    f->world.options.name = slice_of_string("d");
    rows_set_pair(rows_make_dict(f), "a", VALUE("\x01"));
    f->world.options.name = slice_of_string("l");
    rows_append(rows_make_list(f), 0, VALUE("\x01"));
    object_set_mode(rows_find(f, "d"), 0);
    assert_true(TAILQ_EMPTY(&f->registry.changed));
    registry_remove(&f->registry, rows_find(f, "d"));
    assert_true(TAILQ_EMPTY(&f->registry.changed));
}

static void a_deleted_object_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    rows_set_pair(rows_make_dict(f), "a", VALUE("\x01"));
    rows_save(f);
    rows_set_pair(dict_of(rows_find(f, "object")), "b", VALUE("\x01"));
    registry_remove(&f->registry, rows_find(f, "object"));
    rows_save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 0);
    rows_set_pair(rows_make_dict(f), "a", VALUE("\x01")); /* never saved */
    registry_remove(&f->registry, rows_find(f, "object"));
    rows_save(f);
    assert_int_equal(f->rows.puts, 0);
    assert_true(TAILQ_EMPTY(&f->registry.changed));
}

static void what_an_object_is_comes_back(void **state)
{
    struct fixture *f = *state;
    struct object *object = &rows_make_dict(f)->object;
    struct timespec created = object->created;
    struct user *other = accounts_user(&f->world.accounts, 77);
    rows_save(f);
    object_set_mode(object, 0604);
    rows_save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(registry_rename(&f->registry, object, slice_of_string("other name")), 0);
    rows_save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(object_chown(object, other, 78), 0);
    rows_save(f);
    assert_int_equal(f->rows.puts, 1);
    f->world.accounts.limits.max_objects = 0;
    f->world.accounts.limits.max_user_bytes = 0;
    user_give_back(other, RESOURCE_OBJECTS, 1);
    rows_end_objects(f);
    registry_init(&f->registry, 7);
    assert_int_equal(row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, NULL), 0);
    object = rows_find(f, "other name");
    assert_int_equal(object->uid, 77);
    assert_int_equal(object->gid, 78);
    assert_int_equal(object->mode, 0604);
    assert_int_equal(object->lifetime, LIFETIME_DURABLE);
    assert_int_equal(object->opens, 0);
    assert_memory_equal(&object->created, &created, sizeof(created));
    assert_int_equal(other->objects, 1);
    assert_int_equal(other->bytes, object_overhead(object) + object->bytes);
    user_give_back(other, RESOURCE_OBJECTS, 1);
    user_unref(other);
}

static void numbers_are_not_used_again(void **state)
{
    struct fixture *f = *state;
    f->world.options.name = slice_of_string("a");
    uint64_t first = rows_make_dict(f)->object.entry.seq;
    f->world.options.name = slice_of_string("b");
    uint64_t second = rows_make_dict(f)->object.entry.seq;
    rows_save(f);
    registry_remove(&f->registry, rows_find(f, "b"));
    rows_save(f);
    rows_restart(f, 0);
    assert_int_equal(rows_find(f, "a")->entry.seq, first);
    uint64_t third = rows_make_dict(f)->object.entry.seq;
    assert_true(third > second);
    rows_save(f);
    rows_restart(f, 0);
    assert_int_equal(rows_find(f, "b")->entry.seq, third);
    assert_ptr_equal(registry_from(&f->registry, first + 1), rows_find(f, "b"));
}

static bool is_held(const struct object *object)
{
    return object->hold != NULL;
}

static bool is_not(const struct object *object)
{
    return false;
}

static void an_object_that_is_busy_is_passed_over_unless_it_is_gone(void **state)
{
    struct fixture *f = *state;
    struct object *object = &rows_make_dict(f)->object;
    object->hold = (struct hold *)&f->rows;
    assert_null(registry_next_changed(&f->registry, is_held));
    f->world.options.name = slice_of_string("other");
    struct object *other = registry_next_changed(&f->registry, is_not);
    assert_ptr_equal(other, object);
    object_unref(other);
    object_set_mode(object, 0);
    other = &rows_make_dict(f)->object;
    assert_ptr_equal(registry_next_changed(&f->registry, is_held), other);
    object_unref(other);
    assert_null(registry_next_changed(&f->registry, is_held));
    registry_remove(&f->registry, object);
    assert_ptr_equal(registry_next_changed(&f->registry, is_held), object);
    object->hold = NULL;
    object_unref(object);
}

static void references_come_back(void **state)
{
    struct fixture *f = *state;
    struct buffer bytes = {0};
    struct origin origin;
    f->world.options.name = slice_of_string("q");
    struct queue *queue = rows_make_queue(f, &(struct queue_options){0});
    f->world.options.name = slice_of_string("l");
    struct list *list = rows_make_list(f);
    f->world.options.name = slice_of_string("gone");
    (void)rows_make_dict(f);
    assert_int_equal(queue_put(queue, rows_reference(f, "l", &origin, &bytes), NULL, 0), 0);
    assert_int_equal(queue_put(queue, rows_reference(f, "gone", &origin, &bytes), NULL, 0), 0);
    assert_int_equal(queue_put(queue, rows_reference(f, "l", &origin, &bytes),
                               &(struct put_options){.ttl_ms = 1000}, f->now.monotonic_ns),
                     0);
    assert_int_equal(list_insert(list, 0, rows_reference(f, "q", &origin, &bytes), NULL), 0);
    rows_save(f);
    registry_remove(&f->registry, rows_find(f, "gone"));
    rows_save(f);
    list_clear(list, NULL); /* else they would keep each other: nobody else saves this */
    (void)queue_clear(queue, NULL);
    rows_restart(f, 0);
    assert_int_equal(rows_find(f, "l")->contained, 2);
    assert_int_equal(rows_find(f, "q")->contained, 1);
    struct delivery head;
    queue = queue_of(rows_find(f, "q"));
    queue_drop_head(queue);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_null(head.value.blob); /* what it named is not there: just bytes */
    list_clear(list_of(rows_find(f, "l")), NULL);
    (void)queue_clear(queue, NULL);
    buffer_deinit(&bytes);
}

/* Descriptors are handed over by numbers, as one daemon gives them to the next. */

static struct descriptor *handed_over;

static uint64_t number_descriptor(void *data, struct descriptor *descriptor)
{
    handed_over = descriptor_ref(descriptor);
    return 42;
}

static struct descriptor *numbered_descriptor(void *data, uint64_t number)
{
    return number == 42 ? handed_over : NULL; /* the reference goes with it */
}

static void descriptors_are_handed_over(void **state)
{
    struct fixture *f = *state;
    struct origin origin = {.count = 1, .registry = &f->registry};
    f->world.options.lifetime = LIFETIME_DAEMON;
    struct list *list = rows_make_list(f);
    assert_int_equal(descriptor_new(f->world.user, -1, &origin.descriptors[0]), 0);
    struct incoming value = {.bytes = VALUE("\xd4\x02\0"), .origin = &origin};
    assert_int_equal(list_insert(list, 0, value, NULL), 0);
    descriptor_unref(origin.descriptors[0]);
    struct row_writer out = row_map_writer(&f->rows, 1);
    out.descriptor = number_descriptor;
    assert_int_equal(object_save(&list->object, ROWS_ALL, &out, &f->now), 0);
    rows_end_objects(f);
    registry_init(&f->registry, 7);
    char why[256];
    assert_int_equal(row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, why),
                     ERR_VALUE); /* where there are none */
    rows_end_objects(f);
    registry_init(&f->registry, 7);
    struct row_reader reader = {.registry = &f->registry,
                                .accounts = &f->world.accounts,
                                .now = f->now,
                                .descriptor = numbered_descriptor};
    loading_begin(&reader);
    for (size_t i = 0; i < f->rows.count; i++) {
        const struct map_row *row = &f->rows.rows[i];
        int status = row->key.len == 0 ? loading_object(&reader, row->number, row->value)
                                       : loading_row(&reader, row->number, row->key, row->value);
        assert_int_equal(status, 0);
    }
    assert_int_equal(loading_end(&reader), 0);
    struct stored stored = list_at(list_of(rows_find(f, "object")), 0);
    assert_ptr_equal(stored.blob->attachments->descriptors[0].descriptor, handed_over);
    assert_int_equal(stored.blob->attachments->descriptors[0].at, 2);
    user_give_back(f->world.user, RESOURCE_DESCRIPTORS, 1); /* its fd is -1: nobody does */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS_TEST(a_pair_is_a_row_and_keeps_it),
        ROWS_TEST(the_ends_of_a_list_touch_few_rows),
        ROWS_TEST(a_long_value_is_not_written_again_with_its_neighbours),
        ROWS_TEST(objects_of_other_lifetimes_have_no_rows),
        ROWS_TEST(a_deleted_object_leaves_nothing),
        ROWS_TEST(what_an_object_is_comes_back),
        ROWS_TEST(numbers_are_not_used_again),
        ROWS_TEST(an_object_that_is_busy_is_passed_over_unless_it_is_gone),
        ROWS_TEST(references_come_back),
        ROWS_TEST(descriptors_are_handed_over),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
