/* The window of input: messages in it, what is kept, and what it costs. No sockets. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "daemon/net/input.h"
#include "proto/pack.h"
#include "tests/support/random_value.h"

enum { MAX_SIZE = 16 * 1024 * 1024 };

static int setup(void **state)
{
    struct input *input = malloc(sizeof(*input));
    assert_non_null(input);
    assert_int_equal(input_init(input), 0);
    *state = input;
    return 0;
}

static int teardown(void **state)
{
    input_deinit(*state);
    free(*state);
    return 0;
}

/* Puts bytes behind what is in the window. */
static void fill(struct input *input, struct slice bytes)
{
    size_t room;
    uint8_t *space = input_space(input, &room);
    assert_true(bytes.len <= room);
    memcpy(space, bytes.data, bytes.len);
    input_filled(input, bytes.len);
}

/* A request to ping with a run of `len` bytes. */
static void append_ping(struct buffer *out, uint32_t msgid, size_t len)
{
    uint8_t *run = calloc(1, len + 1);
    assert_non_null(run);
    message_request(out, msgid, slice_of_string("server.ping"), 1);
    pack_bin(out, (struct slice){run, len});
    free(run);
}

/* Gives the bytes to the input in pieces of random sizes, and checks that each message comes out
 * once, in order. */
static void feed(struct input *input, struct slice bytes, struct random *random, uint32_t most)
{
    struct rest *rest = NULL;
    uint32_t next = 0;
    size_t at = 0;
    while (at < bytes.len) {
        size_t room;
        struct message message;
        assert_int_equal(input_open(input, &rest), 0);
        assert_null(rest);
        (void)input_space(input, &room);
        size_t piece = 1 + random_below(random, most);
        piece = piece < room ? piece : room;
        piece = piece < bytes.len - at ? piece : bytes.len - at;
        fill(input, (struct slice){bytes.data + at, piece});
        at += piece;
        int status;
        while ((status = input_next(input, MAX_SIZE, &message)) == 0) {
            assert_int_equal(message.msgid, next++);
        }
        assert_int_equal(status, MESSAGE_MORE);
        assert_int_equal(input_close(input, &rest), 0);
        assert_true(rest == NULL || rest->cap <= 2 * (rest->len + INPUT_SIZE));
    }
    assert_null(rest);
}

static void messages_of_all_sizes_come_out_of_pieces_of_all_sizes(void **state)
{
    static const size_t sizes[] = {0, 10, 300, 5000, 16300, 16384, 40000, 70000, 262144, 900000};
    struct buffer bytes = {0};
    for (uint32_t i = 0; i < 40; i++) {
        append_ping(&bytes, i, sizes[(i * 7) % 10]);
    }
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct random random = random_from_seed(seed);
        feed(*state, buffer_slice(&bytes), &random, seed % 2 == 0 ? 250000 : 20000);
    }
    buffer_deinit(&bytes);
}

static void nested_messages_come_out_of_single_bytes(void **state)
{
    static const struct random_shape shape = {4, 6, 20, true};
    struct random random = random_from_seed(5);
    struct buffer bytes = {0};
    for (uint32_t i = 0; i < 200; i++) {
        message_request(&bytes, i, slice_of_string("m"), 1);
        random_value(&random, &shape, &bytes);
    }
    feed(*state, buffer_slice(&bytes), &random, 1);
    buffer_deinit(&bytes);
}

/* The decoding of an incomplete message goes on where it stopped. */
static void an_incomplete_message_is_not_decoded_again(void **state)
{
    struct input *input = *state;
    struct buffer bytes = {0};
    struct rest *rest = NULL;
    struct message message;
    message_request(&bytes, 0, slice_of_string("m"), 1);
    size_t array = bytes.len;
    pack_array(&bytes, 1000);
    size_t before = bytes.len;
    for (int i = 0; i < 1000; i++) {
        pack_int(&bytes, 1);
    }
    assert_int_equal(input_open(input, &rest), 0);
    fill(input, (struct slice){bytes.data, before + 500});
    assert_int_equal(input_next(input, MAX_SIZE, &message), MESSAGE_MORE);
    assert_int_equal(input_close(input, &rest), 0);
    assert_true(rest->begun && rest->progress.scanning);
    assert_int_equal(rest->progress.scan.at, bytes.len - array - 500);
    assert_int_equal(input_open(input, &rest), 0);
    assert_int_equal(input->progress.scan.at, bytes.len - array - 500);
    fill(input, (struct slice){bytes.data + before + 500, 500});
    assert_int_equal(input_next(input, MAX_SIZE, &message), 0);
    assert_int_equal(input_close(input, &rest), 0);
    assert_null(rest);
    buffer_deinit(&bytes);
}

/* Puts more of a stream into the window; returns how many messages that completes. */
static unsigned feed_once(struct input *input, struct rest **rest, struct slice bytes)
{
    struct message message;
    unsigned count = 0;
    assert_int_equal(input_open(input, rest), 0);
    fill(input, bytes);
    while (input_next(input, MAX_SIZE, &message) == 0) {
        count++;
    }
    assert_int_equal(input_close(input, rest), 0);
    return count;
}

