/*
 * Times without end: a delay, a time to live, a lease or a timeout that leads to the end of the
 * clock's range, just before it, and beyond it, is a wait like any other. What waits is counted,
 * cleared, shut down, joined and freed (the stage asserts at its end that nothing is charged).
 */
#include "tests/support/stage.h"

#include <stdio.h>

/* Milliseconds: those of the stage's first moment (1,000) lead to just below 2^64 ns, to just above
 * it, past 2^64 when they are multiplied, and so on. */
static const char *const endless[] = {
    "18446744072709",      /* now + 18446744072709 ms is the last whole one below 2^64 ns */
    "18446744072710",      /* the first above it */
    "18446744073709",      /* the product is just below 2^64 */
    "18446744073710",      /* just above */
    "9223372036854775807", /* the largest that a call can give */
};
enum { ENDLESS = sizeof(endless) / sizeof(endless[0]) };

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

/* As check and actor_send, with each %s of the params replaced by the number. */
static uint32_t send_with(struct actor *actor, const char *method, const char *params,
                          const char *number)
{
    char text[512];
    const char *from = strstr(params, "%s");
    assert_non_null(from);
    int len =
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(from - params), params, number, from + 2);
    assert_true(len > 0 && (size_t)len < sizeof(text));
    return actor_send(actor, method, text);
}
#define check_with(actor, method, params, number, result)                                          \
    stage_expect(actor, send_with(actor, method, params, number), result, __FILE__, __LINE__)

static void a_delay_without_end_is_counted_and_cleared(void **state)
{
    struct actor *a = actor_new(*state, 0);
    for (int i = 0; i < ENDLESS; i++) {
        check(a, "queue.open", "['q', {joinable: true, maxsize: 2}]", "_map");
        check_with(a, "queue.put", "['q', 1, 0, {delay_ms: %s}]", endless[i], "nil");
        check_with(a, "queue.put", "['q', 2, 0, {delay_ms: %s, ttl_ms: 5}]", endless[i], "nil");
        check(a, "object.describe", "['q']", "{delayed: 2, unfinished: 2, size: 0, ...}");
        check_error(a, "queue.put", "['q', 3, 0]", "FULL");
        uint32_t join = actor_send(a, "queue.join", "['q']");
        stage_advance(*state, 5);
        check(a, "object.describe", "['q']", "{delayed: 1, expired: 1, ...}");
        check_waits(a, join);
        check(a, "queue.clear", "['q']", "1");
        check_answer(a, join, "nil");
        check(a, "object.describe", "['q']", "{delayed: 0, unfinished: 0, ...}");
        check(a, "object.delete", "['q']", "nil");
        actor_forget(a);
    }
    actor_leave(a);
}

static void a_delay_without_end_goes_with_shutdown_delete_and_session(void **state)
{
    struct actor *a = actor_new(*state, 0);
    for (int i = 0; i < ENDLESS; i++) {
        check(a, "queue.open", "['q', {joinable: true}]", "_map");
        check_with(a, "queue.put", "['q', 1, 0, {delay_ms: %s}]", endless[i], "nil");
        uint32_t join = actor_send(a, "queue.join", "['q']");
        check(a, "queue.shutdown", "['q', true]", "nil");
        check_answer(a, join, "nil");
        check(a, "object.delete", "['q']", "nil");

        check(a, "queue.open", "['q', {order: 'priority'}]", "_map");
        check_with(a, "queue.put", "['q', 1, 0, {delay_ms: %s}]", endless[i], "nil");
        check(a, "object.delete", "['q']", "nil");

        struct actor *b = actor_new(*state, 0);
        check(b, "queue.open", "['mine', {lifetime: 'scoped'}]", "_map");
        check_with(b, "queue.put", "['mine', 1, 0, {delay_ms: %s}]", endless[i], "nil");
        actor_leave(b);
        check_error(a, "queue.qsize", "['mine']", "NOT_FOUND");
        actor_forget(a);
    }
    check(a, "queue.open", "['left', {lifetime: 'daemon'}]", "_map");
    check_with(a, "queue.put", "['left', 1, 0, {delay_ms: %s}]", endless[0], "nil");
    actor_leave(a); /* 'left' goes with the stage, as with a daemon that ends */
}

