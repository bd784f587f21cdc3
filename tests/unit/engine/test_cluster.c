/* Requests among several nodes, which the test plays: redirections, refusals, maps. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine/fake_cluster.h"

/* ---- redirections -------------------------------------------------------------------------- */

static void a_key_that_has_moved_is_followed(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    fake_cluster_open(stage);
    uint64_t generation = cluster_generation(stage->caller.cluster);
    stage->answers[0][0] =
        fake_cluster_naming(stage, "-MOVED 12182 :%u\r\n", 2); /* no host: the same */
    fake_cluster_set_map(stage, 1, 2);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_string_equal(sent.text, "OK");
    assert_int_equal(stage->nodes[0].commands, 1);
    assert_int_equal(stage->nodes[2].commands, 1);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(stage->nodes[0].commands, 1);
    assert_int_equal(stage->nodes[2].commands, 2);
    assert_int_equal(fake_cluster_figures(stage).redirects, 1);
    /* The map is asked for anew: keys that nobody has spoken of go there too. */
    while (fake_cluster_figures(stage).nodes > 1 || !stage->caller.reachable) {
        caller_run(&stage->caller, 10);
    }
    caller_ask(&stage->caller, &sent, "GET", "bar", NULL);
    assert_int_equal(stage->nodes[0].commands, 1);
    assert_true(cluster_generation(stage->caller.cluster) != generation);
}

static void a_redirection_among_known_nodes_makes_doubt_of_the_map(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    fake_cluster_set_map(stage, 2, 0);
    fake_cluster_open(stage);
    stage->answers[1][0] = fake_cluster_naming(stage, "-MOVED 12182 127.0.0.1:%u\r\n", 0);
    fake_cluster_set_map(stage, 1, 0);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    /* Long before the ten seconds after which it is asked for anyway. */
    for (unsigned i = 0; i < 500 && fake_cluster_figures(stage).nodes > 1; i++) {
        caller_run(&stage->caller, 10);
    }
    assert_int_equal(fake_cluster_figures(stage).nodes, 1);
    assert_int_equal(stage->nodes[1].commands, 1);
}

static void a_redirection_knows_better_which_slot_it_is_about(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    fake_cluster_open(stage);
    stage->answers[0][0] = fake_cluster_naming(stage, "-MOVED 5 :%u\r\n", 2); /* foo's is 12182 */
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(stage->nodes[0].commands, 1);
    assert_int_equal(stage->nodes[2].commands, 1);
}

static void a_key_that_is_moving_is_asked_for_once(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    fake_cluster_open(stage);
    stage->answers[0][0] = fake_cluster_naming(stage, "-ASK 12182 127.0.0.1:%u\r\n", 2);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_string_equal(sent.text, "OK");
    assert_int_equal(stage->asking[2], 1);
    assert_int_equal(stage->nodes[2].commands, 2);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(stage->nodes[0].commands, 2);
    assert_int_equal(stage->asking[2], 1);
}

static void nodes_that_send_each_other_do_not_make_a_storm(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    static const char *const FORM = "-MOVED 12182 127.0.0.1:%u\r\n";
    for (size_t i = 0; i < 8; i++) {
        stage->answers[0][i] = fake_cluster_naming(stage, FORM, 1);
        stage->answers[1][i] = fake_cluster_naming(stage, FORM, 0);
    }
    stage->answers[0][7] = NULL;
    stage->answers[1][7] = NULL;
    const char *there = stage->answers[0][0];
    const char *back = stage->answers[1][0];
    fake_cluster_open(stage);
    caller_send(&stage->caller, &sent, 150, "GET", "foo", NULL);
    while (!sent.done) {
        stage->next[0] = 0;
        stage->next[1] = 0;
        stage->answers[0][0] = there;
        stage->answers[1][0] = back;
        assert_int_not_equal(event_base_loop(stage->caller.base, EVLOOP_ONCE), -1);
    }
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
    assert_says(sent.text, "MOVED 12182");
    assert_in_range(stage->nodes[0].commands + stage->nodes[1].commands, 6, 40);
}

static void refused_requests_are_sent_again(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    const char *const refusals[] = {
        "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
        "-CLUSTERDOWN The cluster is down\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
        "-NOREPLICAS Not enough good replicas to write.\r\n",
        "-BUSY Redis is busy running a script.\r\n",
    };
    memcpy(stage->answers[0], refusals, sizeof(refusals));
    fake_cluster_open(stage);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_string_equal(sent.text, "OK");
    assert_int_equal(stage->nodes[0].commands, 8);
    assert_int_equal(fake_cluster_figures(stage).refused, 7);
}

static void what_waiting_does_not_help_ends_at_once(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    stage->answers[0][0] = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    stage->answers[0][1] = "-ERR oops script: ipcd, on @user_function:1.\r\n";
    fake_cluster_open(stage);
    caller_send(&stage->caller, &sent, UINT64_MAX, "GET", "foo", NULL);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
    assert_says(sent.text, "OOM command not allowed");
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(sent.type, REDIS_REPLY_ERROR);
}

/* ---- maps ---------------------------------------------------------------------------------- */

