/*
 * What durable objects write down, row by row, and what comes back of it; the models of the types
 * (model_*.c) see that all of it does, whatever has been done.
 */
#include "daemon/objects/dict.h"
#include "daemon/objects/list.h"
#include "daemon/objects/queue.h"
#include "daemon/objects/waits.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/row_map.h"
#include "tests/unit/objects/world.h"

#include <stdlib.h>

#define NS_PER_MS UINT64_C(1000000)

struct fixture {
    struct world world;
    struct registry registry;
    struct row_map rows;
    struct moment now;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    world_init(&f->world);
    f->world.options.lifetime = LIFETIME_DURABLE;
    registry_init(&f->registry, 7);
    f->now = (struct moment){1000 * NS_PER_MS, UINT64_C(1700000000000000)};
    *state = f;
    return 0;
}

/* All objects go, without a trace in the rows. */
static void end_objects(struct fixture *f)
{
    struct object *object = registry_from(&f->registry, 0);
    for (; object != NULL; object = registry_from(&f->registry, object->entry.seq + 1)) {
        object_unready(object);
    }
    registry_deinit(&f->registry);
    user_give_back(f->world.user, RESOURCE_OBJECTS, f->world.user->objects);
    assert_int_equal(f->world.user->bytes, 0);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    end_objects(f);
    row_map_deinit(&f->rows);
    world_deinit(&f->world);
    free(f);
    return 0;
}

/* An object is in the registry, which has the only reference. */
static void enter(struct fixture *f, struct object *object)
{
    assert_int_equal(registry_add(&f->registry, object), 0);
    assert_int_equal(user_take(f->world.user, RESOURCE_OBJECTS, 1), 0);
    object_unref(object);
}

static struct queue *make_queue(struct fixture *f, const struct queue_options *options)
{
    struct queue *queue;
    assert_int_equal(queue_new(&f->world.options, options, &queue), 0);
    enter(f, &queue->object);
    return queue;
}

static struct dict *make_dict(struct fixture *f)
{
    struct dict *dict;
    assert_int_equal(dict_new(&f->world.options, &(struct dict_options){.seed = 7}, &dict), 0);
    enter(f, &dict->object);
    return dict;
}

static struct list *make_list(struct fixture *f)
{
    struct list *list;
    assert_int_equal(list_new(&f->world.options, &list), 0);
    enter(f, &list->object);
    return list;
}

/* A commit, whose rows are counted anew. */
static void save(struct fixture *f)
{
    f->rows.puts = 0;
    f->rows.removes = 0;
    f->rows.bytes = 0;
    row_map_save(&f->rows, &f->registry, f->now);
}

/* The daemon is gone and comes back after so many milliseconds, with a clock that begins anew. */
static void restart(struct fixture *f, uint64_t ms)
{
    end_objects(f);
    registry_init(&f->registry, 7);
    f->now.wall_us += ms * 1000;
    f->now.monotonic_ns = 5 * NS_PER_MS;
    assert_int_equal(row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, NULL), 0);
}

static struct object *find(struct fixture *f, const char *name)
{
    struct object *object = registry_find(&f->registry, slice_of_string(name));
    assert_non_null(object);
    return object;
}

static void put_number(struct fixture *f, struct queue *queue, uint64_t number,
                       const struct put_options *options)
{
    struct buffer bytes = {0};
    pack_uint(&bytes, number);
    assert_int_equal(
        queue_put(queue, incoming_plain(buffer_slice(&bytes)), options, f->now.monotonic_ns), 0);
    buffer_deinit(&bytes);
}

/* A bin of so many bytes. */
static void put_long(struct fixture *f, struct queue *queue, size_t len,
                     const struct put_options *options)
{
    struct buffer bytes = {0};
    uint8_t *data = calloc(1, len);
    pack_bin(&bytes, (struct slice){data, len});
    assert_int_equal(
        queue_put(queue, incoming_plain(buffer_slice(&bytes)), options, f->now.monotonic_ns), 0);
    buffer_deinit(&bytes);
    free(data);
}

static uint64_t number_of(struct slice value)
{
    struct header header;
    assert_int_equal(header_read(value.data, value.len, &header), 0);
    return (uint64_t)header.i;
}