static void an_item_given_back_without_end_is_delayed(void **state)
{
    struct actor *a = actor_new(*state, 0);
    for (int i = 0; i < ENDLESS; i++) {
        check(a, "queue.open", "['q', {joinable: true}]", "_map");
        check(a, "queue.put", "['q', 'x']", "nil");
        check(a, "queue.get", "['q']", "['x', 1, 1]");
        check_with(a, "queue.give_back", "['q', 1, %s]", endless[i], "nil");
        check(a, "object.describe", "['q']", "{taken: 0, delayed: 1, unfinished: 1, ...}");
        check_error(a, "queue.get", "['q', 0]", "EMPTY");
        check(a, "queue.clear", "['q']", "1");
        check(a, "queue.join", "['q']", "nil");
        check(a, "object.delete", "['q']", "nil");
        actor_forget(a);
    }
    actor_leave(a);
}

static void a_time_to_live_without_end_does_not_expire(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    for (int i = 0; i < ENDLESS; i++) {
        check_with(a, "queue.put", "['q', 1, 0, {ttl_ms: %s}]", endless[i], "nil");
    }
    stage_advance(*state, UINT64_C(1) << 43); /* 278 years */
    check(a, "object.describe", "['q']", "{size: 5, expired: 0, ...}");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check(a, "queue.clear", "['q']", "4");
    actor_leave(a);
}

static void a_lease_without_end_is_held(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    for (int i = 0; i < ENDLESS; i++) {
        check_with(a, "queue.open", "['q', {joinable: true, lease_ms: %s}]", endless[i], "_map");
        check(a, "queue.put_many", "['q', [1, 2]]", "2");
        check(a, "queue.get", "['q']", "[1, 1, 1]");
        check(a, "queue.get", "['q']", "[2, 2, 1]");
        check(a, "queue.touch", "['q', 1]", "nil");
        stage_advance(*state, 1000000000);
        check(a, "queue.touch", "['q', 1]", "nil");
        check(a, "object.describe", "['q']", "{taken: 2, size: 0, ...}");
        check(a, "queue.task_done", "['q', 1]", "1");
        check(a, "queue.give_back", "['q', 2]", "nil");
        check(b, "queue.get", "['q']", "[2, 3, 2]");
        check(b, "object.delete", "['q']", "nil");
        actor_forget(a);
        actor_forget(b);
    }
    actor_leave(a);
    actor_leave(b);
}

static void a_timeout_without_end_waits_and_is_served(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true, maxsize: 1}]", "_map");
    for (int i = 0; i < ENDLESS; i++) {
        uint32_t get = send_with(a, "queue.get", "['q', %s]", endless[i]);
        stage_advance(*state, 1000000000);
        check_waits(a, get);
        check(b, "queue.put", "['q', 'x']", "nil");
        check_answer(a, get, "['x', _int, 1]");
        uint32_t join = send_with(b, "queue.join", "['q', %s]", endless[i]);
        check(b, "queue.put", "['q', 'y']", "nil");
        uint32_t put = send_with(b, "queue.put", "['q', 'z', %s]", endless[i]);
        check_waits(b, put);
        check(b, "queue.clear", "['q']", "1");
        check_answer(b, put, "nil");
        check(a, "queue.clear", "['q']", "1");
        check_waits(b, join);
        check(a, "queue.task_done", "['q']", "0");
        check_answer(b, join, "nil");
    }
    (void)send_with(a, "queue.get", "['q', %s]", endless[0]);
    (void)send_with(b, "queue.get", "['q', %s]", endless[4]);
    actor_leave(a);
    actor_leave(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_delay_without_end_is_counted_and_cleared, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_delay_without_end_goes_with_shutdown_delete_and_session,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_item_given_back_without_end_is_delayed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_time_to_live_without_end_does_not_expire, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lease_without_end_is_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timeout_without_end_waits_and_is_served, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
