/* Requests that replicas are to confirm. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine/fake_cluster.h"

static void one_wait_serves_all_of_a_turn(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent[4] = {0};
    fake_cluster_open(stage);
    sent[0].request.wait_replicas = 1;
    sent[0].request.wait_ms = 70;
    sent[2].request.wait_replicas = 2;
    sent[2].request.wait_ms = 0;
    for (size_t i = 0; i < 4; i++) {
        caller_send(&stage->caller, &sent[i], 60000, "GET", "foo", NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        caller_await(&stage->caller, &sent[i].done);
        assert_int_equal(sent[i].fate, REQUEST_DONE);
        assert_int_equal(sent[i].request.replicas, i % 2 == 0 ? 1 : 0);
    }
    assert_int_equal(stage->waits, 1);
    assert_string_equal(stage->wait, "2 70");
    assert_string_equal(stage->nodes[0].last, "WAIT");
    sent[1].request.wait_replicas = 1;
    sent[1].request.wait_ms = UINT64_MAX;
    caller_ask(&stage->caller, &sent[1], "GET", "foo", NULL);
    assert_string_equal(stage->wait, "1 4611686018427387903");
}

static void an_answer_without_its_wait_is_unknown(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {.request = {.wait_replicas = 1, .wait_ms = 1000}};
    fake_cluster_open(stage);
    stage->answers[0][0] = FAKE_NOTHING;
    caller_send(&stage->caller, &sent, 60000, "GET", "foo", NULL);
    caller_await_count(&stage->caller, &stage->waits, 1);
    fake_hang_up(&stage->nodes[0]);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_UNKNOWN);
    /* And as it should be again. */
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(sent.request.replicas, 1);
}

static void a_refused_request_takes_its_wait_along(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {.request = {.wait_replicas = 1, .wait_ms = 1000}};
    fake_cluster_open(stage);
    stage->answers[0][0] = fake_cluster_naming(stage, "-MOVED 12182 :%u\r\n", 2);
    fake_cluster_set_map(stage, 1, 2);
    caller_ask(&stage->caller, &sent, "GET", "foo", NULL);
    assert_int_equal(stage->waits, 2);
    assert_int_equal(sent.request.replicas, 1);
    assert_string_equal(stage->nodes[2].last, "WAIT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_cluster_setup, fake_cluster_teardown)
        TEST(one_wait_serves_all_of_a_turn),
        TEST(an_answer_without_its_wait_is_unknown),
        TEST(a_refused_request_takes_its_wait_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
