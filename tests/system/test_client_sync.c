/* The client library's semaphores, events, barriers and namespaces against a real daemon. */
#include "tests/system/client_system.h"

#include <pthread.h>

/* ---- semaphore ------------------------------------------------------------------------------- */

static void semaphore_acquire_and_release(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_semaphore *semaphore;
    struct ipcc_guard guard;
    struct ipcc_semaphore_options options = {.value = 3, .bounded = true};
    uint64_t value = 9;
    assert_ok(ipcc_semaphore_open(conn, "s", &options, &semaphore));
    assert_ok(ipcc_semaphore_acquire(semaphore, 2, 0, &value));
    assert_int_equal(value, 1);
    assert_fails(ipcc_semaphore_acquire(semaphore, 2, 1, NULL), TIMEOUT, "");
    assert_fails(ipcc_semaphore_acquire(semaphore, 4, 0, NULL), VALUE, "\"s\"");
    assert_fails(ipcc_semaphore_acquire(semaphore, 0, 0, NULL), VALUE, "");
    assert_ok(ipcc_semaphore_guard(semaphore, 1, 0, &guard));
    assert_ok(ipcc_semaphore_value(semaphore, &value));
    assert_int_equal(value, 0);
    assert_ok(ipcc_guard_release(&guard));
    assert_ok(ipcc_semaphore_release(semaphore, 2, &value));
    assert_int_equal(value, 3);
    assert_fails(ipcc_semaphore_release(semaphore, 1, NULL), VALUE, "too many");
    assert_ok(ipcc_semaphore_close(semaphore));
    assert_ok(ipcc_close(conn));
}

static uint64_t value_of_new(struct ipcc *conn, const struct ipcc_semaphore_options *options)
{
    struct ipcc_semaphore *semaphore;
    uint64_t value = 9;
    assert_ok(ipcc_semaphore_open(conn, NULL, options, &semaphore));
    assert_ok(ipcc_semaphore_value(semaphore, &value));
    assert_ok(ipcc_semaphore_close(semaphore));
    return value;
}

static void semaphore_begins_with_the_permits_of_its_options(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_semaphore *semaphore;
    struct ipcc_semaphore_options none = {.value = IPCC_NO_PERMITS};
    assert_int_equal(value_of_new(conn, NULL), 1);
    assert_int_equal(value_of_new(conn, &(struct ipcc_semaphore_options){.value = 5}), 5);
    assert_int_equal(value_of_new(conn, &none), 0);
    assert_ok(ipcc_semaphore_open(conn, "s", NULL, &semaphore));
    assert_ok(ipcc_semaphore_close(semaphore));
    assert_fails(ipcc_semaphore_open(conn, "s", &none, &semaphore), MISMATCH, "value");
    assert_ok(ipcc_close(conn));
}

static void permits_of_a_killed_process_come_back(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_semaphore *semaphore;
    struct ipcc_semaphore_options options = {.on_disconnect = IPCC_ON_DISCONNECT_RELEASE};
    assert_ok(ipcc_semaphore_open(conn, "s", &options, &semaphore));
    pid_t holder = daemon_client_process(*state, "semaphore.acquire", "['s']");
    assert_fails(ipcc_semaphore_acquire(semaphore, 1, 0, NULL), TIMEOUT, "");
    process_kill(holder);
    assert_ok(ipcc_semaphore_acquire(semaphore, 1, IPCC_FOREVER, NULL));
    assert_ok(ipcc_semaphore_close(semaphore));
    assert_ok(ipcc_close(conn));
}

/* ---- event ----------------------------------------------------------------------------------- */

struct event_wait {
    struct ipcc_event *event;
    int status;
    bool is_set;
};

static void *wait_for_event(void *data)
{
    struct event_wait *wait = data;
    wait->status = ipcc_event_wait(wait->event, IPCC_FOREVER, &wait->is_set);
    return NULL;
}

static void event_wakes_who_waits_for_it(void **state)
{
    struct rpc *observer = daemon_client(*state);
    struct ipcc *conn = client_open(*state);
    struct event_wait wait = {.is_set = false};
    pthread_t thread;
    bool is_set = true;
    assert_ok(ipcc_event_open(conn, "e", NULL, &wait.event));
    assert_ok(ipcc_event_wait(wait.event, 1, &is_set));
    assert_false(is_set);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_event, &wait), 0);
    expect_soon(observer, "object.describe", "['e']", "{waiting: 1, ...}");
    assert_ok(ipcc_event_set(wait.event));
    assert_ok(ipcc_event_is_set(wait.event, &is_set));
    assert_true(is_set);
    assert_ok(ipcc_event_clear(wait.event));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(wait.status, 0);
    assert_true(wait.is_set);
    assert_ok(ipcc_event_is_set(wait.event, &is_set));
    assert_false(is_set);
    assert_ok(ipcc_event_close(wait.event));
    assert_ok(ipcc_close(conn));
}

/* ---- barrier --------------------------------------------------------------------------------- */

enum { PARTIES = 3 };

struct party {
    struct ipcc_barrier *barrier;
    uint64_t index;
    int status;
};

