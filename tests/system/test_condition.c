/* Conditions between processes, and processes that are killed: while they hold the lock, while they
 * wait to be notified, and after they were notified and before they have the lock. */
#include "tests/support/daemon.h"

#define FIRST "{depth: 1, abandoned: false}"

/* A connection with the condition '{l}c' open, whose lock is 'l': in an engine both are at one
 * place. */
static struct rpc *with_condition(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "lock.open", "['l']", "_map");
    expect(c, "condition.open", "['{l}c', {lock: 'l'}]", "{type: 'condition', ...}");
    return c;
}

/* A process that waits to be notified. */
static pid_t sleeping_process(struct daemon *daemon)
{
    static const char *const calls[][2] = {
        {"condition.acquire", "['{l}c']"}, {"condition.wait", "['{l}c']"}, {NULL}};
    return daemon_client_process_of(daemon, calls);
}

/* A connection that waits to be notified. */
static uint32_t sleeper(struct rpc *c)
{
    expect(c, "condition.acquire", "['{l}c', 20000]", FIRST);
    return rpc_start(c, "condition.wait", "['{l}c']");
}

static void condition_wakes_those_who_wait_one_after_the_other(void **state)
{
    struct rpc *a = with_condition(state);
    struct rpc *b = daemon_client(*state);
    struct rpc *c = daemon_client(*state);
    uint32_t first = sleeper(a);
    uint32_t second = sleeper(b);
    expect(c, "condition.acquire", "['{l}c']", FIRST);
    expect(c, "condition.notify_all", "['{l}c']", "2");
    expect(c, "condition.release", "['{l}c']", "0");
    expect_result(a, first, "true");
    expect(c, "object.describe", "['l']", "{waiting: 1, depth: 1, ...}");
    expect(a, "condition.release", "['{l}c']", "0");
    expect_result(b, second, "true");
}

static void condition_wait_lasts_as_long_as_it_was_told_and_holds_the_lock(void **state)
{
    struct rpc *c = with_condition(state);
    expect(c, "condition.acquire", "['{l}c']", FIRST);
    int64_t start = rpc_now();
    expect(c, "condition.wait", "['{l}c', 30]", "false");
    assert_true(rpc_now() - start >= 30);
    expect(c, "lock.release", "['l']", "0");
}

static void process_killed_inside_its_wait_leaves_the_lock_to_the_others(void **state)
{
    struct rpc *a = with_condition(state);
    struct rpc *b = daemon_client(*state);
    pid_t gone = sleeping_process(*state);
    uint32_t wait = sleeper(a);
    expect(b, "object.describe", "['{l}c']", "{sleepers: 2, waiting: 2, depth: 0, ...}");
    process_kill(gone);
    expect_soon(b, "object.describe", "['{l}c']", "{sleepers: 1, waiting: 1, ...}");
    expect(b, "condition.acquire", "['{l}c']", FIRST);
    expect(b, "condition.notify", "['{l}c']", "1");
    expect(b, "condition.release", "['{l}c']", "0");
    expect_result(a, wait, "true");
    expect(a, "condition.release", "['{l}c']", "0");
    expect(b, "object.describe", "['{l}c']", "{holder: nil, sleepers: 0, ...}");
}

static void process_killed_after_it_was_notified_passes_the_notification_on(void **state)
{
    struct rpc *a = with_condition(state);
    struct rpc *b = daemon_client(*state);
    pid_t gone = sleeping_process(*state);
    uint32_t wait = sleeper(a);
    expect(b, "condition.acquire", "['{l}c']", FIRST);
    expect(b, "condition.notify", "['{l}c']", "1");
    expect(b, "object.describe", "['{l}c']", "{sleepers: 1, ...}");
    process_kill(gone);
    expect_soon(b, "object.describe", "['{l}c']", "{sleepers: 0, ...}");
    expect(b, "condition.release", "['{l}c']", "0");
    expect_result(a, wait, "true");
}

static void process_killed_with_the_lock_that_its_wait_gave_back_leaves_it(void **state)
{
    struct rpc *a = with_condition(state);
    struct rpc *b = daemon_client(*state);
    pid_t holder = sleeping_process(*state);
    uint32_t wait = sleeper(a);
    expect(b, "condition.acquire", "['{l}c']", FIRST);
    expect(b, "condition.notify_all", "['{l}c']", "2");
    expect(b, "condition.release", "['{l}c']", "0");
    expect(b, "object.describe", "['l']", "{depth: 1, waiting: 1, ...}");
    process_kill(holder);
    expect_result(a, wait, "true");
    expect(a, "condition.release", "['{l}c']", "0");
    expect(b, "lock.acquire", "['l']", "{depth: 1, abandoned: true}");
}

static void notifier_that_is_killed_before_it_releases_wakes_whom_it_notified(void **state)
{
    static const char *const calls[][2] = {
        {"condition.acquire", "['{l}c']"}, {"condition.notify_all", "['{l}c']"}, {NULL}};
    struct rpc *a = with_condition(state);
    struct rpc *b = daemon_client(*state);
    uint32_t first = sleeper(a);
    uint32_t second = sleeper(b);
    pid_t notifier = daemon_client_process_of(*state, calls);
    process_kill(notifier);
    expect_result(a, first, "true");
    expect(a, "condition.release", "['{l}c']", "0");
    expect_result(b, second, "true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(condition_wakes_those_who_wait_one_after_the_other),
        daemon_test(condition_wait_lasts_as_long_as_it_was_told_and_holds_the_lock),
        daemon_test(process_killed_inside_its_wait_leaves_the_lock_to_the_others),
        daemon_test(process_killed_after_it_was_notified_passes_the_notification_on),
        daemon_test(process_killed_with_the_lock_that_its_wait_gave_back_leaves_it),
        daemon_test(notifier_that_is_killed_before_it_releases_wakes_whom_it_notified),
    };
    return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
