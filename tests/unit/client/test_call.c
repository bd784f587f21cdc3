/* Blocking calls of one thread: what is sent, what comes back, what is refused beforehand. */
#include "tests/unit/client/client_test.h"

#include "client/connection.h"
#include "client/ipcclient/msgpack.h"

#include <stdlib.h>
#include <string.h>

static int call(struct ipcc *conn, const char *method, struct ipcc_value param,
                struct ipcc_reply *reply)
{
    return ipcc_call(conn, method, &param, 1, reply);
}

/* ---- what is sent, what comes back ----------------------------------------------------------- */

static void serve_one_ping(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "server.ping", "[5]"), fake->data);
    fake_expect_end(fake);
}

static void call_sends_its_params_and_gives_the_result(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_one_ping, "'five'");
    assert_ok(call(conn, "server.ping", ipcc_int(5), &reply));
    assert_true(ipcc_value_is_str(&reply.value, "five"));
    ipcc_reply_free(&reply);
    assert_int_equal(reply.value.kind, IPCC_NONE);
    close_and_join(conn, &server);
}

static void call_takes_no_memory_for_scalars(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_one_ping, "-1.5");
    assert_ok(call(conn, "server.ping", ipcc_int(5), &reply));
    assert_int_equal(reply.value.kind, IPCC_FLOAT);
    assert_true(reply.value.as.number == -1.5);
    assert_null(reply.owned);
    close_and_join(conn, &server);
}

static void call_may_ignore_the_result(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_one_ping, "'x'*100");
    assert_ok(call(conn, "server.ping", ipcc_int(5), NULL));
    close_and_join(conn, &server);
}

static void call_gives_results_nested_deeper_than_a_request_may_be(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_one_ping, "deep(60)");
    assert_ok(call(conn, "server.ping", ipcc_int(5), &reply));
    assert_int_equal(reply.value.length, 60);
    msgpack_zone zone;
    msgpack_object object;
    assert_true(msgpack_zone_init(&zone, 1024));
    assert_ok(ipcc_value_unpack(&reply.value, &zone, &object));
    unsigned depth = 1;
    for (const msgpack_object *at = &object; at->via.array.size > 0; at = at->via.array.ptr) {
        depth++;
    }
    assert_int_equal(depth, 60);
    msgpack_zone_destroy(&zone);
    ipcc_reply_free(&reply);
    close_and_join(conn, &server);
}

static void serve_calls_without_params(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "a.b", "[]"), "nil");
    fake_answer(fake, fake_expect(fake, "a.b", "[1, nil]"), "nil");
    fake_expect_end(fake);
}

static void call_leaves_out_trailing_params_that_are_none(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_calls_without_params, NULL);
    struct ipcc_value none[] = {ipcc_none(), ipcc_none()};
    struct ipcc_value two[] = {ipcc_int(1), ipcc_nil(), ipcc_none()};
    assert_ok(ipcc_call(conn, "a.b", none, 2, NULL));
    assert_ok(ipcc_call(conn, "a.b", two, 3, NULL));
    close_and_join(conn, &server);
}

static void serve_byte_by_byte(struct fake *fake)
{
    static const char answer[] = "\x94\x01\x00\xc0\x93\xa3xyz\x2a\x81\xa1k\xc3";
    fake_greet(fake);
    fake_check(fake_expect(fake, "server.ping", "[5]") == 0);
    for (size_t i = 0; i + 1 < sizeof(answer); i++) {
        fake_send_bytes(fake, answer + i, 1);
        /* The next byte leaves when the one before has been read. */
        int unread;
        do {
            fake_check(fake_unread(fake, &unread) == 0);
        } while (unread > 0);
    }
    fake_expect_end(fake);
}

static void call_puts_an_answer_together_byte_by_byte(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc_value value;
    struct ipcc *conn = connect_to(&server, serve_byte_by_byte, NULL);
    assert_ok(call(conn, "server.ping", ipcc_int(5), &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, &value) && ipcc_value_is_str(&value, "xyz"));
    assert_true(ipcc_walk_next(&walk, &value) && value.as.integer == 42);
    assert_true(ipcc_walk_next(&walk, &value) && value.kind == IPCC_RAW);
    assert_false(ipcc_walk_next(&walk, &value));
    ipcc_reply_free(&reply);
    close_and_join(conn, &server);
}

