/* The client library's locks, conditions and guards against a real daemon: threads as owners,
 * waiting for a predicate, and processes that are killed while they hold or wait. */
#include "tests/system/client_system.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ipcc_lock *open_lock(struct ipcc *conn, const struct ipcc_lock_options *options)
{
    struct ipcc_lock *lock = NULL;
    assert_ok(ipcc_lock_open(conn, "l", options, &lock));
    return lock;
}

static void close_lock(struct ipcc *conn, struct ipcc_lock *lock)
{
    assert_ok(ipcc_lock_close(lock));
    assert_ok(ipcc_close(conn));
}

/* Waits until so many calls wait for the object. */
static void await_waiting(const struct daemon *daemon, const char *name, unsigned count)
{
    char params[32];
    char pattern[32];
    struct rpc *observer = daemon_client((struct daemon *)daemon);
    (void)snprintf(params, sizeof(params), "['%s']", name);
    (void)snprintf(pattern, sizeof(pattern), "{waiting: %u, ...}", count);
    expect_soon(observer, "object.describe", params, pattern);
    daemon_drop((struct daemon *)daemon, observer);
}

/* ---- lock ------------------------------------------------------------------------------------ */

static void lock_acquire_and_release(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc_acquired acquired = {0};
    uint64_t depth = 9;
    bool locked = false;
    assert_string_equal(ipcc_lock_name(lock), "l");
    assert_ok(ipcc_lock_acquire(lock, 0, &acquired));
    assert_true(acquired.depth == 1 && !acquired.abandoned);
    assert_ok(ipcc_lock_locked(lock, &locked));
    assert_true(locked);
    assert_fails(ipcc_lock_acquire(lock, 0, NULL), TIMEOUT, "");
    assert_fails(ipcc_lock_acquire(lock, 1, NULL), TIMEOUT, "");
    assert_ok(ipcc_lock_release(lock, &depth));
    assert_int_equal(depth, 0);
    assert_fails(ipcc_lock_release(lock, NULL), NOT_OWNER, "\"l\"");
    assert_ok(ipcc_lock_locked(lock, &locked));
    assert_false(locked);
    close_lock(conn, lock);
}

struct attempt {
    struct ipcc_lock *lock;
    struct ipcc_value holder; /* another thread */
    int acquired;
    int released;
    int released_for_it;
};

static void *try_lock(void *data)
{
    struct attempt *attempt = data;
    attempt->acquired = ipcc_lock_acquire(attempt->lock, 0, NULL);
    attempt->released = ipcc_lock_release(attempt->lock, NULL);
    attempt->released_for_it = ipcc_lock_release_as(attempt->lock, attempt->holder, NULL);
    return NULL;
}

static void threads_of_one_connection_exclude_each_other(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, &(struct ipcc_lock_options){.recursive = true});
    struct attempt attempt = {.lock = lock, .holder = ipcc_thread_owner()};
    struct ipcc_acquired acquired;
    struct ipcc_reply reply;
    struct ipcc_value holder;
    struct ipcc_value owner;
    pthread_t thread;
    uint64_t depth = 0;
    assert_ok(ipcc_lock_acquire(lock, 0, NULL));
    assert_ok(ipcc_lock_acquire(lock, 0, &acquired));
    assert_int_equal(acquired.depth, 2);
    assert_ok(ipcc_object_describe(conn, "l", &reply));
    assert_ok(ipcc_map_get(&reply.value, "holder", &holder));
    assert_ok(ipcc_map_get(&holder, "owner", &owner));
    assert_int_equal(owner.as.integer, gettid());
    ipcc_reply_free(&reply);
    assert_int_equal(pthread_create(&thread, NULL, try_lock, &attempt), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(attempt.acquired, IPCC_ERR_TIMEOUT);
    assert_int_equal(attempt.released, IPCC_ERR_NOT_OWNER);
    assert_int_equal(attempt.released_for_it, 0);
    assert_ok(ipcc_lock_release(lock, &depth));
    assert_int_equal(depth, 0);
    close_lock(conn, lock);
}

