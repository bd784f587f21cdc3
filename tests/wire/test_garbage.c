/*
 * What no file of the corpus holds: random bytes, and good messages with some of their bytes
 * changed. The daemon may answer, say goodbye or wait for more; it must stay as it is for others,
 * and must not grow. The numbers are the same in every run.
 */
#include "tests/support/daemon.h"

#include <sys/socket.h>

enum { ROUNDS = 1500, GROWTH_MAX = 8 * 1048576 };

struct source {
    unsigned number;
};

static unsigned next(struct source *source, unsigned below)
{
    source->number = source->number * 1664525U + 1013904223U;
    return (source->number >> 8) % below;
}

/* Everything that has come is read and thrown away, without waiting. */
static void discard_input(struct rpc *c)
{
    char piece[4096];
    while (recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT) > 0) {
    }
}

static void send_and_leave(struct daemon *daemon, struct rpc *witness, const msgpack_sbuffer *bytes)
{
    struct rpc *c = daemon_client(daemon);
    rpc_write(c, bytes->data, bytes->size);
    expect(witness, "server.ping", "['unharmed']", "'unharmed'");
    discard_input(c);
    daemon_drop(daemon, c);
}

static void random_bytes_harm_nobody(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *witness = daemon_client(daemon);
    struct source source = {.number = 1};
    uint64_t memory = 0;
    for (int round = 0; round < ROUNDS; round++) {
        msgpack_sbuffer bytes;
        msgpack_sbuffer_init(&bytes);
        for (unsigned left = 1 + next(&source, 60); left > 0; left--) {
            char byte = (char)next(&source, 256);
            (void)msgpack_sbuffer_write(&bytes, &byte, 1);
        }
        send_and_leave(daemon, witness, &bytes);
        msgpack_sbuffer_destroy(&bytes);
        memory = round == ROUNDS / 3 ? daemon_memory(daemon) : memory;
    }
    expect_soon(witness, "session.list", "[]", "[_map]");
    assert_true(daemon_memory(daemon) < memory + GROWTH_MAX);
}

static void changed_messages_harm_nobody(void **state)
{
    static const char *const calls[][2] = {
        {"queue.open", "['q', {joinable: true, maxsize: 5, lease_ms: 1000}]"},
        {"queue.put", "['q', {a: [1, 2.5, b'x']}, 0, {priority: 5, ttl_ms: 10}]"},
        {"queue.get_many", "['q', 3, 0]"},
        {"queue.task_done", "['q', 1]"},
        {"dict.open", "['d', {initial: {a: 1}}]"},
        {"dict.update", "['d', {a: 1, 5: [nil]}]"},
        {"dict.scan", "['d', 0, 10]"},
        {"dict.incr", "['d', 'a', 5]"},
        {"list.open", "['l', {initial: [3, 1, 2]}]"},
        {"list.set_slice", "['l', 0, 2, 1, [5, 6]]"},
        {"list.insert", "['l', -1, 'x']"},
        {"list.sort", "['l', true]"},
        {"object.list", "[{glob: '*', limit: 5}]"},
        {"object.chmod", "['l', 432]"},
        {"session.describe", "[1]"},
    };
    enum { CALLS = sizeof(calls) / sizeof(calls[0]) };
    struct daemon *daemon = *state;
    struct rpc *witness = daemon_client(daemon);
    struct source source = {.number = 2};
    for (int round = 0; round < ROUNDS; round++) {
        msgpack_sbuffer bytes;
        msgpack_sbuffer_init(&bytes);
        for (unsigned left = 1 + next(&source, 4); left > 0; left--) {
            const char *const *call = calls[next(&source, CALLS)];
            (void)rpc_pack(witness, &bytes, call[0], call[1]);
        }
        for (unsigned left = next(&source, 4); left > 0; left--) {
            bytes.data[next(&source, (unsigned)bytes.size)] ^= (char)(1U << next(&source, 8));
        }
        send_and_leave(daemon, witness, &bytes);
        msgpack_sbuffer_destroy(&bytes);
    }
    expect_soon(witness, "session.list", "[]", "[_map]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(random_bytes_harm_nobody),
        daemon_test(changed_messages_harm_nobody),
    };
    return cmocka_run_group_tests_name("garbage", tests, NULL, NULL);
}
