/*
 * Servers that answer at random: every reply that there is, wrong ones, none. Each request ends,
 * once; nothing crashes, hangs or leaks.
 */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine/fake_cluster.h"

enum {
    ROUNDS = 12,
    REQUESTS = 60,
    CHANNELS = 4,
};

static unsigned seed;

static unsigned below(unsigned most)
{
    return (unsigned)rand_r(&seed) % most;
}

static const char *any_reply(const struct fake_cluster *stage)
{
    static const char *const REPLIES[] = {
        FAKE_ORDINARY,
        FAKE_NOTHING,
        FAKE_CLOSE,
        "-TRYAGAIN x\r\n",
        "-CLUSTERDOWN x\r\n",
        "-LOADING x\r\n",
        "-READONLY x\r\n",
        "-MOVED 16384 x:1\r\n",
        "-MOVED 1 127.0.0.1:1\r\n",
        "-ERR Function not found\r\n",
        "-OOM x\r\n",
        "-NOAUTH x\r\n",
        "-\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        ":7\r\n",
        "$3\r\nab",
        "*3\r\n$8\r\nsmessage\r\n$1\r\n1\r\n$1\r\nx\r\n",
        "*3\r\n$12\r\nsunsubscribe\r\n$1\r\n1\r\n:0\r\n",
        "*3\r\n$10\r\nssubscribe\r\n$1\r\n1\r\n:0\r\n",
        "*2\r\n*1\r\n:1\r\n*3\r\n:0\r\n:1\r\n:2\r\n",
        "+OK\r\n+OK\r\n",
        "nonsense\r\n",
        "*1048577\r\n",
    };
    unsigned chosen = below(sizeof(REPLIES) / sizeof(REPLIES[0]) + 3);
    if (chosen < sizeof(REPLIES) / sizeof(REPLIES[0])) {
        return REPLIES[chosen];
    }
    return fake_cluster_naming(
        stage, below(2) == 0 ? "-MOVED 5 :%u\r\n" : "-ASK 5 127.0.0.1:%u\r\n", below(NODES));
}

static const char *script(struct fake_redis *fake, struct fake_connection *connection, size_t argc,
                          const char *const *argv)
{
    struct fake_cluster *stage = fake->data;
    bool greeting = strcmp(argv[0], "CLIENT") == 0 || strcmp(argv[0], "CLUSTER") == 0;
    if (below(greeting ? 10 : 2) != 0) {
        return FAKE_ORDINARY;
    }
    return any_reply(stage);
}

static void play(struct fake_cluster *stage)
{
    struct sent *sent = calloc(REQUESTS, sizeof(*sent));
    assert_non_null(sent);
    for (size_t i = 0; i < REQUESTS; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%u", below(CHANNELS));
        struct slice channel = slice_of_string(text);
        if (below(3) == 0) {
            assert_int_equal(cluster_subscribe(stage->caller.cluster, channel), 0);
        } else if (below(3) == 0) {
            cluster_unsubscribe(stage->caller.cluster, channel);
        }
        sent[i].request.wait_replicas = below(3) == 0 ? 1 : 0;
        caller_send(&stage->caller, &sent[i], below(200), "FCALL", "ipcd", "1", text, NULL);
        if (below(8) == 0) {
            cluster_forget(stage->caller.cluster, &sent[i].request);
            sent[i].done = true;
        }
        if (below(4) == 0) {
            caller_run(&stage->caller, below(5));
        }
        if (below(30) == 0) {
            fake_hang_up(&stage->nodes[below(NODES)]);
        }
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        caller_await(&stage->caller, &sent[i].done);
    }
    struct cluster_figures figures;
    cluster_figures(stage->caller.cluster, &figures);
    assert_int_equal(figures.waiting, 0);
    assert_int_equal(figures.under_way, 0);
    free(sent);
}

static void requests_end_once_whatever_servers_do(void **state)
{
    struct fake_cluster *stage = *state;
    stage->caller.options.library = slice_of_string("#!lua name=ipcd\n");
    stage->caller.options.silence_ms = 60;
    stage->caller.options.connect_timeout_ms = 60;
    fake_cluster_set_map(stage, NODES, 0);
    fake_cluster_open(stage);
    for (size_t i = 0; i < NODES; i++) {
        stage->nodes[i].script = script;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        seed = round;
        stage->nodes[0].bytewise = round % 2 == 1;
        play(stage);
    }
    /* And when they are honest again, all is well. */
    struct sent sent = {0};
    for (size_t i = 0; i < NODES; i++) {
        stage->nodes[i].script = NULL;
        stage->nodes[i].bytewise = false;
    }
    caller_await_reachable(&stage->caller, true);
    do {
        caller_send(&stage->caller, &sent, 60000, "FCALL", "ipcd", "1", "key", NULL);
        caller_await(&stage->caller, &sent.done);
    } while (sent.fate != REQUEST_DONE);
    assert_string_equal(sent.text, "OK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_end_once_whatever_servers_do, fake_cluster_setup,
                                        fake_cluster_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
