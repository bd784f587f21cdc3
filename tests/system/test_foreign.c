/* Descriptors that block whoever closes them: a TCP socket that has more to send than its peer
 * takes and lingers for an hour. Its sender has closed it, so the daemon's copy is the last one.
 * Whatever way the daemon lets go of it, it answers others meanwhile; without that they would wait
 * until the test's limit. */
#include "tests/support/daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD "ext(2, '\\x00')"

struct trap {
    const struct daemon *daemon;
    int lingers; /* to be sent to the daemon, and closed here */
    int peer;    /* who holds it holds the other one's closing up */
};

static struct trap trap_make(const struct daemon *daemon)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct trap trap = {.daemon = daemon};
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(listening, errno);
    assert_return_code(bind(listening, (struct sockaddr *)&address, len), errno);
    assert_return_code(listen(listening, 1), errno);
    assert_return_code(getsockname(listening, (struct sockaddr *)&address, &len), errno);
    trap.lingers = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(connect(trap.lingers, (struct sockaddr *)&address, len), errno);
    trap.peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_return_code(trap.peer, errno);
    (void)close(listening);
    char bytes[65536] = {0};
    while (send(trap.lingers, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    assert_int_equal(errno, EAGAIN);
    const struct linger hour = {.l_onoff = 1, .l_linger = 3600};
    assert_return_code(setsockopt(trap.lingers, SOL_SOCKET, SO_LINGER, &hour, sizeof(hour)), errno);
    return trap;
}

/* Lets whoever closes it go on. */
static void trap_release(struct trap *trap)
{
    (void)close(trap->peer);
}

/* The daemon stands still, or goes on. */
static void stop(const struct daemon *daemon)
{
    int status;
    assert_return_code(kill(daemon->pid, SIGSTOP), errno);
    assert_int_equal(waitpid(daemon->pid, &status, WUNTRACED), daemon->pid);
    assert_true(WIFSTOPPED(status));
}

static void go_on(const struct daemon *daemon)
{
    assert_return_code(kill(daemon->pid, SIGCONT), errno);
}

/* Writes bytes with the trap, `copies` times, and leaves it to the daemon, who cannot have closed
 * its copies before the one here is closed. */
static void write_trap(struct rpc *c, const void *bytes, size_t len, struct trap *trap,
                       unsigned copies)
{
    int fds[RPC_DESCRIPTORS_MAX] = {0};
    for (unsigned i = 0; i < copies; i++) {
        fds[i] = trap->lingers;
    }
    stop(trap->daemon);
    rpc_write_descriptors(c, bytes, len, fds, copies);
    (void)close(trap->lingers);
    go_on(trap->daemon);
}

static uint32_t send_trap(struct rpc *c, const char *method, const char *params, struct trap *trap,
                          unsigned copies)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(c, &out, method, params);
    write_trap(c, out.data, out.size, trap, copies);
    msgpack_sbuffer_destroy(&out);
    return msgid;
}

static void unnamed_one_holds_nobody_up(void **state)
{
    struct rpc *c = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    struct trap trap = trap_make(*state);
    expect_result(c, send_trap(c, "server.ping", "['x']", &trap, 1), "'x'");
    expect(other, "server.ping", "['y']", "'y'");
    trap_release(&trap);
}

static void stored_one_holds_nobody_up(void **state)
{
    struct rpc *c = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    struct trap trap = trap_make(*state);
    expect(c, "dict.open", "['d']", "_map");
    expect_result(c, send_trap(c, "dict.set", "['d', 1, " FD "]", &trap, 1), "true");
    expect(other, "dict.clear", "['d']", "nil");
    expect(other, "server.ping", "['y']", "'y'");
    trap_release(&trap);
}

static void one_too_many_holds_nobody_up(void **state)
{
    struct rpc *c = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    struct trap trap = trap_make(*state);
    expect_failure(c, send_trap(c, "server.ping", "[" FD "]", &trap, RPC_DESCRIPTORS_MAX),
                   "BAD_REQUEST");
    expect(other, "server.ping", "['y']", "'y'");
    trap_release(&trap);
}

static void one_in_half_a_message_holds_nobody_up(void **state)
{
    struct rpc *c = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    struct trap trap = trap_make(*state);
    expect(c, "server.ping", "['x']", "'x'");
    write_trap(c, "\x94\x00\x01", 3, &trap, 1);
    expect(other, "server.ping", "['y']", "'y'");
    daemon_drop(*state, c);
    expect_soon(other, "session.list", "[]", "[_map]");
    trap_release(&trap);
}

