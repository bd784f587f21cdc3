/* The client library's pipes through a real daemon, between real processes. */
#include "tests/system/client_system.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct shared {
    struct daemon *daemon;
    struct ipcc *conn;
    struct ipcc_pipe *pipe;
    struct ipcc_pipe_end *zero;
    struct ipcc_pipe_end *one;
    unsigned there; /* descriptors open in the daemon, before */
};

/* A pipe with both ends connected. */
static struct shared set_up(void **state, const struct ipcc_pipe_options *options)
{
    struct shared s = {.daemon = *state, .conn = client_open(*state)};
    s.there = daemon_descriptors(s.daemon);
    assert_ok(ipcc_pipe_open(s.conn, "p", options, &s.pipe));
    assert_string_equal(ipcc_pipe_name(s.pipe), "p");
    assert_ok(ipcc_pipe_connect(s.pipe, IPCC_ANY_END, NULL, &s.zero));
    assert_ok(ipcc_pipe_connect(s.pipe, 1, NULL, &s.one));
    return s;
}

static void tear_down(struct shared *s)
{
    assert_ok(ipcc_pipe_end_close(s->zero));
    assert_ok(ipcc_pipe_end_close(s->one));
    daemon_expect_descriptors(s->daemon, s->there);
    assert_ok(ipcc_pipe_close(s->pipe));
    assert_ok(ipcc_close(s->conn));
}

static void pipe_carries_values_both_ways_without_its_connection(void **state)
{
    struct shared s = set_up(state, NULL);
    struct ipcc_reply reply;
    assert_ok(ipcc_disconnect(s.conn));
    assert_ok(ipcc_pipe_send(s.zero, ipcc_str("there"), IPCC_FOREVER));
    assert_prints("\"there\"", ipcc_pipe_receive(s.one, IPCC_FOREVER, &reply));
    assert_ok(ipcc_pipe_send(s.one, ipcc_str("back"), IPCC_FOREVER));
    assert_prints("\"back\"", ipcc_pipe_receive(s.zero, IPCC_FOREVER, &reply));
    tear_down(&s);
}

static void pipe_that_is_one_way_knows_its_direction(void **state)
{
    struct shared s = set_up(state, &(struct ipcc_pipe_options){.one_way = true});
    struct ipcc_reply reply;
    assert_fails(ipcc_pipe_send(s.zero, ipcc_nil(), 0), ARGUMENT, "only receives");
    assert_fails(ipcc_pipe_receive(s.one, 0, &reply), ARGUMENT, "only sends");
    assert_ok(ipcc_pipe_send(s.one, ipcc_str("666"), IPCC_FOREVER));
    assert_prints("\"666\"", ipcc_pipe_receive(s.zero, IPCC_FOREVER, &reply));
    tear_down(&s);
}

static void ends_are_given_once_and_again_when_both_are_closed(void **state)
{
    struct shared s = set_up(state, NULL);
    struct ipcc_pipe_end *none = NULL;
    assert_fails(ipcc_pipe_connect(s.pipe, 0, NULL, &none), EXISTS, "end 0");
    assert_fails(ipcc_pipe_connect(s.pipe, IPCC_ANY_END, NULL, &none), EXISTS, "both");
    assert_fails(ipcc_pipe_connect(s.pipe, 2, NULL, &none), BAD_REQUEST, "0 or 1");
    assert_fails(ipcc_pipe_connect(s.pipe, 0, NULL, NULL), ARGUMENT, "place");
    struct ipcc_pipe_end_options options = {.direction = IPCC_SEND_ONLY};
    assert_fails(ipcc_pipe_connect(s.pipe, 0, &options, &none), ARGUMENT, "direction");
    assert_fails(ipcc_pipe_connect(NULL, 0, NULL, &none), ARGUMENT, "handle");
    assert_null(none);
    assert_ok(ipcc_pipe_end_close(s.zero));
    assert_fails(ipcc_pipe_connect(s.pipe, 0, NULL, &none), EXISTS, "end 0");
    assert_ok(ipcc_pipe_end_close(s.one));
    assert_ok(ipcc_pipe_connect(s.pipe, 0, NULL, &s.zero));
    assert_ok(ipcc_pipe_connect(s.pipe, 1, NULL, &s.one));
    tear_down(&s);
}

