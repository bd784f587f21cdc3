/* Channels among several nodes, which the test plays. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine/fake_cluster.h"

static void subscribe(struct fake_cluster *stage, const char *channel)
{
    assert_int_equal(cluster_subscribe(stage->caller.cluster, slice_of_string(channel)), 0);
}

static void a_channel_is_where_its_slot_is(void **state)
{
    struct fake_cluster *stage = *state;
    fake_cluster_open(stage);
    stage->answers[0][0] = fake_cluster_naming(stage, "-MOVED 12182 :%u\r\n", 2);
    stage->answers[2][0] = "-LOADING not yet\r\n";
    fake_cluster_set_map(stage, 1, 2);
    subscribe(stage, "foo");
    caller_await_count(&stage->caller, &stage->caller.subscribed, 1);
    assert_int_equal(stage->nodes[0].commands, 1);
    assert_int_equal(stage->nodes[2].commands, 2);
    fake_say(&stage->nodes[2], "*3\r\n$8\r\nsmessage\r\n$3\r\nfoo\r\n$4\r\ntext\r\n");
    caller_await_count(&stage->caller, &stage->caller.messages, 1);
    assert_string_equal(stage->caller.channel, "foo");
    assert_string_equal(stage->caller.payload, "text");
}

static void a_channel_whose_slot_goes_is_subscribed_to_anew(void **state)
{
    struct fake_cluster *stage = *state;
    fake_cluster_open(stage);
    subscribe(stage, "foo");
    subscribe(stage, "bar");
    caller_await_count(&stage->caller, &stage->caller.subscribed, 2);
    fake_say(&stage->nodes[0], "*3\r\n$12\r\nsunsubscribe\r\n$3\r\nfoo\r\n:1\r\n");
    caller_await_count(&stage->caller, &stage->caller.subscribed, 3);
    assert_string_equal(stage->caller.channel, "foo");
    /* The map says that all has gone, the node does not. */
    fake_cluster_set_map(stage, 1, 2);
    fake_say(&stage->nodes[0], "*3\r\n$12\r\nsunsubscribe\r\n$3\r\nfoo\r\n:1\r\n");
    caller_await_count(&stage->caller, &stage->nodes[2].commands, 2);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 5);
    fake_say(&stage->nodes[2], "*3\r\n$8\r\nsmessage\r\n$3\r\nfoo\r\n$1\r\n1\r\n"
                               "*3\r\n$8\r\nsmessage\r\n$3\r\nbar\r\n$1\r\n2\r\n");
    caller_await_count(&stage->caller, &stage->caller.messages, 2);
    assert_int_equal(stage->caller.messages, 2);
    assert_string_equal(stage->caller.channel, "bar");
}

static void messages_of_channels_that_are_not_wanted_are_dropped(void **state)
{
    struct fake_cluster *stage = *state;
    fake_cluster_open(stage);
    subscribe(stage, "foo");
    subscribe(stage, "foo");
    subscribe(stage, "bar");
    caller_await_count(&stage->caller, &stage->caller.subscribed, 2);
    cluster_unsubscribe(stage->caller.cluster, slice_of_string("nobody's"));
    cluster_unsubscribe(stage->caller.cluster, slice_of_string("foo"));
    fake_say(&stage->nodes[0], "*3\r\n$8\r\nsmessage\r\n$3\r\nfoo\r\n$4\r\ntext\r\n"
                               "*3\r\n$8\r\nsmessage\r\n$3\r\nbaz\r\n$4\r\ntext\r\n"
                               "*1\r\n$8\r\nsmessage\r\n"
                               "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n"
                               "*3\r\n$8\r\nsmessage\r\n$3\r\nbar\r\n:5\r\n");
    caller_await_count(&stage->caller, &stage->caller.messages, 1);
    assert_string_equal(stage->caller.channel, "bar");
    assert_string_equal(stage->caller.payload, "");
    assert_int_equal(fake_cluster_figures(stage).channels, 1);
    assert_int_equal(fake_cluster_figures(stage).reconnects, 0);
    subscribe(stage, "bar"); /* is confirmed anew */
    caller_await_count(&stage->caller, &stage->caller.subscribed, 3);
    assert_string_equal(stage->nodes[0].last, "SSUBSCRIBE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_cluster_setup, fake_cluster_teardown)
        TEST(a_channel_is_where_its_slot_is),
        TEST(a_channel_whose_slot_goes_is_subscribed_to_anew),
        TEST(messages_of_channels_that_are_not_wanted_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