/* It is in the queue of a socket that the daemon closes without having read it. */
static void one_that_was_never_read_holds_nobody_up(void **state)
{
    struct rpc *c = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    struct trap trap = trap_make(*state);
    int64_t id = rpc_number(c, "server.hello", "[]", "session");
    expect(other, "list.open", "['l', {initial: [b'x'*1000000]}]", "_map");
    (void)rpc_send(c, "list.slice", "['l']");
    (void)rpc_send(c, "list.slice", "['l']"); /* now it is not read from, as it does not read */
    expect(other, "server.ping", "['y']", "'y'");
    expect(other, "server.ping", "['y']", "'y'");
    (void)send_trap(c, "server.ping", "[" FD "]", &trap, 1);
    expect(other, "session.kill", rpc_text(other, "[%lld]", (long long)id), "_");
    expect(other, "server.ping", "['z']", "'z'");
    trap_release(&trap);
}

static void one_of_a_refused_session_holds_nobody_up(void **state)
{
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.config = "[limits]\nmax_sessions = 2\n"});
    *state = daemon;
    struct trap trap = trap_make(*state);
    struct rpc *c = daemon_client(daemon);
    expect_soon(c, "session.list", "[]", "[_map]");
    (void)daemon_client(daemon);
    expect_soon(c, "session.list", "[]", "[_map, _map]");
    stop(daemon); /* so that it is all there when the session is refused */
    struct rpc *refused = daemon_client(daemon);
    rpc_write_descriptors(refused, "\x94", 1, &trap.lingers, 1);
    (void)close(trap.lingers);
    go_on(daemon);
    expect_goodbye(refused, "LIMIT");
    expect(c, "server.ping", "['y']", "'y'");
    trap_release(&trap);
}

/* What waits to be closed is open, and counts. */
static void those_that_wait_to_be_closed_are_limited(void **state)
{
    enum { MORE = 300 }; /* CLOSING_FREE and some */
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.config = "[limits]\nmax_descriptors = 4\n"});
    *state = daemon;
    struct rpc *c = daemon_client(daemon);
    struct trap trap = trap_make(*state);
    expect(c, "list.open", "['l']", "_map");
    expect_result(c, send_trap(c, "server.ping", "['x']", &trap, 1), "'x'");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    (void)rpc_pack(c, &out, "list.append", "['l', " FD "]");
    for (unsigned i = 0; i < MORE; i++) {
        rpc_write_descriptors(c, out.data, out.size, (const int[]){0}, 1);
        reply_free(rpc_next(c));
        expect(c, "list.clear", "['l']", "nil");
    }
    rpc_write_descriptors(c, out.data, out.size, (const int[]){0}, 1);
    expect_failure(c, c->last_msgid - MORE, "LIMIT");
    msgpack_sbuffer_destroy(&out);
    trap_release(&trap);
}

/* Each user's wait in a lane of their own. */
static void user_waits_only_for_his_own(void **state)
{
    if (geteuid() != 0) {
        skip();
    }
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666", NULL}});
    *state = daemon;
    struct rpc *culprit = daemon_client_as(daemon, 4711, 4711, 0);
    struct rpc *c = daemon_client(daemon);
    struct trap trap = trap_make(*state);
    expect(c, "server.ping", "[]", "nil");
    expect_result(culprit, send_trap(culprit, "server.ping", "['x']", &trap, 1), "'x'");
    int pair[2];
    assert_return_code(pipe2(pair, O_CLOEXEC), errno);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    (void)rpc_pack(c, &out, "server.ping", "[1]");
    rpc_write_descriptors(c, out.data, out.size, &pair[1], 1);
    msgpack_sbuffer_destroy(&out);
    (void)close(pair[1]);
    char byte;
    assert_int_equal(poll(&(struct pollfd){.fd = pair[0]}, 1, RPC_LIMIT_MS), 1);
    assert_int_equal(read(pair[0], &byte, 1), 0); /* closed everywhere */
    (void)close(pair[0]);
    trap_release(&trap);
}

static void daemon_ends_without_waiting_for_it(void **state)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    *state = NULL;
    struct rpc *c = daemon_client(daemon);
    struct trap traps[3] = {trap_make(daemon), trap_make(daemon), trap_make(daemon)};
    expect(c, "dict.open", "['d']", "_map");
    expect_result(c, send_trap(c, "server.ping", "['x']", &traps[0], 1), "'x'");
    expect_result(c, send_trap(c, "dict.set", "['d', 1, " FD "]", &traps[1], 1), "true");
    write_trap(c, "\x94\x00\x01", 3, &traps[2], 1);
    expect(daemon_client(daemon), "server.ping", "['y']", "'y'");
    daemon_stop(daemon);
    for (unsigned i = 0; i < 3; i++) {
        trap_release(&traps[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(unnamed_one_holds_nobody_up),
        daemon_test(stored_one_holds_nobody_up),
        daemon_test(one_too_many_holds_nobody_up),
        daemon_test(one_in_half_a_message_holds_nobody_up),
        daemon_test(one_that_was_never_read_holds_nobody_up),
        cmocka_unit_test_teardown(one_of_a_refused_session_holds_nobody_up, daemon_teardown),
        cmocka_unit_test_teardown(those_that_wait_to_be_closed_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(user_waits_only_for_his_own, daemon_teardown),
        cmocka_unit_test(daemon_ends_without_waiting_for_it),
    };
    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