static void owner_that_is_named_is_another_than_the_thread(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    assert_ok(ipcc_lock_acquire_as(lock, 0, ipcc_str("task"), NULL));
    assert_fails(ipcc_lock_release(lock, NULL), NOT_OWNER, "another owner");
    assert_fails(ipcc_lock_release_as(lock, ipcc_nil(), NULL), NOT_OWNER, "another owner");
    assert_ok(ipcc_lock_release_as(lock, ipcc_str("task"), NULL));
    assert_ok(ipcc_lock_acquire_as(lock, 0, ipcc_nil(), NULL));
    assert_fails(ipcc_lock_release(lock, NULL), NOT_OWNER, "another owner");
    assert_ok(ipcc_lock_release_as(lock, ipcc_nil(), NULL));
    assert_fails(ipcc_lock_acquire_as(lock, 0, ipcc_float(0.5), NULL), BAD_REQUEST, "owner");
    close_lock(conn, lock);
}

static void lock_options_are_those_of_the_daemon(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *other = NULL;
    struct ipcc_reply reply;
    struct ipcc_value value;
    struct ipcc_lock_options options = {.recursive = true,
                                        .on_disconnect = IPCC_ON_DISCONNECT_KEEP,
                                        .release_by = IPCC_RELEASE_BY_ANYONE};
    struct ipcc_lock *lock = open_lock(conn, &options);
    assert_ok(ipcc_object_describe(conn, "l", &reply));
    assert_ok(ipcc_map_get(&reply.value, "recursive", &value));
    assert_true(value.kind == IPCC_BOOL && value.as.boolean);
    assert_ok(ipcc_map_get(&reply.value, "on_disconnect", &value));
    assert_true(ipcc_value_is_str(&value, "keep"));
    assert_ok(ipcc_map_get(&reply.value, "release_by", &value));
    assert_true(ipcc_value_is_str(&value, "anyone"));
    ipcc_reply_free(&reply);
    options.release_by = IPCC_RELEASE_BY_OWNER;
    assert_fails(ipcc_lock_open(conn, "l", &options, &other), MISMATCH, "release_by");
    options = (struct ipcc_lock_options){.on_disconnect = IPCC_ON_DISCONNECT_RELEASE};
    assert_fails(ipcc_lock_open(conn, "l", &options, &other), MISMATCH, "on_disconnect");
    close_lock(conn, lock);
}

/* ---- processes that are killed --------------------------------------------------------------- */

/* A process that holds the lock "l", by a connection of its own, until it is killed. Returns when
 * it holds it. */
static pid_t start_holder(const struct daemon *daemon)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct ipcc *conn = NULL;
        struct ipcc_lock *lock = NULL;
        bool good = ipcc_open(&conn, &(struct ipcc_options){.path = daemon->socket}) == 0 &&
                    ipcc_lock_open(conn, "l", NULL, &lock) == 0 &&
                    ipcc_lock_acquire(lock, IPCC_FOREVER, NULL) == 0 && write(ready[1], "", 1) == 1;
        while (good) {
            good = pause() < 0; /* as it does for a signal that is handled */
        }
        _exit(1);
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return pid;
}

static void holder_that_is_killed_leaves_the_lock_abandoned(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc_acquired acquired = {0};
    pid_t holder = start_holder(*state);
    assert_fails(ipcc_lock_acquire(lock, 0, NULL), TIMEOUT, "");
    process_kill(holder);
    assert_ok(ipcc_lock_acquire(lock, IPCC_FOREVER, &acquired));
    assert_true(acquired.depth == 1 && acquired.abandoned);
    assert_ok(ipcc_lock_release(lock, NULL));
    assert_ok(ipcc_lock_acquire(lock, 0, &acquired));
    assert_false(acquired.abandoned);
    close_lock(conn, lock);
}

static int note_abandoned(const struct ipcc_acquired *acquired, void *data)
{
    *(bool *)data = acquired->abandoned;
    return 0;
}

static void guard_and_run_tell_that_the_holder_was_killed(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc_guard guard;
    bool abandoned = false;
    bool locked = true;
    process_kill(start_holder(*state));
    assert_ok(ipcc_lock_guard(lock, IPCC_FOREVER, &guard));
    assert_true(guard.acquired.abandoned);
    assert_ok(ipcc_guard_release(&guard));
    process_kill(start_holder(*state));
    assert_ok(ipcc_lock_run(lock, IPCC_FOREVER, note_abandoned, &abandoned));
    assert_true(abandoned);
    assert_ok(ipcc_lock_locked(lock, &locked));
    assert_false(locked);
    close_lock(conn, lock);
}

