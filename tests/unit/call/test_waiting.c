/* Calls that do not end at once: they are held up, are cancelled or run out of time meanwhile, and
 * their sessions end; and how those who wait are asked. */
#include "tests/unit/call/at_work.h"

#include <stdlib.h>

static void calls_held_up_are_done_in_order(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    work_begin(&work, *state, "q");
    uint32_t put = actor_send(a, "queue.put", "['q', 1]");
    uint32_t size = actor_send(b, "queue.qsize", "['q']");
    uint32_t get = actor_send(b, "queue.get", "['q']");
    uint32_t last = actor_send(a, "queue.qsize", "['q']");
    check(a, "queue.qsize", "['r']", "0");
    check_waits(a, put);
    work_end(&work);
    stage_finish(*state);
    check_answer(a, put, "nil");
    check_answer(b, size, "1");
    check_answer(b, get, "[1, nil, 1]");
    check_answer(a, last, "0");
    scene_leave(a, b);
}

static void call_on_an_object_that_visitors_wait_for_stands_behind_them(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    work_begin(&work, *state, "q");
    uint32_t first = actor_send(a, "queue.put", "['q', 1]");
    uint32_t second = actor_send(a, "queue.put", "['q', 2]");
    work_end(&work);
    while (((struct stage *)*state)->service.jobs.count > 0) {
        assert_true(stage_step(*state));
    }
    uint32_t third = actor_send(b, "queue.put", "['q', 3]");
    check_waits(b, third);
    stage_finish(*state);
    check_answer(a, first, "nil");
    check_answer(a, second, "nil");
    check_answer(b, third, "nil");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    scene_leave(a, b);
}

static void held_up_call_can_be_cancelled(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    char params[16];
    scene_begin(state, &a, &b);
    work_begin(&work, *state, "q");
    uint32_t first = actor_send(a, "queue.put", "['q', 1]");
    uint32_t second = actor_send(a, "queue.put", "['q', 2]");
    (void)snprintf(params, sizeof(params), "[%u]", (unsigned)first);
    actor_notify(a, "cancel", params);
    check_refused(a, first, "CANCELLED");
    (void)snprintf(params, sizeof(params), "[%u]", (unsigned)second);
    actor_notify(b, "cancel", params);
    work_end(&work);
    stage_finish(*state);
    check_answer(a, second, "nil");
    check(a, "queue.get", "['q']", "[2, nil, 1]");
    scene_leave(a, b);
}

static void cancel_of_the_last_visitor_frees_an_open_hold(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    char params[16];
    scene_begin(state, &a, &b);
    work_begin(&work, *state, "q");
    uint32_t put = actor_send(a, "queue.put", "['q', 1]");
    work_end(&work);
    while (((struct stage *)*state)->service.jobs.count > 0) {
        assert_true(stage_step(*state));
    }
    (void)snprintf(params, sizeof(params), "[%u]", (unsigned)put);
    actor_notify(a, "cancel", params);
    check(b, "queue.qsize", "['q']", "0");
    assert_null(stage_object(*state, "q")->hold);
    scene_leave(a, b);
}

static void held_up_call_on_a_barrier_does_not_break_it_when_cancelled(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    char params[16];
    scene_begin(state, &a, &b);
    uint32_t first = actor_send(a, "barrier.wait", "['b']");
    work_begin(&work, *state, "b");
    uint32_t second = actor_send(b, "barrier.wait", "['b']");
    (void)snprintf(params, sizeof(params), "[%u]", (unsigned)second);
    actor_notify(b, "cancel", params);
    check_refused(b, second, "CANCELLED");
    work_end(&work);
    stage_finish(*state);
    check_waits(a, first);
    check(b, "barrier.wait", "['b']", "1");
    check_answer(a, first, "0");
    scene_leave(a, b);
}

