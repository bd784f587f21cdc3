/* Events between processes, and processes that are killed while they wait for one. */
#include "tests/support/daemon.h"

static void event_wakes_every_process_that_waits(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    struct rpc *c = daemon_client(*state);
    expect(a, "event.open", "['e']", "{type: 'event', set: false, ...}");
    uint32_t first = rpc_start(a, "event.wait", "['e']");
    uint32_t second = rpc_start(b, "event.wait", "['e', 20000]");
    expect(c, "event.set", "['e']", "nil");
    expect_result(a, first, "true");
    expect_result(b, second, "true");
}

static void event_wait_lasts_as_long_as_it_was_told(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "event.open", "['e']", "_map");
    int64_t start = rpc_now();
    expect(c, "event.wait", "['e', 30]", "false");
    assert_true(rpc_now() - start >= 30);
}

static void event_with_killed_waiters_serves_the_living(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "event.open", "['e']", "_map");
    pid_t gone = daemon_client_process(*state, "event.wait", "['e']");
    uint32_t wait = rpc_start(a, "event.wait", "['e']");
    process_kill(gone);
    expect_soon(b, "object.describe", "['e']", "{waiting: 1, ...}");
    expect(b, "event.set", "['e']", "nil");
    expect_result(a, wait, "true");
    expect(b, "server.stats", "[]", "{waiting: 0, ...}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(event_wakes_every_process_that_waits),
        daemon_test(event_wait_lasts_as_long_as_it_was_told),
        daemon_test(event_with_killed_waiters_serves_the_living),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
