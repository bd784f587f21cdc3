/* joinable queue: leases, touch, max_deliveries and dead letters. */
#include "tests/support/daemon.h"

static int lease_setup(void **state)
{
    (void)daemon_setup(state);
    (void)daemon_client(*state);
    (void)daemon_client(*state);
    return 0;
}

static struct rpc *client(void **state, unsigned index)
{
    return ((struct daemon *)*state)->clients[index];
}

/* Gets the next item and returns its ticket as params for queue `queue`. */
static const char *take(struct rpc *c, const char *queue, int deliveries)
{
    struct reply *reply =
        rpc_wait(c, rpc_send(c, "queue.get", rpc_text(c, "['%s', 20000]", queue)));
    assert_non_null(reply);
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_NIL);
    const msgpack_object *result = reply->result.via.array.ptr;
    assert_int_equal(result[2].via.u64, deliveries);
    const char *params = rpc_text(c, "['%s', %lld]", queue, (long long)result[1].via.i64);
    reply_free(reply);
    return params;
}

static void item_whose_lease_runs_out_goes_to_the_next_getter(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['j', {joinable: true, lease_ms: 60}]", "_map");
    expect(a, "queue.put", "['j', 'x']", "nil");
    int64_t start = rpc_now();
    const char *ticket = take(a, "j", 1);
    expect(b, "queue.get", "['j', 20000]", "['x', _int, 2]");
    assert_true(rpc_now() - start >= 60);
    expect_error(a, "queue.task_done", ticket, "VALUE");
    expect_error(a, "queue.touch", ticket, "VALUE");
    expect_error(a, "queue.give_back", ticket, "VALUE");
}

static void item_comes_back_from_a_lease_without_anybody_asking(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.open", "['j', {joinable: true, lease_ms: 20}]", "_map");
    expect(a, "queue.put_many", "['j', [1, 2]]", "2");
    (void)take(a, "j", 1);
    expect_soon(a, "object.describe", "['j']", "{size: 2, taken: 0, unfinished: 2, ...}");
    expect(a, "queue.peek", "['j', 0, 2]", "[1, 2]");
    expect(a, "session.describe", "[]", "{holding: 0, ...}");
}

static void finished_item_does_not_come_back_from_its_lease(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.open", "['j', {joinable: true, lease_ms: 1000}]", "_map");
    expect(a, "queue.put_many", "['j', ['done', 'left']]", "2");
    expect(a, "queue.task_done", take(a, "j", 1), "1");
    (void)take(a, "j", 1);
    expect(a, "queue.get", "['j', 20000]", "['left', _int, 2]");
    expect_error(a, "queue.get", "['j', 0]", "EMPTY");
}

static void touch_starts_the_lease_again(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['j', {joinable: true, lease_ms: 1500}]", "_map");
    expect(a, "queue.put", "['j', 'x']", "nil");
    const char *ticket = take(a, "j", 1);
    /* A get that runs out passes time within the lease. */
    expect_error(b, "queue.get", "['j', 100]", "EMPTY");
    int64_t touched = rpc_now();
    expect(a, "queue.touch", ticket, "nil");
    expect(b, "queue.get", "['j', 20000]", "['x', _int, 2]");
    assert_true(rpc_now() - touched >= 1500);
}

static void without_a_lease_touch_changes_nothing(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.open", "['j', {joinable: true}]", "_map");
    expect(a, "queue.put", "['j', 'x']", "nil");
    const char *ticket = take(a, "j", 1);
    expect(a, "queue.touch", ticket, "nil");
    expect(a, "queue.task_done", ticket, "0");
    expect_error(a, "queue.touch", ticket, "VALUE");
}