/* Takes the next item of a plain queue. */
static uint64_t get_number(struct queue *queue)
{
    struct delivery head;
    assert_int_equal(queue_head(queue, &head), 0);
    uint64_t number = number_of(head.value.bytes);
    queue_drop_head(queue);
    return number;
}

static void set_pair(struct dict *dict, const char *name, struct slice value)
{
    struct buffer bytes = {0};
    struct dict_key key;
    struct key_fault fault;
    pack_string(&bytes, name);
    assert_int_equal(dict_key_init(&key, dict, buffer_slice(&bytes), &fault, NULL), 0);
    assert_int_equal(dict_set(dict, &key, dict_find(dict, &key), incoming_plain(value), NULL), 0);
    dict_key_deinit(&key);
    buffer_deinit(&bytes);
}

/* Queues. */

static void all_that_a_commit_puts_is_one_row(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = make_queue(f, &(struct queue_options){0});
    save(f);
    for (uint64_t i = 0; i < 1000; i++) {
        put_number(f, queue, i, NULL);
    }
    save(f);
    assert_int_equal(f->rows.puts, 2); /* and the state */
    for (uint64_t i = 0; i < 1000; i++) {
        put_number(f, queue, i, &(struct put_options){.delay_ms = 10});
    }
    save(f);
    assert_int_equal(f->rows.puts, 2);
}

static void what_came_and_went_meanwhile_is_in_no_row(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = make_queue(f, &(struct queue_options){0});
    save(f);
    size_t rows = f->rows.count;
    for (uint64_t i = 0; i < 1000; i++) {
        put_number(f, queue, i, NULL);
        put_number(f, queue, i, &(struct put_options){.ttl_ms = 10});
        (void)get_number(queue);
        (void)get_number(queue);
    }
    save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(f->rows.removes + f->rows.vain, 0);
    assert_int_equal(f->rows.count, rows);
    restart(f, 0);
    assert_int_equal(queue_of(find(f, "object"))->puts, 2000);
    assert_int_equal(queue_of(find(f, "object"))->gets, 2000);
}

static void taking_in_order_moves_a_mark_and_removes_whole_chunks(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = make_queue(f, &(struct queue_options){0});
    for (uint64_t i = 0; i < 100; i++) {
        put_number(f, queue, i, NULL);
        if (i % 10 == 9) {
            save(f);
        }
    }
    for (uint64_t i = 0; i < 95; i++) {
        assert_int_equal(get_number(queue), i);
        save(f);
        assert_int_equal(f->rows.puts, 1);
        assert_int_equal(f->rows.removes, i % 10 == 9);
        assert_in_range(f->rows.bytes, 1, 64);
    }
    restart(f, 0);
    for (uint64_t i = 95; i < 100; i++) {
        assert_int_equal(get_number(queue_of(find(f, "object"))), i);
    }
}

static void an_old_item_does_not_keep_those_that_came_with_it(void **state)
{
    struct fixture *f = *state;
    const struct queue_options options = {.order = QUEUE_PRIORITY};
    struct queue *queue = make_queue(f, &options);
    put_number(f, queue, 0, &(struct put_options){.rank = {.number = 9}});
    for (uint64_t i = 1; i < 100; i++) {
        put_long(f, queue, 500, &(struct put_options){0});
    }
    save(f);
    assert_true(f->rows.bytes > 50000);
    for (uint64_t i = 1; i < 100; i++) {
        queue_drop_head(queue);
        save(f);
    }
    uint64_t left = 0;
    for (size_t i = 0; i < f->rows.count; i++) {
        left += f->rows.rows[i].value.len;
    }
    assert_in_range(left, 1, 2000);
    restart(f, 0);
    assert_int_equal(get_number(queue_of(find(f, "object"))), 0);
}

static void a_long_value_is_not_written_again_when_its_item_moves(void **state)
{
    struct fixture *f = *state;
    struct tie tie = {.taken = TAILQ_HEAD_INITIALIZER(tie.taken)};
    struct queue *queue = make_queue(f, &(struct queue_options){.joinable = true});
    struct delivery head;
    put_long(f, queue, 100000, &(struct put_options){.delay_ms = 5});
    save(f);
    assert_true(f->rows.bytes > 100000);
    f->now.monotonic_ns += 6 * NS_PER_MS;
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    save(f);
    assert_in_range(f->rows.bytes, 1, 500);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_int_equal(queue_take_head(queue, &tie, f->now.monotonic_ns, &head, NULL), 0);
    save(f);
    assert_in_range(f->rows.bytes, 1, 500);
    (void)queue_done(queue, head.item, NULL);
    save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 2); /* its own, and the state */
}