static void held_up_call_that_then_waits_has_its_timeout_from_when_it_came(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    work_begin(&work, *state, "q");
    uint32_t get = actor_send(a, "queue.get", "['q', 50]");
    uint32_t longer = actor_send(a, "queue.get", "['q', 150]");
    uint32_t endless = actor_send(a, "queue.get", "['q', 9223372036854775807]");
    stage_advance(*state, 100);
    check_waits(a, get);
    work_end(&work);
    stage_finish(*state);
    stage_advance(*state, 0);
    check_refused(a, get, "EMPTY");
    check_waits(a, longer);
    stage_advance(*state, 50);
    check_refused(a, longer, "EMPTY");
    check_waits(a, endless);
    check(b, "queue.put", "['q', 1]", "nil");
    check_answer(a, endless, "[1, nil, 1]");
    scene_leave(a, b);
}

static void wait_whose_time_is_up_while_its_object_is_held_ends_after_that(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    uint32_t get = actor_send(a, "queue.get", "['q', 50]");
    uint32_t later = actor_send(a, "queue.get", "['q', 500]");
    work_begin(&work, *state, "q");
    stage_advance(*state, 100);
    check_waits(a, get);
    uint32_t put = actor_send(b, "queue.put", "['q', 1]");
    work_end(&work);
    stage_finish(*state);
    check_refused(a, get, "EMPTY"); /* it stood before the put */
    check_answer(b, put, "nil");
    check_answer(a, later, "[1, nil, 1]");
    scene_leave(a, b);
}

static void wait_whose_time_is_up_while_its_object_is_held_can_still_be_served(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    struct delivery;
    scene_begin(state, &a, &b);
    uint32_t any = actor_send(a, "queue.get_any", "[['q', 'r'], 50]");
    work_begin(&work, *state, "q");
    stage_advance(*state, 100);
    check_waits(a, any);
    check(b, "queue.put", "['r', 1]", "nil");
    check_answer(a, any, "['r', 1, nil, 1]");
    work_end(&work);
    stage_finish(*state);
    scene_leave(a, b);
}

static void time_that_is_up_counts_no_more_once_the_sleeper_was_notified(void **state)
{
    struct actor *a;
    struct actor *b;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    check(a, "lock.acquire", "['m']", "_");
    uint32_t sleeper = actor_send(a, "condition.wait", "['c', 50]");
    check(b, "lock.acquire", "['m']", "_");
    stage_in_steps(stage);
    stage->by_hand = true;
    /* A batch works on the condition, and notifies last. */
    uint32_t batch =
        actor_send(b, "atomic", "[[['condition.notify_all', ['c']], ['server.ping', []]]]");
    assert_true(stage_step(stage));
    assert_true(object_is_busy(stage_object(stage, "c")));
    stage_advance(stage, 100);
    stage_finish(stage);
    check_answer(b, batch, "[1, _]");
    check_waits(a, sleeper);
    check(b, "lock.release", "['m']", "_");
    check_answer(a, sleeper, "true");
    scene_leave(a, b);
}

static void sessions_calls_are_all_done_before_it_ends(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    work_begin(&work, *state, "q");
    (void)actor_send(b, "queue.get", "['r']");
    actor_notify(b, "queue.put", "['q', 1]");
    (void)actor_send(b, "queue.put", "['q', 2]");
    (void)actor_send(b, "atomic", "[[['queue.put', ['r', 5]], ['queue.put', ['q', 3]]]]");
    assert_int_equal(b->session.unfinished, 3);
    b->session.closing = true;
    session_cancel_all(&b->session, ERR_CANCELLED, "it ends");
    work_end(&work);
    stage_finish(*state);
    assert_int_equal(b->session.unfinished, 0);
    actor_begin_vanish(b);
    stage_finish(*state);
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check(a, "queue.get", "['q']", "[2, nil, 1]");
    check(a, "queue.get", "['q']", "[3, nil, 1]");
    check(a, "queue.get", "['r']", "[5, nil, 1]");
    ((struct stage *)*state)->by_hand = false;
    actor_leave(a);
}

