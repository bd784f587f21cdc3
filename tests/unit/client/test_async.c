/* The non-blocking core: calls with callbacks, driven by an event loop of the test's own. */
#include "tests/unit/client/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- calls ----------------------------------------------------------------------------------- */

static void serve_out_of_order(struct fake *fake)
{
    fake_greet(fake);
    uint32_t a = fake_expect(fake, "a.a", "[]");
    uint32_t b = fake_expect(fake, "a.b", "[]");
    uint32_t c = fake_expect(fake, "a.c", "[]");
    fake_refuse(fake, c, "EMPTY", "nothing in it");
    fake_answer(fake, a, "1");
    fake_answer(fake, b, "2");
    fake_expect_end(fake);
}

static void calls_made_before_the_connection_stands_are_answered_in_any_order(void **state)
{
    struct fake_server server;
    struct outcome a = {0};
    struct outcome b = {0};
    struct outcome c = {0};
    struct ipcc *conn = open_async(&server, serve_out_of_order, NULL);
    assert_ok(start(conn, "a.a", &a, NULL));
    assert_ok(start(conn, "a.b", &b, NULL));
    assert_ok(start(conn, "a.c", &c, NULL));
    assert_int_equal(ipcc_events(conn), POLLIN | POLLOUT);
    run_until(conn, &b);
    assert_int_equal(ipcc_events(conn), POLLIN);
    assert_int_equal(ipcc_next_timeout(conn), -1);
    assert_int_equal(a.integer, 1);
    assert_int_equal(b.integer, 2);
    assert_int_equal(c.status, IPCC_ERR_EMPTY);
    assert_string_equal(c.message, "nothing in it");
    assert_int_equal(c.order * 100 + a.order * 10 + b.order, 123);
    close_and_join(conn, &server);
}

static void serve_params(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "a.a", "['text', [1, 2]]"), "5");
    fake_expect_end(fake);
}

static void params_are_copied_when_the_call_is_made(void **state)
{
    struct fake_server server;
    struct outcome outcome = {0};
    struct ipcc *conn = open_async(&server, serve_params, NULL);
    char text[] = "text";
    struct ipcc_value elements[] = {ipcc_int(1), ipcc_int(2)};
    struct ipcc_value params[] = {ipcc_str(text), ipcc_array(elements, 2)};
    struct ipcc_request request = {.method = "a.a", .params = params, .nparams = 2};
    assert_ok(ipcc_call_async(conn, &request, keep, &outcome, NULL));
    memset(text, 'x', sizeof(text));
    memset(params, 0, sizeof(params));
    memset(elements, 0, sizeof(elements));
    run_until(conn, &outcome);
    assert_int_equal(outcome.integer, 5);
    close_and_join(conn, &server);
}

static void serve_cancel(struct fake *fake)
{
    fake_greet(fake);
    uint32_t a = fake_expect(fake, "a.wait", "[]");
    uint32_t b = fake_expect(fake, "a.wait", "[]");
    char expected[16];
    (void)snprintf(expected, sizeof(expected), "[%u]", b);
    fake_expect_notification(fake, "cancel", expected);
    fake_refuse(fake, b, "CANCELLED", "the wait was cancelled");
    fake_answer(fake, a, "1");
    fake_expect_end(fake);
}

static void cancelled_call_ends_with_its_callback(void **state)
{
    struct fake_server server;
    struct outcome a = {0};
    struct outcome b = {0};
    ipcc_call_id id;
    struct ipcc *conn = open_async(&server, serve_cancel, NULL);
    assert_ok(start(conn, "a.wait", &a, NULL));
    assert_ok(start(conn, "a.wait", &b, &id));
    assert_ok(ipcc_cancel(conn, id));
    run_until(conn, &a);
    assert_int_equal(b.status, IPCC_ERR_CANCELLED);
    assert_int_equal(b.count, 1);
    assert_fails(ipcc_cancel(conn, id), NOT_FOUND, "in flight");
    assert_fails(ipcc_cancel(conn, 0), NOT_FOUND, "in flight");
    assert_fails(ipcc_cancel(conn, UINT64_MAX), NOT_FOUND, "in flight");
    close_and_join(conn, &server);
}

