/* queue: calls that wait, their order, and the four ways in which a wait ends early. */
#include "tests/support/daemon.h"

#include <stdlib.h>

static int queue_setup(void **state)
{
    (void)daemon_setup(state);
    expect(daemon_client(*state), "queue.open", "['q']", "_map");
    expect(daemon_client(*state), "queue.open", "['one', {maxsize: 1}]", "_map");
    return 0;
}

static struct rpc *client(void **state, unsigned index)
{
    return ((struct daemon *)*state)->clients[index];
}

static void get_waits_for_a_put(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    static const char *const params[] = {"['q']", "['q', nil]", "['q', 600000]"};
    for (size_t i = 0; i < 3; i++) {
        uint32_t get = rpc_start(a, "queue.get", params[i]);
        expect_waiting(a, get);
        expect(b, "queue.put", "['q', 'x']", "nil");
        expect_result(a, get, "['x', nil, 1]");
    }
    expect(b, "queue.qsize", "['q']", "0");
}

static void get_waits_for_the_end_of_a_pause(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put", "['q', 'x']", "nil");
    expect(a, "queue.pause", "['q', 600000]", "nil");
    uint32_t get = rpc_start(b, "queue.get", "['q']");
    expect_waiting(b, get);
    expect(a, "queue.pause", "['q', 20]", "nil");
    expect_result(b, get, "['x', nil, 1]");
    expect(a, "object.describe", "['q']", "{paused: false, ...}");
}

static void put_waits_for_room(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put", "['one', 1]", "nil");
    uint32_t put = rpc_start(a, "queue.put", "['one', 2]");
    expect_waiting(a, put);
    expect(b, "object.describe", "['one']", "{size: 1, waiting: 1, ...}");
    expect(b, "queue.get", "['one']", "[1, nil, 1]");
    expect_result(a, put, "nil");
    expect(b, "queue.get", "['one']", "[2, nil, 1]");
}

static void getters_are_served_in_the_order_in_which_they_came(void **state)
{
    enum { WAITERS = 12 };
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    uint32_t ids[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        ids[i] = rpc_start(i % 3 == 1 ? b : a, "queue.get", "['q', 600000]");
    }
    for (int i = 0; i < WAITERS; i++) {
        struct rpc *who = i % 3 == 1 ? b : a;
        expect(i % 2 == 0 ? a : b, "queue.put", rpc_text(a, "['q', %d]", i), "nil");
        expect_result(who, ids[i], rpc_text(a, "[%d, nil, 1]", i));
    }
}

static void putters_are_served_in_the_order_in_which_they_came(void **state)
{
    enum { WAITERS = 9 };
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put", "['one', -1]", "nil");
    uint32_t ids[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        ids[i] = rpc_start(i % 3 == 1 ? b : a, "queue.put", rpc_text(a, "['one', %d]", i));
    }
    expect(a, "queue.get", "['one']", "[-1, nil, 1]");
    for (int i = 0; i < WAITERS; i++) {
        expect_result(i % 3 == 1 ? b : a, ids[i], "nil");
        expect(b, "queue.get", "['one', 0]", rpc_text(a, "[%d, nil, 1]", i));
    }
}

static void one_put_many_serves_many_getters(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    uint32_t first = rpc_start(a, "queue.get", "['q']");
    uint32_t many = rpc_start(a, "queue.get_many", "['q', 2]");
    uint32_t last = rpc_start(a, "queue.get", "['q']");
    expect(b, "queue.put_many", "['q', [1, 2, 3, 4, 5]]", "5");
    expect_result(a, first, "[1, nil, 1]");
    expect_result(a, many, "[[2, nil, 1], [3, nil, 1]]");
    expect_result(a, last, "[4, nil, 1]");
    expect(b, "queue.peek", "['q', 0, 9]", "[5]");
}

static void get_many_waits_for_the_first_item_only(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    uint32_t get = rpc_start(a, "queue.get_many", "['q', 10]");
    expect_waiting(a, get);
    expect(b, "queue.put", "['q', 1]", "nil");
    expect_result(a, get, "[[1, nil, 1]]");
}

static void put_many_goes_in_as_there_is_room_and_before_later_putters(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put", "['one', 'x']", "nil");
    uint32_t many = rpc_start(a, "queue.put_many", "['one', [1, 2, 3]]");
    uint32_t single = rpc_start(b, "queue.put", "['one', 4]");
    expect(b, "queue.get", "['one']", "['x', nil, 1]");
    expect(b, "queue.get", "['one']", "[1, nil, 1]");
    expect_waiting(a, many);
    expect(b, "queue.get", "['one']", "[2, nil, 1]");
    expect_result(a, many, "3");
    expect_waiting(b, single);
    expect(b, "queue.get", "['one']", "[3, nil, 1]");
    expect_result(b, single, "nil");
    expect(b, "queue.get", "['one']", "[4, nil, 1]");
}

