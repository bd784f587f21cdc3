/*
 * queue: operations that take long give way, and take steps in proportion to what they do. That a
 * queue does the right thing at all is tested with a model (model_queue.c) and by whole calls
 * (tests/unit/methods/test_queue*.c).
 */
#include "tests/unit/objects/world.h"

#include <stdlib.h>

#include "daemon/objects/queue.h"

enum { COUNT = 50000, MS = 1000000 };

/* Counts how often an operation may give way, and how many steps it took at most between. */
struct counted {
    struct pace pace;
    uint64_t steps;
    uint64_t pauses;
    uint64_t longest;
};

enum { SHARE = 0 }; /* it gives way at each step */

static void count_pause(struct pace *pace)
{
    struct counted *counted = (struct counted *)pace;
    uint64_t steps = (uint64_t)(SHARE - pace->left);
    counted->steps += steps;
    counted->pauses++;
    counted->longest = steps > counted->longest ? steps : counted->longest;
    pace->left = SHARE;
}

static struct counted counted_begin(void)
{
    return (struct counted){.pace = {.left = SHARE, .pause = count_pause}};
}

static uint64_t counted_end(struct counted *counted)
{
    count_pause(&counted->pace);
    return counted->steps;
}

static struct queue *make(struct world *world, const struct queue_options *options)
{
    struct queue *queue;
    world_init(world);
    assert_int_equal(queue_new(&world->options, options, &queue), 0);
    return queue;
}

static void unmake(struct world *world, struct queue *queue)
{
    object_unref(&queue->object);
    world_deinit(world);
}

/* Puts the numbers 0 … count - 1, each with five bytes and with its own priority. */
static void fill(struct queue *queue, uint32_t count, int64_t delay_ms, int64_t ttl_ms)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t bytes[] = {0xce, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                                 (uint8_t)i};
        struct put_options options = {.delay_ms = delay_ms, .ttl_ms = ttl_ms};
        options.rank.number = (long double)i;
        assert_int_equal(queue_put(queue, incoming_plain((struct slice){bytes, 5}), &options, MS),
                         0);
    }
}

static uint32_t number_of(struct stored value)
{
    const uint8_t *at = value.bytes.data;
    assert_int_equal(value.bytes.len, 5);
    return (uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4];
}

static bool note(void *data, struct stored value)
{
    *(uint32_t *)data = number_of(value);
    return true;
}

/* Peeks at one position: the number that stands there, and the steps it took. */
static uint32_t peek(struct queue *queue, uint64_t position, uint64_t *steps)
{
    uint32_t seen = UINT32_MAX;
    struct counted counted = counted_begin();
    assert_int_equal(queue_peek(queue, position, 1, note, &seen, &counted.pace), 0);
    *steps = counted_end(&counted);
    return seen;
}

static void a_peek_far_into_a_queue_does_not_walk_there(void **state)
{
    static const enum queue_order orders[] = {QUEUE_FIFO, QUEUE_LIFO};
    for (int i = 0; i < 2; i++) {
        struct world world;
        struct queue *queue = make(&world, &(struct queue_options){.order = orders[i]});
        uint64_t steps;
        fill(queue, COUNT, 0, 0);
        for (uint32_t position = 0; position < COUNT; position += 4999) {
            uint32_t expected = orders[i] == QUEUE_FIFO ? position : COUNT - 1 - position;
            assert_int_equal(peek(queue, position, &steps), expected);
            assert_true(steps < 8000); /* the records of one segment, of 64 KiB at most */
        }
        assert_int_equal(peek(queue, COUNT, &steps), UINT32_MAX);
        assert_int_equal(peek(queue, UINT64_MAX, &steps), UINT32_MAX);
        unmake(&world, queue);
    }
}

