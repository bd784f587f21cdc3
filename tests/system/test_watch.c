/* Watching over real connections: watchers that do not read, that are killed, and deaths that are
 * told. */
#include "tests/support/daemon.h"

enum { MEGABYTE = 1024 * 1024 };

/* The next message must be an event, with params that match. */
#define expect_event(rpc, name, event) expect_event_at(rpc, name, event, HERE)
static void expect_event_at(struct rpc *rpc, const char *name, const char *event,
                            struct place place)
{
    struct reply *reply = rpc_next(rpc);
    if (reply == NULL || reply->type != REPLY_NOTIFICATION) {
        test_fail(place, "expected the event %s", event);
    }
    const msgpack_object *params = reply->params.via.array.ptr;
    assert_int_equal(params[0].via.str.size, strlen(name));
    assert_memory_equal(params[0].via.str.ptr, name, strlen(name));
    if (params[1].via.str.size != strlen(event) ||
        memcmp(params[1].via.str.ptr, event, strlen(event)) != 0) {
        test_fail(place, "expected the event %s, got %.*s", event, (int)params[1].via.str.size,
                  params[1].via.str.ptr);
    }
    reply_free(reply);
}

static void watcher_that_waits_is_told_at_once(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *w = daemon_client(*state);
    expect(a, "queue.open", "['q']", "_map");
    expect(w, "object.watch", "['q']", "nil");
    expect(a, "queue.put", "['q', 1]", "nil");
    expect_event(w, "q", "put");
    expect(a, "queue.get", "['q']", "[1, nil, 1]");
    expect_event(w, "q", "get");
    expect(a, "object.delete", "['q']", "nil");
    expect_event(w, "q", "deleted");
}

static void watcher_is_told_of_what_a_killed_process_leaves(void **state)
{
    only_in_memory("objects at two places are given back in any order");
    static const char *const calls[][2] = {
        {"lock.acquire", "['l']"}, {"queue.get", "['q']"}, {NULL}};
    struct rpc *w = daemon_client(*state);
    expect(w, "lock.open", "['l']", "_map");
    expect(w, "queue.open", "['q', {joinable: true}]", "_map");
    expect(w, "queue.put", "['q', 1]", "nil");
    pid_t holder = daemon_client_process_of(*state, calls);
    expect(w, "object.describe", "['q']", "{taken: 1, ...}");
    expect(w, "object.watch", "['q']", "nil");
    expect(w, "object.watch", "['l']", "nil");
    process_kill(holder);
    expect_event(w, "l", "release");
    expect_event(w, "q", "give_back");
}

static void watcher_whose_lease_runs_out_is_told(void **state)
{
    struct rpc *w = daemon_client(*state);
    expect(w, "queue.open", "['q', {joinable: true, lease_ms: 20}]", "_map");
    expect(w, "queue.put", "['q', 1]", "nil");
    expect(w, "object.watch", "['q', ['give_back']]", "nil");
    expect(w, "queue.get", "['q']", "_array");
    expect_event(w, "q", "give_back");
}

static void put_many_times(struct rpc *rpc, int times, const char *params)
{
    for (int i = 0; i < times; i++) {
        expect(rpc, "queue.put", params, "nil");
        expect(rpc, "queue.clear", "['q']", "1");
    }
}

/* Reads until it comes to the event "end" of the event 'e'; counts the rest. */
static void count_events(struct rpc *w, uint64_t *told, uint64_t *lost, int *losses)
{
    *told = *lost = 0;
    *losses = 0;
    for (;;) {
        struct reply *reply = rpc_next(w);
        assert_non_null(reply);
        assert_int_equal(reply->type, REPLY_NOTIFICATION);
        const msgpack_object *params = reply->params.via.array.ptr;
        bool is_end = params[0].via.str.ptr[0] == 'e';
        if (!is_end && params[1].via.str.ptr[0] == 'l') {
            *lost += params[2].via.map.ptr[0].val.via.u64;
            ++*losses;
        } else if (!is_end) {
            ++*told;
        }
        reply_free(reply);
        if (is_end) {
            return;
        }
    }
}

