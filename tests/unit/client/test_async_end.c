/* The end of connections in an event loop: closed, lost, made again. */
#include "tests/unit/client/loop.h"

static void serve_nothing_more(struct fake *fake)
{
    fake_greet(fake);
    fake_next(fake, NULL);
    fake_expect_end(fake);
}

static void close_calls_the_callbacks_that_are_outstanding(void **state)
{
    struct fake_server server;
    struct outcome outcomes[20] = {0};
    struct ipcc *conn = connect_to(&server, serve_nothing_more, NULL);
    assert_ok(start(conn, "a.first", &outcomes[0], NULL));
    assert_ok(ipcc_flush(conn));
    for (size_t i = 1; i < 20; i++) {
        assert_ok(start(conn, "a.wait", &outcomes[i], NULL));
    }
    assert_ok(ipcc_close(conn));
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(outcomes[i].count, 1);
        assert_int_equal(outcomes[i].status, IPCC_ERR_LOST);
        assert_string_equal(outcomes[i].message, "the connection was closed");
    }
    fake_server_join(&server);
}

static void serve_goodbye(struct fake *fake)
{
    fake_greet(fake);
    fake_next(fake, NULL);
    fake_next(fake, NULL);
    fake_send(fake, "[2, 'goodbye', ['INTERNAL', 'shutting down']]");
}

static void process_reports_the_loss_after_the_callbacks(void **state)
{
    struct fake_server server;
    struct outcome a = {0};
    struct outcome b = {0};
    struct ipcc *conn = open_async(&server, serve_goodbye, NULL);
    assert_ok(start(conn, "a.a", &a, NULL));
    assert_ok(start(conn, "a.b", &b, NULL));
    int status = 0;
    while (status == 0) {
        status = turn(conn);
    }
    assert_int_equal(status, IPCC_ERR_INTERNAL);
    assert_string_equal(ipcc_last_message(), "shutting down");
    assert_int_equal(a.status, IPCC_ERR_INTERNAL);
    assert_int_equal(b.status, IPCC_ERR_INTERNAL);
    assert_int_equal(ipcc_fd(conn), -1);
    assert_int_equal(ipcc_events(conn), 0);
    assert_int_equal(ipcc_next_timeout(conn), -1);
    assert_ok(ipcc_process(conn, 0));
    assert_fails(start(conn, "a.c", &a, NULL), LOST, "shutting down");
    close_and_join(conn, &server);
}

enum { AGAIN = 3 };

/* A call that is lost makes three others. */
struct again {
    struct outcome outcomes[AGAIN];
    int started;
};

static void call_again(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct again *again = data;
    for (int i = 0; i < AGAIN && status == IPCC_ERR_LOST; i++) {
        again->started += start(conn, "a.again", &again->outcomes[i], NULL) == 0 ? 1 : 0;
    }
}

static void serve_again(struct fake *fake)
{
    fake_greet(fake);
    fake_expect(fake, "a.a", "[]");
    fake_expect(fake, "a.b", "[]");
    fake_greet(fake);
    for (int i = 0; i < AGAIN; i++) {
        fake_answer(fake, fake_expect(fake, "a.again", "[]"), "77");
    }
    fake_expect_end(fake);
}

static void calls_made_by_the_callback_of_a_lost_one_go_out_on_the_next_connection(void **state)
{
    struct fake_server server = fake_server_start(serve_again, NULL);
    struct ipcc *conn;
    struct again again = {.started = 0};
    struct outcome other = {0};
    struct ipcc_request request = {.method = "a.a"};
    assert_ok(
        ipcc_open_async(&conn, &(struct ipcc_options){.path = server.path, .reconnect = true}));
    assert_ok(ipcc_call_async(conn, &request, call_again, &again, NULL));
    assert_ok(start(conn, "a.b", &other, NULL));
    run_until(conn, &again.outcomes[AGAIN - 1]);
    assert_int_equal(again.started, AGAIN);
    for (int i = 0; i < AGAIN; i++) {
        assert_int_equal(again.outcomes[i].count, 1);
        assert_int_equal(again.outcomes[i].integer, 77);
    }
    assert_int_equal(other.count, 1);
    assert_int_equal(other.status, IPCC_ERR_LOST);
    close_and_join(conn, &server);
}

static void serve_silence(struct fake *fake)
{
    fake_accept(fake);
    fake_expect(fake, "server.hello", "[_map]");
    fake_expect(fake, "a.a", "[]");
    fake_expect_end(fake);
}

static void connecting_in_an_event_loop_has_its_time_limit(void **state)
{
    struct fake_server server = fake_server_start(serve_silence, NULL);
    struct ipcc *conn;
    struct outcome outcome = {0};
    struct ipcc_options options = {.path = server.path, .connect_timeout_ms = 10};
    assert_ok(ipcc_open_async(&conn, &options));
    assert_ok(start(conn, "a.a", &outcome, NULL));
    run_until(conn, &outcome);
    assert_int_equal(outcome.status, IPCC_ERR_CONNECT);
    close_and_join(conn, &server);
}

static void open_async_without_a_daemon_fails_at_once(void **state)
{
    struct ipcc *conn = NULL;
    struct ipcc_options options = {.path = "@ipcd-test-nobody"};
    assert_fails(ipcc_open_async(&conn, &options), CONNECT, "@ipcd-test-nobody");
    assert_null(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_calls_the_callbacks_that_are_outstanding),
        cmocka_unit_test(process_reports_the_loss_after_the_callbacks),
        cmocka_unit_test(calls_made_by_the_callback_of_a_lost_one_go_out_on_the_next_connection),
        cmocka_unit_test(connecting_in_an_event_loop_has_its_time_limit),
        cmocka_unit_test(open_async_without_a_daemon_fails_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