static void a_peek_skips_what_has_expired(void **state)
{
    for (int order = QUEUE_FIFO; order <= QUEUE_PRIORITY; order++) {
        struct world world;
        struct queue *queue =
            make(&world, &(struct queue_options){.order = (enum queue_order)order});
        uint64_t steps;
        for (int i = 0; i < 20; i++) { /* 200 that stay, then 100 that do not, and so on */
            fill(queue, 200, 0, 0);
            fill(queue, 100, 0, 1);
        }
        bool sorted = order == QUEUE_PRIORITY;
        uint32_t at_end = peek(queue, 5999, &steps);
        assert_int_equal(at_end, order == QUEUE_LIFO ? 0 : sorted ? 199 : 99);
        object_tick(&queue->object, 2 * MS, NULL);
        assert_int_equal(queue->ready, 4000);
        assert_int_equal(queue->expired, 2000);
        for (uint32_t i = 0; i < 4000; i += 57) {
            uint32_t expected = order == QUEUE_LIFO ? 199 - i % 200 : sorted ? i / 20 : i % 200;
            assert_int_equal(peek(queue, i, &steps), expected);
        }
        assert_int_equal(peek(queue, 4000, &steps), UINT32_MAX);
        unmake(&world, queue);
    }
}

static void what_expires_after_the_store_was_packed_anew_is_skipped_too(void **state)
{
    for (int order = QUEUE_FIFO; order <= QUEUE_PRIORITY; order++) {
        struct world world;
        struct queue *queue =
            make(&world, &(struct queue_options){.order = (enum queue_order)order});
        uint64_t steps;
        for (int i = 0; i < 40; i++) {
            fill(queue, 100, 0, 1);
            fill(queue, 30, 0, 2);
            fill(queue, 30, 0, 0);
        }
        (void)peek(queue, 160 * 40 - 1, &steps);
        uint64_t before = queue->object.bytes;
        object_tick(&queue->object, 2 * MS, NULL);
        assert_int_equal(queue->ready, 60 * 40);
        assert_true(queue->object.bytes < before / 3 * 2); /* most tombstones have gone */
        object_tick(&queue->object, 3 * MS, NULL);
        assert_int_equal(queue->ready, 30 * 40);
        for (uint32_t i = 0; i < 30 * 40; i += 17) {
            uint32_t expected = order == QUEUE_LIFO       ? 29 - i % 30
                                : order == QUEUE_PRIORITY ? i / 40
                                                          : i % 30;
            assert_int_equal(peek(queue, i, &steps), expected);
        }
        unmake(&world, queue);
    }
}

static void a_second_peek_into_a_queue_ordered_by_priority_sorts_nothing(void **state)
{
    struct world world;
    struct queue *queue = make(&world, &(struct queue_options){.order = QUEUE_PRIORITY});
    uint64_t steps;
    fill(queue, COUNT, 0, 0);
    assert_true(queue_peek_steps(queue, COUNT / 2, 1) > COUNT);
    assert_int_equal(peek(queue, COUNT / 2, &steps), COUNT / 2);
    assert_true(steps > COUNT);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(peek(queue, COUNT / 2 - i, &steps), COUNT / 2 - i);
        assert_true(steps < 20);
    }
    struct delivery head;
    assert_int_equal(queue_head(queue, &head), 0);
    queue_drop_head(queue);
    assert_int_equal(peek(queue, COUNT / 2, &steps), COUNT / 2 + 1);
    assert_true(steps < 500);
    unmake(&world, queue);
}

/* Every operation that goes through all gives way often, and frees all that it should. */
static void clearing_gives_way(void **state)
{
    for (int order = QUEUE_FIFO; order <= QUEUE_PRIORITY; order++) {
        struct world world;
        struct queue *queue =
            make(&world, &(struct queue_options){.order = (enum queue_order)order});
        uint64_t empty = queue->object.bytes;
        fill(queue, COUNT, 0, 0);
        fill(queue, COUNT, 0, 1000);
        fill(queue, COUNT, 1000, 0);
        uint64_t steps;
        (void)peek(queue, COUNT, &steps);
        assert_true(queue_clear_steps(queue) >= 3 * COUNT);
        struct counted counted = counted_begin();
        assert_int_equal(queue_clear(queue, &counted.pace), 3 * COUNT);
        assert_true(counted_end(&counted) >= 20 * COUNT); /* a few for each item, in each place */
        assert_true(counted.longest <= PACE_STRETCH);
        assert_int_equal(queue->ready + queue->delayed, 0);
        assert_true(queue->object.bytes <= empty + 16384); /* a small segment is kept */
        assert_int_equal(object_due(&queue->object), TIME_NEVER);
        unmake(&world, queue);
    }
}