/* What is known of one stream's incomplete message is not taken for another's. */
static void two_streams_take_turns_in_one_window(void **state)
{
    struct buffer small = {0};
    struct buffer large = {0};
    struct rest *rest_of_small = NULL;
    struct rest *rest_of_large = NULL;
    append_ping(&small, 0, 10);
    append_ping(&large, 0, 1000);
    size_t half = small.len / 2;
    assert_int_equal(feed_once(*state, &rest_of_small, (struct slice){small.data, half}), 0);
    assert_int_equal(feed_once(*state, &rest_of_large, (struct slice){large.data, 100}), 0);
    assert_int_equal(
        feed_once(*state, &rest_of_small, (struct slice){small.data + half, small.len - half}), 1);
    assert_null(rest_of_small);
    assert_int_equal(
        feed_once(*state, &rest_of_large, (struct slice){large.data + 100, large.len - 100}), 1);
    assert_null(rest_of_large);
    buffer_deinit(&small);
    buffer_deinit(&large);
}

static void what_can_never_become_a_message_is_refused_early(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int error;
    } cases[] = {
        {"\xc1", 1, ERR_BAD_REQUEST},
        {"\x93\x00", 2, ERR_BAD_REQUEST},
        {"\x94\x00\x01\xdb\xff\xff\xff\xff", 8, ERR_TOO_LARGE},
        {"\x94\x00\x01\xa1m\xdd\xff\xff\xff\xff", 10, ERR_TOO_LARGE},
        {"\x94\x00\x01\xa1m\x91\xdf\xff\xff\xff\xff", 11, ERR_TOO_LARGE},
    };
    struct input *input = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct rest *rest = NULL;
        struct message message;
        assert_int_equal(input_open(input, &rest), 0);
        fill(input, (struct slice){(const uint8_t *)cases[i].bytes, cases[i].len});
        assert_int_equal(input_next(input, MAX_SIZE, &message), cases[i].error);
        input->at = input->len;
        assert_int_equal(input_close(input, &rest), 0);
        assert_null(rest);
    }
}

static void a_large_buffer_is_not_kept_for_a_small_rest(void **state)
{
    struct input *input = *state;
    struct buffer bytes = {0};
    struct rest *rest = NULL;
    struct message message;
    append_ping(&bytes, 0, 1000000);
    append_ping(&bytes, 1, 40000);
    size_t cut = bytes.len - 10000;
    for (size_t at = 0; at < cut;) {
        size_t room;
        assert_int_equal(input_open(input, &rest), 0);
        (void)input_space(input, &room);
        size_t piece = room < cut - at ? room : cut - at;
        fill(input, (struct slice){bytes.data + at, piece});
        at += piece;
        while (input_next(input, MAX_SIZE, &message) == 0) {
        }
        assert_int_equal(input_close(input, &rest), 0);
    }
    assert_true(rest->len > INPUT_SHORT && rest->cap <= 2 * rest->len);
    rest_free(rest);
    buffer_deinit(&bytes);
}

/* A large message outlives the window in memory of its own, and what follows it comes as ever. */
static void a_large_message_can_be_detached(void **state)
{
    struct input *input = *state;
    struct buffer bytes = {0};
    struct rest *rest = NULL;
    void *memory = NULL;
    size_t size = 0;
    uint32_t next = 0;
    append_ping(&bytes, 0, 10);
    append_ping(&bytes, 1, INPUT_LARGE);
    append_ping(&bytes, 2, 10);
    append_ping(&bytes, 3, 1000);
    for (size_t at = 0; at < bytes.len;) {
        size_t room;
        struct message message;
        assert_int_equal(input_open(input, &rest), 0);
        (void)input_space(input, &room);
        size_t piece = bytes.len - 500 > at ? bytes.len - 500 - at : bytes.len - at;
        piece = piece < 100000 ? piece : 100000;
        piece = piece < room ? piece : room;
        fill(input, (struct slice){bytes.data + at, piece});
        while (input_next(input, MAX_SIZE, &message) == 0) {
            assert_int_equal(message.msgid, next++);
            size_t before = input_position(input);
            assert_int_equal(input_detach(input, &message, &memory, &size), message.msgid == 1);
            assert_int_equal(input_position(input), before);
            if (message.msgid == 1) {
                assert_true(size > message.size && size < message.size + 1024);
                assert_int_equal(message.params[0].raw.len, INPUT_LARGE + 5);
                assert_true(message.params[0].raw.data > (uint8_t *)memory &&
                            message.params[0].raw.data < (uint8_t *)memory + size);
            }
        }
        at += piece;
        assert_int_equal(input_close(input, &rest), 0);
    }
    assert_int_equal(next, 4);
    assert_null(rest);
    free(memory);
    buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_of_all_sizes_come_out_of_pieces_of_all_sizes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(nested_messages_come_out_of_single_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(an_incomplete_message_is_not_decoded_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(two_streams_take_turns_in_one_window, setup, teardown),
        cmocka_unit_test_setup_teardown(what_can_never_become_a_message_is_refused_early, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_large_message_can_be_detached, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_buffer_is_not_kept_for_a_small_rest, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
