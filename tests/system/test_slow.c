/* Peers that stop half way, claim what they do not send, or do not read: only they notice. */
#include "tests/support/daemon.h"

#include <sys/socket.h>

enum { MEGABYTE = 1048576 };

static void half_a_message_waits_for_its_other_half(void **state)
{
    struct rpc *slow = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(slow, &out, "server.ping", "['x'*300000]");
    rpc_write(slow, out.data, out.size / 2);
    for (int i = 0; i < 100; i++) {
        expect(other, "server.ping", "[1]", "1");
    }
    rpc_write(slow, out.data + out.size / 2, out.size - out.size / 2);
    msgpack_sbuffer_destroy(&out);
    expect_result(slow, msgid, "'x'*300000");
}

static void message_that_arrives_byte_by_byte_is_answered(void **state)
{
    struct rpc *slow = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t first = rpc_pack(slow, &out, "server.ping", "[{a: ['xyz', 1.5, ext(5, 'abc')]}]");
    uint32_t second = rpc_pack(slow, &out, "server.ping", "[b'second']");
    for (size_t i = 0; i < out.size; i++) {
        rpc_write(slow, out.data + i, 1);
        expect(other, "server.ping", "[]", "nil");
    }
    msgpack_sbuffer_destroy(&out);
    expect_result(slow, first, "{a: ['xyz', 1.5, ext(5, 'abc')]}");
    expect_result(slow, second, "b'second'");
}

static void lengths_that_are_only_claimed_take_no_memory(void **state)
{
    static const char *const claims[] = {
        "<94 00 01 ab 73 65 72 76 65 72 2e 70 69 6e 67 91 c6 00 f0 00 00>",
        "<94 00 01 ab 73 65 72 76 65 72 2e 70 69 6e 67 91 db 00 f0 00 00 61>",
        "<94 00 01 ab 73 65 72 76 65 72 2e 70 69 6e 67 91 dd 00 f0 00 00 01>",
        "<94 00 01 ab 73 65 72 76 65 72 2e 70 69 6e 67 91 df 00 70 00 00 01>",
        "<94 00 01 ab 73 65 72 76 65 72 2e 70 69 6e 67 91 c9 00 f0 00 00 05>",
    };
    enum { CLAIMS = sizeof(claims) / sizeof(claims[0]), SESSIONS = 60 };
    struct daemon *daemon = *state;
    struct rpc *other = daemon_client(daemon);
    expect(other, "server.ping", "[]", "nil");
    uint64_t before = daemon_memory(daemon);
    for (int i = 0; i < SESSIONS; i++) {
        rpc_write_notation(daemon_client(daemon), claims[i % CLAIMS]);
        expect(other, "server.ping", "[]", "nil");
    }
    assert_true(daemon_memory(daemon) < before + 24 * MEGABYTE);
}

static void reader_that_does_not_read_is_paused_and_served_later(void **state)
{
    enum { REQUESTS = 400 };
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.config = "[limits]\nmax_output = 2000000\n"});
    *state = daemon;
    struct rpc *lazy = daemon_client(daemon);
    struct rpc *other = daemon_client(daemon);
    expect(other, "list.open", "['l', {initial: [b'x'*500000]}]", "_map");
    expect(lazy, "server.ping", "[]", "nil");
    uint64_t before = daemon_memory(daemon);
    /* In one write, which the socket holds whole even if the daemon does not read it. */
    uint32_t ids[REQUESTS];
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    for (int i = 0; i < REQUESTS; i++) {
        ids[i] = rpc_pack(lazy, &out, "list.get", "['l', 0]");
    }
    rpc_write(lazy, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    for (int i = 0; i < 50; i++) {
        expect(other, "list.len", "['l']", "1");
    }
    /* 200 MB are asked for; by reference or by copy, the budget is two. */
    assert_true(daemon_memory(daemon) < before + 48 * MEGABYTE);
    for (int i = 0; i < REQUESTS; i++) {
        struct reply *reply = rpc_next(lazy);
        assert_non_null(reply);
        assert_int_equal(reply->msgid, ids[i]);
        assert_int_equal(reply->result.via.bin.size, 500000);
        reply_free(reply);
    }
}

static void reader_that_does_not_read_pings_of_its_own_is_paused_too(void **state)
{
    enum { REQUESTS = 3000, SIZE = 20000 };
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.config = "[limits]\nmax_output = 500000\n"});
    *state = daemon;
    struct rpc *lazy = daemon_client(daemon);
    struct rpc *other = daemon_client(daemon);
    expect(other, "server.ping", "[]", "nil");
    uint64_t before = daemon_memory(daemon);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    (void)rpc_pack(lazy, &out, "server.ping", "['x'*20000]");
    /* Writes without ever reading until the daemon no longer takes anything. */
    unsigned sent = 0;
    while (sent < REQUESTS &&
           send(lazy->fd, out.data, out.size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)out.size) {
        sent++;
        expect(other, "server.ping", "[]", "nil");
    }
    msgpack_sbuffer_destroy(&out);
    assert_true(sent < REQUESTS);
    assert_true(daemon_memory(daemon) < before + 32 * MEGABYTE);
    expect(other, "server.ping", "['unharmed']", "'unharmed'");
}

static void paused_reader_that_leaves_gives_everything_back(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *other = daemon_client(daemon);
    expect(other, "list.open", "['l', {initial: [b'x'*1000000]}]", "_map");
    unsigned descriptors = daemon_descriptors(daemon);
    uint64_t before = daemon_memory(daemon);
    for (int i = 0; i < 20; i++) {
        struct rpc *lazy = daemon_client(daemon);
        for (int j = 0; j < 30; j++) {
            (void)rpc_send(lazy, "list.slice", "['l']");
        }
        expect(other, "list.len", "['l']", "1");
        daemon_drop(daemon, lazy);
    }
    expect_soon(other, "session.list", "[]", "[_map]");
    daemon_expect_descriptors(daemon, descriptors);
    assert_true(daemon_memory(daemon) < before + 48 * MEGABYTE);
}

static void many_idle_sessions_do_not_slow_the_rest(void **state)
{
    enum { IDLE = 60 };
    struct daemon *daemon = *state;
    struct rpc *idle[IDLE];
    for (int i = 0; i < IDLE; i++) {
        idle[i] = daemon_client(daemon);
        rpc_write(idle[i], "\x94", 1);
    }
    struct rpc *other = daemon_client(daemon);
    expect(other, "session.list", "[]", "[_map, ...]");
    for (int i = 0; i < IDLE; i++) {
        rpc_write_notation(idle[i], "0 9 'server.ping' ['woken']");
        expect_result(idle[i], 9, "'woken'");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(half_a_message_waits_for_its_other_half),
        daemon_test(message_that_arrives_byte_by_byte_is_answered),
        daemon_test(lengths_that_are_only_claimed_take_no_memory),
        cmocka_unit_test_teardown(reader_that_does_not_read_is_paused_and_served_later,
                                  daemon_teardown),
        cmocka_unit_test_teardown(reader_that_does_not_read_pings_of_its_own_is_paused_too,
                                  daemon_teardown),
        daemon_test(paused_reader_that_leaves_gives_everything_back),
        daemon_test(many_idle_sessions_do_not_slow_the_rest),
    };
    return cmocka_run_group_tests_name("slow", tests, NULL, NULL);
}
