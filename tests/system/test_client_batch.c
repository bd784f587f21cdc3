/* The client library's batches and queue.get_any against a real daemon. */
#include "tests/system/client_system.h"

static void batch_runs_and_fails_in_the_middle(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue;
    struct ipcc_batch *batch;
    struct ipcc_reply reply;
    struct ipcc_item item;
    size_t failed = 0;
    assert_ok(ipcc_queue_open(conn, NULL, NULL, &queue));
    static char bytes[50000];
    memset(bytes, 'x', sizeof(bytes));
    struct ipcc_value put[] = {ipcc_str(ipcc_queue_name(queue)), ipcc_bin(bytes, sizeof(bytes))};
    assert_ok(ipcc_batch_new(&batch));
    assert_ok(ipcc_batch_add(batch, "queue.put", put, 2));
    assert_ok(ipcc_batch_add(batch, "queue.get", put, 1));
    assert_ok(ipcc_atomic(conn, batch, &reply, &failed));
    assert_int_equal(failed, IPCC_NO_CALL);
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, NULL) && ipcc_walk_item(&walk, &item));
    assert_int_equal(item.value.length, sizeof(bytes));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_batch_add(batch, "queue.get", put, 1));
    assert_fails(ipcc_atomic(conn, batch, &reply, &failed), EMPTY, "call 2");
    assert_int_equal(failed, 2);
    walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, NULL) && ipcc_walk_item(&walk, &item));
    assert_memory_equal(item.value.as.data, bytes, sizeof(bytes));
    assert_false(ipcc_walk_next(&walk, NULL));
    ipcc_reply_free(&reply);
    ipcc_batch_free(batch);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

static void get_any_takes_from_one_of_several_queues(void **state)
{
    struct ipcc *conn = client_open(*state);
    const struct ipcc_queue_options joinable = {.joinable = true};
    struct ipcc_queue *queues[3];
    struct ipcc_item item;
    struct ipcc_reply reply;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(ipcc_queue_open(conn, NULL, i == 1 ? &joinable : NULL, &queues[i]));
    }
    assert_fails(ipcc_queue_get_any(queues, 3, 1, &item, &reply), EMPTY, "none of the queues");
    assert_ok(ipcc_queue_put(queues[2], ipcc_str("c"), 0, NULL));
    assert_ok(ipcc_queue_put(queues[1], ipcc_str("b"), 0, NULL));
    assert_ok(ipcc_queue_get_any(queues, 3, IPCC_FOREVER, &item, &reply));
    assert_int_equal(item.queue, 1);
    assert_true(ipcc_value_is_str(&item.value, "b"));
    assert_ok(ipcc_queue_task_done(queues[item.queue], item.ticket, NULL));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_get_any(queues, 3, IPCC_FOREVER, &item, &reply));
    assert_int_equal(item.queue, 2);
    assert_int_equal(item.ticket, IPCC_NO_TICKET);
    ipcc_reply_free(&reply);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(ipcc_queue_shutdown(queues[i], false));
    }
    assert_fails(ipcc_queue_get_any(queues, 3, IPCC_FOREVER, &item, &reply), SHUT_DOWN, "all");
    for (size_t i = 0; i < 3; i++) {
        assert_ok(ipcc_queue_close(queues[i]));
    }
    assert_ok(ipcc_close(conn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(batch_runs_and_fails_in_the_middle),
        daemon_test(get_any_takes_from_one_of_several_queues),
    };
    return cmocka_run_group_tests_name("client_batch", tests, NULL, NULL);
}
