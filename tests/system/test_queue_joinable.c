/* joinable queue: tickets, task_done, what a session that ends gives back, join. */
#include "tests/support/daemon.h"

static int joinable_setup(void **state)
{
    (void)daemon_setup(state);
    expect(daemon_client(*state), "queue.open", "['j', {joinable: true}]", "_map");
    (void)daemon_client(*state);
    return 0;
}

static struct rpc *client(void **state, unsigned index)
{
    return ((struct daemon *)*state)->clients[index];
}

/* Takes the next item, which must be `value` with `deliveries`; returns its ticket. */
static int64_t take(struct rpc *c, const char *queue, const char *value, int deliveries)
{
    struct reply *reply =
        rpc_wait(c, rpc_send(c, "queue.get", rpc_text(c, "['%s', 20000]", queue)));
    assert_non_null(reply);
    const msgpack_object_array *result = &reply->result.via.array;
    if (reply->result.type != MSGPACK_OBJECT_ARRAY || result->size != 3 ||
        result->ptr[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER) {
        test_fail(HERE, "queue.get did not return [value, ticket, deliveries]");
    }
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    notation_print(out, &result->ptr[0]);
    (void)fclose(out);
    assert_string_equal(text, value);
    free(text);
    assert_int_equal(result->ptr[2].via.u64, deliveries);
    int64_t ticket = result->ptr[1].via.i64;
    reply_free(reply);
    return ticket;
}

static const char *ticket_of(struct rpc *c, int64_t ticket)
{
    return rpc_text(c, "['j', %lld]", (long long)ticket);
}

static void get_gives_a_ticket_of_its_own_to_each_item(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2, 3]]", "3");
    int64_t first = take(a, "j", "1", 1);
    int64_t second = take(b, "j", "2", 1);
    int64_t third = take(a, "j", "3", 1);
    assert_true(first != second && second != third && first != third);
    expect(a, "object.describe", "['j']", "{size: 0, taken: 3, unfinished: 3, ...}");
}

static void get_many_gives_tickets_too(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.put_many", "['j', [1, 2]]", "2");
    expect(a, "queue.get_many", "['j', 5]", "[[1, _int, 1], [2, _int, 1]]");
    expect(a, "session.describe", "[]", "{holding: 2, ...}");
}

static void task_done_returns_what_is_left(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.put_many", "['j', [1, 2, 3]]", "3");
    int64_t first = take(a, "j", "1", 1);
    int64_t second = take(a, "j", "2", 1);
    expect(a, "queue.task_done", ticket_of(a, second), "2");
    expect(a, "queue.task_done", ticket_of(a, first), "1");
    expect(a, "object.describe", "['j']", "{size: 1, taken: 0, unfinished: 1, ...}");
}

static void task_done_called_too_often_is_value(void **state)
{
    struct rpc *a = client(state, 0);
    expect_error(a, "queue.task_done", "['j']", "VALUE");
    expect_error(a, "queue.task_done", "['j', 1]", "VALUE");
    expect(a, "queue.put", "['j', 1]", "nil");
    int64_t ticket = take(a, "j", "1", 1);
    expect(a, "queue.task_done", ticket_of(a, ticket), "0");
    expect_error(a, "queue.task_done", ticket_of(a, ticket), "VALUE");
    expect_error(a, "queue.task_done", "['j']", "VALUE");
}

static void task_done_without_ticket_takes_the_sessions_oldest(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2, 3, 4]]", "4");
    int64_t others = take(b, "j", "1", 1);
    int64_t older = take(a, "j", "2", 1);
    int64_t newer = take(a, "j", "3", 1);
    expect(a, "queue.task_done", "['j']", "3");
    expect_error(a, "queue.task_done", ticket_of(a, older), "VALUE");
    expect(a, "queue.task_done", ticket_of(a, newer), "2");
    expect(b, "queue.task_done", ticket_of(b, others), "1");
}

static void task_done_without_ticket_of_ones_own_takes_the_queues_oldest(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2]]", "2");
    int64_t older = take(a, "j", "1", 1);
    int64_t newer = take(a, "j", "2", 1);
    expect(b, "queue.task_done", "['j', nil]", "1");
    expect_error(a, "queue.task_done", ticket_of(a, older), "VALUE");
    expect(a, "queue.task_done", ticket_of(a, newer), "0");
}

static void plain_queue_gives_no_tickets(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.open", "['p']", "_map");
    expect(a, "queue.put", "['p', 1]", "nil");
    expect(a, "queue.get", "['p']", "[1, nil, 1]");
    expect(a, "session.describe", "[]", "{holding: 0, ...}");
}

