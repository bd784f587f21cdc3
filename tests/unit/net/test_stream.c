/* Sending an output over a socket that takes little at a time. */
#include "tests/support/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/stream.h"
#include "tests/support/random_value.h"

struct pair {
    struct stream stream;
    int peer;
};

static void pair_open(struct pair *pair)
{
    int fds[2];
    int small = 8192;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    stream_init(&pair->stream, fds[1]);
    pair->peer = fds[0];
}

static void pair_close(struct pair *pair)
{
    stream_deinit(&pair->stream, NULL, 0);
    (void)close(pair->peer);
}

/* Appends a run of bytes to the output, as a blob if it is large, and to what is expected. */
static void append_run(struct output *output, struct buffer *expected, struct random *random,
                       uint32_t len)
{
    size_t at = expected->len;
    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)random_next(random);
        assert_int_equal(buffer_append(expected, &byte, 1), 0);
    }
    struct slice bytes = {expected->data + at, len};
    struct stored value = {bytes, len >= BLOB_MIN ? blob_new(incoming_plain(bytes)) : NULL};
    output_value(output, value);
    blob_unref(value.blob);
}

/* Reads up to `most` bytes and compares them with what is expected next. */
static void read_some(int peer, const struct buffer *expected, size_t *at, size_t most)
{
    uint8_t bytes[65536];
    ssize_t len = recv(peer, bytes, most < sizeof(bytes) ? most : sizeof(bytes), MSG_DONTWAIT);
    if (len > 0) {
        assert_true(*at + (size_t)len <= expected->len);
        assert_memory_equal(bytes, expected->data + *at, (size_t)len);
        *at += (size_t)len;
    }
}

static void blobs_and_bytes_leave_in_order_however_little_is_taken(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct random random = random_from_seed(seed);
        struct pair pair;
        struct output output = {0};
        struct buffer expected = {0};
        size_t at = 0;
        pair_open(&pair);
        for (int i = 0; i < 400; i++) {
            append_run(&output, &expected, &random,
                       random_below(&random, random_below(&random, 3) == 0 ? 30000 : 200));
        }
        while (output_pending(&output) > 0) {
            (void)stream_send(&pair.stream, &output, UINT64_MAX);
            read_some(pair.peer, &expected, &at, 1 + random_below(&random, 20000));
        }
        assert_int_equal(output.splices_sent, output.nsplices);
        for (int i = 0; i < 1000; i++) {
            read_some(pair.peer, &expected, &at, 65536);
        }
        assert_int_equal(at, expected.len);
        output_deinit(&output);
        buffer_deinit(&expected);
        pair_close(&pair);
    }
}

static void a_peer_that_is_gone_breaks_the_stream(void **state)
{
    (void)state;
    struct pair pair;
    struct output output = {0};
    struct input input;
    struct rest *rest = NULL;
    pair_open(&pair);
    assert_int_equal(input_init(&input), 0);
    assert_int_equal(send(pair.peer, "last", 4, 0), 4);
    (void)close(pair.peer);
    pair.peer = -1;
    assert_int_equal(buffer_append(&output.bytes, "answer", 6), 0);
    assert_int_equal(stream_send(&pair.stream, &output, UINT64_MAX), STREAM_BROKEN);
    assert_int_equal(input_open(&input, &rest), 0);
    assert_int_equal(stream_receive(&pair.stream, NULL, &input), 4);
    assert_memory_equal(input.data, "last", 4);
    assert_int_equal(stream_receive(&pair.stream, NULL, &input), 0);
    input.at = input.len;
    assert_int_equal(input_close(&input, &rest), 0);
    output_deinit(&output);
    input_deinit(&input);
    pair_close(&pair);
}

/* What stream.c says about closing with input unread. */
static void a_close_leaves_the_peer_what_was_sent_to_it(void **state)
{
    (void)state;
    struct pair pair;
    struct output output = {0};
    char bytes[16];
    pair_open(&pair);
    assert_int_equal(send(pair.peer, "unread", 6, 0), 6);
    assert_int_equal(buffer_append(&output.bytes, "goodbye", 7), 0);
    assert_int_equal(stream_send(&pair.stream, &output, UINT64_MAX), 0);
    stream_deinit(&pair.stream, NULL, 0);
    assert_int_equal(send(pair.peer, "more", 4, MSG_NOSIGNAL), -1);
    assert_int_equal(recv(pair.peer, bytes, sizeof(bytes), 0), 7);
    assert_memory_equal(bytes, "goodbye", 7);
    output_deinit(&output);
    (void)close(pair.peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_and_bytes_leave_in_order_however_little_is_taken),
        cmocka_unit_test(a_peer_that_is_gone_breaks_the_stream),
        cmocka_unit_test(a_close_leaves_the_peer_what_was_sent_to_it),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