static void serve_two(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_next(fake, NULL), "1");
    fake_answer(fake, fake_next(fake, NULL), "2");
    fake_expect_end(fake);
}

static void id_of_a_call_that_is_done_names_no_later_one(void **state)
{
    struct fake_server server;
    struct outcome a = {0};
    struct outcome b = {0};
    ipcc_call_id first;
    ipcc_call_id second;
    struct ipcc *conn = connect_to(&server, serve_two, NULL);
    assert_ok(start(conn, "a.a", &a, &first));
    run_until(conn, &a);
    assert_ok(start(conn, "a.b", &b, &second));
    assert_true(first != second && first != 0 && second != 0);
    assert_fails(ipcc_cancel(conn, first), NOT_FOUND, "in flight");
    run_until(conn, &b);
    assert_int_equal(b.integer, 2);
    close_and_join(conn, &server);
}

static void serve_guarded(struct fake *fake)
{
    fake_greet(fake);
    uint32_t slow = fake_expect(fake, "a.slow", "[]");
    uint32_t other = fake_expect(fake, "a.other", "[]");
    fake_expect_notification(fake, "cancel", "[1]");
    fake_check(slow == 1);
    fake_send(fake, "[1, %u, nil, 3] [1, %u, nil, 4]", slow, other);
    fake_expect_end(fake);
}

static void call_over_its_guard_time_has_one_callback(void **state)
{
    struct fake_server server;
    struct outcome slow = {0};
    struct outcome other = {0};
    struct ipcc *conn = open_async(&server, serve_guarded, NULL);
    struct ipcc_request request = {.method = "a.slow", .guard_ms = 5};
    assert_ok(ipcc_call_async(conn, &request, keep, &slow, NULL));
    request = (struct ipcc_request){.method = "a.other", .guard_ms = 1000000};
    assert_ok(ipcc_call_async(conn, &request, keep, &other, NULL));
    run_until(conn, &slow);
    assert_int_equal(slow.status, IPCC_ERR_NO_ANSWER);
    run_until(conn, &other);
    assert_int_equal(other.integer, 4);
    assert_int_equal(slow.count, 1);
    close_and_join(conn, &server);
}

/* ---- what callbacks may do ------------------------------------------------------------------- */

struct chain {
    struct outcome outcome;
    unsigned left;
    int blocking_status;
    int process_status;
    int close_status;
};

static void call_next(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct chain *chain = data;
    struct ipcc_request request = {.method = "a.a"};
    chain->blocking_status = ipcc_call(conn, "a.a", NULL, 0, NULL);
    chain->process_status = ipcc_process(conn, 0);
    chain->close_status = ipcc_close(conn);
    chain->left--;
    if (ipcc_call_async(conn, &request, chain->left > 0 ? call_next : keep, data, NULL) < 0) {
        chain->outcome.count = 99;
    }
}

static void serve_chain(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 4; i++) {
        fake_answer(fake, fake_expect(fake, "a.a", "[]"), "9");
    }
    fake_expect_end(fake);
}

static void callback_may_start_calls_but_not_block(void **state)
{
    struct fake_server server;
    struct chain chain = {.left = 3};
    struct ipcc *conn = open_async(&server, serve_chain, NULL);
    struct ipcc_request request = {.method = "a.a"};
    assert_ok(ipcc_call_async(conn, &request, call_next, &chain, NULL));
    run_until(conn, &chain.outcome);
    assert_int_equal(chain.outcome.count, 1);
    assert_int_equal(chain.outcome.integer, 9);
    assert_int_equal(chain.blocking_status, IPCC_ERR_BUSY);
    assert_int_equal(chain.process_status, IPCC_ERR_BUSY);
    assert_int_equal(chain.close_status, IPCC_ERR_BUSY);
    close_and_join(conn, &server);
}

static void copy_reply(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    (void)ipcc_reply_copy(data, reply);
}

static void serve_text(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "a.a", "[]"), "['first', 1]");
    fake_answer(fake, fake_expect(fake, "a.b", "[]"), "['other', 2]");
    fake_expect_end(fake);
}

