/* Looking for an answer before sleeping: ipcc_options.spin. */
#include "tests/unit/client/client_test.h"

#include "client/connection.h"

static const uint64_t HOURS_NS = 10000000000000;

static unsigned two(void)
{
    return 2;
}

/* Connects to a server, with spins of this length. */
static struct ipcc *connect_spinning(struct fake_server *server, fake_script *script,
                                     uint64_t length)
{
    struct ipcc *conn = connect_to(server, script, NULL);
    spin_init(&conn->spin, length, two);
    return conn;
}

static int ping(struct ipcc *conn, struct ipcc_reply *reply)
{
    struct ipcc_value five = ipcc_int(5);
    return ipcc_call(conn, "server.ping", &five, 1, reply);
}

static void serve_pings(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 3; i++) {
        fake_answer(fake, fake_expect(fake, "server.ping", "[5]"), "'x'*300000");
    }
    fake_expect_end(fake);
}

/* Three calls with large answers. */
static void ping_thrice(struct ipcc *conn)
{
    for (int i = 0; i < 3; i++) {
        struct ipcc_reply reply;
        assert_ok(ping(conn, &reply));
        assert_int_equal(reply.value.length, 300000);
        ipcc_reply_free(&reply);
    }
}

static void an_answer_is_found_by_looking(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_spinning(&server, serve_pings, HOURS_NS);
    ping_thrice(conn);
    assert_in_range(conn->spin.trust, 0, SPIN_TRUST - 3); /* once for each piece of an answer */
    assert_int_equal(conn->spin.vain, 0);
    close_and_join(conn, &server);
}

static void one_that_takes_longer_is_slept_for(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_spinning(&server, serve_pings, 1);
    ping_thrice(conn);
    assert_true(conn->spin.trust > 0);
    close_and_join(conn, &server);
}

static void serve_end(struct fake *fake)
{
    fake_greet(fake);
    fake_expect(fake, "server.ping", "[5]");
}

static void the_end_of_the_connection_is_found_by_looking(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_spinning(&server, serve_end, HOURS_NS);
    assert_fails(ping(conn, NULL), LOST, "closed");
    close_and_join(conn, &server);
}

static void who_has_not_asked_for_it_sleeps_at_once(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_pings, NULL);
    ping_thrice(conn);
    assert_int_equal(conn->spin.limit_ns, 0);
    assert_int_equal(conn->spin.trust, 0);
    close_and_join(conn, &server);
}

static void who_has_asked_for_it_looks(void **state)
{
    struct fake_server server = fake_server_start(serve_pings, NULL);
    struct ipcc *conn = NULL;
    assert_ok(ipcc_open(&conn, &(struct ipcc_options){.path = server.path, .spin = true}));
    ping_thrice(conn);
    assert_int_equal(conn->spin.limit_ns, SPIN_NS);
    assert_int_not_equal(conn->spin.trust, 0);
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_found_by_looking),
        cmocka_unit_test(one_that_takes_longer_is_slept_for),
        cmocka_unit_test(the_end_of_the_connection_is_found_by_looking),
        cmocka_unit_test(who_has_not_asked_for_it_sleeps_at_once),
        cmocka_unit_test(who_has_asked_for_it_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
