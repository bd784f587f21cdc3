/* queue: what put, get and their kin do without waiting. */
#include "tests/support/daemon.h"

static int queue_setup(void **state)
{
    (void)daemon_setup(state);
    expect(daemon_client(*state), "queue.open", "['q']", "_map");
    return 0;
}

static struct rpc *first(void **state)
{
    return ((struct daemon *)*state)->clients[0];
}

static void items_come_out_in_the_order_in_which_they_went_in(void **state)
{
    struct rpc *c = first(state);
    struct rpc *other = daemon_client(*state);
    for (int i = 0; i < 100; i++) {
        expect(i % 2 == 0 ? c : other, "queue.put", rpc_text(c, "['q', %d]", i), "nil");
    }
    for (int i = 0; i < 100; i++) {
        expect(i % 3 == 0 ? c : other, "queue.get", "['q']", rpc_text(c, "[%d, nil, 1]", i));
    }
}

static void any_value_can_be_put(void **state)
{
    struct rpc *c = first(state);
    static const char *const values[] = {"nil", "false", "[]",  "{}",
                                         "''",  "b''",   "nan", "ext(9, '')"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        expect(c, "queue.put", rpc_text(c, "['q', %s]", values[i]), "nil");
        expect(c, "queue.get", "['q', 0]", rpc_text(c, "[%s, nil, 1]", values[i]));
    }
}

static void put_needs_a_value(void **state)
{
    struct rpc *c = first(state);
    expect_error_word(c, "queue.put", "['q']", "BAD_REQUEST", "value");
    expect_error_word(c, "queue.put", "[]", "BAD_REQUEST", "queue");
    expect(c, "queue.qsize", "['q']", "0");
}

static void get_without_waiting_from_an_empty_queue_is_empty(void **state)
{
    struct rpc *c = first(state);
    expect_error(c, "queue.get", "['q', 0]", "EMPTY");
    expect_error(c, "queue.get_many", "['q', 5, 0]", "EMPTY");
}

static void put_without_waiting_into_a_full_queue_is_full(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.open", "['two', {maxsize: 2}]", "_map");
    expect(c, "queue.put", "['two', 1, 0]", "nil");
    expect(c, "queue.put", "['two', 2, 0]", "nil");
    expect_error(c, "queue.put", "['two', 3, 0]", "FULL");
    expect_error(c, "queue.put_many", "['two', [3, 4], 0]", "FULL");
    expect(c, "queue.get", "['two']", "[1, nil, 1]");
    expect(c, "queue.put", "['two', 3, 0]", "nil");
    expect(c, "queue.peek", "['two', 0, 9]", "[2, 3]");
}

static void maxsize_of_zero_or_less_is_no_bound(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.open", "['m', {maxsize: -1}]", "_map");
    for (int i = 0; i < 1000; i++) {
        expect(c, "queue.put", "['m', 1, 0]", "nil");
        expect(c, "queue.put", "['q', 1, 0]", "nil");
    }
    expect(c, "queue.full", "['m']", "false");
    expect(c, "queue.full", "['q']", "false");
}

static void qsize_empty_and_full_are_exact(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.open", "['three', {maxsize: 3}]", "_map");
    for (int i = 0; i <= 3; i++) {
        expect(c, "queue.qsize", "['three']", rpc_text(c, "%d", i));
        expect(c, "queue.empty", "['three']", i == 0 ? "true" : "false");
        expect(c, "queue.full", "['three']", i == 3 ? "true" : "false");
        if (i < 3) {
            expect(c, "queue.put", "['three', nil]", "nil");
        }
    }
    expect(c, "object.describe", "['three']", "{size: 3, ...}");
}

static void put_many_puts_all_in_order(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.put_many", "['q', [1, [2], 'three']]", "3");
    expect(c, "queue.put_many", "['q', [4]]", "1");
    expect(c, "queue.get_many", "['q', 9]",
           "[[1, nil, 1], [[2], nil, 1], ['three', nil, 1], [4, nil, 1]]");
}

static void put_many_puts_what_fits_when_it_does_not_wait(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.open", "['three', {maxsize: 3}]", "_map");
    expect(c, "queue.put_many", "['three', [1, 2, 3, 4, 5], 0]", "3");
    expect(c, "queue.peek", "['three', 0, 9]", "[1, 2, 3]");
}

static void get_many_takes_at_most_max(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.put_many", "['q', [1, 2, 3, 4, 5]]", "5");
    expect(c, "queue.get_many", "['q', 2]", "[[1, nil, 1], [2, nil, 1]]");
    expect(c, "queue.get_many", "['q', 2, 0]", "[[3, nil, 1], [4, nil, 1]]");
    expect(c, "queue.get_many", "['q', 2]", "[[5, nil, 1]]");
}