static void what_is_due_at_once_gives_way(void **state)
{
    struct world world;
    struct queue *queue = make(&world, &(struct queue_options){.joinable = true, .lease_ms = 1});
    struct tie tie = {.object = &queue->object};
    struct delivery head;
    TAILQ_INIT(&tie.taken);
    fill(queue, COUNT, 0, 0);
    while (queue_head(queue, &head) == 0) {
        assert_int_equal(queue_take_head(queue, &tie, MS, &head, NULL), 0);
    }
    fill(queue, COUNT, 1, 0);
    fill(queue, COUNT, 0, 1);
    struct counted counted = counted_begin();
    object_tick(&queue->object, 2 * MS, &counted.pace);
    assert_true(counted_end(&counted) >= 3 * COUNT);
    assert_true(counted.longest <= PACE_STRETCH);
    assert_int_equal(queue->ready, 2 * COUNT);
    assert_int_equal(queue->expired, COUNT);
    assert_int_equal(tie.holding, 0);

    while (queue_head(queue, &head) == 0) {
        assert_int_equal(queue_take_head(queue, &tie, 2 * MS, &head, NULL), 0);
    }
    counted = counted_begin();
    tie_abandon(&tie, 2 * MS, &counted.pace);
    assert_true(counted_end(&counted) >= 2 * COUNT);
    assert_true(counted.longest <= PACE_STRETCH);
    assert_int_equal(tie.holding, 0);
    assert_int_equal(queue->ready, 2 * COUNT);
    unmake(&world, queue);
}

static void room_is_what_maxsize_leaves(void **state)
{
    struct world world;
    struct queue *queue = make(&world, &(struct queue_options){.maxsize = 3});
    assert_int_equal(queue_room(queue), 3);
    fill(queue, 1, 0, 0);
    fill(queue, 1, 5, 0);
    assert_int_equal(queue_room(queue), 1);
    fill(queue, 1, 0, 0);
    assert_int_equal(queue_room(queue), 0);
    struct item_meta meta = {.expires = TIME_NEVER, .deliveries = 1};
    queue_put_back(queue, (struct stored){.bytes = VALUE("\xce\0\0\0\0")}, &meta);
    assert_int_equal(queue_room(queue), 0);
    unmake(&world, queue);
    queue = make(&world, &(struct queue_options){.maxsize = INT64_MIN});
    assert_int_equal(queue_room(queue), UINT64_MAX);
    unmake(&world, queue);
}

/* What a look at taken items has shown. */
struct looked {
    uint64_t first; /* the ticket of the first and of the last one */
    uint64_t last;
    uint64_t count;
    uint64_t most;
};

static bool look(void *data, const struct item *item)
{
    struct looked *looked = data;
    assert_true(item->entry.seq > looked->last);
    looked->first = looked->count == 0 ? item->entry.seq : looked->first;
    looked->last = item->entry.seq;
    return ++looked->count < looked->most;
}

/* Looks at `count` taken items from `start` on, of which those from ticket `first` to ticket `last`
 * are shown; it may take so many steps. */
static void check_taken(const struct queue *queue, uint64_t start, uint64_t count, uint64_t first,
                        uint64_t last, uint64_t steps)
{
    struct looked looked = {.most = UINT64_MAX};
    struct counted counted = counted_begin();
    queue_taken(queue, start, count, look, &looked, &counted.pace);
    assert_int_equal(looked.first, first);
    assert_int_equal(looked.last, last);
    assert_true(counted_end(&counted) <= steps);
    assert_true(counted.longest <= PACE_STRETCH);
    assert_true(queue_taken_steps(queue, start, count) <= steps);
}