/* Nobody reads what the watcher is sent while 10,000 changes are made with long names; the writer
 * goes on as ever, the daemon does not grow, and what was lost is counted to the last. */
static void watcher_that_does_not_read_loses_events_and_is_told_how_many(void **state)
{
    enum { PUTS = 5000 };
    struct rpc *a = daemon_client(*state);
    struct rpc *w = daemon_client(*state);
    expect(a, "queue.open", "['q']", "_map");
    expect(a, "event.open", "['e']", "_map");
    expect(w, "object.watch", "['q']", "nil");
    expect(w, "object.watch", "['e']", "nil");
    put_many_times(a, PUTS, "['q', 1]");
    uint64_t before = daemon_memory(*state);
    put_many_times(a, PUTS, "['q', 1]");
    assert_true(daemon_memory(*state) < before + MEGABYTE);
    expect(a, "event.set", "['e']", "nil");
    uint64_t told;
    uint64_t lost;
    int losses;
    count_events(w, &told, &lost, &losses);
    assert_int_equal(told + lost, 4 * PUTS);
    assert_true(lost > 0);
    assert_int_equal(losses, 1);
    expect(a, "queue.put", "['q', 1]", "nil");
    expect_event(w, "q", "put");
}

static void watcher_that_is_killed_leaves_nothing(void **state)
{
    static const char *const calls[][2] = {{"object.watch", "['q']"}, {NULL}};
    struct rpc *a = daemon_client(*state);
    expect(a, "queue.open", "['q']", "_map");
    pid_t idle = daemon_client_process_of(*state, calls);
    put_many_times(a, 3000, "['q', 1]");
    process_kill(idle);
    expect_soon(a, "server.stats", "[]", "{sessions: 1, ...}");
    put_many_times(a, 10, "['q', 1]");
    expect(a, "object.delete", "['q']", "nil");
    expect_soon(a, "server.stats", "[]", "{sessions: 1, ...}");
}

/* What all users are charged, once something was watched. */
static uint64_t charged(struct rpc *c)
{
    expect(c, "event.open", "['e']", "_map");
    expect(c, "object.watch", "['e']", "nil");
    expect(c, "object.delete", "['e']", "nil");
    expect_event(c, "e", "deleted");
    struct reply *reply = rpc_call(c, "server.stats", "[]");
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < reply->result.via.map.size; i++) {
        const msgpack_object_kv *pair = &reply->result.via.map.ptr[i];
        if (pair->key.via.str.size == 5 && memcmp(pair->key.via.str.ptr, "bytes", 5) == 0) {
            bytes = pair->val.via.u64;
        }
    }
    reply_free(reply);
    assert_true(bytes > 0);
    return bytes;
}

static void watcher_of_many_objects_is_told_of_each_end(void **state)
{
    enum { OBJECTS = 3000 };
    struct rpc *a = daemon_client(*state);
    struct rpc *w = daemon_client(*state);
    uint64_t before = charged(w);
    for (int i = 0; i < OBJECTS; i++) {
        expect(a, "event.open", rpc_text(a, "['e%d']", i), "_map");
        expect(w, "object.watch", rpc_text(w, "['e%d']", i), "nil");
    }
    for (int i = 0; i < OBJECTS; i++) {
        expect(a, "object.delete", rpc_text(a, "['e%d']", i), "nil");
    }
    for (int i = 0; i < OBJECTS; i++) {
        expect_event(w, rpc_text(w, "e%d", i), "deleted");
    }
    if (getenv("IPCD_ENGINE") == NULL) { /* where what is known of objects is swept later */
        assert_true(charged(w) < before + 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(watcher_that_waits_is_told_at_once),
        daemon_test(watcher_is_told_of_what_a_killed_process_leaves),
        daemon_test(watcher_whose_lease_runs_out_is_told),
        daemon_test(watcher_that_does_not_read_loses_events_and_is_told_how_many),
        daemon_test(watcher_that_is_killed_leaves_nothing),
        daemon_test(watcher_of_many_objects_is_told_of_each_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
