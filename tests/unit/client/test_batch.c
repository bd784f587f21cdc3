/* Batches and queue.get_any: the requests that they make, what they take from the answers, and what
 * is refused before it is sent. */
#include "tests/unit/client/client_test.h"

#include <string.h>

#include "tests/support/scarce.h"

static struct ipcc_batch *with_calls(unsigned count)
{
    struct ipcc_batch *batch = NULL;
    struct ipcc_value params[] = {ipcc_str("q"), ipcc_int(0), ipcc_none(), ipcc_none()};
    assert_ok(ipcc_batch_new(&batch));
    for (unsigned i = 0; i < count; i++) {
        params[1] = ipcc_int(i);
        assert_ok(ipcc_batch_add(batch, "queue.put", params, 4));
    }
    return batch;
}

static void serve_batches(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "atomic", "[[]]"), "[]");
    uint32_t msgid = fake_expect(
        fake, "atomic", "[[['queue.put', ['q', 0]], ['queue.put', ['q', 1]], ['a.b', []]]]");
    fake_answer(fake, msgid, "[nil, ['v', 3, 1], 'x'*1000]");
    msgid = fake_expect(fake, "atomic", "[[['queue.put', ['q', 0]]]]");
    fake_answer(fake, msgid, "[5]");
    fake_expect_end(fake);
}

static void batch_is_sent_as_one_call_and_gives_each_result(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc_item item;
    struct ipcc_value value;
    size_t failed = 0;
    struct ipcc *conn = connect_to(&server, serve_batches, NULL);
    struct ipcc_batch *batch = with_calls(0);
    assert_ok(ipcc_atomic(conn, batch, &reply, &failed));
    assert_int_equal(failed, IPCC_NO_CALL);
    ipcc_reply_free(&reply);
    ipcc_batch_free(batch);
    batch = with_calls(2);
    assert_ok(ipcc_batch_add(batch, "a.b", NULL, 0));
    assert_int_equal(ipcc_batch_count(batch), 3);
    assert_ok(ipcc_atomic(conn, batch, &reply, NULL));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, &value) && value.kind == IPCC_NIL);
    assert_true(ipcc_walk_item(&walk, &item) && item.ticket == 3);
    assert_true(ipcc_walk_next(&walk, &value) && value.length == 1000);
    assert_false(ipcc_walk_next(&walk, &value));
    ipcc_reply_free(&reply);
    ipcc_batch_clear(batch);
    assert_int_equal(ipcc_batch_count(batch), 0);
    struct ipcc_value params[] = {ipcc_str("q"), ipcc_int(0)};
    assert_ok(ipcc_batch_add(batch, "queue.put", params, 2));
    assert_ok(ipcc_atomic(conn, batch, &reply, NULL));
    ipcc_reply_free(&reply);
    ipcc_batch_free(batch);
    ipcc_batch_free(NULL);
    close_and_join(conn, &server);
}

static void serve_failures(struct fake *fake)
{
    static const char *const errors[] = {
        "['EMPTY', 'call 1 is empty', {index: 1, results: [['v', nil, 1]]}]",
        "['NOT_FOUND', 'call 0', {index: 0, results: []}]",
        "['INTERNAL', 'out of memory']",
        "['KEY', 'strange', {index: -1, results: []}]",
        "['KEY', 'stranger', {where: 1}]",
    };
    fake_greet(fake);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        fake_send(fake, "[1, %u, %s, nil]", fake_expect(fake, "atomic", "[_array]"), errors[i]);
    }
    fake_expect_end(fake);
}

