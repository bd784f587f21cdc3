/* Items whose response could not be written to their session: none is lost, all keep their place.
 */
#include "tests/support/daemon.h"

static int undelivered_setup(void **state)
{
    *state = daemon_start(&(struct daemon_options){.config = "[limits]\nmax_output = 8000000\n"});
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "queue.open", "['j', {joinable: true}]", "_map");
    expect(c, "list.open", "['large', {initial: [b'x'*1000000]}]", "_map");
    return 0;
}

static struct rpc *first(void **state)
{
    return ((struct daemon *)*state)->clients[0];
}

/*
 * A client that has asked for more than its socket holds, and reads none of it: whatever is
 * answered to it from now on stays in the daemon. The calls in `waits` wait since before that, so
 * that it does not matter whether the daemon still reads from such a client.
 */
static struct rpc *clogged_client(void **state, const char *const waits[])
{
    struct rpc *clogged = daemon_client(*state);
    for (size_t i = 0; waits[i] != NULL; i += 2) {
        (void)rpc_start(clogged, waits[i], waits[i + 1]);
    }
    for (int i = 0; i < 3; i++) {
        (void)rpc_send(clogged, "list.get", "['large', 0]");
    }
    /* The daemon takes sessions that are ready in any order, but none twice before all others. */
    for (int i = 0; i < 2; i++) {
        expect(first(state), "server.ping", "[]", "nil");
    }
    return clogged;
}

static void item_of_a_plain_queue_goes_back_to_the_head(void **state)
{
    struct rpc *c = first(state);
    struct rpc *clogged = clogged_client(state, (const char *[]){"queue.get", "['q']", NULL});
    expect(c, "queue.put_many", "['q', [1, 2, 3]]", "3");
    expect(c, "queue.qsize", "['q']", "2");
    daemon_drop(*state, clogged);
    expect_soon(c, "queue.qsize", "['q']", "3");
    expect(c, "queue.peek", "['q', 0, 9]", "[1, 2, 3]");
    expect(c, "queue.get", "['q']", "[1, nil, _int]");
}

static void several_items_go_back_in_their_order(void **state)
{
    struct rpc *c = first(state);
    struct rpc *clogged =
        clogged_client(state, (const char *[]){"queue.get", "['q']", "queue.get_many", "['q', 3]",
                                               "queue.get", "['q']", NULL});
    expect(c, "queue.put_many", "['q', [1, 2, 3, 4, 5, 6]]", "6");
    expect(c, "queue.qsize", "['q']", "1");
    daemon_drop(*state, clogged);
    expect_soon(c, "queue.qsize", "['q']", "6");
    expect(c, "queue.peek", "['q', 0, 9]", "[1, 2, 3, 4, 5, 6]");
}

static void item_that_goes_back_is_for_the_next_waiter(void **state)
{
    struct rpc *c = first(state);
    struct rpc *clogged = clogged_client(state, (const char *[]){"queue.get", "['q']", NULL});
    expect(c, "queue.put", "['q', 'x']", "nil");
    expect(c, "object.describe", "['q']", "{waiting: 0, size: 0, ...}");
    uint32_t get = rpc_start(c, "queue.get", "['q']");
    expect_waiting(c, get);
    daemon_drop(*state, clogged);
    expect_result(c, get, "['x', nil, _int]");
}

static void item_that_was_written_only_in_part_goes_back(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.put", "['q', b'large'*400000]", "nil");
    expect(c, "queue.put", "['q', 'next']", "nil");
    struct rpc *reader = daemon_client(*state);
    (void)rpc_send(reader, "queue.get", "['q']");
    expect_soon(c, "queue.qsize", "['q']", "1");
    daemon_drop(*state, reader);
    expect_soon(c, "queue.qsize", "['q']", "2");
    expect(c, "queue.get", "['q']", "[b'large'*400000, nil, _int]");
    expect(c, "queue.get", "['q']", "['next', nil, 1]");
}

static void item_of_a_joinable_queue_is_requeued(void **state)
{
    struct rpc *c = first(state);
    struct rpc *clogged = clogged_client(state, (const char *[]){"queue.get", "['j']", NULL});
    expect(c, "queue.put_many", "['j', [1, 2]]", "2");
    expect(c, "object.describe", "['j']", "{taken: 1, size: 1, ...}");
    daemon_drop(*state, clogged);
    expect_soon(c, "object.describe", "['j']", "{taken: 0, size: 2, unfinished: 2, ...}");
    expect(c, "queue.peek", "['j', 0, 9]", "[1, 2]");
}

static void item_that_was_read_does_not_come_back(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.put_many", "['q', [1, 2]]", "2");
    struct rpc *reader = daemon_client(*state);
    expect(reader, "queue.get", "['q']", "[1, nil, 1]");
    daemon_drop(*state, reader);
    expect_soon(c, "session.list", "[]", "[_map]");
    expect(c, "queue.peek", "['q', 0, 9]", "[2]");
}

static void item_that_goes_back_may_go_over_maxsize(void **state)
{
    struct rpc *c = first(state);
    expect(c, "queue.open", "['s', {maxsize: 1}]", "_map");
    struct rpc *clogged = clogged_client(state, (const char *[]){"queue.get", "['s']", NULL});
    expect(c, "queue.put", "['s', 1]", "nil");
    expect(c, "queue.qsize", "['s']", "0");
    expect(c, "queue.put", "['s', 2, 0]", "nil");
    daemon_drop(*state, clogged);
    expect_soon(c, "queue.qsize", "['s']", "2");
    expect(c, "queue.peek", "['s', 0, 9]", "[1, 2]");
    expect_error(c, "queue.put", "['s', 3, 0]", "FULL");
}

#define undelivered_test(function)                                                                 \
    cmocka_unit_test_setup_teardown(function, undelivered_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        undelivered_test(item_of_a_plain_queue_goes_back_to_the_head),
        undelivered_test(several_items_go_back_in_their_order),
        undelivered_test(item_that_goes_back_is_for_the_next_waiter),
        undelivered_test(item_that_was_written_only_in_part_goes_back),
        undelivered_test(item_of_a_joinable_queue_is_requeued),
        undelivered_test(item_that_was_read_does_not_come_back),
        undelivered_test(item_that_goes_back_may_go_over_maxsize),
    };
    return cmocka_run_group_tests_name("undelivered", tests, NULL, NULL);
}