static void waiter_that_is_killed_is_not_given_the_lock(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc_acquired acquired = {0};
    assert_ok(ipcc_lock_acquire(lock, 0, NULL));
    pid_t waiter = daemon_client_process(*state, "lock.acquire", "['l']");
    await_waiting(*state, "l", 1);
    process_kill(waiter);
    await_waiting(*state, "l", 0);
    assert_ok(ipcc_lock_release(lock, NULL));
    assert_ok(ipcc_lock_acquire(lock, 0, &acquired));
    assert_false(acquired.abandoned);
    close_lock(conn, lock);
}

static void lock_that_is_broken_goes_to_the_next(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc *other = client_open(*state);
    struct ipcc_lock *held = open_lock(other, NULL);
    struct ipcc_acquired acquired = {0};
    struct ipcc_guard guard;
    struct ipcc_reply reply;
    struct ipcc_value depth;
    assert_prints("null", ipcc_lock_break(lock, &reply));
    assert_ok(ipcc_lock_guard(held, 0, &guard));
    assert_ok(ipcc_lock_break(lock, &reply));
    assert_ok(ipcc_map_get(&reply.value, "depth", &depth));
    assert_int_equal(depth.as.integer, 1);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_lock_acquire(lock, 0, &acquired));
    assert_true(acquired.abandoned);
    assert_fails(ipcc_guard_release(&guard), NOT_OWNER, "\"l\"");
    close_lock(conn, lock);
    close_lock(other, held);
}

/* ---- guards when the connection goes --------------------------------------------------------- */

static void guard_s_release_tells_that_the_session_was_lost(void **state)
{
    struct ipcc *other = client_open(*state);
    struct ipcc_lock *seen = open_lock(other, NULL);
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc_acquired acquired = {0};
    struct ipcc_guard guard;
    assert_ok(ipcc_lock_guard(lock, 0, &guard));
    assert_ok(ipcc_disconnect(conn));
    assert_ok(ipcc_lock_acquire(seen, IPCC_FOREVER, &acquired));
    assert_true(acquired.abandoned);
    assert_fails(ipcc_guard_release(&guard), LOST, "");
    assert_ok(ipcc_guard_release(&guard));
    close_lock(conn, lock);
    close_lock(other, seen);
}

static void guard_s_release_after_a_reconnection_does_not_hold_it(void **state)
{
    const struct daemon *daemon = *state;
    struct ipcc_options options = {.path = daemon->socket, .reconnect = true};
    struct ipcc *conn = NULL;
    struct ipcc_guard guard;
    assert_ok(ipcc_open(&conn, &options));
    struct ipcc_lock *lock = open_lock(conn, NULL);
    assert_ok(ipcc_lock_guard(lock, 0, &guard));
    assert_ok(ipcc_disconnect(conn));
    assert_fails(ipcc_guard_release(&guard), NOT_OWNER, "");
    close_lock(conn, lock);
}

static void guard_of_the_parent_means_nothing_in_a_child(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc_guard guard;
    bool locked = false;
    int status;
    assert_ok(ipcc_lock_guard(lock, 0, &guard));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(ipcc_guard_release(&guard) == IPCC_ERR_FORKED ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_ok(ipcc_lock_locked(lock, &locked));
    assert_true(locked);
    assert_ok(ipcc_guard_release(&guard));
    close_lock(conn, lock);
}

/* ---- condition ------------------------------------------------------------------------------- */

struct waiting {
    struct ipcc_condition *condition;
    struct ipcc_dict *dict;
    int64_t timeout_ms;
    int calls;
    int status;
};

static bool is_there(void *data)
{
    struct waiting *waiting = data;
    bool there = false;
    waiting->calls++;
    return ipcc_dict_contains(waiting->dict, ipcc_str("k"), &there) == 0 && there;
}

static void *wait_until_there(void *data)
{
    struct waiting *waiting = data;
    struct ipcc_guard guard;
    waiting->status = ipcc_condition_guard(waiting->condition, IPCC_FOREVER, &guard);
    if (waiting->status == 0) {
        waiting->status =
            ipcc_condition_wait_for(waiting->condition, is_there, waiting, waiting->timeout_ms);
        int released = ipcc_guard_release(&guard);
        waiting->status = waiting->status < 0 ? waiting->status : released;
    }
    return NULL;
}

static void open_waiting(struct ipcc *conn, struct waiting *waiting, int64_t timeout_ms)
{
    *waiting = (struct waiting){.timeout_ms = timeout_ms};
    assert_ok(ipcc_condition_open(conn, "c", NULL, &waiting->condition));
    assert_ok(ipcc_dict_open(conn, "d", NULL, &waiting->dict));
}

static void close_waiting(struct ipcc *conn, struct waiting *waiting)
{
    assert_ok(ipcc_condition_close(waiting->condition));
    assert_ok(ipcc_dict_close(waiting->dict));
    assert_ok(ipcc_close(conn));
}

static void notify_one(struct ipcc_condition *condition)
{
    uint64_t woken = 0;
    assert_ok(ipcc_condition_acquire(condition, IPCC_FOREVER, NULL));
    assert_ok(ipcc_condition_notify(condition, 1, &woken));
    assert_int_equal(woken, 1);
    assert_ok(ipcc_condition_release(condition, NULL));
}

static void wait_for_goes_on_waiting_until_the_predicate_is_true(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct waiting waiting;
    pthread_t thread;
    open_waiting(conn, &waiting, IPCC_FOREVER);
    assert_int_equal(pthread_create(&thread, NULL, wait_until_there, &waiting), 0);
    await_waiting(*state, "c", 1);
    notify_one(waiting.condition);
    await_waiting(*state, "c", 1);
    assert_ok(ipcc_dict_set(waiting.dict, ipcc_str("k"), ipcc_nil(), NULL));
    notify_one(waiting.condition);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiting.status, 0);
    assert_int_equal(waiting.calls, 3);
    close_waiting(conn, &waiting);
}

