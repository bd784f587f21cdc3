/* Each limit of the configuration: its own LIMIT error with its name and figures, and nothing else
 * harmed; the process's own limit of descriptors. */
#include "tests/support/daemon.h"

#include <poll.h>
#include <unistd.h>

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

/* Long calls are done in steps, and take some memory themselves. */
static void what_makes_room_is_done_when_there_is_none(void **state)
{
    struct rpc *c = daemon_client(start(state, "[limits]\nmax_bytes = 6000000\n"));
    expect(c, "list.open", "['l']", "_map");
    expect(c, "list.open", "['m', {initial: ['x'*20]*40000}]", "_map");
    expect(c, "list.extend", "['l', ['x'*20]*40000]", "_");
    static const int sizes[] = {30000, 1000, 300, 100, 30, 10};
    expect(c, "dict.open", "['f']", "_map");
    for (unsigned i = 0, key = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (bool full = false; !full; key++) {
            struct reply *reply =
                rpc_call(c, "dict.set", rpc_text(c, "['f', %u, 'x'*%d]", key, sizes[i]));
            full = reply->error.type != MSGPACK_OBJECT_NIL;
            reply_free(reply);
        }
    }
    expect(c, "list.clear", "['l']", "nil");
    expect(c, "object.delete", "['m']", "nil");
    expect(c, "dict.set", "['f', 'more', 'x'*100000]", "true");
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

/* So many sessions of a user, the last of them refused. */
static void connect_until_refused(struct daemon *daemon, uid_t uid, int admitted, const char *limit)
{
    for (int i = 0; i < admitted; i++) {
        struct rpc *c = daemon_client_as(daemon, uid, uid, 0);
        expect(c, "server.ping", "[]", "nil");
    }
    struct rpc *refused = daemon_client_as(daemon, uid, uid, 0);
    expect_goodbye(refused, "LIMIT");
    daemon_expect_log(daemon, limit);
}

static void one_user_cannot_have_more_than_half_of_the_sessions(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_sessions = 8\n");
    connect_until_refused(daemon, 4001, 4, "max_user_sessions: user 4001 has 4 of 4 sessions");
    connect_until_refused(daemon, 4002, 3, "max_sessions: 7 of 8 are in use, 1 are kept");
    struct rpc *root = daemon_client(daemon);
    expect(root, "server.hello", "[]",
           "{limits: {max_sessions: 8, max_user_sessions: 4, ...}, session: _int, ...}");
    expect(root, "server.stats", "[]", "{sessions: 8, ...}");
}

static void one_user_cannot_have_more_than_half_of_the_objects(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_objects = 6\n");
    struct rpc *ann = daemon_client_as(daemon, 4001, 4001, 0);
    struct rpc *bob = daemon_client_as(daemon, 4002, 4002, 0);
    struct rpc *root = daemon_client(daemon);
    for (int i = 0; i < 3; i++) {
        expect(ann, "event.open", "[nil]", "_map");
    }
    over(ann, "event.open", "[nil]", (const char *[]){"max_user_objects", "3 of 3 objects"});
    expect(bob, "event.open", "['a']", "_map");
    expect(bob, "event.open", "['b']", "_map");
    over(bob, "event.open", "[nil]", (const char *[]){"max_objects", "5 of 6"});
    expect(root, "event.open", "['c']", "_map");
    over(root, "event.open", "[nil]", (const char *[]){"max_objects", "6 of 6"});
    expect(bob, "object.delete", "['b']", "nil");
    expect(ann, "object.delete", "['#1']", "nil");
    expect(ann, "event.open", "[nil]", "_map");
}

static void one_user_cannot_have_more_than_half_of_the_descriptors(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_descriptors = 6\n");
    struct rpc *ann = daemon_client_as(daemon, 4001, 4001, 0);
    struct rpc *bob = daemon_client_as(daemon, 4002, 4002, 0);
    struct rpc *root = daemon_client(daemon);
    for (int i = 0; i < 3; i++) {
        expect(ann, "value.open", "[nil, {typecode: 'i'}]", "_map");
    }
    over(ann, "value.open", "[nil, {typecode: 'i'}]",
         (const char *[]){"max_user_descriptors", "3 of 3 descriptors"});
    expect(bob, "pipe.open", "['p']", "_map");
    expect(bob, "value.open", "['a', {typecode: 'i'}]", "_map");
    expect(bob, "value.open", "['b', {typecode: 'i'}]", "_map");
    over(bob, "value.open", "[nil, {typecode: 'i'}]",
         (const char *[]){"max_descriptors", "5 of 6"});
    expect(root, "value.open", "[nil, {typecode: 'i'}]", "_map");
    expect(bob, "object.delete", "['a']", "nil");
    over(bob, "pipe.connect", "['p']", (const char *[]){"max_descriptors", "5 of 6"});
}

/* What others may not use is there for root, whoever filled the rest. */
static void bytes_are_kept_for_root(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_bytes = 1600000\n");
    struct rpc *root = daemon_client(daemon);
    for (uid_t uid = 4001; uid < 4004; uid++) {
        struct rpc *c = daemon_client_as(daemon, uid, uid, 0);
        expect(c, "list.open", "[nil]", "_map");
        for (int i = 0; i < 50; i++) {
            struct reply *reply = rpc_call(c, "list.append", "['#1', 'x'*50000]");
            reply_free(reply);
        }
    }
    expect(root, "list.open", "['r']", "_map");
    expect(root, "list.append", "['r', 'x'*90000]", "1");
}

static void limits_that_the_process_has_no_descriptors_for_are_lowered(void **state)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){
        .config = "[limits]\nmax_sessions = 60\nmax_user_sessions = 80\nmax_descriptors = 140\n",
        .args = {"--socket-mode", "0666"},
        .descriptors = 200});
    *state = daemon;
    daemon_expect_log(daemon, "max_user_sessions is more than max_sessions, and is 60 therefore");
    daemon_expect_log(daemon, "200 descriptors");
    struct rpc *root = daemon_client(daemon);
    expect(root, "server.hello", "[]",
           "{limits: {max_sessions: 30, max_user_sessions: 30, max_descriptors: 70,"
           " max_user_descriptors: 35, ...}, ...}");
    connect_until_refused(daemon, 4001, 28, "max_sessions: 29 of 30 are in use");
    expect(daemon_client(daemon), "server.ping", "['root']", "'root'");
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
    struct daemon *daemon = start(state, NULL);
    daemon_limit_descriptors(daemon, LIMIT);
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
    struct daemon *daemon = start(state, NULL);
    daemon_limit_descriptors(daemon, LIMIT);
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