static void a_primary_that_is_gone_is_replaced_as_the_others_say(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent[2] = {0};
    fake_cluster_set_map(stage, 2, 0);
    fake_cluster_open(stage);
    assert_int_equal(fake_cluster_figures(stage).nodes, 2);
    stage->answers[0][0] = FAKE_NOTHING;
    caller_send(&stage->caller, &sent[0], 60000, "GET", "bar", NULL); /* the first half */
    caller_await_count(&stage->caller, &stage->nodes[0].commands, 1);
    fake_stop(&stage->nodes[0]);
    caller_await(&stage->caller, &sent[0].done);
    assert_int_equal(sent[0].fate, REQUEST_UNKNOWN);
    caller_send(&stage->caller, &sent[1], 60000, "GET", "bar", NULL);
    caller_run(&stage->caller, 50);
    assert_false(sent[1].done);
    assert_false(stage->caller.reachable);
    assert_says(stage->caller.why, "Connection refused");
    fake_cluster_set_map(stage, 2, 1); /* a third has taken over */
    caller_await(&stage->caller, &sent[1].done);
    assert_int_equal(sent[1].fate, REQUEST_DONE);
    caller_await_reachable(&stage->caller, true);
}

static void a_map_that_lacks_slots_is_said(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    fake_cluster_open(stage);
    char *half = NULL;
    assert_true(asprintf(&half, "*2\r\n*3\r\n:0\r\n:10000\r\n*2\r\n$0\r\n\r\n:%u\r\n*1\r\n:1\r\n",
                         stage->nodes[0].port) > 0);
    for (size_t i = 0; i < NODES; i++) {
        stage->nodes[i].slots = half;
    }
    for (size_t i = 0; i < 7; i++) {
        stage->answers[0][i] = "-CLUSTERDOWN Hash slot not served\r\n";
    }
    caller_send(&stage->caller, &sent, 60000, "GET", "foo", NULL);
    caller_await_reachable(&stage->caller, false);
    assert_says(stage->caller.why, "served by no node");
    assert_false(sent.done);
    fake_cluster_set_map(stage, 1, 1);
    free(half);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_DONE);
    assert_int_equal(stage->nodes[1].commands, 1);
}

static void maps_that_are_nonsense_are_not_followed(void **state)
{
    struct fake_cluster *stage = *state;
    static const char *const NONSENSE[] = {
        "*0\r\n",
        "+OK\r\n",
        ":1\r\n",
        "*-1\r\n",
        "-NOPERM this user has no permissions to run the 'cluster|slots' command\r\n",
    };
    stage->nodes[0].slots = NONSENSE[0];
    stage->nodes[1].slots = NONSENSE[0];
    char url[64];
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", stage->nodes[0].port);
    caller_open(&stage->caller, url);
    for (size_t i = 0; i < sizeof(NONSENSE) / sizeof(NONSENSE[0]); i++) {
        stage->nodes[0].slots = NONSENSE[i];
        caller_run(&stage->caller, 250);
        assert_false(stage->caller.reachable);
    }
    assert_says(stage->caller.why, "NOPERM");
    fake_cluster_set_map(stage, 1, 0);
    caller_await_reachable(&stage->caller, true);
}

static void a_replica_says_where_its_primary_is(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    char role[96];
    char url[64];
    for (size_t i = 0; i < NODES; i++) {
        stage->nodes[i].slots = NULL;
    }
    (void)snprintf(role, sizeof(role),
                   "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:%u\r\n$9\r\nconnected\r\n:1\r\n",
                   stage->nodes[2].port);
    stage->role_answer[0] = role;
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", stage->nodes[0].port);
    caller_open(&stage->caller, url);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(stage->nodes[2].commands, 1);
    assert_false(fake_cluster_figures(stage).is_cluster);
    /* They change places. */
    stage->role_answer[0] = NULL;
    (void)snprintf(role, sizeof(role),
                   "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:%u\r\n$9\r\nconnected\r\n:1\r\n",
                   stage->nodes[0].port);
    stage->role_answer[2] = role;
    for (size_t i = 0; i < 7; i++) {
        stage->answers[2][i] = "-READONLY You can't write against a read only replica.\r\n";
    }
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(stage->nodes[0].commands, 1);
}

/* ---- from within callbacks ----------------------------------------------------------------- */

struct again {
    struct request request;
    struct caller *caller;
    unsigned times;
    unsigned left;
};

static void send_again(struct request *request, const struct redisReply *reply,
                       enum request_fate fate, const char *why)
{
    const struct slice argv[] = {slice_of_string("GET"), slice_of_string("foo")};
    struct again *again = (struct again *)request;
    again->times++;
    if (again->left-- > 0) {
        cluster_send(again->caller->cluster, request, argv[1], 2, argv, 0);
    }
}

static void a_request_can_be_sent_again_by_its_done(void **state)
{
    struct fake_cluster *stage = *state;
    struct again again = {.request = {.done = send_again}, .caller = &stage->caller, .left = 9};
    fake_cluster_open(stage);
    send_again(&again.request, NULL, REQUEST_DONE, NULL);
    caller_await_count(&stage->caller, &again.times, 10);
    assert_int_equal(stage->nodes[0].commands, 9);
    fake_stop(&stage->nodes[0]);
    caller_await_reachable(&stage->caller, false);
    again.left = 9;
    send_again(&again.request, NULL, REQUEST_DONE, NULL);
    caller_await_count(&stage->caller, &again.times, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_cluster_setup, fake_cluster_teardown)
        TEST(a_key_that_has_moved_is_followed),
        TEST(a_redirection_among_known_nodes_makes_doubt_of_the_map),
        TEST(a_redirection_knows_better_which_slot_it_is_about),
        TEST(a_key_that_is_moving_is_asked_for_once),
        TEST(nodes_that_send_each_other_do_not_make_a_storm),
        TEST(refused_requests_are_sent_again),
        TEST(what_waiting_does_not_help_ends_at_once),
        TEST(a_primary_that_is_gone_is_replaced_as_the_others_say),
        TEST(a_map_that_lacks_slots_is_said),
        TEST(maps_that_are_nonsense_are_not_followed),
        TEST(a_replica_says_where_its_primary_is),
        TEST(a_request_can_be_sent_again_by_its_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