static void a_touched_lease_is_nothing_to_be_saved(void **state)
{
    struct fixture *f = *state;
    struct tie tie = {.taken = TAILQ_HEAD_INITIALIZER(tie.taken)};
    struct queue *queue = make_queue(f, &(struct queue_options){.joinable = true, .lease_ms = 9});
    struct delivery head;
    put_number(f, queue, 1, NULL);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_int_equal(queue_take_head(queue, &tie, f->now.monotonic_ns, &head, NULL), 0);
    save(f);
    queue_touch(queue, head.item, f->now.monotonic_ns + NS_PER_MS);
    assert_true(TAILQ_EMPTY(&f->registry.changed));
    (void)queue_done(queue, head.item, NULL);
    assert_false(TAILQ_EMPTY(&f->registry.changed));
}

static void times_go_on_while_the_daemon_is_away(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = make_queue(f, &(struct queue_options){0});
    struct delivery head;
    put_number(f, queue, 1, &(struct put_options){.delay_ms = 50});
    put_number(f, queue, 2, &(struct put_options){.delay_ms = 150});
    put_number(f, queue, 3, &(struct put_options){.ttl_ms = 90});
    put_number(f, queue, 4, &(struct put_options){.ttl_ms = INT64_MAX});
    put_number(f, queue, 5, &(struct put_options){.delay_ms = INT64_MAX});
    queue_pause(queue, 120, f->now.monotonic_ns);
    save(f);
    restart(f, 100);
    queue = queue_of(find(f, "object"));
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    assert_int_equal(queue->expired, 1);
    assert_int_equal(queue->ready, 2);
    assert_int_equal(queue->delayed, 2);
    assert_int_equal(queue_head(queue, &head), ERR_EMPTY);
    assert_int_equal(queue->resume_at, f->now.monotonic_ns + 20 * NS_PER_MS);
    f->now.monotonic_ns += 20 * NS_PER_MS;
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    assert_int_equal(get_number(queue), 4);
    assert_int_equal(get_number(queue), 1);
    f->now.monotonic_ns += 30 * NS_PER_MS;
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    assert_int_equal(get_number(queue), 2);
    object_tick(&queue->object, TIME_LATEST - 1, NULL);
    assert_int_equal(queue->delayed, 1);
}

static void options_and_figures_come_back(void **state)
{
    struct fixture *f = *state;
    const struct queue_options options = {.maxsize = INT64_MIN,
                                          .order = QUEUE_PRIORITY,
                                          .joinable = true,
                                          .discard = true,
                                          .lease_ms = INT64_MAX,
                                          .max_deliveries = INT64_MAX,
                                          .dead_letter = slice_of_string("dead")};
    struct queue *queue = make_queue(f, &options);
    queue->puts = UINT64_MAX;
    queue->dropped = INT64_MAX;
    queue_pause(queue, -1, f->now.monotonic_ns);
    queue_shutdown(queue, false, true, NULL);
    save(f);
    restart(f, 0);
    queue = queue_of(find(f, "object"));
    assert_int_equal(queue->options.maxsize, INT64_MIN);
    assert_int_equal(queue->options.order, QUEUE_PRIORITY);
    assert_true(queue->options.joinable && queue->options.discard);
    assert_int_equal(queue->options.lease_ms, INT64_MAX);
    assert_int_equal(queue->options.max_deliveries, INT64_MAX);
    assert_true(slice_equal(queue->options.dead_letter, slice_of_string("dead")));
    assert_int_equal(queue->puts, UINT64_MAX);
    assert_int_equal(queue->dropped, INT64_MAX);
    assert_true(queue->shut_down && queue->drain && queue->paused);
    assert_int_equal(queue->resume_at, TIME_NEVER);
}