static void wait_for_runs_out_of_time_and_holds_the_lock(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct waiting waiting;
    open_waiting(conn, &waiting, 0);
    assert_ok(ipcc_condition_acquire(waiting.condition, 0, NULL));
    assert_fails(ipcc_condition_wait_for(waiting.condition, is_there, &waiting, 5), TIMEOUT,
                 "5 ms");
    assert_in_range(waiting.calls, 2, 4);
    assert_ok(ipcc_condition_release(waiting.condition, NULL));
    assert_fails(ipcc_condition_wait_for(waiting.condition, is_there, &waiting, 5), NOT_OWNER, "c");
    close_waiting(conn, &waiting);
}

static void condition_goes_by_the_lock_that_is_named(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_lock *lock = open_lock(conn, NULL);
    struct ipcc_condition *condition;
    struct ipcc_acquired acquired;
    bool notified = true;
    uint64_t woken = 9;
    struct ipcc_condition_options options = {.lock = "l"};
    assert_ok(ipcc_condition_open(conn, "{l}c", &options, &condition));
    assert_ok(ipcc_condition_acquire(condition, 0, &acquired));
    assert_int_equal(acquired.depth, 1);
    assert_ok(ipcc_condition_wait(condition, 1, &notified));
    assert_false(notified);
    assert_ok(ipcc_condition_notify_all(condition, &woken));
    assert_int_equal(woken, 0);
    assert_ok(ipcc_lock_release(lock, NULL));
    assert_fails(ipcc_condition_notify(condition, 1, NULL), NOT_OWNER, "\"l\"");
    assert_fails(ipcc_condition_wait(condition, 0, NULL), NOT_OWNER, "\"l\"");
    options.lock = "{l}none";
    assert_fails(ipcc_condition_open(conn, "{l}c2", &options, &condition), NOT_FOUND, "none");
    assert_ok(ipcc_condition_close(condition));
    close_lock(conn, lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(lock_acquire_and_release),
        daemon_test(threads_of_one_connection_exclude_each_other),
        daemon_test(owner_that_is_named_is_another_than_the_thread),
        daemon_test(lock_options_are_those_of_the_daemon),
        daemon_test(holder_that_is_killed_leaves_the_lock_abandoned),
        daemon_test(guard_and_run_tell_that_the_holder_was_killed),
        daemon_test(waiter_that_is_killed_is_not_given_the_lock),
        daemon_test(lock_that_is_broken_goes_to_the_next),
        daemon_test(guard_s_release_tells_that_the_session_was_lost),
        daemon_test(guard_s_release_after_a_reconnection_does_not_hold_it),
        daemon_test(guard_of_the_parent_means_nothing_in_a_child),
        daemon_test(wait_for_goes_on_waiting_until_the_predicate_is_true),
        daemon_test(wait_for_runs_out_of_time_and_holds_the_lock),
        daemon_test(condition_goes_by_the_lock_that_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
