/* Barriers between processes, and parties that are killed while they wait. */
#include "tests/support/daemon.h"

static struct rpc *with_barrier(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "barrier.open", "['b', {parties: 3}]", "{type: 'barrier', ...}");
    return c;
}

static void barrier_lets_all_go_when_the_last_one_comes(void **state)
{
    struct rpc *a = with_barrier(state);
    struct rpc *b = daemon_client(*state);
    struct rpc *c = daemon_client(*state);
    for (int i = 0; i < 10; i++) {
        uint32_t first = rpc_start(a, "barrier.wait", "['b', 20000]");
        uint32_t second = rpc_start(b, "barrier.wait", "['b']");
        expect(c, "barrier.wait", "['b']", "2");
        expect_result(a, first, "0");
        expect_result(b, second, "1");
    }
}

static void dead_waiter_is_no_party_and_breaks_the_barrier(void **state)
{
    struct rpc *a = with_barrier(state);
    struct rpc *b = daemon_client(*state);
    uint32_t wait = rpc_start(a, "barrier.wait", "['b']");
    pid_t gone = daemon_client_process(*state, "barrier.wait", "['b']");
    expect(b, "barrier.state", "['b']", "{parties: 3, waiting: 2, broken: false}");
    process_kill(gone);
    expect_failure(a, wait, "BROKEN");
    expect_error(b, "barrier.wait", "['b']", "BROKEN");
    expect(b, "barrier.reset", "['b']", "nil");
    wait = rpc_start(a, "barrier.wait", "['b']");
    expect(b, "barrier.state", "['b']", "{parties: 3, waiting: 1, broken: false}");
    expect_error(b, "barrier.wait", "['b', 20]", "BROKEN");
    expect_failure(a, wait, "BROKEN");
}

static void parties_that_were_killed_one_by_one_never_add_up(void **state)
{
    struct rpc *c = with_barrier(state);
    for (int i = 0; i < 4; i++) {
        pid_t gone = daemon_client_process(*state, "barrier.wait", "['b']");
        expect(c, "barrier.state", "['b']", "{parties: 3, waiting: 1, broken: false}");
        process_kill(gone);
        expect_soon(c, "barrier.state", "['b']", "{parties: 3, waiting: 0, broken: true}");
        expect(c, "barrier.reset", "['b']", "nil");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(barrier_lets_all_go_when_the_last_one_comes),
        daemon_test(dead_waiter_is_no_party_and_breaks_the_barrier),
        daemon_test(parties_that_were_killed_one_by_one_never_add_up),
    };
    return cmocka_run_group_tests_name("barrier", tests, NULL, NULL);
}