static void values_on_a_pipe_carry_no_descriptors(void **state)
{
    struct shared s = set_up(state, NULL);
    struct ipcc_value list[] = {ipcc_int(1), ipcc_descriptor(0)};
    struct ipcc_reply reply;
    assert_fails(ipcc_pipe_send(s.zero, ipcc_array(list, 2), 0), ARGUMENT, "descriptors");
    assert_fails(ipcc_pipe_receive(s.one, 0, &reply), TIMEOUT, "time");
    tear_down(&s);
}

/* What the child does with end 1 until it is killed: it sends, and says so. */
static void send_and_wait(struct ipcc_pipe_end *end, int told)
{
    static const char bytes[50000];
    bool sent = ipcc_pipe_send_bytes(end, bytes, sizeof(bytes), IPCC_FOREVER) == 0 &&
                ipcc_pipe_send(end, ipcc_str("last"), IPCC_FOREVER) == 0 && write(told, "", 1) == 1;
    if (sent) {
        (void)pause();
    }
    _exit(1);
}

static void what_a_killed_child_had_sent_is_received_before_the_end(void **state)
{
    struct shared s = set_up(state, NULL);
    struct ipcc_reply reply;
    int told[2];
    char byte;
    assert_return_code(pipe(told), errno);
    pid_t child = fork();
    if (child == 0) {
        (void)ipcc_pipe_end_close(s.zero);
        send_and_wait(s.one, told[1]);
    }
    assert_ok(ipcc_pipe_end_close(s.one));
    s.one = NULL;
    assert_int_equal(read(told[0], &byte, 1), 1);
    process_kill(child);
    assert_ok(ipcc_pipe_receive_bytes(s.zero, IPCC_FOREVER, &reply));
    assert_int_equal(reply.value.length, 50000);
    ipcc_reply_free(&reply);
    assert_prints("\"last\"", ipcc_pipe_receive(s.zero, IPCC_FOREVER, &reply));
    assert_fails(ipcc_pipe_receive(s.zero, IPCC_FOREVER, &reply), END, "closed");
    assert_fails(ipcc_pipe_send(s.zero, ipcc_nil(), IPCC_FOREVER), END, "closed");
    (void)close(told[0]);
    (void)close(told[1]);
    tear_down(&s);
}

/* Larger than a socket holds, so that its sender is never done while nobody receives. */
static void sender_killed_in_the_middle_of_a_message_is_an_end(void **state)
{
    static const char bytes[8000000];
    struct shared s = set_up(state, NULL);
    struct ipcc_reply reply;
    char byte;
    pid_t child = fork();
    if (child == 0) {
        (void)ipcc_pipe_end_close(s.zero);
        (void)ipcc_pipe_send_bytes(s.one, bytes, sizeof(bytes), IPCC_FOREVER);
        _exit(1);
    }
    assert_ok(ipcc_pipe_end_close(s.one));
    s.one = NULL;
    assert_int_equal(recv(ipcc_pipe_end_fd(s.zero), &byte, 1, MSG_PEEK), 1);
    process_kill(child);
    assert_fails(ipcc_pipe_receive(s.zero, IPCC_FOREVER, &reply), END, "middle");
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(pipe_carries_values_both_ways_without_its_connection),
        daemon_test(pipe_that_is_one_way_knows_its_direction),
        daemon_test(ends_are_given_once_and_again_when_both_are_closed),
        daemon_test(values_on_a_pipe_carry_no_descriptors),
        daemon_test(what_a_killed_child_had_sent_is_received_before_the_end),
        daemon_test(sender_killed_in_the_middle_of_a_message_is_an_end),
    };
    return cmocka_run_group_tests_name("pipes of the client", tests, NULL, NULL);
}