static void batch_that_fails_tells_where_and_gives_the_results_before(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc_item item;
    size_t failed = 0;
    struct ipcc *conn = connect_to(&server, serve_failures, NULL);
    struct ipcc_batch *batch = with_calls(2);
    assert_fails(ipcc_atomic(conn, batch, &reply, &failed), EMPTY, "call 1 is empty");
    assert_int_equal(failed, 1);
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_item(&walk, &item) && ipcc_value_is_str(&item.value, "v"));
    assert_false(ipcc_walk_item(&walk, &item));
    ipcc_reply_free(&reply);
    assert_fails(ipcc_atomic(conn, batch, &reply, &failed), NOT_FOUND, "call 0");
    assert_int_equal(failed, 0);
    ipcc_reply_free(&reply);
    static const char *const others[] = {"out of memory", "strange", "stranger"};
    for (size_t i = 0; i < 3; i++) {
        failed = 0;
        assert_true(ipcc_atomic(conn, batch, &reply, &failed) < 0);
        assert_string_equal(ipcc_last_message(), others[i]);
        assert_int_equal(failed, IPCC_NO_CALL);
        assert_int_equal(reply.value.kind, IPCC_NONE);
    }
    ipcc_batch_free(batch);
    close_and_join(conn, &server);
    assert_fails(ipcc_atomic(NULL, NULL, &reply, &failed), ARGUMENT, "batch");
}

static void call_that_cannot_be_encoded_is_not_added(void **state)
{
    struct ipcc_batch *batch = with_calls(1);
    struct ipcc_value gap[] = {ipcc_none(), ipcc_int(1)};
    struct ipcc_value bad = ipcc_raw("\xc1", 1);
    struct ipcc_value nested[28];
    assert_fails(ipcc_batch_new(NULL), ARGUMENT, "batch");
    assert_fails(ipcc_batch_add(NULL, "a.b", NULL, 0), ARGUMENT, "batch");
    assert_fails(ipcc_batch_add(batch, NULL, NULL, 0), ARGUMENT, "method");
    assert_fails(ipcc_batch_add(batch, "a.b", NULL, 1), ARGUMENT, "params");
    assert_fails(ipcc_batch_add(batch, "a.b", gap, 2), ARGUMENT, "param 1 is no value");
    assert_fails(ipcc_batch_add(batch, "a.b", &bad, 1), ARGUMENT, "MessagePack");
    struct ipcc_value file = ipcc_descriptor(0);
    assert_fails(ipcc_batch_add(batch, "a.b", &file, 1), ARGUMENT, "descriptors");
    nested[0] = ipcc_array(NULL, 0);
    for (size_t i = 1; i < 28; i++) {
        nested[i] = ipcc_array(&nested[i - 1], 1);
    }
    assert_fails(ipcc_batch_add(batch, "a.b", &nested[27], 1), ARGUMENT, "deep");
    assert_int_equal(ipcc_batch_count(batch), 1);
    assert_ok(ipcc_batch_add(batch, "a.b", &nested[26], 1));
    assert_int_equal(ipcc_batch_count(batch), 2);
    assert_int_equal(ipcc_batch_count(NULL), 0);
    ipcc_batch_clear(NULL);
    ipcc_batch_free(batch);
}

static int make_batch(void)
{
    static char bytes[2000];
    struct ipcc_batch *batch = NULL;
    struct ipcc_value param = ipcc_bin(bytes, sizeof(bytes));
    int status = ipcc_batch_new(&batch);
    for (int i = 0; i < 3 && status == 0; i++) {
        status = ipcc_batch_add(batch, "a.b", &param, 1);
        assert_int_equal(ipcc_batch_count(batch), status == 0 ? i + 1 : i);
    }
    ipcc_batch_free(batch);
    return status;
}

static void batch_without_memory_stays_as_it_is(void **state)
{
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        scarce_begin(n);
        int status = make_batch();
        failed = scarce_end();
        assert_int_equal(status, failed ? IPCC_ERR_NO_MEMORY : 0);
    }
}

static void serve_get_any(struct fake *fake)
{
    static const char *const answers[] = {"['b', 'v', 9, 2]", "['a', [1], nil, 1]",
                                          "['c', 'v', nil, 1]", "['v', nil, 1]", "'v'"};
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "queue.open", "['a']"), "{name: 'a'}");
    fake_answer(fake, fake_expect(fake, "queue.open", "['b']"), "{name: 'b'}");
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        uint32_t msgid = fake_expect(fake, "queue.get_any", "[['a', 'b', 'a'], 50]");
        fake_answer(fake, msgid, answers[i]);
    }
    fake_answer(fake, fake_expect(fake, "queue.get_any", "[['b'], nil]"), "['b', 1, nil, 1]");
    fake_answer(fake, fake_expect(fake, "object.close", "['a']"), "nil");
    fake_answer(fake, fake_expect(fake, "object.close", "['b']"), "nil");
    fake_expect_end(fake);
}

