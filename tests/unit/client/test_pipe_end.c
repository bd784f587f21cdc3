/*
 * The ends of a pipe over a socket pair: what is sent is what is received, whole and in order,
 * however it is cut on the way, and whatever becomes of the other side.
 */
#include "client/clock.h"
#include "client/pipe_end.h"
#include "tests/unit/client/client_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct pair {
    struct ipcc_pipe_end *a;
    struct ipcc_pipe_end *b;
};

static int set_up(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    int fds[2];
    assert_non_null(pair);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_ok(ipcc_pipe_end_open(fds[0], NULL, &pair->a));
    assert_ok(ipcc_pipe_end_open(fds[1], NULL, &pair->b));
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    assert_ok(ipcc_pipe_end_close(pair->a));
    assert_ok(ipcc_pipe_end_close(pair->b));
    free(pair);
    return 0;
}

/* Closes one side before the test is over. */
static void close_a(struct pair *pair)
{
    assert_ok(ipcc_pipe_end_close(pair->a));
    pair->a = NULL;
}

/* Another end in place of b, on the same socket. */
static void reopen_b(struct pair *pair, const struct ipcc_pipe_end_options *options)
{
    int fd = dup(ipcc_pipe_end_fd(pair->b));
    assert_true(fd >= 0);
    assert_ok(ipcc_pipe_end_close(pair->b));
    assert_ok(ipcc_pipe_end_open(fd, options, &pair->b));
}