static void *wait_at_barrier(void *data)
{
    struct party *party = data;
    party->status = ipcc_barrier_wait(party->barrier, IPCC_FOREVER, &party->index);
    return NULL;
}

static void barrier_lets_all_go_with_an_index_for_each(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_barrier *barrier;
    struct ipcc_barrier_options options = {.parties = PARTIES};
    struct ipcc_barrier_state now = {0};
    struct party parties[PARTIES];
    pthread_t threads[PARTIES];
    unsigned seen = 0;
    assert_fails(ipcc_barrier_open(conn, "b", NULL, &barrier), BAD_REQUEST, "parties");
    assert_ok(ipcc_barrier_open(conn, "b", &options, &barrier));
    for (int i = 0; i < PARTIES; i++) {
        parties[i] = (struct party){.barrier = barrier};
        assert_int_equal(pthread_create(&threads[i], NULL, wait_at_barrier, &parties[i]), 0);
    }
    for (int i = 0; i < PARTIES; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(parties[i].status, 0);
        seen |= 1u << parties[i].index;
    }
    assert_int_equal(seen, (1u << PARTIES) - 1);
    assert_ok(ipcc_barrier_state(barrier, &now));
    assert_true(now.parties == PARTIES && now.waiting == 0 && !now.broken);
    assert_ok(ipcc_barrier_close(barrier));
    assert_ok(ipcc_close(conn));
}

static void barrier_is_broken_and_made_as_new(void **state)
{
    struct rpc *observer = daemon_client(*state);
    struct ipcc *conn = client_open(*state);
    struct ipcc_barrier *barrier;
    struct ipcc_barrier_options options = {.parties = 2, .timeout_ms = 1};
    struct ipcc_barrier_state now = {0};
    assert_ok(ipcc_barrier_open(conn, "b", &options, &barrier));
    /* By the barrier's own timeout, by abort, and by a party that is killed. */
    assert_fails(ipcc_barrier_wait(barrier, IPCC_FOREVER, NULL), BROKEN, "");
    assert_ok(ipcc_barrier_state(barrier, &now));
    assert_true(now.parties == 2 && now.waiting == 0 && now.broken);
    assert_ok(ipcc_barrier_reset(barrier));
    assert_ok(ipcc_barrier_abort(barrier));
    assert_fails(ipcc_barrier_wait(barrier, 0, NULL), BROKEN, "");
    assert_ok(ipcc_barrier_reset(barrier));
    pid_t party = daemon_client_process(*state, "barrier.wait", "['b', 100000]");
    expect_soon(observer, "object.describe", "['b']", "{waiting: 1, ...}");
    process_kill(party);
    expect_soon(observer, "object.describe", "['b']", "{waiting: 0, ...}");
    assert_fails(ipcc_barrier_wait(barrier, 100000, NULL), BROKEN, "");
    assert_ok(ipcc_barrier_close(barrier));
    assert_ok(ipcc_close(conn));
}

/* ---- namespace ------------------------------------------------------------------------------- */

static void namespace_is_a_dict_of_names(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_namespace *space;
    struct ipcc_dict *dict;
    struct ipcc_reply reply;
    struct ipcc_value pair[] = {ipcc_str("x"), ipcc_int(10)};
    struct ipcc_value wrong[] = {ipcc_int(5), ipcc_int(10)};
    struct ipcc_namespace_options options = {.initial = ipcc_map(pair, 1)};
    uint64_t cursor = 0;
    bool is_new = false;
    assert_ok(ipcc_namespace_open(conn, "n", &options, &space));
    assert_ok(ipcc_namespace_set(space, "ŷ", ipcc_str("hello"), &is_new));
    assert_true(is_new);
    assert_prints("10", ipcc_namespace_get(space, "x", ipcc_none(), &reply));
    assert_prints("15", ipcc_namespace_incr(space, "x", ipcc_int(5), ipcc_none(), &reply));
    assert_prints("{\"x\": 15, \"ŷ\": \"hello\"}", ipcc_namespace_copy(space, &reply));
    assert_prints("[[\"x\", 15], [\"ŷ\", \"hello\"]]",
                  ipcc_namespace_scan(space, &cursor, 0, &reply));
    assert_int_equal(cursor, 0);
    assert_ok(ipcc_namespace_delete(space, "x"));
    assert_fails(ipcc_namespace_get(space, "x", ipcc_none(), &reply), KEY, "x");
    assert_fails(ipcc_namespace_wait(space, "x", 1, &reply), TIMEOUT, "");
    assert_fails(ipcc_namespace_update(space, ipcc_map(wrong, 1), NULL), TYPE, "");
    assert_fails(ipcc_dict_open(conn, "n", NULL, &dict), WRONG_TYPE, "namespace");
    assert_ok(ipcc_namespace_close(space));
    assert_ok(ipcc_close(conn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(semaphore_acquire_and_release),
        daemon_test(semaphore_begins_with_the_permits_of_its_options),
        daemon_test(permits_of_a_killed_process_come_back),
        daemon_test(event_wakes_who_waits_for_it),
        daemon_test(barrier_lets_all_go_with_an_index_for_each),
        daemon_test(barrier_is_broken_and_made_as_new),
        daemon_test(namespace_is_a_dict_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