static void items_of_a_session_that_ends_come_back_in_their_old_order(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2, 3, 4, 5]]", "5");
    for (int i = 1; i <= 3; i++) {
        (void)take(b, "j", rpc_text(b, "%d", i), 1);
    }
    daemon_drop(*state, b);
    expect_soon(a, "queue.qsize", "['j']", "5");
    expect(a, "object.describe", "['j']", "{taken: 0, unfinished: 5, ...}");
    for (int i = 1; i <= 5; i++) {
        (void)take(a, "j", rpc_text(a, "%d", i), i <= 3 ? 2 : 1);
    }
}

static void items_come_back_to_the_head_in_every_order(void **state)
{
    static const char *const orders[][4] = {
        {"fifo", "1", "2", "3"}, {"lifo", "3", "2", "1"}, {"priority", "3", "2", "1"}};
    struct rpc *a = client(state, 0);
    for (size_t i = 0; i < 3; i++) {
        const char *queue = orders[i][0];
        expect(a, "queue.open", rpc_text(a, "['%s', {joinable: true, order: '%s'}]", queue, queue),
               "_map");
        for (int item = 1; item <= 3; item++) {
            expect(a, "queue.put",
                   rpc_text(a, "['%s', %d, nil, {priority: %d}]", queue, item, -item), "nil");
        }
        struct rpc *b = daemon_client(*state);
        (void)take(b, queue, orders[i][1], 1);
        (void)take(b, queue, orders[i][2], 1);
        daemon_drop(*state, b);
        expect_soon(a, "queue.qsize", rpc_text(a, "['%s']", queue), "3");
        expect(a, "queue.peek", rpc_text(a, "['%s', 0, 9]", queue),
               rpc_text(a, "[%s, %s, %s]", orders[i][1], orders[i][2], orders[i][3]));
        (void)take(a, queue, orders[i][1], 2);
        (void)take(a, queue, orders[i][2], 2);
        (void)take(a, queue, orders[i][3], 1);
    }
}

static void finished_items_do_not_come_back(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2, 3]]", "3");
    (void)take(b, "j", "1", 1);
    int64_t done = take(b, "j", "2", 1);
    expect(b, "queue.task_done", ticket_of(b, done), "2");
    daemon_drop(*state, b);
    expect_soon(a, "queue.qsize", "['j']", "2");
    (void)take(a, "j", "1", 2);
    (void)take(a, "j", "3", 1);
}

static void killed_takers_item_goes_to_the_getter_that_waits(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.put", "['j', 'work']", "nil");
    pid_t taker = daemon_client_process(*state, "queue.get", "['j']");
    uint32_t get = rpc_start(a, "queue.get", "['j']");
    expect_waiting(a, get);
    process_kill(taker);
    expect_result(a, get, "['work', _int, 2]");
}

static void item_that_comes_back_may_go_over_maxsize(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['s', {joinable: true, maxsize: 1}]", "_map");
    expect(a, "queue.put", "['s', 1]", "nil");
    (void)take(b, "s", "1", 1);
    expect(a, "queue.put", "['s', 2, 0]", "nil");
    daemon_drop(*state, b);
    expect_soon(a, "queue.qsize", "['s']", "2");
    expect_error(a, "queue.put", "['s', 3, 0]", "FULL");
    (void)take(a, "s", "1", 2);
    expect_error(a, "queue.put", "['s', 3, 0]", "FULL");
    (void)take(a, "s", "2", 1);
    expect(a, "queue.put", "['s', 3, 0]", "nil");
}

static void discard_counts_the_items_as_done(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['d', {joinable: true, on_disconnect: 'discard'}]", "_map");
    expect(a, "queue.put_many", "['d', [1, 2]]", "2");
    (void)take(b, "d", "1", 1);
    (void)take(b, "d", "2", 1);
    uint32_t join = rpc_start(a, "queue.join", "['d']");
    expect_waiting(a, join);
    daemon_drop(*state, b);
    expect_result(a, join, "nil");
    expect(a, "object.describe", "['d']", "{size: 0, taken: 0, unfinished: 0, ...}");
}

static void give_back_puts_the_item_at_the_head(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2]]", "2");
    int64_t ticket = take(a, "j", "1", 1);
    expect(a, "queue.give_back", ticket_of(a, ticket), "nil");
    expect(a, "object.describe", "['j']", "{size: 2, taken: 0, unfinished: 2, ...}");
    expect_error(a, "queue.task_done", ticket_of(a, ticket), "VALUE");
    expect_error(a, "queue.give_back", ticket_of(a, ticket), "VALUE");
    int64_t again = take(b, "j", "1", 2);
    expect(b, "queue.give_back", ticket_of(b, again), "nil");
    (void)take(a, "j", "1", 3);
    (void)take(a, "j", "2", 1);
}

static void give_back_serves_a_getter_that_waits(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put", "['j', 'x']", "nil");
    int64_t ticket = take(a, "j", "'x'", 1);
    uint32_t get = rpc_start(b, "queue.get", "['j']");
    expect(a, "queue.give_back", ticket_of(a, ticket), "nil");
    expect_result(b, get, "['x', _int, 2]");
}