/* Runs a call that waits for its whole timeout and checks that it was not shorter. */
static void runs_out(struct rpc *c, const char *method, const char *params, int64_t timeout,
                     const char *code)
{
    int64_t start = rpc_now();
    expect_error(c, method, params, code);
    int64_t took = rpc_now() - start;
    if (took < timeout) {
        test_fail(HERE, "%s %s ended after %lld ms", method, params, (long long)took);
    }
}

static void no_wait_ends_before_its_time(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.put", "['one', 1]", "nil");
    expect(c, "queue.open", "['j', {joinable: true}]", "_map");
    expect(c, "queue.put", "['j', 1]", "nil");
    expect(c, "dict.open", "['d']", "_map");
    for (int timeout = 1; timeout <= 64; timeout *= 4) {
        runs_out(c, "queue.get", rpc_text(c, "['q', %d]", timeout), timeout, "EMPTY");
        runs_out(c, "queue.get_many", rpc_text(c, "['q', 3, %d]", timeout), timeout, "EMPTY");
        runs_out(c, "queue.put", rpc_text(c, "['one', 1, %d]", timeout), timeout, "FULL");
        runs_out(c, "queue.put_many", rpc_text(c, "['one', [1], %d]", timeout), timeout, "FULL");
        runs_out(c, "queue.join", rpc_text(c, "['j', %d]", timeout), timeout, "TIMEOUT");
        runs_out(c, "dict.wait", rpc_text(c, "['d', 1, %d]", timeout), timeout, "TIMEOUT");
    }
    expect(c, "session.describe", "[]", "{waiting: 0, ...}");
}

static void waits_end_in_the_order_of_their_deadlines(void **state)
{
    struct rpc *c = client(state, 0);
    uint32_t late = rpc_send(c, "queue.get", "['q', 1000]");
    uint32_t soon = rpc_send(c, "queue.get", "['q', 20]");
    struct reply *reply = rpc_next(c);
    assert_int_equal(reply->msgid, soon);
    reply_free(reply);
    expect_failure(c, late, "EMPTY");
}

static void waiter_that_ran_out_takes_nothing(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect_error(a, "queue.get", "['q', 5]", "EMPTY");
    expect(b, "queue.put", "['q', 1]", "nil");
    expect(b, "queue.qsize", "['q']", "1");
}

static void put_many_that_runs_out_says_how_many_were_put(void **state)
{
    struct rpc *c = client(state, 0);
    int64_t start = rpc_now();
    expect(c, "queue.put_many", "['one', [1, 2, 3], 30]", "1");
    assert_true(rpc_now() - start >= 30);
    expect(c, "queue.peek", "['one', 0, 9]", "[1]");
    expect_error(c, "queue.put_many", "['one', [4, 5], 10]", "FULL");
}

static void cancelled_wait_answers_cancelled_and_takes_nothing(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    uint32_t get = rpc_start(a, "queue.get", "['q']");
    rpc_cancel(a, get);
    expect_failure(a, get, "CANCELLED");
    expect(b, "queue.put", "['q', 1]", "nil");
    expect(b, "queue.peek", "['q']", "[1]");
    expect(a, "queue.put", "['one', 1]", "nil");
    uint32_t put = rpc_start(a, "queue.put", "['one', 2]");
    rpc_cancel(a, put);
    expect_failure(a, put, "CANCELLED");
    expect(b, "queue.get", "['one']", "[1, nil, 1]");
    expect_error(b, "queue.get", "['one', 0]", "EMPTY");
}

static void cancel_serves_the_next_in_line(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    uint32_t first = rpc_start(a, "queue.get", "['q']");
    uint32_t second = rpc_start(b, "queue.get", "['q']");
    rpc_cancel(a, first);
    expect_failure(a, first, "CANCELLED");
    expect(a, "queue.put", "['q', 1]", "nil");
    expect_result(b, second, "[1, nil, 1]");
}

static void cancelled_put_many_lets_the_next_putter_go_on(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put", "['one', 1]", "nil");
    uint32_t first = rpc_start(a, "queue.put_many", "['one', [2, 3]]");
    uint32_t second = rpc_start(b, "queue.put", "['one', 4]");
    rpc_cancel(a, first);
    expect_failure(a, first, "CANCELLED");
    expect(a, "queue.get", "['one']", "[1, nil, 1]");
    expect_result(b, second, "nil");
    expect(a, "queue.get", "['one']", "[4, nil, 1]");
}

