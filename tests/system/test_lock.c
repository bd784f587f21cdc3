/* Locks between processes, and what becomes of them when a process is killed: whoever holds one,
 * whoever waits for one. */
#include "tests/support/daemon.h"

#define FIRST "{depth: 1, abandoned: false}"
#define AFTER_DEATH "{depth: 1, abandoned: true}"

static struct rpc *with_lock(void **state, const char *options)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "lock.open", rpc_text(c, "['l', %s]", options), "{type: 'lock', depth: 0, ...}");
    return c;
}

static void lock_is_handed_on_in_the_order_of_the_waiters(void **state)
{
    enum { CLIENTS = 8 };
    struct rpc *c[CLIENTS];
    uint32_t waits[CLIENTS];
    c[0] = with_lock(state, "nil");
    expect(c[0], "lock.acquire", "['l']", FIRST);
    for (int i = 1; i < CLIENTS; i++) {
        c[i] = daemon_client(*state);
        waits[i] = rpc_start(c[i], "lock.acquire", "['l', 20000]");
    }
    for (int i = 1; i < CLIENTS; i++) {
        expect(c[i - 1], "lock.release", "['l']", "0");
        expect_result(c[i], waits[i], FIRST);
    }
}

static void lock_wait_never_ends_before_its_time(void **state)
{
    struct rpc *a = with_lock(state, "nil");
    struct rpc *b = daemon_client(*state);
    expect(a, "lock.acquire", "['l']", FIRST);
    int64_t start = rpc_now();
    expect_error(b, "lock.acquire", "['l', 30]", "TIMEOUT");
    assert_true(rpc_now() - start >= 30);
}

/* One connection that a hundred threads share: each has its owner. */
static void a_hundred_owners_of_one_connection_get_it_one_after_the_other(void **state)
{
    enum { OWNERS = 100 };
    struct rpc *c = with_lock(state, "nil");
    uint32_t waits[OWNERS];
    for (int i = 0; i < OWNERS; i++) {
        waits[i] = rpc_send(c, "lock.acquire", rpc_text(c, "['l', nil, 'thread %d']", i));
    }
    for (int i = 0; i < OWNERS; i++) {
        expect_result(c, waits[i], FIRST);
        expect_error(c, "lock.release", "['l', 'nobody']", "NOT_OWNER");
        expect(c, "lock.release", rpc_text(c, "['l', 'thread %d']", i), "0");
    }
    expect(c, "lock.locked", "['l']", "false");
}

static void lock_of_a_killed_holder_goes_to_the_next_who_is_told(void **state)
{
    struct rpc *a = with_lock(state, "nil");
    pid_t holder = daemon_client_process(*state, "lock.acquire", "['l']");
    uint32_t wait = rpc_start(a, "lock.acquire", "['l']");
    process_kill(holder);
    expect_result(a, wait, AFTER_DEATH);
    expect(a, "lock.release", "['l']", "0");
    expect(a, "lock.acquire", "['l']", FIRST);
}

static void recursive_lock_whose_holder_is_killed_is_free(void **state)
{
    static const char *const calls[][2] = {
        {"lock.acquire", "['l', nil, 'deep']"}, {"lock.acquire", "['l', nil, 'deep']"}, {NULL}};
    struct rpc *a = with_lock(state, "{recursive: true}");
    pid_t holder = daemon_client_process_of(*state, calls);
    expect(a, "object.describe", "['l']", "{depth: 2, holder: {owner: 'deep', ...}, ...}");
    process_kill(holder);
    expect(a, "lock.acquire", "['l', 20000]", AFTER_DEATH);
    expect(a, "lock.acquire", "['l', 0]", "{depth: 2, abandoned: false}");
    expect(a, "lock.release", "['l']", "1");
    expect(a, "lock.release", "['l']", "0");
}

static void lock_is_never_granted_to_a_waiter_that_was_killed(void **state)
{
    struct rpc *a = with_lock(state, "nil");
    struct rpc *b = daemon_client(*state);
    expect(a, "lock.acquire", "['l']", FIRST);
    pid_t gone = daemon_client_process(*state, "lock.acquire", "['l']");
    uint32_t wait = rpc_start(b, "lock.acquire", "['l']");
    process_kill(gone);
    expect_soon(a, "object.describe", "['l']", "{waiting: 1, ...}");
    expect(a, "lock.release", "['l']", "0");
    expect_result(b, wait, FIRST);
}

static void lock_survives_holders_and_waiters_that_are_killed_in_turn(void **state)
{
    enum { PROCESSES = 12 };
    struct rpc *c = with_lock(state, "nil");
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = daemon_client_process(*state, "lock.acquire", "['l']");
    }
    uint32_t wait = rpc_start(c, "lock.acquire", "['l']");
    for (int i = PROCESSES - 1; i >= 0; i -= 2) {
        process_kill(pids[i]);
    }
    for (int i = 0; i < PROCESSES; i += 2) {
        process_kill(pids[i]);
    }
    expect_result(c, wait, AFTER_DEATH);
    expect(c, "object.describe", "['l']", "{waiting: 0, depth: 1, ...}");
    expect(c, "lock.release", "['l']", "0");
}

static void kept_lock_of_a_killed_process_is_released_by_another(void **state)
{
    struct rpc *a = with_lock(state, "{on_disconnect: 'keep', release_by: 'anyone'}");
    struct rpc *b = daemon_client(*state);
    pid_t child = daemon_client_process(*state, "lock.acquire", "['l']");
    process_kill(child);
    expect_soon(a, "server.stats", "[]", "{sessions: 2, ...}");
    expect_error(a, "lock.acquire", "['l', 20]", "TIMEOUT");
    uint32_t wait = rpc_start(b, "lock.acquire", "['l']");
    expect(a, "lock.release", "['l']", "0");
    expect_result(b, wait, FIRST);
}

static void lock_that_is_broken_goes_to_the_next_and_its_holder_may_die(void **state)
{
    struct rpc *a = with_lock(state, "{recursive: true}");
    struct rpc *b = daemon_client(*state);
    pid_t holder = daemon_client_process(*state, "lock.acquire", "['l']");
    uint32_t wait = rpc_start(b, "lock.acquire", "['l']");
    expect(a, "lock.break", "['l']", "{owner: nil, depth: 1, ...}");
    expect_result(b, wait, AFTER_DEATH);
    process_kill(holder);
    expect_soon(a, "server.stats", "[]", "{sessions: 2, ...}");
    expect(a, "object.describe", "['l']", "{depth: 1, abandoned: false, ...}");
    expect(b, "lock.release", "['l']", "0");
    expect(a, "lock.acquire", "['l', 0]", FIRST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(lock_is_handed_on_in_the_order_of_the_waiters),
        daemon_test(lock_wait_never_ends_before_its_time),
        daemon_test(a_hundred_owners_of_one_connection_get_it_one_after_the_other),
        daemon_test(lock_of_a_killed_holder_goes_to_the_next_who_is_told),
        daemon_test(recursive_lock_whose_holder_is_killed_is_free),
        daemon_test(lock_is_never_granted_to_a_waiter_that_was_killed),
        daemon_test(lock_survives_holders_and_waiters_that_are_killed_in_turn),
        daemon_test(kept_lock_of_a_killed_process_is_released_by_another),
        daemon_test(lock_that_is_broken_goes_to_the_next_and_its_holder_may_die),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
