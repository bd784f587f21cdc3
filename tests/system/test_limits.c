/* Each limit of the configuration: its own LIMIT error with its name and figures, and nothing else
 * harmed; the process's own limit of descriptors. */
#include "tests/support/daemon.h"

#include <poll.h>

static struct daemon *start(void **state, const char *config)
{
    *state =
        daemon_start(&(struct daemon_options){.config = config, .args = {"--socket-mode", "0666"}});
    return *state;
}

/* The code and both words: LIMIT errors name the quota and give its figure. */
static void over(struct rpc *c, const char *method, const char *params, const char *const words[2])
{
    expect_error_word(c, method, params, "LIMIT", words[0]);
    expect_error_word(c, method, params, "LIMIT", words[1]);
}

static void sessions_are_limited(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_sessions = 3\n");
    struct rpc *a = daemon_client(daemon);
    expect_soon(a, "session.list", "[]", "[_map]");
    struct rpc *b = daemon_client(daemon);
    struct rpc *c = daemon_client(daemon);
    expect(b, "server.ping", "[]", "nil");
    expect(c, "server.ping", "[]", "nil");
    struct rpc *d = daemon_client(daemon);
    expect_goodbye(d, "LIMIT");
    expect(c, "server.ping", "[]", "nil");
    daemon_drop(daemon, b);
    expect_soon(a, "session.list", "[]", "[_map, _map]");
    struct rpc *e = daemon_client(daemon);
    expect(e, "server.ping", "[]", "nil");
}

static void objects_are_limited(void **state)
{
    struct rpc *c = daemon_client(start(state, "[limits]\nmax_objects = 3\n"));
    expect(c, "queue.open", "['a']", "_map");
    expect(c, "dict.open", "['b']", "_map");
    expect(c, "list.open", "[nil]", "_map");
    over(c, "queue.open", "['d']", (const char *[]){"objects", "3"});
    expect_error(c, "dict.open", "[nil]", "LIMIT");
    expect_error(c, "list.open", "['e']", "LIMIT");
    expect(c, "queue.open", "['a']", "_map");
    expect_error(c, "object.describe", "['d']", "NOT_FOUND");
    expect(c, "object.delete", "['b']", "nil");
    expect(c, "queue.open", "['d']", "_map");
}

static void waiting_calls_of_a_session_are_limited(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_waiting = 2\n");
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "queue.open", "['q']", "_map");
    expect(a, "dict.open", "['d']", "_map");
    uint32_t one = rpc_send(a, "queue.get", "['q']");
    uint32_t two = rpc_send(a, "dict.wait", "['d', 'k']");
    over(a, "queue.get", "['q']", (const char *[]){"waiting", "2"});
    expect_error(a, "queue.get", "['q', 0]", "EMPTY");
    expect(a, "queue.qsize", "['q']", "0");
    uint32_t other = rpc_start(b, "queue.get", "['q']");
    expect_waiting(b, other);
    rpc_cancel(a, one);
    expect_failure(a, one, "CANCELLED");
    one = rpc_start(a, "queue.get", "['q']");
    expect_waiting(a, one);
    expect_waiting(a, two);
    expect(b, "queue.put_many", "['q', [1, 2]]", "2");
    expect_result(b, other, "[1, nil, 1]");
    expect_result(a, one, "[2, nil, 1]");
}

static void bytes_in_all_are_limited(void **state)
{
    struct rpc *c = daemon_client(start(state, "[limits]\nmax_bytes = 1000000\n"));
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "dict.open", "['d']", "_map");
    expect(c, "list.open", "['l']", "_map");
    for (int i = 0; i < 7; i++) {
        expect(c, "queue.put", "['q', 'x'*100000]", "nil");
    }
    over(c, "queue.put", "['q', 'x'*400000]", (const char *[]){"bytes", "1000000"});
    expect_error(c, "queue.put_many", "['q', ['x'*400000]]", "LIMIT");
    expect_error(c, "dict.set", "['d', 'k', 'x'*400000]", "LIMIT");
    expect_error(c, "dict.update", "['d', {k: 'x'*400000}]", "LIMIT");
    expect_error(c, "list.append", "['l', 'x'*400000]", "LIMIT");
    expect_error(c, "list.extend", "['l', ['x'*400000]]", "LIMIT");
    expect_error(c, "list.open", "['new', {initial: ['x'*400000]}]", "LIMIT");
    expect(c, "list.append", "['l', 'small']", "1");
    expect_error(c, "list.repeat", "['l', 1000000]", "LIMIT");
    expect(c, "list.slice", "['l']", "['small']");
    expect(c, "dict.len", "['d']", "0");
    expect(c, "queue.qsize", "['q']", "7");
    expect(c, "queue.clear", "['q']", "7");
    expect(c, "dict.set", "['d', 'k', 'x'*400000]", "true");
}