static void reply_is_kept_by_copying_it(void **state)
{
    struct fake_server server;
    struct ipcc_reply kept = {0};
    struct ipcc_value value;
    struct ipcc *conn = open_async(&server, serve_text, NULL);
    struct ipcc_request request = {.method = "a.a"};
    assert_ok(ipcc_call_async(conn, &request, copy_reply, &kept, NULL));
    /* The blocking call runs the callback meanwhile, and reads more into the same place. */
    assert_ok(ipcc_call(conn, "a.b", NULL, 0, NULL));
    struct ipcc_walk walk = ipcc_walk_of(&kept.value);
    assert_true(ipcc_walk_next(&walk, &value));
    assert_true(ipcc_value_is_str(&value, "first"));
    ipcc_reply_free(&kept);
    close_and_join(conn, &server);
}

/* A callback of one connection that blocks on another, of which a callback blocks on the first. */
struct crossing {
    struct ipcc *other;
    int status;
    struct crossing *inner;
};

static void block_on_the_other(struct ipcc *conn, int status, const struct ipcc_reply *reply,
                               void *data)
{
    struct crossing *crossing = data;
    if (crossing->inner != NULL) {
        struct ipcc_request request = {.method = "a.a"};
        (void)ipcc_call_async(crossing->other, &request, block_on_the_other, crossing->inner, NULL);
    }
    crossing->status = ipcc_call(crossing->other, "a.b", NULL, 0, NULL);
}

static void serve_crossing(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "a.a", "[]"), "1");
    if (fake->data != NULL) {
        fake_answer(fake, fake_expect(fake, "a.b", "[]"), "2");
    }
    fake_expect_end(fake);
}

static void callback_may_block_on_another_connection_but_not_in_a_circle(void **state)
{
    struct fake_server servers[2];
    struct ipcc *first = connect_to(&servers[0], serve_crossing, NULL);
    struct ipcc *second = connect_to(&servers[1], serve_crossing, "and the blocking call");
    struct crossing inner = {.other = first, .status = 1};
    struct crossing outer = {.other = second, .status = 1, .inner = &inner};
    struct ipcc_request request = {.method = "a.a"};
    assert_ok(ipcc_call_async(first, &request, block_on_the_other, &outer, NULL));
    while (outer.status == 1) {
        (void)turn(first);
    }
    assert_int_equal(outer.status, 0);
    assert_int_equal(inner.status, IPCC_ERR_BUSY);
    close_and_join(first, &servers[0]);
    close_and_join(second, &servers[1]);
}

/* ---- much at once ---------------------------------------------------------------------------- */

enum { MANY = 5000 };

static void serve_many(struct fake *fake)
{
    static uint32_t msgids[MANY];
    fake_greet(fake);
    for (int i = 0; i < MANY; i++) {
        msgids[i] = fake_next(fake, NULL);
    }
    for (int i = MANY; i > 0; i--) {
        fake_answer(fake, msgids[i - 1], "1");
    }
    fake_expect_end(fake);
}

static void count_down(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    *(int *)data -= status == 0 && reply->value.as.integer == 1 ? 1 : 0;
}

static void thousands_of_calls_are_in_flight_at_once(void **state)
{
    struct fake_server server;
    struct ipcc *conn = open_async(&server, serve_many, NULL);
    int left = MANY;
    for (int i = 0; i < MANY; i++) {
        struct ipcc_request request = {.method = "a.a"};
        assert_ok(ipcc_call_async(conn, &request, count_down, &left, NULL));
    }
    while (left > 0) {
        assert_ok(turn(conn));
    }
    close_and_join(conn, &server);
}

static void serve_when_told(struct fake *fake)
{
    char byte;
    fake_greet(fake);
    fake_check(read(*(const int *)fake->data, &byte, 1) == 1);
    fake_answer(fake, fake_expect(fake, "a.a", "[_bin]"), "1");
    fake_expect_end(fake);
}

