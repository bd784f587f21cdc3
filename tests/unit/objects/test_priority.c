/*
 * priority: what comes out is in order however far somebody has looked before, and looking again
 * costs nothing. That the whole agrees with a model, tombstones included: model_queue.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "daemon/objects/queue.h"

enum { COUNT = 20000 };

static struct item items[COUNT];

static struct priority filled(uint32_t from, uint32_t to)
{
    struct priority priority;
    priority_init(&priority);
    srandom(1);
    for (uint32_t i = from; i < to; i++) {
        items[i] = (struct item){.meta = {.rank = {.number = (long double)(random() % 1000)}},
                                 .heap_position = HEAP_NONE,
                                 .state = ITEM_HEAPED};
        items[i].meta.seq = i;
        assert_int_equal(priority_push(&priority, &items[i]), 0);
    }
    return priority;
}

static bool in_order(const struct item *a, const struct item *b)
{
    int order = rank_compare(&a->meta.rank, &b->meta.rank);
    return order < 0 || (order == 0 && a->meta.seq < b->meta.seq);
}

static void bury(void *data, struct item *item)
{
    assert_int_equal(item->state, ITEM_DEAD);
    ++*(int *)data;
}

/* Takes so many out and checks that they come in order. */
static void take(struct priority *priority, uint32_t count)
{
    struct item *last = NULL;
    int buried = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct item *item = priority_first(priority);
        assert_non_null(item);
        assert_true(last == NULL || in_order(last, item));
        assert_false(priority_is_inside(priority, item));
        priority_remove(priority, item, bury, &buried);
        last = item;
    }
    assert_int_equal(buried, 0);
}

/* The steps that sorting takes. */
static int64_t steps_of_sort(struct priority *priority, uint64_t n)
{
    struct pace pace = {.left = INT64_MAX};
    assert_int_equal(priority_sort(priority, n, &pace), 0);
    for (uint32_t i = 1; i < n && i < priority_run(priority); i++) {
        assert_true(in_order(priority_at(priority, i - 1), priority_at(priority, i)));
    }
    return INT64_MAX - pace.left;
}

static void what_comes_out_is_in_order_however_far_one_has_looked(void **state)
{
    static const uint64_t looks[] = {0, 1, 2, 1000, COUNT - 1, COUNT, UINT64_MAX};
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        struct priority priority = filled(0, COUNT);
        (void)steps_of_sort(&priority, looks[i]);
        assert_true(priority_run(&priority) == (looks[i] < COUNT ? looks[i] : COUNT));
        take(&priority, COUNT);
        assert_null(priority_first(&priority));
        assert_int_equal(priority_cost(&priority), 0);
        priority_deinit(&priority);
    }
}

static void what_is_put_later_is_sorted_in(void **state)
{
    struct priority priority = filled(0, COUNT / 2);
    (void)steps_of_sort(&priority, COUNT / 4);
    for (uint32_t i = COUNT / 2; i < COUNT; i++) {
        items[i] = (struct item){.meta = {.rank = {.number = (long double)(random() % 1000)}},
                                 .heap_position = HEAP_NONE,
                                 .state = ITEM_HEAPED};
        items[i].meta.seq = i;
        assert_int_equal(priority_push(&priority, &items[i]), 0);
        if (i % 100 == 0) {
            (void)steps_of_sort(&priority, i % 5000);
            take(&priority, 10);
        }
    }
    (void)steps_of_sort(&priority, COUNT / 3);
    take(&priority, COUNT - COUNT / 200 * 10);
    assert_null(priority_first(&priority));
    priority_deinit(&priority);
}

static void looking_again_costs_nothing(void **state)
{
    struct priority priority = filled(0, COUNT - 1);
    int64_t first = steps_of_sort(&priority, COUNT / 2);
    assert_true(first > COUNT / 2);
    assert_int_equal(steps_of_sort(&priority, COUNT / 2), 0);
    assert_int_equal(steps_of_sort(&priority, 5), 0);
    take(&priority, 1);
    assert_true(steps_of_sort(&priority, COUNT / 2) < 200); /* one more out of the heap */
    items[COUNT - 1] = (struct item){.heap_position = HEAP_NONE, .state = ITEM_HEAPED};
    items[COUNT - 1].meta.seq = COUNT;
    assert_int_equal(priority_push(&priority, &items[COUNT - 1]), 0);
    int64_t again = steps_of_sort(&priority, COUNT / 2);
    assert_true(again > 0 && again < first / 50); /* pointers are moved, nothing is sorted */
    priority_deinit(&priority);
}

static void tombstones_go_when_they_come_first_or_it_is_cleaned(void **state)
{
    int buried = 0;
    struct priority priority = filled(0, 100);
    assert_int_equal(priority_sort(&priority, 60, NULL), 0);
    assert_false(priority_is_inside(&priority, priority_at(&priority, 0)));
    for (uint32_t i = 1; i < 60; i += i < 5 ? 1 : 2) {
        assert_true(priority_is_inside(&priority, priority_at(&priority, i)));
        priority_at(&priority, i)->state = ITEM_DEAD;
        priority.tombstones++;
    }
    priority_remove(&priority, priority_first(&priority), bury, &buried);
    assert_int_equal(buried, 5);
    uint32_t left = priority_run(&priority) - priority.tombstones;
    buried = 0;
    uint32_t dead = priority.tombstones;
    priority_clean(&priority, bury, &buried, NULL);
    assert_int_equal(buried, dead);
    assert_int_equal(priority.tombstones, 0);
    assert_int_equal(priority_run(&priority), left);
    take(&priority, left + 40);
    assert_null(priority_first(&priority));
    priority_deinit(&priority);
}

static void take_any_takes_all(void **state)
{
    struct priority priority = filled(0, 1000);
    assert_int_equal(priority_sort(&priority, 300, NULL), 0);
    priority_at(&priority, 7)->state = ITEM_DEAD;
    priority.tombstones = 1;
    int taken = 0;
    while (priority_take_any(&priority) != NULL) {
        taken++;
    }
    assert_int_equal(taken, 1000);
    assert_int_equal(priority.tombstones, 0);
    assert_int_equal(priority_cost(&priority), 0);
    priority_deinit(&priority);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_out_is_in_order_however_far_one_has_looked),
        cmocka_unit_test(what_is_put_later_is_sorted_in),
        cmocka_unit_test(looking_again_costs_nothing),
        cmocka_unit_test(tombstones_go_when_they_come_first_or_it_is_cleaned),
        cmocka_unit_test(take_any_takes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
