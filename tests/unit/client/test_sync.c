/* The typed functions of events, semaphores and barriers: the request that each makes, what it
 * takes from the answer, and arguments that are refused. */
#include "tests/unit/client/rows.h"

#define assert_refused(call) assert_fails(call, ARGUMENT, "needs a handle")

/* ---- event ----------------------------------------------------------------------------------- */

static const struct row event_rows[] = {
    {"event.open", "['e', {lifetime: 'scoped'}]", "{name: 'e'}"},
    {"event.set", "['e']", "nil"},
    {"event.clear", "['e']", "nil"},
    {"event.is_set", "['e']", "true"},
    {"event.wait", "['e', nil]", "true"},
    {"event.wait", "['e', 5]", "false"},
    {"event.wait", "_array", "1"},
    {"object.close", "['e']", "nil"},
    {NULL, NULL, NULL},
};

static void event_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_event *event = NULL;
    struct ipcc_event_options options = {.reserved = {1}};
    bool yes = false;
    struct ipcc *conn = connect_to(&server, serve_rows, event_rows);
    assert_fails(ipcc_event_open(conn, "e", &options, &event), ARGUMENT, "reserved");
    options = (struct ipcc_event_options){.open = {.lifetime = IPCC_LIFETIME_SCOPED}};
    assert_ok(ipcc_event_open(conn, "e", &options, &event));
    assert_string_equal(ipcc_event_name(event), "e");
    assert_ok(ipcc_event_set(event));
    assert_ok(ipcc_event_clear(event));
    assert_ok(ipcc_event_is_set(event, &yes));
    assert_true(yes);
    yes = false;
    assert_ok(ipcc_event_wait(event, IPCC_FOREVER, &yes));
    assert_true(yes);
    assert_ok(ipcc_event_wait(event, 5, &yes));
    assert_false(yes);
    assert_fails(ipcc_event_wait(event, 0, &yes), PROTOCOL, "a boolean");
    assert_fails(ipcc_event_wait(event, -2, &yes), ARGUMENT, "timeout_ms is -2");
    assert_ok(ipcc_event_close(event));
    close_and_join(conn, &server);
}

static void functions_of_an_event_refuse_null(void **state)
{
    assert_refused(ipcc_event_set(NULL));
    assert_refused(ipcc_event_clear(NULL));
    assert_refused(ipcc_event_is_set(NULL, NULL));
    assert_refused(ipcc_event_wait(NULL, 0, NULL));
    assert_null(ipcc_event_name(NULL));
    assert_int_equal(ipcc_event_close(NULL), 0);
}

/* ---- semaphore ------------------------------------------------------------------------------- */

static const struct row semaphore_rows[] = {
    {"semaphore.open", "['s', {value: 3, bounded: true, on_disconnect: 'release'}]", "{name: 's'}"},
    {"semaphore.acquire", "['s', nil, 1]", "2"},
    {"semaphore.acquire", "['s', 7, 2]", "0"},
    {"semaphore.release", "['s', 3]", "3"},
    {"semaphore.value", "['s']", "3"},
    {"semaphore.value", "['s']", "nil"},
    {"object.close", "['s']", "nil"},
    {"semaphore.open", "['s', {value: 0, on_disconnect: 'keep'}]", "{name: 's'}"},
    {"object.close", "['s']", "nil"},
    {"semaphore.open", "['s']", "{name: 's'}"},
    {"object.close", "['s']", "nil"},
    {NULL, NULL, NULL},
};

static void open_semaphore_with(struct ipcc *conn, const struct ipcc_semaphore_options *options)
{
    struct ipcc_semaphore *semaphore;
    assert_ok(ipcc_semaphore_open(conn, "s", options, &semaphore));
    assert_ok(ipcc_semaphore_close(semaphore));
}

static void refuse_semaphore_options(struct ipcc *conn)
{
    struct ipcc_semaphore *semaphore = NULL;
    struct ipcc_semaphore_options options = {.value = -2};
    assert_fails(ipcc_semaphore_open(conn, "s", &options, &semaphore), ARGUMENT, "value is -2");
    options = (struct ipcc_semaphore_options){.on_disconnect = IPCC_ON_DISCONNECT_REQUEUE};
    assert_fails(ipcc_semaphore_open(conn, "s", &options, &semaphore), ARGUMENT, "on_disconnect");
    options = (struct ipcc_semaphore_options){.reserved = {1}};
    assert_fails(ipcc_semaphore_open(conn, "s", &options, &semaphore), ARGUMENT, "reserved");
    assert_null(semaphore);
}

