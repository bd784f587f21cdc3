/*
 * What a durable queue writes down, and what comes back of it; model_queue.c sees that all of it
 * does, whatever has been done.
 */
#include "daemon/objects/waits.h"
#include "tests/unit/objects/rows_fixture.h"

static void all_that_a_commit_puts_is_one_row(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = rows_make_queue(f, &(struct queue_options){0});
    rows_save(f);
    for (uint64_t i = 0; i < 1000; i++) {
        rows_put_number(f, queue, i, NULL);
    }
    rows_save(f);
    assert_int_equal(f->rows.puts, 2); /* and the state */
    for (uint64_t i = 0; i < 1000; i++) {
        rows_put_number(f, queue, i, &(struct put_options){.delay_ms = 10});
    }
    rows_save(f);
    assert_int_equal(f->rows.puts, 2);
}

static void what_came_and_went_meanwhile_is_in_no_row(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = rows_make_queue(f, &(struct queue_options){0});
    rows_save(f);
    size_t rows = f->rows.count;
    for (uint64_t i = 0; i < 1000; i++) {
        rows_put_number(f, queue, i, NULL);
        rows_put_number(f, queue, i, &(struct put_options){.ttl_ms = 10});
        (void)rows_get_number(queue);
        (void)rows_get_number(queue);
    }
    rows_save(f);
    assert_int_equal(f->rows.puts, 1);
    assert_int_equal(f->rows.removes + f->rows.vain, 0);
    assert_int_equal(f->rows.count, rows);
    rows_restart(f, 0);
    assert_int_equal(queue_of(rows_find(f, "object"))->puts, 2000);
    assert_int_equal(queue_of(rows_find(f, "object"))->gets, 2000);
}

static void taking_in_order_moves_a_mark_and_removes_whole_chunks(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = rows_make_queue(f, &(struct queue_options){0});
    for (uint64_t i = 0; i < 100; i++) {
        rows_put_number(f, queue, i, NULL);
        if (i % 10 == 9) {
            rows_save(f);
        }
    }
    for (uint64_t i = 0; i < 95; i++) {
        assert_int_equal(rows_get_number(queue), i);
        rows_save(f);
        assert_int_equal(f->rows.puts, 1);
        assert_int_equal(f->rows.removes, i % 10 == 9);
        assert_in_range(f->rows.bytes, 1, 64);
    }
    rows_restart(f, 0);
    for (uint64_t i = 95; i < 100; i++) {
        assert_int_equal(rows_get_number(queue_of(rows_find(f, "object"))), i);
    }
}

static void an_old_item_does_not_keep_those_that_came_with_it(void **state)
{
    struct fixture *f = *state;
    const struct queue_options options = {.order = QUEUE_PRIORITY};
    struct queue *queue = rows_make_queue(f, &options);
    rows_put_number(f, queue, 0, &(struct put_options){.rank = {.number = 9}});
    for (uint64_t i = 1; i < 100; i++) {
        rows_put_long(f, queue, 500, &(struct put_options){0});
    }
    rows_save(f);
    assert_true(f->rows.bytes > 50000);
    for (uint64_t i = 1; i < 100; i++) {
        queue_drop_head(queue);
        rows_save(f);
    }
    uint64_t left = 0;
    for (size_t i = 0; i < f->rows.count; i++) {
        left += f->rows.rows[i].value.len;
    }
    assert_in_range(left, 1, 2000);
    rows_restart(f, 0);
    assert_int_equal(rows_get_number(queue_of(rows_find(f, "object"))), 0);
}

static void an_old_item_at_the_bottom_of_a_stack_keeps_no_others(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = rows_make_queue(f, &(struct queue_options){.order = QUEUE_LIFO});
    for (uint64_t round = 0; round < 50; round++) {
        rows_put_number(f, queue, round, NULL);
        for (uint64_t i = 0; i < 20; i++) {
            rows_put_long(f, queue, 500, NULL);
        }
        rows_save(f);
        for (uint64_t i = 0; i < 20; i++) {
            queue_drop_head(queue);
        }
        rows_save(f);
    }
    uint64_t left = 0;
    for (size_t i = 0; i < f->rows.count; i++) {
        left += f->rows.rows[i].value.len;
    }
    assert_in_range(left, 1, 2000);
    rows_restart(f, 0);
    queue = queue_of(rows_find(f, "object"));
    for (uint64_t round = 50; round > 0; round--) {
        assert_int_equal(rows_get_number(queue), round - 1);
    }
}