static void what_is_taken_is_shown_in_the_order_in_which_it_was_taken(void **state)
{
    struct world world;
    struct queue *queue = make(&world, &(struct queue_options){.joinable = true});
    struct tie tie = {.object = &queue->object};
    struct delivery head;
    TAILQ_INIT(&tie.taken);
    check_taken(queue, 0, UINT64_MAX, 0, 0, 0);
    fill(queue, COUNT, 0, 0);
    while (queue_head(queue, &head) == 0) {
        assert_int_equal(queue_take_head(queue, &tie, MS, &head, NULL), 0);
    }
    check_taken(queue, 0, UINT64_MAX, 1, COUNT, 20 * COUNT);
    check_taken(queue, 0, 1, 1, 1, 20);
    check_taken(queue, 5, 10, 6, 15, 200);
    check_taken(queue, COUNT - 1, UINT64_MAX, COUNT, COUNT, 2 * COUNT);
    check_taken(queue, COUNT, 1, 0, 0, 0);
    check_taken(queue, UINT64_MAX, UINT64_MAX, 0, 0, 0);
    check_taken(queue, 0, 0, 0, 0, 0);
    assert_true(queue_taken_steps(queue, COUNT - 1, 1) > COUNT); /* so that it is done in steps */

    for (uint64_t ticket = 3; ticket <= COUNT; ticket += 3) {
        (void)queue_done(queue, queue_ticket(queue, ticket), NULL);
    }
    check_taken(queue, 0, 4, 1, 5, 100);
    check_taken(queue, 6, 2, 10, 11, 100); /* 1 2 4 5 7 8 | 10 11 */
    struct looked looked = {.most = 2};
    queue_taken(queue, 1, UINT64_MAX, look, &looked, NULL);
    assert_int_equal(looked.last, 4);
    tie_abandon(&tie, MS, NULL);
    check_taken(queue, 0, UINT64_MAX, 0, 0, 0);
    unmake(&world, queue);
}

static void a_take_that_is_not_counted_leaves_the_item_as_it_was(void **state)
{
    for (int order = QUEUE_FIFO; order <= QUEUE_PRIORITY; order++) {
        struct world world;
        struct queue *queue = make(&world, &(struct queue_options){.order = (enum queue_order)order,
                                                                   .joinable = true,
                                                                   .max_deliveries = 2});
        struct tie tie = {.object = &queue->object};
        struct delivery head;
        TAILQ_INIT(&tie.taken);
        fill(queue, 3, 0, 0);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(queue_head(queue, &head), 0);
            assert_int_equal(number_of(head.value), order == QUEUE_LIFO ? 2 : 0);
            assert_int_equal(queue_take_head(queue, &tie, MS, &head, NULL), 0);
            assert_int_equal(head.meta.deliveries, 1);
            queue_uncount(queue, head.item);
            queue_give_back(queue, head.item, 0, MS, NULL);
            assert_int_equal(queue->gets, 0);
        }
        assert_true(TAILQ_EMPTY(&queue->dead));
        assert_int_equal(queue->ready, 3);
        unmake(&world, queue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peek_far_into_a_queue_does_not_walk_there),
        cmocka_unit_test(a_peek_skips_what_has_expired),
        cmocka_unit_test(what_expires_after_the_store_was_packed_anew_is_skipped_too),
        cmocka_unit_test(a_second_peek_into_a_queue_ordered_by_priority_sorts_nothing),
        cmocka_unit_test(clearing_gives_way),
        cmocka_unit_test(what_is_due_at_once_gives_way),
        cmocka_unit_test(room_is_what_maxsize_leaves),
        cmocka_unit_test(what_is_taken_is_shown_in_the_order_in_which_it_was_taken),
        cmocka_unit_test(a_take_that_is_not_counted_leaves_the_item_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