static void give_back_with_a_delay_waits_that_long(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.put_many", "['j', [1, 2]]", "2");
    int64_t ticket = take(a, "j", "1", 1);
    int64_t start = rpc_now();
    expect(a, "queue.give_back", rpc_text(a, "['j', %lld, 800]", (long long)ticket), "nil");
    (void)take(a, "j", "2", 1);
    (void)take(a, "j", "1", 2);
    assert_true(rpc_now() - start >= 800);
    expect(a, "queue.put", "['j', 3]", "nil");
    ticket = take(a, "j", "3", 1);
    expect(a, "queue.give_back", rpc_text(a, "['j', %lld, 600000]", (long long)ticket), "nil");
    expect(a, "object.describe", "['j']", "{size: 0, delayed: 1, taken: 2, unfinished: 3, ...}");
}

static void join_returns_at_once_when_nothing_is_unfinished(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.join", "['j']", "nil");
    expect(a, "queue.join", "['j', 0]", "nil");
    expect(a, "queue.put", "['j', 1]", "nil");
    expect_error(a, "queue.join", "['j', 0]", "TIMEOUT");
    (void)take(a, "j", "1", 1);
    expect_error(a, "queue.join", "['j', 0]", "TIMEOUT");
    expect(a, "queue.task_done", "['j']", "0");
    expect(a, "queue.join", "['j', 0]", "nil");
}

static void join_waits_for_the_last_task_done(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2]]", "2");
    uint32_t one = rpc_start(a, "queue.join", "['j']");
    uint32_t two = rpc_start(a, "queue.join", "['j', 600000]");
    uint32_t three = rpc_start(b, "queue.join", "['j']");
    (void)take(b, "j", "1", 1);
    (void)take(b, "j", "2", 1);
    expect(b, "queue.task_done", "['j']", "1");
    expect_waiting(a, one);
    expect(b, "queue.task_done", "['j']", "0");
    expect_result(a, one, "nil");
    expect_result(a, two, "nil");
    expect_result(b, three, "nil");
}

static void delayed_items_count_as_unfinished(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.put", "['j', 1, nil, {delay_ms: 600000}]", "nil");
    expect(a, "object.describe", "['j']", "{size: 0, delayed: 1, unfinished: 1, ...}");
    expect_error(a, "queue.join", "['j', 0]", "TIMEOUT");
    expect(a, "queue.clear", "['j']", "1");
    expect(a, "queue.join", "['j', 0]", "nil");
}

static void clear_wakes_joiners_unless_items_are_taken(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.put_many", "['j', [1, 2, 3]]", "3");
    (void)take(b, "j", "1", 1);
    uint32_t join = rpc_start(a, "queue.join", "['j']");
    expect(b, "queue.clear", "['j']", "2");
    expect_waiting(a, join);
    expect(b, "queue.task_done", "['j']", "0");
    expect_result(a, join, "nil");
    expect(a, "queue.put", "['j', 1]", "nil");
    join = rpc_start(a, "queue.join", "['j']");
    expect(b, "queue.clear", "['j']", "1");
    expect_result(a, join, "nil");
}

#define joinable_test(function)                                                                    \
    cmocka_unit_test_setup_teardown(function, joinable_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        joinable_test(get_gives_a_ticket_of_its_own_to_each_item),
        joinable_test(get_many_gives_tickets_too),
        joinable_test(task_done_returns_what_is_left),
        joinable_test(task_done_called_too_often_is_value),
        joinable_test(task_done_without_ticket_takes_the_sessions_oldest),
        joinable_test(task_done_without_ticket_of_ones_own_takes_the_queues_oldest),
        joinable_test(plain_queue_gives_no_tickets),
        joinable_test(items_of_a_session_that_ends_come_back_in_their_old_order),
        joinable_test(items_come_back_to_the_head_in_every_order),
        joinable_test(finished_items_do_not_come_back),
        joinable_test(killed_takers_item_goes_to_the_getter_that_waits),
        joinable_test(item_that_comes_back_may_go_over_maxsize),
        joinable_test(discard_counts_the_items_as_done),
        joinable_test(give_back_puts_the_item_at_the_head),
        joinable_test(give_back_serves_a_getter_that_waits),
        joinable_test(give_back_with_a_delay_waits_that_long),
        joinable_test(join_returns_at_once_when_nothing_is_unfinished),
        joinable_test(join_waits_for_the_last_task_done),
        joinable_test(delayed_items_count_as_unfinished),
        joinable_test(clear_wakes_joiners_unless_items_are_taken),
    };
    return cmocka_run_group_tests_name("queue joinable", tests, NULL, NULL);
}