/* Items that stay, and between them such as expire, so many that the store is packed anew; they are
 * saved before or not. */
static void pack_anew(struct fixture *f, enum queue_order order, bool saved)
{
    struct queue *queue = rows_make_queue(f, &(struct queue_options){.order = order});
    for (uint64_t i = 0; i < 300; i++) {
        bool expires = i % 60 >= 20 && i < 299;
        int64_t ttl_ms = expires ? 10 : i % 2 == 0 ? 0 : 1000000;
        rows_put_number(f, queue, i, &(struct put_options){.ttl_ms = ttl_ms});
        if (saved && i % 20 == 19) {
            rows_save(f); /* what stays in other chunks than what goes */
        }
    }
    object_tick(&queue->object, f->now.monotonic_ns + 20 * NS_PER_MS, NULL);
    assert_true(queue->tombstones < 100); /* of 199 */
    rows_put_number(f, queue, 300, NULL);
    rows_save(f);
    rows_put_number(f, queue, 301, NULL);
    rows_save(f);
    rows_restart(f, 30);
    queue = queue_of(rows_find(f, "object"));
    rows_put_number(f, queue, 302, NULL);
    rows_save(f);
    rows_restart(f, 30);
    queue = queue_of(rows_find(f, "object"));
    uint64_t count = queue->ready;
    assert_int_equal(count, 104);
    uint64_t last = order == QUEUE_LIFO ? UINT64_MAX : 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = rows_get_number(queue);
        assert_true(i == 0 || (order == QUEUE_LIFO ? number < last : number > last));
        last = number;
    }
    object_unready(&queue->object);
    registry_remove(&f->registry, &queue->object);
    rows_save(f);
}

static void a_store_that_is_packed_anew_is_saved_anew(void **state)
{
    struct fixture *f = *state;
    pack_anew(f, QUEUE_FIFO, false);
    pack_anew(f, QUEUE_FIFO, true);
    pack_anew(f, QUEUE_LIFO, false);
    pack_anew(f, QUEUE_LIFO, true);
}

static void a_long_value_is_not_written_again_when_its_item_moves(void **state)
{
    struct fixture *f = *state;
    struct tie tie = {.taken = TAILQ_HEAD_INITIALIZER(tie.taken)};
    struct queue *queue = rows_make_queue(f, &(struct queue_options){.joinable = true});
    struct delivery head;
    rows_put_long(f, queue, 100000, &(struct put_options){.delay_ms = 5});
    rows_save(f);
    assert_true(f->rows.bytes > 100000);
    f->now.monotonic_ns += 6 * NS_PER_MS;
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    rows_save(f);
    assert_in_range(f->rows.bytes, 1, 500);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_int_equal(queue_take_head(queue, &tie, f->now.monotonic_ns, &head, NULL), 0);
    rows_save(f);
    assert_in_range(f->rows.bytes, 1, 500);
    (void)queue_done(queue, head.item, NULL);
    rows_save(f);
    assert_int_equal(row_map_count(&f->rows, 1), 2); /* its own, and the state */
}

static void a_touched_lease_is_nothing_to_be_saved(void **state)
{
    struct fixture *f = *state;
    struct tie tie = {.taken = TAILQ_HEAD_INITIALIZER(tie.taken)};
    struct queue *queue =
        rows_make_queue(f, &(struct queue_options){.joinable = true, .lease_ms = 9});
    struct delivery head;
    rows_put_number(f, queue, 1, NULL);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_int_equal(queue_take_head(queue, &tie, f->now.monotonic_ns, &head, NULL), 0);
    rows_save(f);
    queue_touch(queue, head.item, f->now.monotonic_ns + NS_PER_MS);
    assert_true(TAILQ_EMPTY(&f->registry.changed));
    (void)queue_done(queue, head.item, NULL);
    assert_false(TAILQ_EMPTY(&f->registry.changed));
}

