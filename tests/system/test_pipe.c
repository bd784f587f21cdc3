/* Pipes between real processes: what becomes of the ends and of what was sent when one is killed.
 */
#include "tests/support/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Takes an end; the socket belongs to the caller. */
static int take(struct rpc *c, const char *params, int end)
{
    expect(c, "pipe.connect", params, rpc_text(c, "[ext(2, '\\x00'), %d]", end));
    assert_int_equal(c->fd_count, 1);
    c->fd_count = 0;
    return c->fds[0];
}

static struct rpc *with_pipe(void **state, const char *options)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "pipe.open", rpc_text(c, "['p', %s]", options), "{type: 'pipe', ...}");
    return c;
}

/* Reads what comes until the end of the stream: how many bytes. */
static size_t drain(int fd)
{
    static char bytes[65536];
    size_t sum = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, RPC_LIMIT_MS), 1);
        ssize_t len = recv(fd, bytes, sizeof(bytes), 0);
        assert_true(len >= 0);
        if (len == 0) {
            return sum;
        }
        sum += (size_t)len;
    }
}

static void pipe_connects_two_clients_without_the_daemon(void **state)
{
    struct rpc *a = with_pipe(state, "{}");
    struct rpc *b = daemon_client(*state);
    int zero = take(a, "['p', 0]", 0);
    int one = take(b, "['p']", 1);
    expect(a, "object.describe", "['p']", "{connected: true, ...}");
    daemon_kill(*state, SIGSTOP);
    char got[2];
    assert_int_equal(send(zero, "to", 2, 0), 2);
    assert_int_equal(recv(one, got, 2, MSG_WAITALL), 2);
    assert_int_equal(send(one, "ro", 2, 0), 2);
    assert_int_equal(recv(zero, got, 2, MSG_WAITALL), 2);
    daemon_kill(*state, SIGCONT);
    (void)close(zero);
    assert_int_equal(drain(one), 0);
    (void)close(one);
}

static void what_a_killed_process_had_sent_is_read_before_the_end(void **state)
{
    enum { SIZE = 100000 };
    static char bytes[SIZE];
    struct rpc *c = with_pipe(state, "{duplex: false}");
    int receiver = take(c, "['p', 0]", 0);
    int sender = take(c, "['p', 1]", 1);
    int told[2];
    assert_return_code(pipe(told), errno);
    pid_t pid = fork();
    if (pid == 0) {
        bool sent = send(sender, bytes, SIZE, 0) == SIZE && write(told[1], "", 1) == 1;
        (void)pause();
        _exit(sent ? 0 : 1);
    }
    (void)close(sender);
    char byte;
    assert_int_equal(read(told[0], &byte, 1), 1);
    process_kill(pid);
    assert_int_equal(drain(receiver), SIZE);
    (void)close(receiver);
    (void)close(told[0]);
    (void)close(told[1]);
}

static void pipe_starts_anew_after_the_death_of_both_sides(void **state)
{
    struct rpc *c = with_pipe(state, "{}");
    pid_t a = daemon_client_process(*state, "pipe.connect", "['p', 0]");
    pid_t b = daemon_client_process(*state, "pipe.connect", "['p', 1]");
    expect(c, "object.describe", "['p']", "{connected: true, ends: ['taken', 'taken'], ...}");
    process_kill(a);
    expect_soon(c, "object.describe", "['p']", "{ends: ['closed', 'taken'], ...}");
    expect_error_word(c, "pipe.connect", "['p', 0]", "EXISTS", "end 0");
    process_kill(b);
    expect_soon(c, "object.describe", "['p']", "{connected: false, ends: ['free', 'free'], ...}");
    int zero = take(c, "['p', 0]", 0);
    int one = take(c, "['p', 1]", 1);
    assert_int_equal(send(zero, "x", 1, 0), 1);
    (void)close(zero);
    assert_int_equal(drain(one), 1);
    (void)close(one);
}

