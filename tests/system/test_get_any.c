/* queue.get_any between processes, and what becomes of the items when a waiter is killed. */
#include "tests/support/daemon.h"

static struct rpc *with_queues(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['a']", "_map");
    expect(c, "queue.open", "['j', {joinable: true}]", "_map");
    return c;
}

static void item_goes_to_one_of_many_who_wait_on_several_queues(void **state)
{
    struct rpc *a = with_queues(state);
    struct rpc *b = daemon_client(*state);
    uint32_t first = rpc_start(a, "queue.get_any", "[['a', 'j'], 20000]");
    uint32_t second = rpc_start(b, "queue.get_any", "[['j', 'a'], 20000]");
    expect(b, "queue.put", "['j', 1]", "nil");
    expect_result(a, first, "['j', 1, 1, 1]");
    expect_waiting(b, second);
    expect(a, "queue.put", "['a', 'x'*100000]", "nil");
    expect_result(b, second, "['a', 'x'*100000, nil, 1]");
    int64_t start = rpc_now();
    expect_error(a, "queue.get_any", "[['a', 'j'], 30]", "EMPTY");
    assert_true(rpc_now() - start >= 30);
}

static void killed_waiter_takes_nothing_and_the_next_is_served(void **state)
{
    struct rpc *c = with_queues(state);
    pid_t gone = daemon_client_process(*state, "queue.get_any", "[['a', 'j']]");
    uint32_t any = rpc_start(c, "queue.get_any", "[['j', 'a']]");
    uint32_t get = rpc_start(c, "queue.get", "['a']");
    process_kill(gone);
    expect(c, "queue.put", "['a', 1]", "nil");
    expect_result(c, any, "['a', 1, nil, 1]");
    expect(c, "queue.put", "['a', 2]", "nil");
    expect_result(c, get, "[2, nil, 1]");
    expect(c, "object.describe", "['j']", "{waiting: 0, ...}");
}

static void ticket_of_a_killed_process_goes_to_the_next_who_waits(void **state)
{
    struct rpc *c = with_queues(state);
    expect(c, "queue.put", "['j', 'job']", "nil");
    pid_t holder = daemon_client_process(*state, "queue.get_any", "[['a', 'j']]");
    uint32_t any = rpc_start(c, "queue.get_any", "[['a', 'j']]");
    expect_waiting(c, any);
    process_kill(holder);
    expect_result(c, any, "['j', 'job', _int, 2]");
}

static void deleting_a_queue_wakes_who_waits_on_several(void **state)
{
    struct rpc *c = with_queues(state);
    struct rpc *b = daemon_client(*state);
    uint32_t any = rpc_start(c, "queue.get_any", "[['a', 'j']]");
    expect(b, "object.delete", "['j']", "nil");
    expect_failure(c, any, "DELETED");
    expect(b, "queue.put", "['a', 1]", "nil");
    expect(b, "queue.qsize", "['a']", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(item_goes_to_one_of_many_who_wait_on_several_queues),
        daemon_test(killed_waiter_takes_nothing_and_the_next_is_served),
        daemon_test(ticket_of_a_killed_process_goes_to_the_next_who_waits),
        daemon_test(deleting_a_queue_wakes_who_waits_on_several),
    };
    return cmocka_run_group_tests_name("get_any", tests, NULL, NULL);
}