/* Puts a value with that priority, and the value is the priority. */
static void put_rank(struct fixture *f, struct queue *queue, struct slice rank)
{
    struct put_options options = {0};
    assert_int_equal(rank_of(rank, &options.rank), 0);
    assert_int_equal(queue_put(queue, incoming_plain(rank), &options, f->now.monotonic_ns), 0);
    rank_unref(&options.rank);
}

static void priorities_of_every_kind_come_back(void **state)
{
    struct fixture *f = *state;
    const struct slice numbers[] = {
        VALUE("\xcb\xff\xf0\0\0\0\0\0\0"), /* minus infinity */
        VALUE("\xd3\x80\0\0\0\0\0\0\0"),   /* -2^63 */
        VALUE("\xff"),
        VALUE("\xcb\x3f\xe0\0\0\0\0\0\0"), /* 0.5 */
        VALUE("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"),
        VALUE("\xcb\x43\xe0\0\0\0\0\0\0"), /* 2^63 as a float */
        VALUE("\xcf\x80\0\0\0\0\0\0\x01"),
        VALUE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
        VALUE("\xcb\x43\xf0\0\0\0\0\0\0"), /* 2^64 */
        VALUE("\xcb\x7f\xf0\0\0\0\0\0\0"), /* infinity */
    };
    enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
    struct queue *queue = make_queue(f, &(struct queue_options){.order = QUEUE_PRIORITY});
    for (int i = COUNT - 1; i >= 0; i--) {
        put_rank(f, queue, numbers[i]);
    }
    save(f);
    restart(f, 0);
    queue = queue_of(find(f, "object"));
    struct delivery head;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(queue_head(queue, &head), 0);
        assert_bytes(head.value.bytes, numbers[i]);
        queue_drop_head(queue);
    }
    put_rank(f, queue, VALUE("\xa1z"));
    put_rank(f, queue, VALUE("\xa1y"));
    save(f);
    restart(f, 0);
    queue = queue_of(find(f, "object"));
    assert_int_equal(queue->rank_kind, RANK_STR);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_bytes(head.value.bytes, VALUE("\xa1y"));
}

/* Dicts and lists. */

static void a_pair_is_a_row_and_keeps_it(void **state)
{
    struct fixture *f = *state;
    struct dict *dict = make_dict(f);
    set_pair(dict, "a", VALUE("\x01"));
    set_pair(dict, "b", VALUE("\x02"));
    save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 3);
    for (uint8_t i = 0; i < 100; i++) {
        set_pair(dict, "a", (struct slice){&i, 1});
        set_pair(dict, "c", (struct slice){&i, 1});
        dict_remove(dict, dict_last(dict), NULL);
    }
    save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(f->rows.removes + f->rows.vain, 0);
    dict_remove(dict, dict_next(dict, 0), NULL);
    save(f);
    assert_int_equal(f->rows.puts, 0);
    assert_int_equal(f->rows.removes, 1);
    dict_clear(dict, NULL);
    save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 1);
    save(f);
    assert_int_equal(f->rows.puts, 0);
}

static void append(struct list *list, uint32_t position, struct slice value)
{
    assert_int_equal(list_insert(list, position, incoming_plain(value), NULL), 0);
}

static void the_ends_of_a_list_touch_few_rows(void **state)
{
    struct fixture *f = *state;
    struct list *list = make_list(f);
    for (unsigned i = 0; i < 10000; i++) {
        append(list, i, VALUE("\x01"));
    }
    save(f);
    append(list, 10000, VALUE("\x02"));
    save(f);
    assert_int_equal(f->rows.puts, 2); /* and the state */
    append(list, 0, VALUE("\x03"));
    save(f);
    assert_int_equal(f->rows.puts, 2);
    list_delete(list, 0, NULL);
    save(f);
    assert_in_range(f->rows.puts + f->rows.removes, 1, 2);
    list_delete(list, 10000, NULL);
    save(f);
    assert_in_range(f->rows.puts + f->rows.removes, 1, 2);
    assert_int_equal(list_set(list, 5000, incoming_plain(VALUE("\x04"))), 0);
    save(f);
    assert_int_equal(f->rows.puts, 1);
    append(list, 9990, VALUE("\x05"));
    save(f);
    assert_in_range(f->rows.puts, 1, 4);
    restart(f, 0);
    list = list_of(find(f, "object"));
    assert_int_equal(list_len(list), 10001);
    assert_bytes(list_at(list, 5000).bytes, VALUE("\x04"));
    assert_bytes(list_at(list, 9990).bytes, VALUE("\x05"));
}