static void times_go_on_while_the_daemon_is_away(void **state)
{
    struct fixture *f = *state;
    struct queue *queue = rows_make_queue(f, &(struct queue_options){0});
    struct delivery head;
    rows_put_number(f, queue, 1, &(struct put_options){.delay_ms = 50});
    rows_put_number(f, queue, 2, &(struct put_options){.delay_ms = 150});
    rows_put_number(f, queue, 3, &(struct put_options){.ttl_ms = 90});
    rows_put_number(f, queue, 4, &(struct put_options){.ttl_ms = INT64_MAX});
    rows_put_number(f, queue, 5, &(struct put_options){.delay_ms = INT64_MAX});
    queue_pause(queue, 120, f->now.monotonic_ns);
    rows_save(f);
    rows_restart(f, 100);
    queue = queue_of(rows_find(f, "object"));
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    assert_int_equal(queue->expired, 1);
    assert_int_equal(queue->ready, 2);
    assert_int_equal(queue->delayed, 2);
    assert_int_equal(queue_head(queue, &head), ERR_EMPTY);
    assert_int_equal(queue->resume_at, f->now.monotonic_ns + 20 * NS_PER_MS);
    f->now.monotonic_ns += 20 * NS_PER_MS;
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    assert_int_equal(rows_get_number(queue), 4);
    assert_int_equal(rows_get_number(queue), 1);
    f->now.monotonic_ns += 30 * NS_PER_MS;
    object_tick(&queue->object, f->now.monotonic_ns, NULL);
    assert_int_equal(rows_get_number(queue), 2);
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
    struct queue *queue = rows_make_queue(f, &options);
    queue->puts = UINT64_MAX;
    queue->dropped = INT64_MAX;
    queue_pause(queue, -1, f->now.monotonic_ns);
    queue_shutdown(queue, false, true, NULL);
    rows_save(f);
    rows_restart(f, 0);
    queue = queue_of(rows_find(f, "object"));
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
    struct queue *queue = rows_make_queue(f, &(struct queue_options){.order = QUEUE_PRIORITY});
    for (int i = COUNT - 1; i >= 0; i--) {
        put_rank(f, queue, numbers[i]);
    }
    rows_save(f);
    rows_restart(f, 0);
    queue = queue_of(rows_find(f, "object"));
    struct delivery head;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(queue_head(queue, &head), 0);
        assert_bytes(head.value.bytes, numbers[i]);
        queue_drop_head(queue);
    }
    put_rank(f, queue, VALUE("\xa1z"));
    put_rank(f, queue, VALUE("\xa1y"));
    rows_save(f);
    rows_restart(f, 0);
    queue = queue_of(rows_find(f, "object"));
    assert_int_equal(queue->rank_kind, RANK_STR);
    assert_int_equal(queue_head(queue, &head), 0);
    assert_bytes(head.value.bytes, VALUE("\xa1y"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS_TEST(all_that_a_commit_puts_is_one_row),
        ROWS_TEST(what_came_and_went_meanwhile_is_in_no_row),
        ROWS_TEST(taking_in_order_moves_a_mark_and_removes_whole_chunks),
        ROWS_TEST(an_old_item_does_not_keep_those_that_came_with_it),
        ROWS_TEST(an_old_item_at_the_bottom_of_a_stack_keeps_no_others),
        ROWS_TEST(a_store_that_is_packed_anew_is_saved_anew),
        ROWS_TEST(a_long_value_is_not_written_again_when_its_item_moves),
        ROWS_TEST(a_touched_lease_is_nothing_to_be_saved),
        ROWS_TEST(times_go_on_while_the_daemon_is_away),
        ROWS_TEST(options_and_figures_come_back),
        ROWS_TEST(priorities_of_every_kind_come_back),
    };
    return cmocka_run_group_tests_name("rows of queues", tests, NULL, NULL);
}