static void bytes_of_each_user_are_limited(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_user_bytes = 500000\n");
    struct rpc *ann = daemon_client_as(daemon, 4001, 4001, 0);
    struct rpc *also_ann = daemon_client_as(daemon, 4001, 4001, 0);
    struct rpc *bob = daemon_client_as(daemon, 4002, 4002, 0);
    expect(ann, "list.open", "['a']", "_map");
    expect(bob, "list.open", "['b']", "_map");
    expect(ann, "list.append", "['a', 'x'*200000]", "1");
    expect(also_ann, "list.append", "['a', 'x'*200000]", "2");
    over(ann, "list.append", "['a', 'x'*200000]", (const char *[]){"bytes", "500000"});
    expect_error(also_ann, "list.append", "['a', 'x'*200000]", "LIMIT");
    expect(bob, "list.append", "['b', 'x'*200000]", "1");
    expect(ann, "list.pop", "['a', 0]", "_str");
    expect(also_ann, "list.append", "['a', 'x'*200000]", "2");
}

static void message_size_is_limited_and_announced(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_message = 10000\n");
    struct rpc *c = daemon_client(daemon);
    struct rpc *other = daemon_client(daemon);
    expect(c, "server.hello", "[]", "{limits: {max_message: 10000, ...}, ...}");
    expect(c, "server.ping", "['x'*9900]", "'x'*9900");
    (void)rpc_send(c, "server.ping", "['x'*10000]");
    expect_goodbye(c, "TOO_LARGE");
    expect(other, "server.ping", "[]", "nil");
}

/* The processor time that the daemon uses while nobody asks it for anything. */
static uint64_t idle_processor_time(struct daemon *daemon, int window_ms)
{
    uint64_t before = daemon_processor_time(daemon);
    (void)poll(NULL, 0, window_ms);
    return daemon_processor_time(daemon) - before;
}

static void accept_pauses_at_the_descriptor_limit_and_resumes(void **state)
{
    enum { LIMIT = 40, CLIENTS = 60, WINDOW_MS = 400 };
    struct daemon *daemon = daemon_start(&(struct daemon_options){.descriptors = LIMIT});
    *state = daemon;
    uint32_t ids[CLIENTS];
    struct rpc *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = daemon_client(daemon);
        ids[i] = rpc_send(clients[i], "server.ping", "['here']");
    }
    expect_result(clients[0], ids[0], "'here'");
    assert_true(daemon_descriptors(daemon) <= LIMIT);
    /* Waiting for room must not cost time: a daemon that spins would use all of the window. */
    assert_true(idle_processor_time(daemon, WINDOW_MS) < WINDOW_MS * 1000000 / 4);
    expect(clients[0], "server.ping", "['still']", "'still'");
    for (int i = 1; i < CLIENTS; i++) {
        expect_result(clients[i], ids[i], "'here'");
        daemon_drop(daemon, clients[i]);
    }
    expect(clients[0], "server.ping", "['still']", "'still'");
}

static void descriptors_at_the_process_limit_harm_nobody(void **state)
{
    enum { LIMIT = 40, SENT = 100 };
    struct daemon *daemon = daemon_start(&(struct daemon_options){.descriptors = LIMIT});
    *state = daemon;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "server.ping", "[]", "nil");
    expect(b, "server.ping", "[]", "nil");
    unsigned before = daemon_descriptors(daemon);
    int fds[SENT] = {0};
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    (void)rpc_pack(a, &out, "server.ping", "['many']");
    rpc_write_descriptors(a, out.data, out.size, fds, SENT);
    msgpack_sbuffer_destroy(&out);
    expect(b, "server.ping", "['unharmed']", "'unharmed'");
    daemon_expect_descriptors(daemon, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sessions_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(objects_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(waiting_calls_of_a_session_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(bytes_in_all_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(bytes_of_each_user_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(message_size_is_limited_and_announced, daemon_teardown),
        cmocka_unit_test_teardown(accept_pauses_at_the_descriptor_limit_and_resumes,
                                  daemon_teardown),
        cmocka_unit_test_teardown(descriptors_at_the_process_limit_harm_nobody, daemon_teardown),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