/* A request with so many descriptors; does not wait. */
static uint32_t send_with(struct rpc *c, const char *method, const char *params, unsigned count)
{
    int fds[RPC_DESCRIPTORS_MAX] = {0};
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(c, &out, method, params);
    rpc_write_descriptors(c, out.data, out.size, fds, count);
    msgpack_sbuffer_destroy(&out);
    return msgid;
}

/* The response must be LIMIT, and say that word. */
static void check_over(struct rpc *c, uint32_t msgid, const char *word)
{
    struct reply *reply = rpc_wait(c, msgid);
    assert_non_null(reply);
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_ARRAY);
    assert_memory_equal(reply->error.via.array.ptr[0].via.str.ptr, "LIMIT", 5);
    const msgpack_object_str *text = &reply->error.via.array.ptr[1].via.str;
    assert_non_null(memmem(text->ptr, text->size, word, strlen(word)));
    reply_free(reply);
}

/* Keeps so many descriptors in the list "l". */
static void keep(struct rpc *c, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        expect_result(c, send_with(c, "list.append", "['l', ext(2, '\\x00')]", 1), "_int");
    }
}

/* Returns when what others have sent before has been read: the daemon takes sessions that are ready
 * in any order, but none twice before all others. */
static void await_turn(struct rpc *c)
{
    expect(c, "server.ping", "[]", "nil");
    expect(c, "server.ping", "[]", "nil");
}

static void descriptors_that_the_kernel_cuts_off_are_a_limit_of_the_daemon(void **state)
{
    enum { LIMIT = 60, LEFT = 5 };
    struct daemon *daemon = start(state, NULL);
    daemon_limit_descriptors(daemon, LIMIT);
    struct rpc *c = daemon_client(daemon);
    struct rpc *other = daemon_client(daemon);
    expect(c, "list.open", "['l']", "_map");
    expect_soon(other, "session.list", "[]", "[_map, _map]");
    keep(c, LIMIT - LEFT - daemon_descriptors(daemon));
    static const char named[] = "[[ext(2, '\\x00'), ext(2, '\\x0f')]]";
    check_over(c, send_with(c, "server.ping", named, 16), "RLIMIT_NOFILE");
    daemon_expect_descriptors(daemon, LIMIT - LEFT);
    expect_result(c, send_with(c, "server.ping", "['unnamed']", 16), "'unnamed'");
    daemon_expect_descriptors(daemon, LIMIT - LEFT);
    expect_result(c, send_with(c, "server.ping", "[[ext(2, '\\x04')]]", LEFT), "_");
    daemon_expect_descriptors(daemon, LIMIT - LEFT);
    keep(c, LEFT);
    check_over(c, send_with(c, "server.ping", "[[ext(2, '\\x00')]]", 1), "RLIMIT_NOFILE");
    expect_error(c, "server.ping", "[[ext(2, '\\x00')]]", "BAD_REQUEST");
    expect(other, "server.ping", "['unharmed']", "'unharmed'");
    expect(other, "list.clear", "['l']", "nil");
    daemon_expect_descriptors(daemon, LIMIT - 16);
    expect_result(c, send_with(c, "server.ping", named, 16), "_");
}

