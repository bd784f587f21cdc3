/* Semaphores between processes, and what becomes of the permits of one that is killed. */
#include "tests/support/daemon.h"

static struct rpc *with_semaphore(void **state, const char *options)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "semaphore.open", rpc_text(c, "['s', %s]", options), "{type: 'semaphore', ...}");
    return c;
}

static void semaphore_lets_as_many_in_as_it_has_permits(void **state)
{
    struct rpc *a = with_semaphore(state, "{value: 2}");
    struct rpc *b = daemon_client(*state);
    expect(a, "semaphore.acquire", "['s']", "1");
    expect(b, "semaphore.acquire", "['s']", "0");
    uint32_t wait = rpc_start(b, "semaphore.acquire", "['s', 20000]");
    expect(a, "semaphore.release", "['s']", "1");
    expect_result(b, wait, "0");
    int64_t start = rpc_now();
    expect_error(a, "semaphore.acquire", "['s', 30]", "TIMEOUT");
    assert_true(rpc_now() - start >= 30);
}

static void bounded_semaphore_gets_the_permits_of_a_killed_process_back(void **state)
{
    struct rpc *c = with_semaphore(state, "{value: 2, bounded: true}");
    pid_t holder = daemon_client_process(*state, "semaphore.acquire", "['s', nil, 2]");
    uint32_t wait = rpc_start(c, "semaphore.acquire", "['s']");
    process_kill(holder);
    expect_result(c, wait, "1");
    expect(c, "semaphore.release", "['s']", "2");
    expect_error(c, "semaphore.release", "['s']", "VALUE");
}

static void plain_semaphore_keeps_the_permits_of_a_killed_process(void **state)
{
    struct rpc *c = with_semaphore(state, "{value: 2}");
    pid_t holder = daemon_client_process(*state, "semaphore.acquire", "['s']");
    process_kill(holder);
    expect_soon(c, "server.stats", "[]", "{sessions: 1, ...}");
    expect(c, "semaphore.value", "['s']", "1");
}

static void killed_waiter_takes_no_permit_and_holds_nobody_up(void **state)
{
    struct rpc *a = with_semaphore(state, "{value: 1}");
    pid_t gone = daemon_client_process(*state, "semaphore.acquire", "['s', nil, 5]");
    uint32_t wait = rpc_start(a, "semaphore.acquire", "['s']");
    expect(a, "semaphore.value", "['s']", "1");
    process_kill(gone);
    expect_result(a, wait, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(semaphore_lets_as_many_in_as_it_has_permits),
        daemon_test(bounded_semaphore_gets_the_permits_of_a_killed_process_back),
        daemon_test(plain_semaphore_keeps_the_permits_of_a_killed_process),
        daemon_test(killed_waiter_takes_no_permit_and_holds_nobody_up),
    };
    return cmocka_run_group_tests_name("semaphore", tests, NULL, NULL);
}
