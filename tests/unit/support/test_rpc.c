/* rpc: the tests' client against a socket whose other end the test holds. */
#include "tests/support/rpc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client, and the end that plays the daemon, spoken to with the same functions. */
struct pair {
    struct rpc *client;
    struct rpc *daemon;
};

static int pair_setup(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    int fds[2];
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
    pair->client = rpc_from_fd(fds[0]);
    pair->daemon = rpc_from_fd(fds[1]);
    *state = pair;
    return 0;
}

static int pair_teardown(void **state)
{
    struct pair *pair = *state;
    rpc_close(pair->client);
    rpc_close(pair->daemon);
    free(pair);
    return 0;
}

static void request_is_one_array_of_four(void **state)
{
    struct pair *pair = *state;
    char got[32];
    assert_int_equal(rpc_send(pair->client, "m", "[1, 'x']"), 1);
    static const char expected[] = "\x94\x00\x01\xa1m\x92\x01\xa1x";
    assert_int_equal(recv(pair->daemon->fd, got, sizeof(got), 0), sizeof(expected) - 1);
    assert_memory_equal(got, expected, sizeof(expected) - 1);
    rpc_cancel(pair->client, 1);
    static const char cancel[] = "\x93\x02\xa6"
                                 "cancel\x91\x01";
    assert_int_equal(recv(pair->daemon->fd, got, sizeof(got), 0), sizeof(cancel) - 1);
    assert_memory_equal(got, cancel, sizeof(cancel) - 1);
}

static void responses_are_found_by_msgid_in_any_order(void **state)
{
    struct pair *pair = *state;
    rpc_write_notation(pair->daemon, "[1, 2, nil, 'two'] [2, 'event', []] [1, 1, nil, 'one']");
    expect_result(pair->client, 1, "'one'");
    expect_result(pair->client, 2, "'two'");
    struct reply *event = rpc_next(pair->client);
    assert_int_equal(event->type, REPLY_NOTIFICATION);
    reply_free(event);
}

static void result_bytes_are_the_end_of_the_message(void **state)
{
    struct pair *pair = *state;
    rpc_write_notation(pair->daemon, "[1, 1, nil, <cd 00 05>]");
    expect_bytes(pair->client, "m", "[]", "<cd 00 05>");
    rpc_write_notation(pair->daemon, "<dd 00 00 00 04 01 02 c0 cd 00 05>");
    expect_bytes(pair->client, "m", "[]", "<cd 00 05>");
}

static void errors_have_code_and_message(void **state)
{
    struct pair *pair = *state;
    rpc_write_notation(pair->daemon, "[1, 1, ['EMPTY', 'queue q is empty'], nil]");
    expect_error_word(pair->client, "m", "[]", "EMPTY", "empty");
    rpc_write_notation(pair->daemon, "[1, 2, ['EMPTY', 'x', {at: 1}], nil]");
    expect_error(pair->client, "m", "[]", "EMPTY");
}

static void goodbye_comes_before_the_end(void **state)
{
    struct pair *pair = *state;
    rpc_write_notation(pair->daemon, "[2, 'goodbye', ['BAD_REQUEST', 'text']]");
    assert_return_code(shutdown(pair->daemon->fd, SHUT_WR), errno);
    expect_goodbye(pair->client, "BAD_REQUEST");
    assert_null(rpc_next(pair->client));
}

static void messages_in_pieces_are_put_together(void **state)
{
    struct pair *pair = *state;
    rpc_write_notation(pair->daemon, "[1, 1, nil, 'x'*100000] <94 01>");
    rpc_write_notation(pair->daemon, "<02 c0> 7");
    expect_result(pair->client, 2, "7");
    expect_result(pair->client, 1, "'x'*100000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request_is_one_array_of_four, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(responses_are_found_by_msgid_in_any_order, pair_setup,
                                        pair_teardown),
        cmocka_unit_test_setup_teardown(result_bytes_are_the_end_of_the_message, pair_setup,
                                        pair_teardown),
        cmocka_unit_test_setup_teardown(errors_have_code_and_message, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(goodbye_comes_before_the_end, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(messages_in_pieces_are_put_together, pair_setup,
                                        pair_teardown),
    };
    return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