static void a_long_value_is_not_written_again_with_its_neighbours(void **state)
{
    struct fixture *f = *state;
    struct list *list = make_list(f);
    static const uint8_t zeros[100000];
    struct buffer bytes = {0};
    pack_bin(&bytes, (struct slice){zeros, sizeof(zeros)});
    append(list, 0, buffer_slice(&bytes));
    append(list, 1, VALUE("\x01"));
    save(f);
    assert_true(f->rows.bytes > sizeof(zeros));
    append(list, 2, VALUE("\x01"));
    save(f);
    assert_in_range(f->rows.bytes, 1, 500);
    assert_int_equal(list_set(list, 0, incoming_plain(VALUE("\x07"))), 0);
    save(f);
    assert_int_equal(f->rows.removes, 1);
    assert_in_range(f->rows.bytes, 1, 500);
    restart(f, 0);
    assert_bytes(list_at(list_of(find(f, "object")), 0).bytes, VALUE("\x07"));
    buffer_deinit(&bytes);
}

/* Any object. */

static void objects_of_other_lifetimes_have_no_rows(void **state)
{
    struct fixture *f = *state;
    f->world.options.lifetime = LIFETIME_DAEMON;
    put_number(f, make_queue(f, &(struct queue_options){0}), 1, NULL);
    f->world.options.name = slice_of_string("d");
    set_pair(make_dict(f), "a", VALUE("\x01"));
    f->world.options.name = slice_of_string("l");
    append(make_list(f), 0, VALUE("\x01"));
    object_set_mode(find(f, "d"), 0);
    assert_true(TAILQ_EMPTY(&f->registry.changed));
    registry_remove(&f->registry, find(f, "d"));
    assert_true(TAILQ_EMPTY(&f->registry.changed));
}

static void a_deleted_object_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    set_pair(make_dict(f), "a", VALUE("\x01"));
    save(f);
    set_pair(dict_of(find(f, "object")), "b", VALUE("\x01"));
    registry_remove(&f->registry, find(f, "object"));
    save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 0);
    set_pair(make_dict(f), "a", VALUE("\x01")); /* never saved */
    registry_remove(&f->registry, find(f, "object"));
    save(f);
    assert_int_equal(f->rows.puts, 0);
    assert_true(TAILQ_EMPTY(&f->registry.changed));
}

static void what_an_object_is_comes_back(void **state)
{
    struct fixture *f = *state;
    struct object *object = &make_dict(f)->object;
    struct timespec created = object->created;
    struct user *other = accounts_user(&f->world.accounts, 77);
    save(f);
    object_set_mode(object, 0604);
    save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(registry_rename(&f->registry, object, slice_of_string("other name")), 0);
    save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(object_chown(object, other, 78), 0);
    save(f);
    assert_int_equal(f->rows.puts, 1);
    f->world.accounts.limits.max_objects = 0;
    f->world.accounts.limits.max_user_bytes = 0;
    user_give_back(other, RESOURCE_OBJECTS, 1);
    end_objects(f);
    registry_init(&f->registry, 7);
    assert_int_equal(row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, NULL), 0);
    object = find(f, "other name");
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
    uint64_t first = make_dict(f)->object.entry.seq;
    f->world.options.name = slice_of_string("b");
    uint64_t second = make_dict(f)->object.entry.seq;
    save(f);
    registry_remove(&f->registry, find(f, "b"));
    save(f);
    restart(f, 0);
    assert_int_equal(find(f, "a")->entry.seq, first);
    uint64_t third = make_dict(f)->object.entry.seq;
    assert_true(third > second);
    save(f);
    restart(f, 0);
    assert_int_equal(find(f, "b")->entry.seq, third);
    assert_ptr_equal(registry_from(&f->registry, first + 1), find(f, "b"));
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
    struct object *object = &make_dict(f)->object;
    object->hold = (struct hold *)&f->rows;
    assert_null(registry_next_changed(&f->registry, is_held));
    f->world.options.name = slice_of_string("other");
    struct object *other = registry_next_changed(&f->registry, is_not);
    assert_ptr_equal(other, object);
    object_unref(other);
    object_set_mode(object, 0);
    other = &make_dict(f)->object;
    assert_ptr_equal(registry_next_changed(&f->registry, is_held), other);
    object_unref(other);
    assert_null(registry_next_changed(&f->registry, is_held));
    registry_remove(&f->registry, object);
    assert_ptr_equal(registry_next_changed(&f->registry, is_held), object);
    object->hold = NULL;
    object_unref(object);
}