static void cancel_of_a_call_that_is_done_has_no_effect(void **state)
{
    only_in_memory("it is on its way to the engine, and not done");
    struct rpc *c = client(state, 0);
    expect(c, "queue.put", "['q', 1]", "nil");
    uint32_t get = rpc_send(c, "queue.get", "['q']");
    rpc_cancel(c, get);
    expect_result(c, get, "[1, nil, 1]");
    rpc_cancel(c, get);
    expect(c, "server.ping", "[]", "nil");
    assert_null(c->first);
}

static void waiter_whose_process_is_killed_takes_nothing(void **state)
{
    struct rpc *a = client(state, 0);
    pid_t gone = daemon_client_process(*state, "queue.get", "['q']");
    uint32_t get = rpc_start(a, "queue.get", "['q']");
    process_kill(gone);
    expect(client(state, 1), "queue.put", "['q', 'for the living']", "nil");
    expect_result(a, get, "['for the living', nil, _int]");
}

static void many_killed_waiters_lose_no_item(void **state)
{
    enum { WAITERS = 12, ITEMS = 30 };
    struct rpc *c = client(state, 0);
    pid_t pids[WAITERS];
    unsigned seen[ITEMS] = {0};
    for (int i = 0; i < WAITERS; i++) {
        pids[i] = daemon_client_process(*state, "queue.get", "['q']");
    }
    for (int i = 0; i < WAITERS; i++) {
        process_kill(pids[i]);
    }
    for (int i = 0; i < ITEMS; i++) {
        expect(c, "queue.put", rpc_text(c, "['q', %d]", i), "nil");
    }
    for (int i = 0; i < ITEMS; i++) {
        struct reply *reply = rpc_call(c, "queue.get", "['q', 20000]");
        assert_int_equal(reply->error.type, MSGPACK_OBJECT_NIL);
        uint64_t item = reply->result.via.array.ptr[0].via.u64;
        assert_true(item < ITEMS);
        seen[item]++;
        reply_free(reply);
    }
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(seen[i], 1);
    }
    expect_error(c, "queue.get", "['q', 0]", "EMPTY");
}

static void putter_whose_process_is_killed_puts_nothing(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.put", "['one', 1]", "nil");
    pid_t gone = daemon_client_process(*state, "queue.put", "['one', 'from the dead']");
    uint32_t put = rpc_start(c, "queue.put", "['one', 2]");
    process_kill(gone);
    expect_soon(c, "object.describe", "['one']", "{waiting: 1, ...}");
    expect(c, "queue.get", "['one']", "[1, nil, 1]");
    expect_result(c, put, "nil");
    expect(c, "queue.get", "['one']", "[2, nil, 1]");
    expect_error(c, "queue.get", "['one', 0]", "EMPTY");
}

static void a_hundred_waits_on_one_connection_are_each_answered(void **state)
{
    enum { WAITS = 100 };
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    uint32_t first = rpc_send(a, "queue.get", "['q']");
    for (uint32_t i = 1; i < WAITS; i++) {
        (void)rpc_send(a, "queue.get", "['q']");
    }
    expect(a, "object.describe", "['q']", "{waiting: 100, ...}");
    for (uint32_t i = 0; i < WAITS; i++) {
        expect(b, "queue.put", rpc_text(b, "['q', %u]", i), "nil");
        expect_result(a, first + i, rpc_text(a, "[%u, nil, 1]", i));
    }
}

#define queue_test(function) cmocka_unit_test_setup_teardown(function, queue_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        queue_test(get_waits_for_a_put),
        queue_test(get_waits_for_the_end_of_a_pause),
        queue_test(put_waits_for_room),
        queue_test(getters_are_served_in_the_order_in_which_they_came),
        queue_test(putters_are_served_in_the_order_in_which_they_came),
        queue_test(one_put_many_serves_many_getters),
        queue_test(get_many_waits_for_the_first_item_only),
        queue_test(put_many_goes_in_as_there_is_room_and_before_later_putters),
        queue_test(no_wait_ends_before_its_time),
        queue_test(waits_end_in_the_order_of_their_deadlines),
        queue_test(waiter_that_ran_out_takes_nothing),
        queue_test(put_many_that_runs_out_says_how_many_were_put),
        queue_test(cancelled_wait_answers_cancelled_and_takes_nothing),
        queue_test(cancel_serves_the_next_in_line),
        queue_test(cancelled_put_many_lets_the_next_putter_go_on),
        queue_test(cancel_of_a_call_that_is_done_has_no_effect),
        queue_test(waiter_whose_process_is_killed_takes_nothing),
        queue_test(many_killed_waiters_lose_no_item),
        queue_test(putter_whose_process_is_killed_puts_nothing),
        queue_test(a_hundred_waits_on_one_connection_are_each_answered),
    };
    return cmocka_run_group_tests_name("queue wait", tests, NULL, NULL);
}