enum { LARGE = 3000000 };

static void serve_large(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 3; i++) {
        uint32_t msgid = fake_expect(fake, "server.ping", "[_str]");
        fake_answer(fake, msgid, i == 1 ? "'small'" : "'0123456789'*300000");
    }
    fake_expect_end(fake);
}

static void call_carries_large_values_both_ways(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_large, NULL);
    char *text = malloc(1000000);
    memset(text, 'x', 1000000);
    for (int i = 0; i < 3; i++) {
        assert_ok(call(conn, "server.ping", ipcc_strn(text, 1000000), &reply));
        assert_int_equal(reply.value.kind, IPCC_STR);
        assert_int_equal(reply.value.length, i == 1 ? 5 : LARGE);
        assert_memory_equal(reply.value.as.str + reply.value.length - 2, i == 1 ? "ll" : "89", 2);
        ipcc_reply_free(&reply);
    }
    free(text);
    close_and_join(conn, &server);
}

/* ---- errors of the daemon -------------------------------------------------------------------- */

static void serve_errors(struct fake *fake)
{
    fake_greet(fake);
    fake_refuse(fake, fake_expect(fake, "queue.get", "['q', 0]"), "EMPTY", "\"q\" is empty");
    fake_refuse(fake, fake_expect(fake, "queue.get", "['q', 0]"), "NEW_CODE", "something new");
    uint32_t msgid = fake_expect(fake, "queue.get", "['q', 0]");
    fake_send(fake, "[1, %u, ['KEY', 'no such key', {index: 3}], nil]", msgid);
    fake_expect_end(fake);
}

static void serve_three_of_them(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 3; i++) {
        fake_answer(fake, fake_expect(fake, "server.ping", "[5]"), "'x'*300000");
    }
    fake_answer(fake, fake_expect(fake, "server.ping", "[5]"), "5");
    fake_expect_end(fake);
}

static void memory_of_a_large_answer_is_used_for_the_next(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_three_of_them, NULL);
    for (int i = 0; i < 3; i++) {
        assert_ok(call(conn, "server.ping", ipcc_int(5), &reply));
        assert_int_equal(reply.value.length, 300000);
        assert_int_equal(((const char *)reply.value.as.data)[299999], 'x');
        ipcc_reply_recycle(conn, &reply);
        assert_null(reply.owned);
        assert_int_equal(reply.value.kind, IPCC_NONE);
        assert_true(conn->link.in.bytes.cap >= 300000);
    }
    assert_ok(call(conn, "server.ping", ipcc_int(5), &reply));
    ipcc_reply_recycle(conn, &reply);
    ipcc_reply_recycle(conn, &reply);
    ipcc_reply_recycle(conn, NULL);
    close_and_join(conn, &server);
}

static void memory_of_an_answer_is_freed_without_its_connection(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_one_ping, "'x'*300000");
    assert_ok(call(conn, "server.ping", ipcc_int(5), &reply));
    assert_ok(ipcc_disconnect(conn));
    ipcc_reply_recycle(conn, &reply);
    assert_null(reply.owned);
    assert_int_equal(conn->link.in.bytes.cap, 0);
    close_and_join(conn, &server);
    ipcc_reply_recycle(NULL, NULL);
}

static void call_fails_with_the_daemon_s_code_message_and_detail(void **state)
{
    struct fake_server server;
    struct ipcc_value value;
    struct ipcc_reply reply;
    struct ipcc_value params[] = {ipcc_str("q"), ipcc_int(0)};
    struct ipcc *conn = connect_to(&server, serve_errors, NULL);
    assert_fails(ipcc_call(conn, "queue.get", params, 2, &reply), EMPTY, "\"q\" is empty");
    assert_int_equal(reply.value.kind, IPCC_NONE);
    assert_fails(ipcc_call(conn, "queue.get", params, 2, NULL), OTHER, "NEW_CODE: something new");
    assert_fails(ipcc_call(conn, "queue.get", params, 2, &reply), KEY, "no such key");
    assert_ok(ipcc_map_get(&reply.value, "index", &value));
    assert_int_equal(value.as.integer, 3);
    ipcc_reply_free(&reply);
    close_and_join(conn, &server);
}