static void peek_shows_without_taking(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.peek", "['q']", "[]");
    expect(c, "queue.put_many", "['q', ['a', 'b', 'c', 'd']]", "4");
    expect(c, "queue.peek", "['q']", "['a']");
    expect(c, "queue.peek", "['q', 1]", "['b']");
    expect(c, "queue.peek", "['q', nil, 3]", "['a', 'b', 'c']");
    expect(c, "queue.peek", "['q', 2, 100]", "['c', 'd']");
    expect(c, "queue.peek", "['q', 4, 1]", "[]");
    expect(c, "queue.peek", "['q', 100, 100]", "[]");
    expect(c, "queue.peek", "['q', 0, 0]", "[]");
    expect(c, "queue.qsize", "['q']", "4");
}

static void clear_removes_everything_and_says_how_much(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.clear", "['q']", "0");
    expect(c, "queue.put_many", "['q', [1, 2, 3]]", "3");
    expect(c, "queue.clear", "['q']", "3");
    expect(c, "queue.qsize", "['q']", "0");
    expect_error(c, "queue.get", "['q', 0]", "EMPTY");
    expect(c, "queue.put", "['q', 'new']", "nil");
    expect(c, "queue.get", "['q', 0]", "['new', nil, 1]");
}

static void many_thousand_items_keep_their_order_and_give_memory_back(void **state)
{
    enum { STEPS = 100 };
    struct rpc *c = first(state);
    for (int i = 0; i < STEPS; i++) {
        expect(c, "queue.put_many", rpc_text(c, "['q', [%d]*1000]", i), "1000");
    }
    expect(c, "queue.qsize", "['q']", "100000");
    int64_t full = rpc_number(c, "object.describe", "['q']", "bytes");
    for (int i = 0; i < STEPS; i++) {
        expect(c, "queue.get_many", "['q', 1000, 0]", rpc_text(c, "[[%d, nil, 1]]*1000", i));
    }
    assert_true(rpc_number(c, "object.describe", "['q']", "bytes") < full / 2);
    expect_error(c, "queue.get", "['q', 0]", "EMPTY");
}

static void large_items_go_through(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.put", "['q', b'm'*8000000]", "nil");
    expect(c, "queue.put", "['q', 'after']", "nil");
    expect(c, "queue.get", "['q']", "[b'm'*8000000, nil, 1]");
    expect(c, "queue.get", "['q']", "['after', nil, 1]");
}

static void unknown_put_option_kinds_are_bad_request(void **state)
{
    struct rpc *c = first(state);
    expect_error_word(c, "queue.put", "['q', 1, nil, {delay_ms: -1}]", "BAD_REQUEST", "delay_ms");
    expect_error_word(c, "queue.put", "['q', 1, nil, {delay_ms: 'x'}]", "BAD_REQUEST", "delay_ms");
    expect_error_word(c, "queue.put", "['q', 1, nil, {ttl_ms: -5}]", "BAD_REQUEST", "ttl_ms");
    expect_error_word(c, "queue.put", "['q', 1, nil, {ttl_ms: 1.5}]", "BAD_REQUEST", "ttl_ms");
    expect_error_word(c, "queue.put", "['q', 1, -1]", "BAD_REQUEST", "timeout");
    expect_error_word(c, "queue.get", "['q', -1]", "BAD_REQUEST", "timeout");
    expect_error_word(c, "queue.get", "['q', 1.0]", "BAD_REQUEST", "timeout");
    expect(c, "queue.qsize", "['q']", "0");
}

#define queue_test(function) cmocka_unit_test_setup_teardown(function, queue_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        queue_test(items_come_out_in_the_order_in_which_they_went_in),
        queue_test(any_value_can_be_put),
        queue_test(put_needs_a_value),
        queue_test(get_without_waiting_from_an_empty_queue_is_empty),
        queue_test(put_without_waiting_into_a_full_queue_is_full),
        queue_test(maxsize_of_zero_or_less_is_no_bound),
        queue_test(qsize_empty_and_full_are_exact),
        queue_test(put_many_puts_all_in_order),
        queue_test(put_many_puts_what_fits_when_it_does_not_wait),
        queue_test(get_many_takes_at_most_max),
        queue_test(peek_shows_without_taking),
        queue_test(clear_removes_everything_and_says_how_much),
        queue_test(many_thousand_items_keep_their_order_and_give_memory_back),
        queue_test(large_items_go_through),
        queue_test(unknown_put_option_kinds_are_bad_request),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