static void held_up_call_of_a_closing_session_does_not_begin_to_wait(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    check(b, "lock.acquire", "['m']", "_");
    work_begin(&work, *state, "c");
    uint32_t wait = actor_send(b, "condition.wait", "['c']");
    b->session.closing = true;
    work_end(&work);
    stage_finish(*state);
    check_refused(b, wait, "CANCELLED");
    check(a, "object.describe", "['m']", "{depth: 1, ...}");
    scene_leave(a, b);
}

static void waits_of_a_session_that_ends_in_steps_get_nothing(void **state)
{
    struct actor *a;
    struct actor *b;
    scene_begin(state, &a, &b);
    for (int i = 0; i < 5; i++) {
        (void)actor_send(b, "queue.get", "['q']");
    }
    stage_in_steps(*state);
    ((struct stage *)*state)->by_hand = true;
    actor_begin_vanish(b);
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.qsize", "['q']", "1");
    b = actor_new(*state, 0);
    scene_leave(a, b);
}

static void session_that_ends_in_steps_has_nothing_more_to_send(void **state)
{
    struct actor *a;
    struct actor *b;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    for (int i = 0; i < 5; i++) {
        (void)actor_send(b, "queue.get", "['q']");
    }
    stage_in_steps(stage);
    stage->by_hand = true;
    actor_begin_vanish(b);
    actor_begin_vanish(a); /* what it has sent is not looked at here */
    struct actor *c = actor_new(stage, 0);
    (void)actor_send(c, "object.delete", "['q']");
    const struct session *session;
    do {
        TAILQ_FOREACH (session, &stage->service.dirty, dirty) {
            assert_ptr_equal(session, &c->session);
        }
    } while (stage_step(stage));
    stage->by_hand = false;
    actor_leave(c);
}

static void get_any_that_was_held_up_waits_on_all_its_queues(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    work_begin(&work, *state, "q");
    uint32_t first = actor_send(a, "queue.get_any", "[['r', 'q', 'r']]");
    uint32_t second = actor_send(a, "queue.get_any", "[['r', 'q'], 1000]");
    check(b, "queue.put", "['r', 1]", "nil");
    check_waits(a, first); /* it has not begun */
    work_end(&work);
    stage_finish(*state);
    check_answer(a, first, "['r', 1, nil, 1]");
    check_waits(a, second);
    check(b, "object.describe", "['r']", "{waiting: 1, ...}");
    check(b, "queue.put", "['q', 2]", "nil");
    check_answer(a, second, "['q', 2, nil, 1]");
    check(b, "object.describe", "['r']", "{waiting: 0, ...}");
    scene_leave(a, b);
}

static void get_any_ends_when_all_are_shut_down_of_which_one_was_held(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    uint32_t any = actor_send(a, "queue.get_any", "[['q', 'r']]");
    work_begin(&work, *state, "q");
    uint32_t down = actor_send(b, "queue.shutdown", "['q']");
    check(b, "queue.shutdown", "['r']", "nil");
    check_waits(a, any);
    work_end(&work);
    stage_finish(*state);
    check_answer(b, down, "nil");
    check_refused(a, any, "SHUT_DOWN");
    scene_leave(a, b);
}

static void get_any_ends_with_a_queue_deleted_while_another_is_held(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    scene_begin(state, &a, &b);
    uint32_t any = actor_send(a, "queue.get_any", "[['q', 'r']]");
    work_begin(&work, *state, "q");
    uint32_t gone = actor_send(b, "object.delete", "['r']");
    for (int i = 0; i < 20; i++) {
        assert_true(stage_step(*state));
    }
    check_answer(b, gone, "nil");
    check_refused(a, any, "DELETED");
    work_end(&work);
    stage_finish(*state);
    check(b, "object.describe", "['q']", "{waiting: 0, ...}");
    scene_leave(a, b);
}

static void held_up_calls_cannot_pass_the_limit_max_waiting(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    stage->service.accounts.limits.max_waiting = 2;
    work_begin(&work, stage, "q");
    uint32_t calls[4];
    for (int i = 0; i < 4; i++) {
        calls[i] = actor_send(a, "queue.get", "['q']");
    }
    work_end(&work);
    stage_finish(stage);
    check_waits(a, calls[1]);
    check_refused(a, calls[2], "LIMIT");
    check_refused(a, calls[3], "LIMIT");
    scene_leave(a, b);
}

