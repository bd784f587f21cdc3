/* File descriptors in answers: each with its own, and none left open. */
#include "tests/unit/client/descriptor_test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "client/connection.h"

/* ---- in answers ------------------------------------------------------------------------------ */

static void serve_answers(struct fake *fake)
{
    fake_greet(fake);
    while (fake_more(fake)) {
        char text[100];
        (void)snprintf(text, sizeof(text), "[1, %u, nil, [ext(2, '\\x01'), 7, ext(2, '\\x02')]]",
                       fake_next(fake, NULL));
        send_letters(fake, text, "ab");
    }
}

static void answer_has_its_descriptors_until_it_is_freed(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_answers, NULL);
    unsigned before = open_descriptors();
    struct ipcc_reply reply;
    struct ipcc_value values[3];
    assert_ok(ping(conn, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    for (int i = 0; i < 3; i++) {
        assert_true(ipcc_walk_next(&walk, &values[i]));
    }
    int fd = ipcc_reply_fd(&reply, &values[0]);
    assert_true(fd >= 0 && closes_on_exec(fd));
    assert_int_equal(letter_in(fd), 'b');
    assert_fails(ipcc_reply_fd(&reply, &values[1]), TYPE, "an integer where a file descriptor");
    assert_fails(ipcc_reply_fd(&reply, &reply.value), TYPE, "an array where a file descriptor");
    assert_fails(ipcc_reply_fd(&reply, &values[2]), NOT_FOUND, "descriptor 2");
    assert_fails(ipcc_reply_fd(NULL, &values[0]), ARGUMENT, "reply");
    assert_fails(ipcc_reply_fd(&reply, NULL), ARGUMENT, "reply");
    assert_int_equal(open_descriptors(), before + 2);
    ipcc_reply_free(&reply);
    assert_int_equal(open_descriptors(), before);
    assert_fails(ipcc_reply_fd(&reply, &reply.value), TYPE, "no value");
    close_and_join(conn, &server);
}

static void taken_descriptor_outlives_its_answer(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_answers, NULL);
    unsigned before = open_descriptors();
    struct ipcc_reply reply;
    struct ipcc_reply copy;
    struct ipcc_value value;
    assert_ok(ping(conn, &reply));
    assert_ok(ipcc_reply_copy(&copy, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, &value));
    int fd = ipcc_reply_take_fd(&reply, &value);
    assert_int_equal(letter_in(fd), 'b');
    assert_fails(ipcc_reply_take_fd(&reply, &value), NOT_FOUND, "taken");
    ipcc_reply_free(&reply);
    assert_int_equal(letter_in(fd), 'b');
    walk = ipcc_walk_of(&copy.value);
    assert_true(ipcc_walk_next(&walk, &value));
    int copied = ipcc_reply_fd(&copy, &value);
    assert_true(copied != fd && closes_on_exec(copied));
    assert_int_equal(letter_in(copied), 'b');
    ipcc_reply_free(&copy);
    (void)close(fd);
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

static void answer_that_nobody_wants_closes_its_descriptors(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_answers, NULL);
    unsigned before = open_descriptors();
    unsigned done = 0;
    assert_ok(ping(conn, NULL));
    assert_int_equal(open_descriptors(), before);
    assert_ok(put(conn, ipcc_nil(), count_done, &done));
    drive(conn, &done, 1);
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

struct letters {
    unsigned count;
    char text[8];
    int kept;
};

/* Notes the letter of the answer's first value, or '-'; keeps the descriptor in one of two ways. */
static void note_letter(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct letters *letters = data;
    struct ipcc_value value = reply->value;
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    (void)conn;
    assert_int_equal(status, 0);
    (void)ipcc_walk_next(&walk, &value);
    int fd = ipcc_reply_fd(reply, &value);
    letters->text[letters->count++] = fd < 0 ? '-' : letter_in(fd);
    if (fd >= 0 && letters->kept < 0) {
        letters->kept = ipcc_reply_take_fd(reply, &value);
    }
}

/* Answers with and without descriptors that the client finds all at once. */
static void serve_mixed(struct fake *fake)
{
    const int *told = fake->data;
    fake_greet(fake);
    for (int i = 0; i < 6; i++) {
        (void)fake_next(fake, NULL);
    }
    fake_send(fake, "[1, 1, nil, 1] [2, 'other', [ext(5, 'x')]] [1, 2, nil, nil]");
    send_letters(fake, "[1, 3, nil, [ext(2, '\\x00')]] [1, 4, nil, 4]", "a");
    send_letters(fake, "[1, 5, nil, ext(2, '\\x00')]", "b");
    send_letters(fake, "[1, 0, nil, [ext(2, '\\x01')]]", "cd");
    fake_check(write(told[1], "", 1) == 1);
    fake_expect_end(fake);
}

static void each_callback_gets_the_descriptors_of_its_answer(void **state)
{
    int told[2];
    char byte;
    struct letters letters = {.kept = -1};
    struct fake_server server;
    assert_return_code(pipe2(told, O_CLOEXEC), errno);
    struct ipcc *conn = connect_to(&server, serve_mixed, told);
    unsigned before = open_descriptors();
    for (int i = 0; i < 6; i++) {
        assert_ok(put(conn, ipcc_int(i), note_letter, &letters));
    }
    assert_ok(ipcc_flush(conn));
    assert_int_equal(read(told[0], &byte, 1), 1);
    drive(conn, &letters.count, 6);
    assert_string_equal(letters.text, "--a-bd");
    assert_int_equal(letter_in(letters.kept), 'a');
    (void)close(letters.kept);
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
    (void)close(told[0]);
    (void)close(told[1]);
}

/* Answers in pieces: the descriptors come with the first one, those of the next answer together
 * with the last piece of the one before. */
static void serve_pieces(struct fake *fake)
{
    const int *cut = fake->data;
    fake_greet(fake);
    uint32_t first = fake_next(fake, NULL);
    uint32_t second = fake_next(fake, NULL);
    char text[200];
    (void)snprintf(text, sizeof(text), "[1, %u, nil, [ext(2, '\\x00'), 'some more']]", first);
    int fd = letter_file('a');
    fake_send_in_two(fake, text, &fd, 1, (size_t)*cut);
    (void)snprintf(text, sizeof(text), "[1, %u, nil, [ext(2, '\\x00')]]", second);
    send_letters(fake, text, "b");
    fake_expect_end(fake);
}

static void descriptors_wait_for_the_rest_of_their_answer(void **state)
{
    for (int cut = 1; cut < 18; cut++) {
        struct letters letters = {.kept = 0};
        struct fake_server server;
        struct ipcc *conn = connect_to(&server, serve_pieces, &cut);
        unsigned before = open_descriptors();
        assert_ok(put(conn, ipcc_int(1), note_letter, &letters));
        assert_ok(put(conn, ipcc_int(2), note_letter, &letters));
        drive(conn, &letters.count, 2);
        assert_string_equal(letters.text, "ab");
        assert_int_equal(open_descriptors(), before);
        close_and_join(conn, &server);
    }
}

/* What belongs to nobody: named by a notification, by nothing, in an error's detail. */
static void serve_strays(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_next(fake, NULL);
    send_letters(fake, "[2, 'event', [ext(2, '\\x00')]]", "a");
    send_letters(fake, "[2, 'event', []]", "bc");
    char text[100];
    (void)snprintf(text, sizeof(text), "[1, %u, ['KEY', 'none', {at: ext(2, '\\x00')}], nil]",
                   msgid);
    send_letters(fake, text, "d");
    msgid = fake_next(fake, NULL);
    int fd = letter_file('e');
    fake_send_in_two(fake, "[2, 'event', ['in two pieces']]", &fd, 1, 7);
    fake_send(fake, "[1, %u, nil, ext(2, '\\x00')]", msgid);
    fake_expect_end(fake);
}

static void strays_are_closed_and_given_to_nobody(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_strays, NULL);
    unsigned before = open_descriptors();
    struct ipcc_reply reply;
    struct ipcc_value at;
    assert_fails(ping(conn, &reply), KEY, "none");
    assert_ok(ipcc_map_get(&reply.value, "at", &at));
    assert_int_equal(letter_in(ipcc_reply_fd(&reply, &at)), 'd');
    ipcc_reply_free(&reply);
    assert_int_equal(open_descriptors(), before);
    assert_ok(ping(conn, &reply));
    assert_fails(ipcc_reply_fd(&reply, &reply.value), NOT_FOUND, "descriptor 0");
    ipcc_reply_free(&reply);
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

/* An answer with descriptors of which the end is missing. */
static void serve_half(struct fake *fake)
{
    fake_greet(fake);
    (void)fake_next(fake, NULL);
    send_letters(fake, "<94 01 00 c0 92 d4 02 00>", "ab");
}

static void lost_connection_closes_what_came_with_half_an_answer(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_half, NULL);
    unsigned before = open_descriptors();
    assert_fails(ping(conn, NULL), LOST, "closed");
    assert_int_equal(open_descriptors(), before - 1);
    close_and_join(conn, &server);
}