static void serve_one_queue(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "queue.open", "['z']"), "{name: 'z'}");
    fake_answer(fake, fake_expect(fake, "object.close", "['z']"), "nil");
    fake_expect_end(fake);
}

static void get_any_tells_the_queue_by_its_place(void **state)
{
    struct fake_server server;
    struct fake_server other_server;
    struct ipcc_queue *queues[3];
    struct ipcc_queue *foreign;
    struct ipcc_item item;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_get_any, NULL);
    struct ipcc *other = connect_to(&other_server, serve_one_queue, NULL);
    assert_ok(ipcc_queue_open(conn, "a", NULL, &queues[0]));
    assert_ok(ipcc_queue_open(conn, "b", NULL, &queues[1]));
    assert_ok(ipcc_queue_open(other, "z", NULL, &foreign));
    queues[2] = queues[0];
    assert_ok(ipcc_queue_get_any(queues, 3, 50, &item, &reply));
    assert_true(ipcc_value_is_str(&item.value, "v"));
    assert_int_equal(item.queue, 1);
    assert_int_equal(item.ticket, 9);
    assert_int_equal(item.deliveries, 2);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_get_any(queues, 3, 50, &item, &reply));
    assert_int_equal(item.queue, 0);
    assert_int_equal(item.ticket, IPCC_NO_TICKET);
    ipcc_reply_free(&reply);
    for (int i = 0; i < 3; i++) {
        assert_fails(ipcc_queue_get_any(queues, 3, 50, &item, &reply), PROTOCOL, "queue.get_any");
        assert_int_equal(reply.value.kind, IPCC_NONE);
    }
    assert_ok(ipcc_queue_get_any(&queues[1], 1, IPCC_FOREVER, &item, &reply));
    ipcc_reply_free(&reply);
    struct ipcc_queue *const mixed[] = {queues[0], foreign};
    struct ipcc_queue *const gap[] = {queues[0], NULL};
    assert_fails(ipcc_queue_get_any(mixed, 2, 0, &item, &reply), ARGUMENT, "another connection");
    assert_fails(ipcc_queue_get_any(gap, 2, 0, &item, &reply), ARGUMENT, "number 1 is NULL");
    assert_fails(ipcc_queue_get_any(queues, 0, 0, &item, &reply), ARGUMENT, "1 to 1000");
    assert_fails(ipcc_queue_get_any(queues, 1001, 0, &item, &reply), ARGUMENT, "1 to 1000");
    assert_fails(ipcc_queue_get_any(NULL, 1, 0, &item, &reply), ARGUMENT, "1 to 1000");
    assert_fails(ipcc_queue_get_any(queues, 1, 0, NULL, &reply), ARGUMENT, "an item");
    assert_fails(ipcc_queue_get_any(queues, 1, 0, &item, NULL), ARGUMENT, "a reply");
    assert_fails(ipcc_queue_get_any(queues, 1, -2, &item, &reply), ARGUMENT, "timeout_ms");
    assert_ok(ipcc_queue_close(queues[0]));
    assert_ok(ipcc_queue_close(queues[1]));
    assert_ok(ipcc_queue_close(foreign));
    close_and_join(conn, &server);
    close_and_join(other, &other_server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_is_sent_as_one_call_and_gives_each_result),
        cmocka_unit_test(batch_that_fails_tells_where_and_gives_the_results_before),
        cmocka_unit_test(call_that_cannot_be_encoded_is_not_added),
        cmocka_unit_test(batch_without_memory_stays_as_it_is),
        cmocka_unit_test(get_any_tells_the_queue_by_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