static void waiter_that_is_served_in_steps_is_not_overtaken(void **state)
{
    struct actor *a;
    struct actor *b;
    scene_begin(state, &a, &b);
    uint32_t many = actor_send(a, "queue.get_many", "['q', 10]");
    uint32_t one = actor_send(b, "queue.get", "['q']");
    stage_in_steps(*state);
    check(b, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check_answer(a, many, "[[1, nil, 1], [2, nil, 1], [3, nil, 1]]");
    check_waits(b, one);
    scene_leave(a, b);
}

static void many_waiters_that_are_served_in_steps_each_get_one_in_order(void **state)
{
    enum { WAITERS = 400 };
    struct actor *a;
    struct actor *b;
    char expected[32];
    scene_begin(state, &a, &b);
    for (int i = 0; i < WAITERS; i++) {
        (void)actor_send(a, "queue.get_many", "['q', 1]");
    }
    stage_in_steps(*state);
    check(b, "queue.put_many", "['q', [7]]", "1");
    check_answer(a, 8, "[[7, nil, 1]]");
    struct buffer values = {0};
    for (unsigned i = 1; i < WAITERS; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "%s%u", i == 1 ? "['q', [" : ", ", i);
        (void)buffer_append(&values, text, (size_t)len);
    }
    (void)buffer_append(&values, "]]", 3);
    check(b, "queue.put_many", (const char *)values.data, "399");
    buffer_deinit(&values);
    for (unsigned i = 1; i < WAITERS; i++) {
        (void)snprintf(expected, sizeof(expected), "[[%u, nil, 1]]", i);
        check_answer(a, 8 + i, expected);
    }
    scene_leave(a, b);
}

static void call_done_in_steps_charges_its_session_for_the_stack(void **state)
{
    struct actor *a;
    struct actor *b;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    check(a, "list.open", "['l', {initial: [1, 2, 3, 4]}]", "_map");
    uint64_t before = a->session.charged.bytes;
    stage_in_steps(stage);
    stage->by_hand = true;
    uint32_t count = actor_send(a, "list.count", "['l', 1]");
    assert_true(a->session.charged.bytes >= before + JOB_COST);
    stage_finish(stage);
    check_answer(a, count, "1");
    assert_true(a->session.charged.bytes < before + JOB_COST);
    scene_leave(a, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_held_up_are_done_in_order),
        TEST(call_on_an_object_that_visitors_wait_for_stands_behind_them),
        TEST(held_up_call_can_be_cancelled),
        TEST(cancel_of_the_last_visitor_frees_an_open_hold),
        TEST(held_up_call_on_a_barrier_does_not_break_it_when_cancelled),
        TEST(held_up_call_that_then_waits_has_its_timeout_from_when_it_came),
        TEST(wait_whose_time_is_up_while_its_object_is_held_ends_after_that),
        TEST(wait_whose_time_is_up_while_its_object_is_held_can_still_be_served),
        TEST(time_that_is_up_counts_no_more_once_the_sleeper_was_notified),
        TEST(sessions_calls_are_all_done_before_it_ends),
        TEST(held_up_call_of_a_closing_session_does_not_begin_to_wait),
        TEST(waits_of_a_session_that_ends_in_steps_get_nothing),
        TEST(session_that_ends_in_steps_has_nothing_more_to_send),
        TEST(get_any_that_was_held_up_waits_on_all_its_queues),
        TEST(get_any_ends_when_all_are_shut_down_of_which_one_was_held),
        TEST(get_any_ends_with_a_queue_deleted_while_another_is_held),
        TEST(held_up_calls_cannot_pass_the_limit_max_waiting),
        TEST(waiter_that_is_served_in_steps_is_not_overtaken),
        TEST(call_done_in_steps_charges_its_session_for_the_stack),
        TEST(many_waiters_that_are_served_in_steps_each_get_one_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