/* A value that refers to an object by its name. */
static struct incoming reference(struct fixture *f, const char *name, struct origin *origin,
                                 struct buffer *bytes)
{
    static const struct credentials root;
    bytes->len = 0;
    pack_ext(bytes, EXT_REFERENCE, slice_of_string(name));
    *origin = (struct origin){.registry = &f->registry, .sender = &root};
    return (struct incoming){.bytes = buffer_slice(bytes), .origin = origin};
}

static void references_come_back(void **state)
{
    struct fixture *f = *state;
    struct buffer bytes = {0};
    struct origin origin;
    f->world.options.name = slice_of_string("q");
    struct queue *queue = make_queue(f, &(struct queue_options){0});
    f->world.options.name = slice_of_string("l");
    struct list *list = make_list(f);
    f->world.options.name = slice_of_string("gone");
    (void)make_dict(f);
    assert_int_equal(queue_put(queue, reference(f, "l", &origin, &bytes), NULL, 0), 0);
    assert_int_equal(queue_put(queue, reference(f, "gone", &origin, &bytes), NULL, 0), 0);
    assert_int_equal(queue_put(queue, reference(f, "l", &origin, &bytes),
                               &(struct put_options){.ttl_ms = 1000}, f->now.monotonic_ns),
                     0);
    assert_int_equal(list_insert(list, 0, reference(f, "q", &origin, &bytes), NULL), 0);
    save(f);
    registry_remove(&f->registry, find(f, "gone"));
    save(f);
    list_clear(list, NULL); /* else they would keep each other: nobody else saves this */
    (void)queue_clear(queue, NULL);
    restart(f, 0);
    assert_int_equal(find(f, "l")->contained, 2);
    assert_int_equal(find(f, "q")->contained, 1);
    struct delivery head;
    queue = queue_of(find(f, "q"));
    queue_drop_head(queue);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_null(head.value.blob); /* what it named is not there: just bytes */
    list_clear(list_of(find(f, "l")), NULL);
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
    struct list *list = make_list(f);
    assert_int_equal(descriptor_new(f->world.user, -1, &origin.descriptors[0]), 0);
    struct incoming value = {.bytes = VALUE("\xd4\x02\0"), .origin = &origin};
    assert_int_equal(list_insert(list, 0, value, NULL), 0);
    descriptor_unref(origin.descriptors[0]);
    struct row_writer out = row_map_writer(&f->rows, 1);
    out.descriptor = number_descriptor;
    assert_int_equal(object_save(&list->object, ROWS_ALL, &out, &f->now), 0);
    end_objects(f);
    registry_init(&f->registry, 7);
    char why[256];
    assert_int_equal(row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, why),
                     ERR_VALUE); /* where there are none */
    end_objects(f);
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
    struct stored stored = list_at(list_of(find(f, "object")), 0);
    assert_ptr_equal(stored.blob->attachments->descriptors[0].descriptor, handed_over);
    assert_int_equal(stored.blob->attachments->descriptors[0].at, 2);
    user_give_back(f->world.user, RESOURCE_DESCRIPTORS, 1); /* its fd is -1: nobody does */
}

/* Faults. */

