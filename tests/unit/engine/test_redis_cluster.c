/*
 * The connections against a real Redis Cluster: three primaries with a replica each, on loopback.
 *
 * The servers are started once; the tests run in order, the one that kills a primary last.
 */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/slot.h"
#include "tests/support/redis_server.h"
#include "tests/unit/engine/caller.h"

enum {
    PRIMARIES = 3,
    SERVERS = 6,
};

static const char LIBRARY[] = "#!lua name=ipcd_test\n"
                              "redis.register_function('ipcd_test', function(keys, args)\n"
                              "  return redis.call('INCRBY', keys[1], args[1])\n"
                              "end)\n";
static const char *const OPTIONS[] = {"--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                                      NULL};

struct stage {
    struct redis_server servers[SERVERS];
    struct caller caller;
};

static int start_all(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    for (size_t i = 0; i < SERVERS; i++) {
        redis_start(&stage->servers[i], redis_free_port(), OPTIONS);
    }
    redis_join(stage->servers, SERVERS, PRIMARIES);
    *state = stage;
    return 0;
}

static int stop_all(void **state)
{
    struct stage *stage = *state;
    for (size_t i = 0; i < SERVERS; i++) {
        redis_stop(&stage->servers[i]);
    }
    free(stage);
    return 0;
}

static int setup(void **state)
{
    struct stage *stage = *state;
    caller_init(&stage->caller);
    stage->caller.options.library = slice_of_string(LIBRARY);
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    caller_close(&stage->caller);
    return 0;
}

static void open_at(struct stage *stage, size_t first, size_t second)
{
    char url[96];
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u,127.0.0.1:%u",
                   stage->servers[first].port, stage->servers[second].port);
    caller_open(&stage->caller, url);
}

/* Which of the servers has the slot, as the map of one that runs says. */
static size_t owner_of(struct stage *stage, const char *key)
{
    struct buffer where = {0};
    char name[64];
    cluster_describe(stage->caller.cluster, slice_of_string(key), &where);
    (void)buffer_append(&where, "", 1);
    for (size_t i = 0; i < SERVERS; i++) {
        (void)snprintf(name, sizeof(name), "127.0.0.1:%u", stage->servers[i].port);
        if (strcmp(name, (const char *)where.data) == 0) {
            buffer_deinit(&where);
            return i;
        }
    }
    fail_msg("%s is none of the servers", (const char *)where.data);
    return 0;
}

static void each_key_goes_to_its_node(void **state)
{
    struct stage *stage = *state;
    struct cluster_figures figures;
    struct sent sent[30] = {0};
    char keys[30][16];
    open_at(stage, 4, 5); /* replicas: the map is had from them */
    for (size_t i = 0; i < 30; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "key:%zu", i);
        caller_send(&stage->caller, &sent[i], 60000, "SET", keys[i], "1", NULL);
    }
    for (size_t i = 0; i < 30; i++) {
        caller_await(&stage->caller, &sent[i].done);
        assert_int_equal(sent[i].fate, REQUEST_DONE);
        assert_string_equal(sent[i].text, "OK");
    }
    caller_await_reachable(&stage->caller, true);
    cluster_figures(stage->caller.cluster, &figures);
    assert_true(figures.is_cluster);
    assert_int_equal(figures.nodes, PRIMARIES);
    assert_int_equal(figures.redirects, 0);
    for (size_t i = 0; i < PRIMARIES; i++) {
        struct cluster_node_figures node;
        assert_true(cluster_node_figures(stage->caller.cluster, i, &node));
        assert_true(node.requests > 0);
        assert_true(node.slots > 5000);
    }
}

static void all_primaries_can_be_asked(void **state)
{
    struct stage *stage = *state;
    const struct slice argv[] = {slice_of_string("DBSIZE")};
    struct sent sent = {0};
    long long keys = 0;
    open_at(stage, 0, 1);
    caller_await_reachable(&stage->caller, true);
    assert_int_equal(cluster_primaries(stage->caller.cluster), PRIMARIES);
    caller_ask(&stage->caller, &sent, "SET", "one", "1", NULL);
    for (size_t i = 0; i < PRIMARIES; i++) {
        sent.done = false;
        cluster_send_to(stage->caller.cluster, i, &sent.request, 1, argv, 60000);
        caller_await(&stage->caller, &sent.done);
        assert_int_equal(sent.fate, REQUEST_DONE);
        keys += sent.integer;
    }
    assert_true(keys > 0);
    sent.done = false;
    cluster_send_to(stage->caller.cluster, PRIMARIES, &sent.request, 1, argv, 60000);
    assert_false(sent.done);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
}

static void set_slot(struct stage *stage, size_t at, int slot, const char *verb, const char *id)
{
    redis_do(&stage->servers[at], "CLUSTER SETSLOT %d %s %s", slot, verb, id);
}

