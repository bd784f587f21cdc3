/* Messages that do not go on: given up after a time, and only then. */
#include "tests/unit/net/wire.h"

#include "daemon/net/reading.h"

static const uint64_t PATIENCE = INCOMPLETE_SECONDS * UINT64_C(1000000000);

static void the_one_silent_for_longest_is_the_next(void **state)
{
    (void)state;
    struct incomplete_list list = TAILQ_HEAD_INITIALIZER(list);
    struct incomplete a = {0};
    struct incomplete b = {0};
    assert_true(incomplete_due(&list) == UINT64_MAX);
    assert_null(incomplete_take(&list, UINT64_MAX));
    incomplete_heard(&list, &a, 100);
    incomplete_heard(&list, &b, 200);
    assert_true(incomplete_due(&list) == 100 + PATIENCE);
    incomplete_heard(&list, &a, 300);
    assert_true(incomplete_due(&list) == 200 + PATIENCE);
    assert_null(incomplete_take(&list, 199 + PATIENCE));
    assert_ptr_equal(incomplete_take(&list, 200 + PATIENCE), &b);
    assert_false(b.listed);
    incomplete_forget(&list, &b);
    incomplete_forget(&list, &a);
    assert_true(incomplete_due(&list) == UINT64_MAX);
}

/* As if the peer had sent nothing for so long, and the alarm now rang for it. */
static void let_time_pass(struct wire *wire, uint64_t duration)
{
    wire_last(wire)->incomplete.heard -= duration;
    alarm_set(&wire->net.alarm, 1);
    wire_run(wire);
}

static void a_message_that_does_not_go_on_is_given_up(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer, "[0, 1, 'server.ping', ['whole']]");
    assert_false(wire_last(wire)->incomplete.listed);
    wire_write(peer, (struct slice){(const uint8_t *)"\x94\x00\x02", 3});
    wire_run(wire);
    assert_true(wire->net.alarm.at <= net_clock() + PATIENCE);
    let_time_pass(wire, PATIENCE - PATIENCE / 10);
    wire_expect(peer, "[1, 1, nil, 'whole']");
    let_time_pass(wire, PATIENCE / 10);
    wire_expect(peer, "[2, 'goodbye', ['TIMEOUT', 'a message was begun, and no byte of it has come "
                      "for 30 seconds']]");
    wire_expect_end(peer);
}

static void a_message_that_goes_on_slowly_is_waited_for(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    struct buffer bytes = wire_bytes("[0, 1, 'server.ping', ['slow']]");
    for (size_t i = 0; i < bytes.len; i++) {
        wire_write(peer, (struct slice){bytes.data + i, 1});
        wire_run(wire);
        let_time_pass(wire, i + 1 < bytes.len ? PATIENCE - PATIENCE / 10 : 0);
    }
    wire_expect(peer, "[1, 1, nil, 'slow']");
    assert_false(wire_last(wire)->incomplete.listed);
    let_time_pass(wire, 2 * PATIENCE); /* nothing is incomplete */
    wire_send(wire, peer, "[0, 2, 'server.ping', ['there']]");
    wire_expect(peer, "[1, 2, nil, 'there']");
    buffer_deinit(&bytes);
}

/* The daemon itself was held up: what the peer has sent meanwhile counts. */
static void bytes_that_have_not_been_read_yet_count(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    struct buffer bytes = wire_bytes("[0, 1, 'server.ping', ['late']]");
    wire_write(peer, (struct slice){bytes.data, 3});
    wire_run(wire);
    wire_last(wire)->incomplete.heard -= PATIENCE;
    wire_write(peer, (struct slice){bytes.data + 3, 3});
    wire->net.now = net_clock();
    connection_give_up(&wire->net);
    net_settle(&wire->net);
    assert_true(wire_last(wire)->incomplete.listed);
    wire_write(peer, (struct slice){bytes.data + 6, bytes.len - 6});
    wire_run(wire);
    wire_expect(peer, "[1, 1, nil, 'late']");
    buffer_deinit(&bytes);
}

static void what_it_held_is_held_no_longer(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_write(peer, (struct slice){(const uint8_t *)"\x94\x00\x02", 3});
    wire_run(wire);
    assert_true(wire->service.accounts.bytes > 0);
    let_time_pass(wire, PATIENCE);
    assert_int_equal(wire->service.accounts.bytes, 0);
    assert_int_equal(wire->service.accounts.sessions, 0);
    assert_true(TAILQ_EMPTY(&wire->net.incomplete));
    wire_hang_up(wire, peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_silent_for_longest_is_the_next),
        wire_test(a_message_that_does_not_go_on_is_given_up),
        wire_test(a_message_that_goes_on_slowly_is_waited_for),
        wire_test(bytes_that_have_not_been_read_yet_count),
        wire_test(what_it_held_is_held_no_longer),
    };
    return cmocka_run_group_tests_name("incomplete", tests, NULL, NULL);
}