static void serve_slowly(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_next(fake, NULL);
    fake_await_cancels(fake, 1);
    char text[100];
    (void)snprintf(text, sizeof(text), "[1, %u, nil, ext(2, '\\x00')]", msgid);
    send_letters(fake, text, "a");
    fake_answer(fake, fake_next(fake, NULL), "7");
    fake_expect_end(fake);
}

static void answer_after_the_guard_time_is_closed(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_slowly, NULL);
    unsigned before = open_descriptors();
    struct ipcc_request request = {.method = "a.b", .guard_ms = 1};
    assert_fails(ipcc_call_request(conn, &request, NULL), NO_ANSWER, "guard");
    assert_ok(ping(conn, NULL));
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

/* ---- forks ----------------------------------------------------------------------------------- */

static void serve_fork(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_next(fake, NULL);
    send_letters(fake, "<94 01 00 c0 92 d4 02 00>", "ab");
    check_letters(fake, "a");
    fake_send(fake, "'the rest'");
    (void)fake_next(fake, NULL);
    fake_send(fake, "[1, 1, nil, nil]");
    (void)msgid;
    fake_expect_end(fake);
}

/* The child has neither what waits to be sent nor what came with half an answer. */
static void child_of_a_fork_has_none_of_what_is_on_its_way(void **state)
{
    int status;
    struct letters letters = {.kept = 0};
    struct fake_server server;
    unsigned none = open_descriptors();
    struct ipcc *conn = connect_to(&server, serve_fork, NULL);
    int fd = letter_file('a');
    assert_ok(put(conn, ipcc_descriptor(fd), note_letter, &letters));
    (void)close(fd);
    assert_ok(ipcc_flush(conn));
    while (conn->link.in.front == NULL) {
        assert_ok(ipcc_process(conn, POLLIN));
    }
    assert_ok(put(conn, ipcc_descriptor(0), note_letter, &letters));
    pid_t pid = fork();
    if (pid == 0) {
        bool closed = open_descriptors() == none;
        _exit(closed && ipcc_close(conn) == 0 && open_descriptors() == none ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    drive(conn, &letters.count, 2);
    assert_string_equal(letters.text, "a-");
    close_and_join(conn, &server);
}

/* ---- without room ---------------------------------------------------------------------------- */

static void serve_three(struct fake *fake)
{
    fake_greet(fake);
    char text[100];
    (void)snprintf(text, sizeof(text), "[1, %u, nil, [ext(2, '\\x00'), ext(2, '\\x02')]]",
                   fake_next(fake, NULL));
    send_letters(fake, text, "abc");
    fake_answer(fake, fake_next(fake, NULL), "7");
    fake_expect_end(fake);
}

static void answer_without_room_for_its_descriptors_fails_alone(void **state)
{
    for (unsigned room = 0; room < 3; room++) {
        struct fake_server server;
        struct ipcc *conn = connect_to(&server, serve_three, NULL);
        unsigned before = open_descriptors();
        struct ipcc_reply reply;
        int next = dup(0);
        (void)close(next);
        rlim_t limit = limit_descriptors((rlim_t)next + room);
        int status = ping(conn, &reply);
        (void)limit_descriptors(limit);
        assert_fails(status, SYSTEM, "RLIMIT_NOFILE");
        assert_int_equal(reply.value.kind, IPCC_NONE);
        assert_int_equal(open_descriptors(), before);
        assert_ok(ping(conn, &reply));
        assert_int_equal(reply.value.as.integer, 7);
        close_and_join(conn, &server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_has_its_descriptors_until_it_is_freed),
        cmocka_unit_test(taken_descriptor_outlives_its_answer),
        cmocka_unit_test(answer_that_nobody_wants_closes_its_descriptors),
        cmocka_unit_test(each_callback_gets_the_descriptors_of_its_answer),
        cmocka_unit_test(descriptors_wait_for_the_rest_of_their_answer),
        cmocka_unit_test(strays_are_closed_and_given_to_nobody),
        cmocka_unit_test(lost_connection_closes_what_came_with_half_an_answer),
        cmocka_unit_test(answer_after_the_guard_time_is_closed),
        cmocka_unit_test(child_of_a_fork_has_none_of_what_is_on_its_way),
        cmocka_unit_test(answer_without_room_for_its_descriptors_fails_alone),
    };
    return cmocka_run_group_tests_name("client_descriptors_received", tests, NULL, NULL);
}
