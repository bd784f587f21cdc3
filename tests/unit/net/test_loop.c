/* The event loop, and looking for more to do before it sleeps: net_run. */
#include "tests/unit/net/wire.h"

static const uint64_t HOURS_NS = 10000000000000;

static unsigned two(void)
{
    return 2;
}

static void leave(evutil_socket_t fd, short what, void *data)
{
    struct wire *wire = data;
    (void)fd;
    (void)what;
    (void)event_base_loopbreak(wire->base);
}

/* Sends a request, and runs the loop until it is answered. */
static void run_until_answered(struct wire *wire, int peer)
{
    struct event answered;
    struct buffer request = wire_bytes("[0, 1, 'server.ping', [1]]");
    wire_write(peer, buffer_slice(&request));
    buffer_deinit(&request);
    assert_int_equal(event_assign(&answered, wire->base, peer, EV_READ, leave, wire), 0);
    assert_int_equal(event_add(&answered, NULL), 0);
    assert_int_equal(net_run(&wire->net), 0);
    wire_expect(peer, "[1, 1, nil, 1]");
}

/* Runs the loop until a moment has passed. */
static void run_for_a_moment(struct wire *wire)
{
    const struct timeval moment = {.tv_usec = 1000};
    assert_int_equal(event_base_once(wire->base, -1, EV_TIMEOUT, leave, wire, &moment), 0);
    assert_int_equal(net_run(&wire->net), 0);
}

static void it_serves_and_sleeps(void **state)
{
    struct wire *wire = *state;
    run_until_answered(wire, wire_connect(wire));
    run_for_a_moment(wire);
    assert_int_equal(wire->net.spin.trust, 0);
}

static void it_serves_what_it_finds_before_it_sleeps(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    spin_init(&wire->net.spin, HOURS_NS, two);
    for (int i = 0; i < 3; i++) {
        run_until_answered(wire, peer);
    }
    assert_int_not_equal(wire->net.spin.trust, 0);
    assert_int_equal(wire->net.spin.vain, 0);
}

static void it_is_left_while_it_looks(void **state)
{
    struct wire *wire = *state;
    spin_init(&wire->net.spin, HOURS_NS, two);
    run_for_a_moment(wire);
    assert_int_equal(wire->net.spin.vain, 0);
}

static void it_sleeps_when_nothing_is_found(void **state)
{
    struct wire *wire = *state;
    spin_init(&wire->net.spin, 1, two);
    run_for_a_moment(wire);
    assert_int_equal(wire->net.spin.vain, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wire_test(it_serves_and_sleeps),
        wire_test(it_serves_what_it_finds_before_it_sleeps),
        wire_test(it_is_left_while_it_looks),
        wire_test(it_sleeps_when_nothing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