static void item_delivered_too_often_becomes_a_dead_letter(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.open", "['dead']", "_map");
    expect(a, "queue.open", "['j', {joinable: true, max_deliveries: 2, dead_letter: 'dead'}]",
           "_map");
    expect(a, "queue.put_many", "['j', ['poison', 'good']]", "2");
    expect(a, "queue.give_back", take(a, "j", 1), "nil");
    expect(a, "queue.give_back", take(a, "j", 2), "nil");
    expect(a, "queue.get", "['j', 0]", "['good', _int, 1]");
    expect(a, "queue.get", "['dead', 20000]", "['poison', nil, 1]");
    expect(a, "queue.task_done", "['j']", "0");
    expect(a, "queue.join", "['j', 0]", "nil");
}

static void without_a_dead_letter_queue_it_is_dropped(void **state)
{
    struct rpc *a = client(state, 0);
    expect(a, "queue.open", "['j', {joinable: true, max_deliveries: 1}]", "_map");
    expect(a, "queue.put", "['j', 'poison']", "nil");
    expect(a, "queue.give_back", take(a, "j", 1), "nil");
    expect_error(a, "queue.get", "['j', 0]", "EMPTY");
    expect(a, "queue.join", "['j', 0]", "nil");
    expect(a, "object.describe", "['j']", "{size: 0, taken: 0, delayed: 0, unfinished: 0, ...}");
}

static void disconnects_and_leases_count_as_deliveries(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['dead']", "_map");
    expect(a, "queue.open",
           "['j', {joinable: true, lease_ms: 20, max_deliveries: 2, dead_letter: 'dead'}]", "_map");
    expect(a, "queue.put", "['j', 'x']", "nil");
    (void)take(b, "j", 1);
    daemon_drop(*state, b);
    (void)take(a, "j", 2);
    uint32_t get = rpc_start(a, "queue.get", "['j', 60000]");
    expect(a, "queue.get", "['dead', 20000]", "['x', nil, 1]");
    expect_waiting(a, get);
    rpc_cancel(a, get);
    expect_failure(a, get, "CANCELLED");
}

static void dead_letter_serves_a_getter_that_waits_there(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['dead']", "_map");
    expect(a, "queue.open", "['j', {joinable: true, max_deliveries: 1, dead_letter: 'dead'}]",
           "_map");
    expect(a, "queue.put", "['j', 'x']", "nil");
    uint32_t get = rpc_start(b, "queue.get", "['dead']");
    expect(a, "queue.give_back", take(a, "j", 1), "nil");
    expect_error(a, "queue.get", "['j', 0]", "EMPTY");
    expect_result(b, get, "['x', nil, 1]");
}

static void many_leases_run_out_in_the_old_order(void **state)
{
    enum { COUNT = 50 };
    struct rpc *a = client(state, 0);
    expect(a, "queue.open", "['j', {joinable: true, lease_ms: 50}]", "_map");
    for (int i = 0; i < COUNT; i++) {
        expect(a, "queue.put", rpc_text(a, "['j', %d]", i), "nil");
    }
    struct reply *reply = rpc_call(a, "queue.get_many", "['j', 50]");
    assert_int_equal(reply->result.via.array.size, COUNT);
    reply_free(reply);
    expect_soon(a, "queue.qsize", "['j']", "50");
    reply = rpc_call(a, "queue.peek", "['j', 0, 50]");
    assert_int_equal(reply->result.via.array.size, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(reply->result.via.array.ptr[i].via.u64, i);
    }
    reply_free(reply);
}

#define lease_test(function) cmocka_unit_test_setup_teardown(function, lease_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lease_test(item_whose_lease_runs_out_goes_to_the_next_getter),
        lease_test(item_comes_back_from_a_lease_without_anybody_asking),
        lease_test(finished_item_does_not_come_back_from_its_lease),
        lease_test(touch_starts_the_lease_again),
        lease_test(without_a_lease_touch_changes_nothing),
        lease_test(item_delivered_too_often_becomes_a_dead_letter),
        lease_test(without_a_dead_letter_queue_it_is_dropped),
        lease_test(disconnects_and_leases_count_as_deliveries),
        lease_test(dead_letter_serves_a_getter_that_waits_there),
        lease_test(many_leases_run_out_in_the_old_order),
    };
    return cmocka_run_group_tests_name("queue lease", tests, NULL, NULL);
}