static void semaphore_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_semaphore *semaphore;
    struct ipcc_semaphore_options options = {
        .value = 3, .bounded = true, .on_disconnect = IPCC_ON_DISCONNECT_RELEASE};
    uint64_t value = 0;
    struct ipcc *conn = connect_to(&server, serve_rows, semaphore_rows);
    refuse_semaphore_options(conn);
    assert_ok(ipcc_semaphore_open(conn, "s", &options, &semaphore));
    assert_string_equal(ipcc_semaphore_name(semaphore), "s");
    assert_ok(ipcc_semaphore_acquire(semaphore, 1, IPCC_FOREVER, &value));
    assert_int_equal(value, 2);
    assert_ok(ipcc_semaphore_acquire(semaphore, 2, 7, NULL));
    assert_ok(ipcc_semaphore_release(semaphore, 3, &value));
    assert_int_equal(value, 3);
    value = 0;
    assert_ok(ipcc_semaphore_value(semaphore, &value));
    assert_int_equal(value, 3);
    assert_fails(ipcc_semaphore_value(semaphore, &value), PROTOCOL, "a count");
    assert_fails(ipcc_semaphore_acquire(semaphore, 1, -2, NULL), ARGUMENT, "timeout_ms is -2");
    assert_ok(ipcc_semaphore_close(semaphore));
    open_semaphore_with(conn, &(struct ipcc_semaphore_options){
                                  .value = IPCC_NO_PERMITS,
                                  .on_disconnect = IPCC_ON_DISCONNECT_KEEP,
                              });
    open_semaphore_with(conn, &(struct ipcc_semaphore_options){.value = 0});
    close_and_join(conn, &server);
}

static void functions_of_a_semaphore_refuse_null(void **state)
{
    struct ipcc_guard guard;
    assert_refused(ipcc_semaphore_acquire(NULL, 1, 0, NULL));
    assert_refused(ipcc_semaphore_release(NULL, 1, NULL));
    assert_refused(ipcc_semaphore_value(NULL, NULL));
    assert_refused(ipcc_semaphore_guard(NULL, 1, 0, &guard));
    assert_null(ipcc_semaphore_name(NULL));
    assert_int_equal(ipcc_semaphore_close(NULL), 0);
}

/* ---- barrier --------------------------------------------------------------------------------- */

static const struct row barrier_rows[] = {
    {"barrier.open", "['b', {parties: 3, timeout: 100}]", "{name: 'b'}"},
    {"barrier.wait", "['b', nil]", "2"},
    {"barrier.wait", "['b', 0]", "0"},
    {"barrier.reset", "['b']", "nil"},
    {"barrier.abort", "['b']", "nil"},
    {"barrier.state", "['b']", "{parties: 3, waiting: 2, broken: true, more: 1}"},
    {"barrier.state", "['b']", "{parties: 3, waiting: 2, broken: true}"},
    {"barrier.state", "['b']", "{parties: 3, waiting: -1, broken: true}"},
    {"barrier.state", "['b']", "{parties: 3, waiting: 2, broken: 1}"},
    {"barrier.state", "['b']", "{waiting: 2, broken: false}"},
    {"barrier.state", "['b']", "3"},
    {"object.close", "['b']", "nil"},
    {NULL, NULL, NULL},
};

static void barrier_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_barrier *barrier = NULL;
    struct ipcc_barrier_options options = {.reserved = {1}};
    struct ipcc_barrier_state now = {0};
    uint64_t index = 0;
    struct ipcc *conn = connect_to(&server, serve_rows, barrier_rows);
    assert_fails(ipcc_barrier_open(conn, "b", &options, &barrier), ARGUMENT, "reserved");
    options = (struct ipcc_barrier_options){.parties = 3, .timeout_ms = 100};
    assert_ok(ipcc_barrier_open(conn, "b", &options, &barrier));
    assert_string_equal(ipcc_barrier_name(barrier), "b");
    assert_ok(ipcc_barrier_wait(barrier, IPCC_FOREVER, &index));
    assert_int_equal(index, 2);
    assert_ok(ipcc_barrier_wait(barrier, 0, NULL));
    assert_ok(ipcc_barrier_reset(barrier));
    assert_ok(ipcc_barrier_abort(barrier));
    assert_ok(ipcc_barrier_state(barrier, &now));
    assert_true(now.parties == 3 && now.waiting == 2 && now.broken);
    assert_ok(ipcc_barrier_state(barrier, NULL));
    now.parties = 99;
    for (int i = 0; i < 4; i++) {
        assert_fails(ipcc_barrier_state(barrier, &now), PROTOCOL, "parties, waiting and broken");
    }
    assert_int_equal(now.parties, 99);
    assert_fails(ipcc_barrier_wait(barrier, -2, NULL), ARGUMENT, "timeout_ms is -2");
    assert_ok(ipcc_barrier_close(barrier));
    close_and_join(conn, &server);
}

static void functions_of_a_barrier_refuse_null(void **state)
{
    struct ipcc_barrier_state now;
    assert_refused(ipcc_barrier_wait(NULL, 0, NULL));
    assert_refused(ipcc_barrier_reset(NULL));
    assert_refused(ipcc_barrier_abort(NULL));
    assert_refused(ipcc_barrier_state(NULL, &now));
    assert_null(ipcc_barrier_name(NULL));
    assert_int_equal(ipcc_barrier_close(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_functions_make_their_requests),
        cmocka_unit_test(functions_of_an_event_refuse_null),
        cmocka_unit_test(semaphore_functions_make_their_requests),
        cmocka_unit_test(functions_of_a_semaphore_refuse_null),
        cmocka_unit_test(barrier_functions_make_their_requests),
        cmocka_unit_test(functions_of_a_barrier_refuse_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