static void request_larger_than_the_socket_leaves_in_pieces(void **state)
{
    int gate[2];
    struct fake_server server;
    struct outcome outcome = {0};
    assert_int_equal(pipe(gate), 0);
    struct ipcc *conn = connect_to(&server, serve_when_told, &gate[0]);
    void *bytes = calloc(1, 1000000);
    struct ipcc_value param = ipcc_bin(bytes, 1000000);
    struct ipcc_request request = {.method = "a.a", .params = &param, .nparams = 1};
    assert_ok(ipcc_call_async(conn, &request, keep, &outcome, NULL));
    assert_ok(ipcc_flush(conn));
    assert_int_equal(ipcc_events(conn), POLLIN | POLLOUT);
    assert_int_equal(write(gate[1], "x", 1), 1);
    run_until(conn, &outcome);
    assert_int_equal(outcome.integer, 1);
    free(bytes);
    close_and_join(conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

static void serve_large_and_small(struct fake *fake)
{
    fake_greet(fake);
    uint32_t small = fake_expect(fake, "a.small", "[]");
    uint32_t large = fake_expect(fake, "a.large", "[]");
    fake_send(fake, "[1, %u, nil, '0123456789'*4000] [1, %u, nil, 5]", large, small);
    fake_expect_end(fake);
}

static void answer_behind_a_large_one_is_not_lost(void **state)
{
    struct fake_server server;
    struct outcome outcome = {0};
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_large_and_small, NULL);
    assert_ok(start(conn, "a.small", &outcome, NULL));
    assert_ok(ipcc_call(conn, "a.large", NULL, 0, &reply));
    assert_int_equal(reply.value.length, 40000);
    assert_memory_equal(reply.value.as.str + 39990, "0123456789", 10);
    ipcc_reply_free(&reply);
    run_until(conn, &outcome);
    assert_int_equal(outcome.integer, 5);
    close_and_join(conn, &server);
}

/* ---- notifications --------------------------------------------------------------------------- */

static void take_event(struct ipcc *conn, const struct ipcc_value *method,
                       const struct ipcc_value *params, void *data)
{
    char *text = data;
    struct ipcc_value first = ipcc_none();
    struct ipcc_walk walk = ipcc_walk_of(params);
    (void)ipcc_walk_next(&walk, &first);
    (void)snprintf(text + strlen(text), 64 - strlen(text), "%.*s(%.*s)", (int)method->length,
                   method->as.str, (int)first.length, first.as.str);
}

static void serve_events(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_expect(fake, "a.a", "[]");
    fake_send(fake, "[2, 'object.event', ['q', 'put', nil]] [2, 'unheard', []]");
    fake_answer(fake, msgid, "nil");
    msgid = fake_expect(fake, "a.b", "[]");
    fake_send(fake, "[2, 'object.event', ['q', 'put', nil]]");
    fake_answer(fake, msgid, "nil");
    fake_expect_end(fake);
}

static void notifications_go_to_whoever_is_set(void **state)
{
    struct fake_server server;
    char text[64] = "";
    struct ipcc *conn = connect_to(&server, serve_events, NULL);
    assert_ok(ipcc_on_notification(conn, take_event, text));
    assert_ok(ipcc_call(conn, "a.a", NULL, 0, NULL));
    assert_string_equal(text, "object.event(q)unheard()");
    assert_ok(ipcc_on_notification(conn, NULL, NULL));
    assert_ok(ipcc_call(conn, "a.b", NULL, 0, NULL));
    assert_string_equal(text, "object.event(q)unheard()");
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_made_before_the_connection_stands_are_answered_in_any_order),
        cmocka_unit_test(params_are_copied_when_the_call_is_made),
        cmocka_unit_test(cancelled_call_ends_with_its_callback),
        cmocka_unit_test(id_of_a_call_that_is_done_names_no_later_one),
        cmocka_unit_test(call_over_its_guard_time_has_one_callback),
        cmocka_unit_test(callback_may_start_calls_but_not_block),
        cmocka_unit_test(reply_is_kept_by_copying_it),
        cmocka_unit_test(callback_may_block_on_another_connection_but_not_in_a_circle),
        cmocka_unit_test(thousands_of_calls_are_in_flight_at_once),
        cmocka_unit_test(request_larger_than_the_socket_leaves_in_pieces),
        cmocka_unit_test(answer_behind_a_large_one_is_not_lost),
        cmocka_unit_test(notifications_go_to_whoever_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