static void end_lives_as_long_as_ext_process_has_it(void **state)
{
    struct rpc *c = with_pipe(state, "{}");
    int zero = take(c, "['p', 0]", 0);
    (void)close(take(c, "['p', 1]", 1));
    expect(c, "queue.open", "['q']", "_map");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(c, &out, "queue.put", "['q', ext(2, '\\x00')]");
    rpc_write_descriptors(c, out.data, out.size, &zero, 1);
    msgpack_sbuffer_destroy(&out);
    expect_result(c, msgid, "nil");
    (void)close(zero);
    expect_soon(c, "object.describe", "['p']", "{ends: ['taken', 'closed'], ...}");
    expect(c, "queue.clear", "['q']", "1");
    expect_soon(c, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
}

/* A client that does not read: an answer to it stays in the daemon. */
static struct rpc *clogged_client(void **state, struct rpc *c)
{
    struct rpc *clogged = daemon_client(*state);
    expect(c, "list.open", "['large', {initial: [b'x'*200000]}]", "_map");
    for (int i = 0; i < 2; i++) {
        (void)rpc_send(clogged, "list.get", "['large', 0]");
    }
    (void)rpc_send(clogged, "pipe.connect", "['p', 1]");
    return clogged;
}

static void end_that_could_not_be_sent_can_be_had_again(void **state)
{
    struct rpc *c = with_pipe(state, "{}");
    int zero = take(c, "['p', 0]", 0);
    struct rpc *clogged = clogged_client(state, c);
    expect_soon(c, "object.describe", "['p']", "{ends: ['taken', 'taken'], ...}");
    daemon_drop(*state, clogged);
    expect_soon(c, "object.describe", "['p']", "{ends: ['taken', 'free'], ...}");
    int one = take(c, "['p', 1]", 1);
    assert_int_equal(send(zero, "x", 1, 0), 1);
    (void)close(zero);
    assert_int_equal(drain(one), 1);
    (void)close(one);
}

static void pipes_leave_no_descriptors_behind(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *c = with_pipe(state, "{}");
    unsigned before = daemon_descriptors(daemon);
    for (int i = 0; i < 20; i++) {
        int zero = take(c, "['p']", 0);
        daemon_expect_descriptors(daemon, before + 1);
        int one = take(c, "['p']", 1);
        daemon_expect_descriptors(daemon, before);
        (void)close(zero);
        (void)close(one);
    }
    int half = take(c, "['p', 1]", 1);
    daemon_expect_descriptors(daemon, before + 1);
    expect(c, "object.delete", "['p']", "nil");
    daemon_expect_descriptors(daemon, before);
    assert_int_equal(drain(half), 0);
    (void)close(half);
    expect(c, "server.stats", "[]", "{objects: {pipe: 0, ...}, ...}");
}

static int scarce_setup(void **state)
{
    *state = daemon_start(&(struct daemon_options){.config = "[limits]\nmax_descriptors = 2\n"});
    return 0;
}

static void ends_that_nobody_has_taken_count_against_max_descriptors(void **state)
{
    struct rpc *c = with_pipe(state, "{}");
    expect(c, "pipe.open", "['second']", "_map");
    int half = take(c, "['p', 1]", 1);
    expect_error_word(c, "pipe.connect", "['second']", "LIMIT", "max_descriptors");
    (void)close(take(c, "['p', 0]", 0));
    (void)close(take(c, "['second', 0]", 0));
    (void)close(half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(pipe_connects_two_clients_without_the_daemon),
        daemon_test(what_a_killed_process_had_sent_is_read_before_the_end),
        daemon_test(pipe_starts_anew_after_the_death_of_both_sides),
        daemon_test(end_lives_as_long_as_ext_process_has_it),
        daemon_test(end_that_could_not_be_sent_can_be_had_again),
        daemon_test(pipes_leave_no_descriptors_behind),
        cmocka_unit_test_setup_teardown(ends_that_nobody_has_taken_count_against_max_descriptors,
                                        scarce_setup, daemon_teardown),
    };
    return cmocka_run_group_tests_name("pipe", tests, NULL, NULL);
}