/* ---- what is refused before it is sent ------------------------------------------------------- */

static void serve_only_a_ping(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "server.ping", "[]"), "nil");
    fake_expect_end(fake);
}

static void call_that_cannot_be_encoded_leaves_no_trace(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_only_a_ping, NULL);
    struct ipcc_value gap[] = {ipcc_str("good"), ipcc_none(), ipcc_int(1)};
    assert_fails(ipcc_call(conn, "a.b", gap, 3, NULL), ARGUMENT, "left out");
    assert_fails(call(conn, "a.b", ipcc_raw("\x92\x01", 2), NULL), ARGUMENT, "exactly one");
    assert_fails(call(conn, "a.b", ipcc_raw("\x01\x01", 2), NULL), ARGUMENT, "exactly one");
    assert_fails(call(conn, "a.b", ipcc_raw("\xc1", 1), NULL), ARGUMENT, "exactly one");
    assert_fails(call(conn, "a.b", ipcc_raw("", 0), NULL), ARGUMENT, "exactly one");
    assert_fails(call(conn, "a.b", ipcc_strn(NULL, 5), NULL), ARGUMENT, "no bytes");
    assert_fails(call(conn, "a.b", ipcc_array(NULL, 5), NULL), ARGUMENT, "no elements");
    assert_fails(call(conn, "a.b", ipcc_object(NULL), NULL), ARGUMENT, "NULL");
    struct ipcc_value kind = {.kind = (enum ipcc_kind)77};
    assert_fails(call(conn, "a.b", kind, NULL), ARGUMENT, "kind 77");
    assert_fails(ipcc_call(conn, NULL, NULL, 0, NULL), ARGUMENT, "method");
    assert_fails(ipcc_call(conn, "a.b", NULL, 1, NULL), ARGUMENT, "NULL");
    assert_ok(ipcc_call(conn, "server.ping", NULL, 0, NULL));
    close_and_join(conn, &server);
}

static void call_too_deep_for_the_daemon_is_not_sent(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_only_a_ping, NULL);
    struct ipcc_value nested[32];
    msgpack_object objects[32];
    nested[31] = ipcc_array(NULL, 0);
    objects[31] = (msgpack_object){.type = MSGPACK_OBJECT_ARRAY};
    for (size_t i = 31; i > 0; i--) {
        nested[i - 1] = ipcc_array(&nested[i], 1);
        objects[i - 1] =
            (msgpack_object){.type = MSGPACK_OBJECT_ARRAY, .via.array = {1, &objects[i]}};
    }
    char raw[31];
    memset(raw, '\x91', sizeof(raw));
    raw[30] = '\x90';
    assert_fails(call(conn, "a.b", nested[1], NULL), ARGUMENT, "deeply");
    assert_fails(call(conn, "a.b", ipcc_object(&objects[1]), NULL), ARGUMENT, "deeply");
    assert_fails(call(conn, "a.b", ipcc_raw(raw, 31), NULL), ARGUMENT, "deeply");
    assert_ok(ipcc_call(conn, "server.ping", NULL, 0, NULL));
    close_and_join(conn, &server);
}

static void serve_deep(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 3; i++) {
        fake_answer(fake, fake_expect(fake, "a.b", "[deep(30)]"), "nil");
    }
    fake_expect_end(fake);
}

static void call_as_deep_as_allowed_is_sent(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_deep, NULL);
    struct ipcc_value nested[30];
    msgpack_object objects[30];
    nested[29] = ipcc_array(NULL, 0);
    objects[29] = (msgpack_object){.type = MSGPACK_OBJECT_ARRAY};
    for (size_t i = 29; i > 0; i--) {
        nested[i - 1] = ipcc_array(&nested[i], 1);
        objects[i - 1] =
            (msgpack_object){.type = MSGPACK_OBJECT_ARRAY, .via.array = {1, &objects[i]}};
    }
    char raw[30];
    memset(raw, '\x91', sizeof(raw));
    raw[29] = '\x90';
    assert_ok(call(conn, "a.b", nested[0], NULL));
    assert_ok(call(conn, "a.b", ipcc_object(&objects[0]), NULL));
    assert_ok(call(conn, "a.b", ipcc_raw(raw, 30), NULL));
    close_and_join(conn, &server);
}