static void a_slot_that_moves_is_followed_with_its_channels(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {0};
    int slot = slot_of_key(slice_of_string("{moving}"));
    open_at(stage, 0, 1);
    caller_ask(&stage->caller, &sent, "FCALL", "ipcd_test", "1", "{moving}1", "1", NULL);
    assert_int_equal(cluster_subscribe(stage->caller.cluster, slice_of_string("{moving}ch")), 0);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 1);
    size_t from = owner_of(stage, "{moving}");
    size_t to = (from + 1) % PRIMARIES;
    redisReply *from_id = redis_ask(&stage->servers[from], "CLUSTER MYID");
    redisReply *to_id = redis_ask(&stage->servers[to], "CLUSTER MYID");
    set_slot(stage, to, slot, "IMPORTING", from_id->str);
    set_slot(stage, from, slot, "MIGRATING", to_id->str);

    /* A key that is there still, one that is not there any more (ASK), and both (TRYAGAIN). */
    caller_ask(&stage->caller, &sent, "INCRBY", "{moving}1", "1", NULL);
    assert_int_equal(sent.integer, 2);
    caller_ask(&stage->caller, &sent, "INCRBY", "{moving}2", "5", NULL);
    assert_int_equal(sent.integer, 5);
    struct sent both = {0};
    caller_send(&stage->caller, &both, 60000, "EXISTS", "{moving}1", "{moving}2", NULL);
    caller_ask(&stage->caller, &sent, "FCALL", "ipcd_test", "1", "{moving}2", "1", NULL);
    assert_false(both.done);
    redis_do(&stage->servers[from], "MIGRATE 127.0.0.1 %d %s 0 5000", stage->servers[to].port,
             "{moving}1");
    caller_await(&stage->caller, &both.done);
    assert_int_equal(both.fate, REQUEST_DONE);
    assert_int_equal(both.integer, 2);
    assert_int_equal(owner_of(stage, "{moving}"), from);

    set_slot(stage, to, slot, "NODE", to_id->str);
    set_slot(stage, from, slot, "NODE", to_id->str);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 2);
    assert_int_equal(owner_of(stage, "{moving}"), to);
    caller_ask(&stage->caller, &sent, "INCRBY", "{moving}1", "1", NULL);
    assert_int_equal(sent.integer, 3);
    redis_do(&stage->servers[to], "SPUBLISH {moving}ch text");
    caller_await_count(&stage->caller, &stage->caller.messages, 1);
    freeReplyObject(from_id);
    freeReplyObject(to_id);
}

static void replicas_confirm(void **state)
{
    struct stage *stage = *state;
    struct sent sent[2] = {{.request = {.wait_replicas = 1, .wait_ms = 30000}},
                           {.request = {.wait_replicas = 2, .wait_ms = 1}}};
    open_at(stage, 0, 1);
    caller_ask(&stage->caller, &sent[0], "SET", "key", "1", NULL);
    assert_string_equal(sent[0].text, "OK");
    assert_int_equal(sent[0].request.replicas, 1);
    caller_ask(&stage->caller, &sent[1], "SET", "key", "2", NULL);
    assert_string_equal(sent[1].text, "OK");
    assert_true(sent[1].request.replicas < 2);
}

static void a_replica_takes_over_from_a_primary_that_is_killed(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {.request = {.wait_replicas = 1, .wait_ms = 30000}};
    open_at(stage, 0, 1);
    caller_ask(&stage->caller, &sent, "FCALL", "ipcd_test", "1", "{dying}", "1", NULL);
    assert_int_equal(sent.request.replicas, 1);
    sent.request.wait_replicas = 0;
    assert_int_equal(cluster_subscribe(stage->caller.cluster, slice_of_string("{dying}ch")), 0);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 1);
    size_t primary = owner_of(stage, "{dying}");
    caller_await_reachable(&stage->caller, true);
    redis_kill(&stage->servers[primary]);
    caller_await_reachable(&stage->caller, false);
    caller_ask(&stage->caller, &sent, "FCALL", "ipcd_test", "1", "{dying}", "1", NULL);
    assert_int_equal(sent.integer, 2);
    assert_true(owner_of(stage, "{dying}") >= PRIMARIES);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 2);
    caller_await_reachable(&stage->caller, true);
    redis_do(&stage->servers[owner_of(stage, "{dying}")], "SPUBLISH {dying}ch text");
    caller_await_count(&stage->caller, &stage->caller.messages, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_key_goes_to_its_node, setup, teardown),
        cmocka_unit_test_setup_teardown(all_primaries_can_be_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slot_that_moves_is_followed_with_its_channels, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(replicas_confirm, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replica_takes_over_from_a_primary_that_is_killed, setup,
                                        teardown),
    };
    if (!redis_is_there()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