static void pipes_without_descriptors_are_a_limit_of_the_daemon(void **state)
{
    enum { LIMIT = 40 };
    struct daemon *daemon = start(state, NULL);
    daemon_limit_descriptors(daemon, LIMIT);
    struct rpc *c = daemon_client(daemon);
    expect(c, "list.open", "['l']", "_map");
    expect(c, "pipe.open", "['p']", "_map");
    expect(c, "pipe.open", "['unused']", "_map");
    expect_soon(c, "session.list", "[]", "[_map]");
    expect(c, "pipe.connect", "['p']", "[_, 0]");
    expect(c, "pipe.connect", "['p']", "[_, 1]");
    (void)close(c->fds[0]);
    (void)close(c->fds[1]);
    c->fd_count = 0;
    expect_soon(c, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
    keep(c, LIMIT - daemon_descriptors(daemon));
    expect_error_word(c, "pipe.connect", "['unused']", "LIMIT", "Too many open files");
    expect_error_word(c, "pipe.connect", "['p']", "LIMIT", "Too many open files");
    expect(c, "object.describe", "['p']", "{ends: ['taken', 'taken'], ...}");
    expect(c, "list.clear", "['l']", "nil");
    expect_soon(c, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
}

/* One byte with as many descriptors as the kernel lets through, on many connections. */
static void half_messages_take_the_daemon_no_descriptors_beyond_the_limit(void **state)
{
    enum { LIMIT = 100, CLIENTS = 40 };
    struct daemon *daemon = start(state, NULL);
    daemon_limit_descriptors(daemon, LIMIT);
    int fds[RPC_DESCRIPTORS_MAX] = {0};
    for (int i = 0; i < CLIENTS; i++) {
        struct rpc *c = daemon_client(daemon);
        rpc_write_descriptors(c, "\x94", 1, fds, i % 2 == 0 ? RPC_DESCRIPTORS_MAX : 17);
    }
    struct rpc *other = daemon_client(daemon);
    expect(other, "server.ping", "['unharmed']", "'unharmed'");
    daemon_expect_descriptors(daemon, LIMIT - CLIENTS / 2);
}

static void half_messages_count_against_max_descriptors(void **state)
{
    struct daemon *daemon = start(state, "[limits]\nmax_descriptors = 24\n");
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    struct rpc *c = daemon_client(daemon);
    int fds[16] = {0};
    msgpack_sbuffer out;
    expect(c, "list.open", "['l']", "_map");
    msgpack_sbuffer_init(&out);
    rpc_write_descriptors(a, "\x94", 1, fds, 16);
    await_turn(c);
    uint32_t msgid = rpc_pack(b, &out, "server.ping", "[[ext(2, '\\x00')]]");
    rpc_write_descriptors(b, out.data, 1, fds, 16);
    await_turn(c);
    keep(c, 8);
    check_over(c, send_with(c, "list.append", "['l', ext(2, '\\x00')]", 1), "max_descriptors");
    rpc_write(b, out.data + 1, out.size - 1);
    check_over(b, msgid, "max_descriptors: 16 of 24");
    expect(b, "server.ping", "['goes on']", "'goes on'");
    msgpack_sbuffer_destroy(&out);
    daemon_drop(daemon, a);
    expect_soon(c, "session.list", "[]", "[_map, _map]");
    keep(c, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sessions_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(objects_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(waiting_calls_of_a_session_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(bytes_in_all_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(what_makes_room_is_done_when_there_is_none, daemon_teardown),
        cmocka_unit_test_teardown(bytes_of_each_user_are_limited, daemon_teardown),
        cmocka_unit_test_teardown(one_user_cannot_have_more_than_half_of_the_sessions,
                                  daemon_teardown),
        cmocka_unit_test_teardown(one_user_cannot_have_more_than_half_of_the_objects,
                                  daemon_teardown),
        cmocka_unit_test_teardown(one_user_cannot_have_more_than_half_of_the_descriptors,
                                  daemon_teardown),
        cmocka_unit_test_teardown(bytes_are_kept_for_root, daemon_teardown),
        cmocka_unit_test_teardown(limits_that_the_process_has_no_descriptors_for_are_lowered,
                                  daemon_teardown),
        cmocka_unit_test_teardown(message_size_is_limited_and_announced, daemon_teardown),
        cmocka_unit_test_teardown(accept_pauses_at_the_descriptor_limit_and_resumes,
                                  daemon_teardown),
        cmocka_unit_test_teardown(descriptors_at_the_process_limit_harm_nobody, daemon_teardown),
        cmocka_unit_test_teardown(descriptors_that_the_kernel_cuts_off_are_a_limit_of_the_daemon,
                                  daemon_teardown),
        cmocka_unit_test_teardown(pipes_without_descriptors_are_a_limit_of_the_daemon,
                                  daemon_teardown),
        cmocka_unit_test_teardown(half_messages_take_the_daemon_no_descriptors_beyond_the_limit,
                                  daemon_teardown),
        cmocka_unit_test_teardown(half_messages_count_against_max_descriptors, daemon_teardown),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