static void call_larger_than_the_daemon_s_limit_is_not_sent(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_only_a_ping, NULL);
    char *text = calloc(1, 1048576);
    assert_fails(call(conn, "a.b", ipcc_bin(text, 1048576), NULL), TOO_LARGE, "at most 1048576");
    assert_ok(ipcc_call(conn, "server.ping", NULL, 0, NULL));
    free(text);
    close_and_join(conn, &server);
}

/* ---- guard time ------------------------------------------------------------------------------ */

static void serve_late(struct fake *fake)
{
    fake_greet(fake);
    uint32_t late = fake_expect(fake, "a.slow", "[]");
    fake_expect_notification(fake, "cancel", "[0]");
    uint32_t next = fake_expect(fake, "server.ping", "[]");
    fake_check(next != late);
    fake_send(fake, "[1, %u, nil, 'in time'] [1, %u, nil, 'too late']", next, late);
    fake_check(fake_expect(fake, "server.ping", "[]") == late);
    fake_answer(fake, late, "nil");
    fake_expect_end(fake);
}

static void call_over_its_guard_time_fails_and_its_late_answer_is_dropped(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_late, NULL);
    struct ipcc_request slow = {.method = "a.slow", .guard_ms = 5};
    assert_fails(ipcc_call_request(conn, &slow, &reply), NO_ANSWER, "guard");
    assert_ok(ipcc_call(conn, "server.ping", NULL, 0, &reply));
    assert_true(ipcc_value_is_str(&reply.value, "in time"));
    ipcc_reply_free(&reply);
    /* Its msgid is free again. */
    assert_ok(ipcc_call(conn, "server.ping", NULL, 0, NULL));
    close_and_join(conn, &server);
}

static void serve_typed_late(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "queue.open", "['q']"), "{name: 'q'}");
    fake_expect(fake, "queue.qsize", "['q']");
    fake_expect_notification(fake, "cancel", "[0]");
    fake_expect(fake, "queue.join", "['q', 3]");
    fake_expect_notification(fake, "cancel", "[1]");
    fake_answer(fake, fake_expect(fake, "queue.join", "['q', nil]"), "nil");
    fake_answer(fake, fake_expect(fake, "object.close", "['q']"), "nil");
    fake_expect_end(fake);
}

static void guard_of_a_connection_covers_typed_calls_that_end(void **state)
{
    struct fake_server server = fake_server_start(serve_typed_late, NULL);
    struct ipcc *conn;
    struct ipcc_queue *queue;
    struct ipcc_options options = {.path = server.path, .guard_ms = 50};
    assert_ok(ipcc_open(&conn, &options));
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    assert_fails(ipcc_queue_qsize(queue, NULL), NO_ANSWER, "guard");
    assert_fails(ipcc_queue_join(queue, 3), NO_ANSWER, "guard");
    assert_ok(ipcc_queue_join(queue, IPCC_FOREVER));
    assert_ok(ipcc_queue_close(queue));
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_sends_its_params_and_gives_the_result),
        cmocka_unit_test(call_takes_no_memory_for_scalars),
        cmocka_unit_test(call_may_ignore_the_result),
        cmocka_unit_test(call_gives_results_nested_deeper_than_a_request_may_be),
        cmocka_unit_test(call_leaves_out_trailing_params_that_are_none),
        cmocka_unit_test(call_puts_an_answer_together_byte_by_byte),
        cmocka_unit_test(call_carries_large_values_both_ways),
        cmocka_unit_test(memory_of_a_large_answer_is_used_for_the_next),
        cmocka_unit_test(memory_of_an_answer_is_freed_without_its_connection),
        cmocka_unit_test(call_fails_with_the_daemon_s_code_message_and_detail),
        cmocka_unit_test(call_that_cannot_be_encoded_leaves_no_trace),
        cmocka_unit_test(call_too_deep_for_the_daemon_is_not_sent),
        cmocka_unit_test(call_as_deep_as_allowed_is_sent),
        cmocka_unit_test(call_larger_than_the_daemon_s_limit_is_not_sent),
        cmocka_unit_test(call_over_its_guard_time_fails_and_its_late_answer_is_dropped),
        cmocka_unit_test(guard_of_a_connection_covers_typed_calls_that_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