static void send_raw(struct pair *pair, const void *bytes, size_t length)
{
    assert_int_equal(send(ipcc_pipe_end_fd(pair->a), bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void check_receives(struct ipcc_pipe_end *end, const char *text)
{
    struct ipcc_reply reply;
    char printed[200];
    assert_ok(ipcc_pipe_receive(end, IPCC_FOREVER, &reply));
    assert_ok(ipcc_value_print(&reply.value, printed, sizeof(printed)));
    assert_string_equal(printed, text);
    ipcc_reply_free(&reply);
}

static void check_nothing(struct ipcc_pipe_end *end)
{
    struct ipcc_reply reply;
    bool ready = true;
    assert_ok(ipcc_pipe_poll(end, 0, &ready));
    assert_false(ready);
    assert_fails(ipcc_pipe_receive(end, 0, &reply), TIMEOUT, "time");
}

static void values_of_all_kinds_come_as_they_were_sent(void **state)
{
    struct pair *pair = *state;
    const struct ipcc_value list[] = {ipcc_int(42), ipcc_nil(), ipcc_str("hello")};
    const struct ipcc_value values[] = {ipcc_nil(),      ipcc_bool(true),    ipcc_int(-5),
                                        ipcc_float(1.5), ipcc_uint(1),       ipcc_bin("ab", 2),
                                        ipcc_str(""),    ipcc_array(list, 3)};
    const char *const texts[] = {"null", "true",    "-5",   "1.5",
                                 "1",    "b\"ab\"", "\"\"", "[42, null, \"hello\"]"};
    for (size_t i = 0; i < 8; i++) {
        assert_ok(ipcc_pipe_send(pair->a, values[i], IPCC_FOREVER));
    }
    for (size_t i = 0; i < 8; i++) {
        check_receives(pair->b, texts[i]);
    }
    assert_ok(ipcc_pipe_send(pair->b, ipcc_str("back"), 0));
    check_receives(pair->a, "\"back\"");
    check_nothing(pair->a);
    check_nothing(pair->b);
}

static void bytes_are_bytes_and_other_values_are_left_in_place(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    assert_ok(ipcc_pipe_send_bytes(pair->a, "666", 3, IPCC_FOREVER));
    assert_ok(ipcc_pipe_send_bytes(pair->a, NULL, 0, IPCC_FOREVER));
    assert_ok(ipcc_pipe_send(pair->a, ipcc_str("text"), IPCC_FOREVER));
    assert_ok(ipcc_pipe_receive_bytes(pair->b, IPCC_FOREVER, &reply));
    assert_int_equal(reply.value.kind, IPCC_BIN);
    assert_int_equal(reply.value.length, 3);
    assert_memory_equal(reply.value.as.data, "666", 3);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_pipe_receive_bytes(pair->b, IPCC_FOREVER, &reply));
    assert_int_equal(reply.value.length, 0);
    ipcc_reply_free(&reply);
    assert_fails(ipcc_pipe_receive_bytes(pair->b, IPCC_FOREVER, &reply), TYPE, "bytes");
    check_receives(pair->b, "\"text\"");
}

/* ---- messages of all sizes ------------------------------------------------------------------- */

/* Sizes on both sides of every border there is in the library and in a socket. */
static size_t size_of(unsigned number)
{
    static const size_t sizes[] = {1,     31,    32,     255,    256,     4095,    4096,
                                   32760, 32768, 65535,  65536,  70000,   262144,  65536,
                                   65536, 3,     262144, 262144, 1048576, 1048576, 10};
    return sizes[number % (sizeof(sizes) / sizeof(sizes[0]))];
}

/* A message of that number: bytes, a str, or an array of many integers. */
static int send_number(struct ipcc_pipe_end *end, unsigned number)
{
    size_t size = size_of(number);
    uint8_t *bytes = malloc(size);
    struct ipcc_value *values = calloc(size, sizeof(*values));
    assert_true(bytes != NULL && values != NULL);
    memset(bytes, 'a' + (int)(number % 20), size);
    for (size_t i = 0; i < size; i++) {
        values[i] = ipcc_int((int64_t)(number % 100));
    }
    struct ipcc_value value = number % 3 == 0   ? ipcc_bin(bytes, size)
                              : number % 3 == 1 ? ipcc_strn((const char *)bytes, size)
                                                : ipcc_array(values, size);
    int status = ipcc_pipe_send(end, value, IPCC_FOREVER);
    free(bytes);
    free(values);
    return status;
}

static void check_number(const struct ipcc_value *value, unsigned number)
{
    if (number % 3 == 2) {
        struct ipcc_walk walk = ipcc_walk_of(value);
        struct ipcc_value element;
        size_t count = 0;
        while (ipcc_walk_next(&walk, &element)) {
            assert_int_equal(element.as.integer, number % 100);
            count++;
        }
        assert_int_equal(count, size_of(number));
        return;
    }
    assert_int_equal(value->kind, number % 3 == 0 ? IPCC_BIN : IPCC_STR);
    assert_int_equal(value->length, size_of(number));
    assert_int_equal(value->as.str[0], 'a' + (int)(number % 20));
    assert_memory_equal(value->as.str, value->as.str + 1, value->length - 1);
}

enum { NUMBERS = 200 };

static void *send_numbers(void *data)
{
    for (unsigned i = 0; i < NUMBERS; i++) {
        assert_ok(send_number(data, i * 7 % NUMBERS));
    }
    return NULL;
}

static void messages_of_all_sizes_come_whole_and_in_order(void **state)
{
    struct pair *pair = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_numbers, pair->a), 0);
    for (unsigned i = 0; i < NUMBERS; i++) {
        struct ipcc_reply reply;
        assert_ok(ipcc_pipe_receive(pair->b, i % 2 == 0 ? IPCC_FOREVER : 30000, &reply));
        check_number(&reply.value, i * 7 % NUMBERS);
        ipcc_reply_free(&reply);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    check_nothing(pair->b);
}

static void message_that_comes_byte_by_byte_is_there_with_its_last_byte(void **state)
{
    static const uint8_t message[] = "\x93\x01\xa3"
                                     "two\xc4\x03xyz";
    struct pair *pair = *state;
    for (size_t i = 0; i + 1 < sizeof(message); i++) {
        check_nothing(pair->b);
        send_raw(pair, message + i, 1);
    }
    check_receives(pair->b, "[1, \"two\", b\"xyz\"]");
    check_nothing(pair->b);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void end_comes_after_everything_that_was_sent(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    bool ready = false;
    for (int i = 0; i < 3; i++) {
        assert_ok(ipcc_pipe_send(pair->a, ipcc_int(i), IPCC_FOREVER));
    }
    close_a(pair);
    check_receives(pair->b, "0");
    check_receives(pair->b, "1");
    check_receives(pair->b, "2");
    assert_ok(ipcc_pipe_poll(pair->b, 0, &ready));
    assert_true(ready);
    assert_fails(ipcc_pipe_receive(pair->b, 0, &reply), END, "closed");
    assert_fails(ipcc_pipe_receive_bytes(pair->b, IPCC_FOREVER, &reply), END, "closed");
}

static void end_in_the_middle_of_a_message_is_an_end(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    send_raw(pair, "\x01\xa5hel", 5);
    close_a(pair);
    check_receives(pair->b, "1");
    assert_fails(ipcc_pipe_receive(pair->b, IPCC_FOREVER, &reply), END, "middle");
    assert_fails(ipcc_pipe_receive(pair->b, IPCC_FOREVER, &reply), END, "middle");
}

static void end_comes_though_the_other_side_had_not_received_everything(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    assert_ok(ipcc_pipe_send(pair->b, ipcc_str("never received"), IPCC_FOREVER));
    assert_ok(ipcc_pipe_send(pair->a, ipcc_str("last"), IPCC_FOREVER));
    close_a(pair);
    check_receives(pair->b, "\"last\"");
    assert_fails(ipcc_pipe_receive(pair->b, IPCC_FOREVER, &reply), END, "closed");
}

static void sending_to_nobody_is_an_error_and_no_signal(void **state)
{
    struct pair *pair = *state;
    close_a(pair);
    assert_fails(ipcc_pipe_send(pair->b, ipcc_nil(), IPCC_FOREVER), END, "closed");
    assert_fails(send_number(pair->b, 18), END, "closed");
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void what_is_no_message_ends_the_receiving_for_good(void **state)
{
    static const char deep[] =
        "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
        "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01";
    struct pair *pair = *state;
    struct ipcc_reply reply;
    bool ready = false;
    send_raw(pair, "\x07\xc1\x08", 3);
    check_receives(pair->b, "7");
    assert_ok(ipcc_pipe_poll(pair->b, 0, &ready));
    assert_true(ready);
    assert_fails(ipcc_pipe_receive(pair->b, 0, &reply), PROTOCOL, "MessagePack");
    assert_fails(ipcc_pipe_receive(pair->b, 0, &reply), PROTOCOL, "MessagePack");
    reopen_b(pair, NULL);
    send_raw(pair, deep + 1, sizeof(deep) - 2);
    assert_ok(ipcc_pipe_receive(pair->b, 0, &reply));
    ipcc_reply_free(&reply);
    send_raw(pair, deep, sizeof(deep) - 1);
    assert_fails(ipcc_pipe_receive(pair->b, 0, &reply), PROTOCOL, "deep");
}

static void messages_over_the_limit_are_neither_sent_nor_received(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    static char bytes[20000];
    reopen_b(pair, &(struct ipcc_pipe_end_options){.max_message = 10000});
    assert_fails(ipcc_pipe_send_bytes(pair->b, bytes, 9998, 0), TOO_LARGE, "10001");
    assert_ok(ipcc_pipe_send_bytes(pair->b, bytes, 9997, 0));
    assert_ok(ipcc_pipe_receive(pair->a, 0, &reply));
    ipcc_reply_free(&reply);
    check_nothing(pair->a);
    assert_ok(ipcc_pipe_send_bytes(pair->a, bytes, 9997, 0));
    assert_ok(ipcc_pipe_receive(pair->b, 0, &reply));
    ipcc_reply_free(&reply);
    send_raw(pair, "\xc6\xff\xff\xff\xff", 5);
    assert_fails(ipcc_pipe_receive(pair->b, 0, &reply), TOO_LARGE, "max_message");
}

static void wrong_direction_is_refused(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    bool ready;
    reopen_b(pair, &(struct ipcc_pipe_end_options){.direction = IPCC_RECEIVE_ONLY});
    assert_fails(ipcc_pipe_send(pair->b, ipcc_nil(), 0), ARGUMENT, "only receives");
    check_nothing(pair->b);
    reopen_b(pair, &(struct ipcc_pipe_end_options){.direction = IPCC_SEND_ONLY});
    assert_fails(ipcc_pipe_receive(pair->b, 0, &reply), ARGUMENT, "only sends");
    assert_fails(ipcc_pipe_poll(pair->b, 0, &ready), ARGUMENT, "only sends");
    assert_ok(ipcc_pipe_send(pair->b, ipcc_nil(), 0));
}

static void arguments_that_are_none_are_refused(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    struct ipcc_pipe_end *end = NULL;
    int fds[2];
    assert_fails(ipcc_pipe_send(NULL, ipcc_nil(), 0), ARGUMENT, "end");
    assert_fails(ipcc_pipe_receive(NULL, 0, &reply), ARGUMENT, "end");
    assert_fails(ipcc_pipe_receive(pair->a, 0, NULL), ARGUMENT, "place");
    assert_fails(ipcc_pipe_poll(pair->a, 0, NULL), ARGUMENT, "place");
    assert_fails(ipcc_pipe_receive(pair->a, -2, &reply), ARGUMENT, "timeout_ms");
    assert_fails(ipcc_pipe_send(pair->a, ipcc_none(), 0), ARGUMENT, "IPCC_NIL");
    assert_fails(ipcc_pipe_send(pair->a, ipcc_raw("\x92\x01", 2), 0), ARGUMENT, "one whole");
    assert_fails(ipcc_pipe_send(pair->a, ipcc_bin(NULL, 5000), 0), ARGUMENT, "pointer");
    assert_ok(ipcc_pipe_send(pair->a, ipcc_int(1), 0));
    check_receives(pair->b, "1");
    assert_int_equal(pipe(fds), 0);
    assert_fails(ipcc_pipe_end_open(fds[0], NULL, &end), ARGUMENT, "stream socket");
    assert_fails(ipcc_pipe_end_open(ipcc_pipe_end_fd(pair->a), NULL, NULL), ARGUMENT, "place");
    struct ipcc_pipe_end_options options = {.reserved = {1}};
    assert_fails(ipcc_pipe_end_open(ipcc_pipe_end_fd(pair->a), &options, &end), ARGUMENT,
                 "reserved");
    options = (struct ipcc_pipe_end_options){.direction = 7};
    assert_fails(ipcc_pipe_end_open(ipcc_pipe_end_fd(pair->a), &options, &end), ARGUMENT,
                 "direction");
    assert_null(end);
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_int_equal(ipcc_pipe_end_fd(NULL), -1);
    assert_ok(ipcc_pipe_end_close(NULL));
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void receiving_waits_no_longer_and_no_shorter_than_asked(void **state)
{
    struct pair *pair = *state;
    struct ipcc_reply reply;
    bool ready = true;
    int64_t start = clock_ms();
    assert_fails(ipcc_pipe_receive(pair->b, 30, &reply), TIMEOUT, "time");
    assert_true(clock_ms() - start >= 30);
    start = clock_ms();
    assert_ok(ipcc_pipe_poll(pair->b, 20, &ready));
    assert_false(ready);
    assert_true(clock_ms() - start >= 20);
    assert_ok(ipcc_pipe_send(pair->a, ipcc_int(1), 0));
    assert_ok(ipcc_pipe_poll(pair->b, 30000, &ready));
    assert_true(ready);
    check_receives(pair->b, "1");
}

static void sending_into_a_full_socket_sends_whole_messages_or_nothing(void **state)
{
    static char bytes[10000];
    struct pair *pair = *state;
    struct ipcc_reply reply;
    int sent = 0;
    while (ipcc_pipe_send_bytes(pair->a, bytes, sizeof(bytes), 0) == 0) {
        sent++;
        assert_true(sent < 100000);
    }
    assert_true(sent > 0);
    int64_t start = clock_ms();
    assert_fails(ipcc_pipe_send_bytes(pair->a, bytes, 1, 20), TIMEOUT, "time");
    assert_true(clock_ms() - start >= 20);
    for (int i = 0; i < sent; i++) {
        assert_ok(ipcc_pipe_receive(pair->b, 0, &reply));
        assert_int_equal(reply.value.length, sizeof(bytes));
        ipcc_reply_free(&reply);
    }
    check_nothing(pair->b);
    assert_ok(ipcc_pipe_send(pair->a, ipcc_int(1), 0));
    check_receives(pair->b, "1");
}

static void socket_that_does_not_block_is_waited_for_all_the_same(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(fcntl(ipcc_pipe_end_fd(pair->a), F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(ipcc_pipe_end_fd(pair->b), F_SETFL, O_NONBLOCK), 0);
    messages_of_all_sizes_come_whole_and_in_order(state);
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { SENDERS = 4, EACH = 40, TOGETHER = 150000 };

struct sender {
    struct ipcc_pipe_end *end;
    int letter;
};

static void *send_letters(void *data)
{
    const struct sender *sender = data;
    char *bytes = malloc(TOGETHER);
    assert_non_null(bytes);
    memset(bytes, sender->letter, TOGETHER);
    for (int i = 0; i < EACH; i++) {
        assert_ok(ipcc_pipe_send_bytes(sender->end, bytes, TOGETHER, IPCC_FOREVER));
    }
    free(bytes);
    return NULL;
}

static void *receive_letters(void *data)
{
    struct ipcc_reply reply;
    for (int i = 0; i < SENDERS * EACH / 2; i++) {
        assert_ok(ipcc_pipe_receive(data, IPCC_FOREVER, &reply));
        assert_int_equal(reply.value.length, TOGETHER);
        assert_memory_equal(reply.value.as.str, reply.value.as.str + 1, TOGETHER - 1);
        ipcc_reply_free(&reply);
    }
    return NULL;
}

static void threads_do_not_mix_their_messages(void **state)
{
    struct pair *pair = *state;
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS + 2];
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){pair->a, 'a' + i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_letters, &senders[i]), 0);
    }
    for (int i = SENDERS; i < SENDERS + 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, receive_letters, pair->b), 0);
    }
    for (int i = 0; i < SENDERS + 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    check_nothing(pair->b);
}

static void *receive_one(void *data)
{
    check_receives(data, "\"for the one who waited\"");
    return NULL;
}

static void thread_that_waits_holds_up_neither_senders_nor_those_with_a_limit(void **state)
{
    struct pair *pair = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, receive_one, pair->b), 0);
    while (pthread_mutex_trylock(&pair->b->receiving) == 0) {
        assert_int_equal(pthread_mutex_unlock(&pair->b->receiving), 0);
    }
    check_nothing(pair->b);
    assert_ok(ipcc_pipe_send(pair->b, ipcc_int(5), IPCC_FOREVER));
    check_receives(pair->a, "5");
    assert_ok(ipcc_pipe_send(pair->a, ipcc_str("for the one who waited"), IPCC_FOREVER));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_of_all_kinds_come_as_they_were_sent),
        TEST(bytes_are_bytes_and_other_values_are_left_in_place),
        TEST(messages_of_all_sizes_come_whole_and_in_order),
        TEST(message_that_comes_byte_by_byte_is_there_with_its_last_byte),
        TEST(end_comes_after_everything_that_was_sent),
        TEST(end_in_the_middle_of_a_message_is_an_end),
        TEST(end_comes_though_the_other_side_had_not_received_everything),
        TEST(sending_to_nobody_is_an_error_and_no_signal),
        TEST(what_is_no_message_ends_the_receiving_for_good),
        TEST(messages_over_the_limit_are_neither_sent_nor_received),
        TEST(wrong_direction_is_refused),
        TEST(arguments_that_are_none_are_refused),
        TEST(receiving_waits_no_longer_and_no_shorter_than_asked),
        TEST(sending_into_a_full_socket_sends_whole_messages_or_nothing),
        TEST(socket_that_does_not_block_is_waited_for_all_the_same),
        TEST(threads_do_not_mix_their_messages),
        TEST(thread_that_waits_holds_up_neither_senders_nor_those_with_a_limit),
    };
    return cmocka_run_group_tests_name("ends of pipes", tests, NULL, NULL);
}
