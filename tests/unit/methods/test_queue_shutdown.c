/* queue.shutdown: what is still taken, who is left to get it when it comes back, and drain. */
#include "tests/support/stage.h"

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

static void shutdown_drains_and_then_fails(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    uint32_t put = actor_send(a, "queue.put", "['q', 2]");
    check(a, "queue.shutdown", "['q']", "nil");
    check_refused(a, put, "SHUT_DOWN");
    check_error(a, "queue.put", "['q', 3]", "SHUT_DOWN");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check_error(a, "queue.get", "['q']", "SHUT_DOWN");
    check(a, "object.describe", "['q']", "{shut_down: true, ...}");
    actor_leave(a);
}

static void shutdown_wakes_getters_and_immediate_drops_items(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['e']", "_map");
    uint32_t get = actor_send(a, "queue.get", "['e']");
    check(a, "queue.shutdown", "['e']", "nil");
    check_refused(a, get, "SHUT_DOWN");
    check(a, "queue.open", "['j', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['j', [1, 2]]", "2");
    uint32_t join = actor_send(a, "queue.join", "['j']");
    check(a, "queue.shutdown", "['j', true]", "nil");
    check_answer(a, join, "nil");
    check_error(a, "queue.get", "['j']", "SHUT_DOWN");
    actor_leave(a);
}

static void what_comes_back_after_the_last_reader_left_keeps_a_join_waiting(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put", "['q', 'x']", "nil");
    check(b, "queue.get", "['q']", "['x', 1, 1]");
    check(a, "queue.shutdown", "['q', false, {}]", "1");
    check_error(a, "queue.get", "['q']", "SHUT_DOWN");
    uint32_t join = actor_send(a, "queue.join", "['q']");
    actor_leave(b);
    check_waits(a, join);
    check(a, "object.describe", "['q']",
          "{shut_down: true, drain: false, size: 1, taken: 0, unfinished: 1, ...}");
    check(a, "queue.shutdown", "['q', true]", "nil");
    check_answer(a, join, "nil");
    actor_leave(a);
}

static void drain_lets_getters_wait_for_what_may_come_back(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', ['x', 'y']]", "2");
    check(b, "queue.get_many", "['q', 2]", "[['x', 1, 1], ['y', 2, 1]]");
    uint32_t first = actor_send(c, "queue.get", "['q']");
    check(a, "queue.shutdown", "['q', false, {drain: true}]", "2");
    check(a, "object.describe", "['q']", "{shut_down: true, drain: true, taken: 2, ...}");
    check_waits(c, first);
    check_error(c, "queue.get", "['q', 0]", "EMPTY");
    check_error(a, "queue.put", "['q', 'z']", "SHUT_DOWN");
    check(b, "queue.task_done", "['q', 1]", "1");
    check_waits(c, first);
    actor_leave(b);
    check_answer(c, first, "['y', 3, 2]");
    uint32_t second = actor_send(c, "queue.get", "['q']");
    uint32_t any = actor_send(c, "queue.get_any", "[['q']]");
    uint32_t many = actor_send(a, "queue.get_many", "['q', 5]");
    check_waits(c, second);
    check(c, "queue.task_done", "['q']", "0");
    check_refused(c, second, "SHUT_DOWN");
    check_refused(c, any, "SHUT_DOWN");
    check_refused(a, many, "SHUT_DOWN");
    check_error(c, "queue.get", "['q']", "SHUT_DOWN");
    actor_leave(a);
    actor_leave(c);
}

static void drain_can_be_taken_back_and_is_kept_otherwise(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true, lease_ms: 10}]", "_map");
    check(a, "queue.put", "['q', 'x']", "nil");
    check(a, "queue.get", "['q']", "['x', 1, 1]");
    check(a, "queue.shutdown", "['q', nil, {drain: true}]", "1");
    check(a, "queue.shutdown", "['q']", "nil");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    check_waits(a, get);
    stage_advance(*state, 10);
    check_answer(a, get, "['x', 2, 2]");
    get = actor_send(a, "queue.get", "['q']");
    check(a, "queue.shutdown", "['q', true]", "nil"); /* what is taken may still come back */
    check_waits(a, get);
    check(a, "queue.shutdown", "['q', false, {drain: false}]", "1");
    check_refused(a, get, "SHUT_DOWN");
    check_error(a, "queue.shutdown", "['q', false, {drain: 1}]", "BAD_REQUEST");
    check_error(a, "queue.shutdown", "['q', false, {drained: true}]", "BAD_REQUEST");
    actor_leave(a);
}

/* Each task_done asks the first of those who wait, not all of them. */
static void drain_asks_those_who_wait_only_when_it_is_over(void **state)
{
    enum { WAITERS = 200 };
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    uint32_t gets[WAITERS];
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]", "10");
    check(a, "queue.get_many", "['q', 10]", "_array");
    for (int i = 0; i < WAITERS; i++) {
        gets[i] = actor_send(b, "queue.get", "['q']");
    }
    check(a, "queue.shutdown", "['q', false, {drain: true}]", "10");
    uint64_t before = stage->service.retries;
    for (int i = 0; i < 9; i++) {
        (void)actor_send(a, "queue.task_done", "['q']");
    }
    assert_true(stage->service.retries - before <= 9);
    check(a, "queue.task_done", "['q']", "0");
    for (int i = 0; i < WAITERS; i++) {
        check_refused(b, gets[i], "SHUT_DOWN");
    }
    actor_leave(a);
    actor_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shutdown_drains_and_then_fails),
        TEST(shutdown_wakes_getters_and_immediate_drops_items),
        TEST(what_comes_back_after_the_last_reader_left_keeps_a_join_waiting),
        TEST(drain_lets_getters_wait_for_what_may_come_back),
        TEST(drain_can_be_taken_back_and_is_kept_otherwise),
        TEST(drain_asks_those_who_wait_only_when_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