/* One of each kind, with something in each of their places. */
static void make_rich(struct fixture *f)
{
    struct buffer bytes = {0};
    struct origin origin;
    struct tie tie = {.taken = TAILQ_HEAD_INITIALIZER(tie.taken)};
    f->world.options.name = slice_of_string("l");
    struct list *list = make_list(f);
    static const uint8_t zeros[600];
    pack_bin(&bytes, (struct slice){zeros, sizeof(zeros)});
    append(list, 0, buffer_slice(&bytes));
    append(list, 0, VALUE("\x01"));
    f->world.options.name = slice_of_string("d");
    struct dict *dict = make_dict(f);
    set_pair(dict, "a", VALUE("\x93\x01\x02\x03"));
    set_pair(dict, "b", VALUE("\xc0"));
    const struct queue_options options = {
        .joinable = true, .lease_ms = 100, .dead_letter = slice_of_string("x")};
    for (int order = QUEUE_FIFO; order <= QUEUE_PRIORITY; order++) {
        static const char *const names[] = {"f", "i", "p"};
        struct queue_options of = options;
        struct delivery head;
        of.order = (enum queue_order)order;
        f->world.options.name = slice_of_string(names[order]);
        struct queue *queue = make_queue(f, &of);
        put_number(f, queue, 1, NULL);
        put_long(f, queue, 1500, &(struct put_options){.ttl_ms = 100});
        put_number(f, queue, 2, &(struct put_options){.delay_ms = 100});
        put_number(f, queue, 3, &(struct put_options){.ttl_ms = 50, .rank = {.number = 1}});
        put_number(f, queue, 4, NULL);
        assert_int_equal(queue_put(queue, reference(f, "d", &origin, &bytes), NULL, 0), 0);
        save(f);
        assert_int_equal(queue_return(queue, incoming_plain(VALUE("\x05"))), 0);
        assert_int_equal(queue_head(queue, &head), 0);
        assert_int_equal(queue_take_head(queue, &tie, f->now.monotonic_ns, &head, NULL), 0);
        object_tick(&queue->object, f->now.monotonic_ns + 60 * NS_PER_MS, NULL);
        save(f);
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
    end_objects(f);
    assert_int_equal(f->world.accounts.bytes, 0);
    f->rows.rows[row].value = good;
}

static void damaged_rows_are_refused_or_harmless(void **state)
{
    struct fixture *f = *state;
    make_rich(f);
    end_objects(f);
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
    end_objects(f);
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
    end_objects(f);
    for (unsigned n = 0;; n++) {
        registry_init(&f->registry, 7);
        scarce_begin(n);
        int status = row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, NULL);
        if (!scarce_end()) {
            assert_int_equal(status, 0);
            break;
        }
        assert_true(status == ERR_MEMORY || status == 0);
        end_objects(f);
    }
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
    struct dict *dict = make_dict(f);
    set_pair(dict, "a", VALUE("\x01"));
    set_pair(dict, "b", VALUE("\x02"));
    for (int enough = 0; enough < 3; enough++) {
        int left = enough;
        const struct row_writer out = {
            .put = full, .remove = no_remove, .remove_all = no_remove_all, .data = &left};
        struct object *object = registry_next_changed(&f->registry, is_not);
        assert_ptr_equal(object, &dict->object);
        assert_int_equal(object_save(object, ROWS_CHANGED, &out, &f->now), ERR_MEMORY);
        object_unref(object);
    }
    save(f);
    restart(f, 0);
    assert_int_equal(dict_len(dict_of(find(f, "object"))), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_a_commit_puts_is_one_row),
        TEST(what_came_and_went_meanwhile_is_in_no_row),
        TEST(taking_in_order_moves_a_mark_and_removes_whole_chunks),
        TEST(an_old_item_does_not_keep_those_that_came_with_it),
        TEST(a_long_value_is_not_written_again_when_its_item_moves),
        TEST(a_touched_lease_is_nothing_to_be_saved),
        TEST(times_go_on_while_the_daemon_is_away),
        TEST(options_and_figures_come_back),
        TEST(priorities_of_every_kind_come_back),
        TEST(a_pair_is_a_row_and_keeps_it),
        TEST(the_ends_of_a_list_touch_few_rows),
        TEST(a_long_value_is_not_written_again_with_its_neighbours),
        TEST(objects_of_other_lifetimes_have_no_rows),
        TEST(a_deleted_object_leaves_nothing),
        TEST(what_an_object_is_comes_back),
        TEST(numbers_are_not_used_again),
        TEST(an_object_that_is_busy_is_passed_over_unless_it_is_gone),
        TEST(references_come_back),
        TEST(descriptors_are_handed_over),
        TEST(damaged_rows_are_refused_or_harmless),
        TEST(a_row_that_is_missing_is_missed_or_harmless),
        TEST(loading_without_memory_leaves_nothing),
        TEST(what_could_not_be_put_is_still_changed),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
