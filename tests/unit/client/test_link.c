/* Connections: found, made, greeted, lost, made again; and peers that are not what they should be.
 */
#include "tests/unit/client/client_test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/address.h"

static int open_path(struct ipcc **conn, const char *path)
{
    struct ipcc_options options = {.path = path};
    return ipcc_open(conn, &options);
}

/* ---- where the daemon is --------------------------------------------------------------------- */

static void open_without_a_daemon_says_where_it_looked(void **state)
{
    struct ipcc *conn = NULL;
    assert_fails(open_path(&conn, "/nonexistent/ipcd.sock"), CONNECT, "/nonexistent/ipcd.sock");
    assert_fails(open_path(&conn, "@ipcd-test-nobody"), CONNECT, "@ipcd-test-nobody");
    assert_null(conn);
}

static void open_without_a_path_takes_the_environment_s(void **state)
{
    struct ipcc *conn;
    assert_int_equal(setenv("IPCD_SOCKET", "/nonexistent/from-environment", 1), 0);
    assert_fails(ipcc_open(&conn, NULL), CONNECT, "/nonexistent/from-environment");
    assert_fails(open_path(&conn, "/nonexistent/argument"), CONNECT, "/nonexistent/argument");
    assert_int_equal(unsetenv("IPCD_SOCKET"), 0);
}

/* Where the library looks when it is told nothing. */
static const char *address_of_nothing(void)
{
    static struct address found;
    assert_ok(address_find(&found, NULL));
    return found.socket.sun_path;
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
}

static void user_s_daemon_is_preferred_if_its_socket_is_there(void **state)
{
    char directory[] = "/tmp/ipcd-test-XXXXXX";
    char folder[64];
    char path[80];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(folder, sizeof(folder), "%s/ipcd", directory);
    (void)snprintf(path, sizeof(path), "%s/ipcd.sock", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(setenv("IPCD_SOCKET", "", 1), 0);
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    assert_string_equal(address_of_nothing(), "/run/ipcd/ipcd.sock");
    assert_int_equal(setenv("XDG_RUNTIME_DIR", directory, 1), 0);
    assert_string_equal(address_of_nothing(), "/run/ipcd/ipcd.sock");
    make_socket(path);
    assert_string_equal(address_of_nothing(), path);
    assert_int_equal(setenv("IPCD_SOCKET", "/from/environment", 1), 0);
    assert_string_equal(address_of_nothing(), "/from/environment");
    assert_int_equal(unsetenv("IPCD_SOCKET"), 0);
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void open_refuses_a_path_too_long_for_a_socket(void **state)
{
    struct ipcc *conn;
    char path[200];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_fails(open_path(&conn, path), ARGUMENT, "107");
    assert_fails(open_path(&conn, ""), ARGUMENT, "107");
}

/* ---- the greeting ---------------------------------------------------------------------------- */

static void serve_greeting_of_a_program(struct fake *fake)
{
    fake_accept(fake);
    fake_answer(fake, fake_expect(fake, "server.hello", "[{client: 'prog', version: '2.0'}]"),
                FAKE_GREETING);
    fake_expect_end(fake);
}

static void open_greets_and_keeps_the_session_and_the_limits(void **state)
{
    struct fake_server server = fake_server_start(serve_greeting_of_a_program, NULL);
    struct ipcc_options options = {.path = server.path, .client = "prog", .client_version = "2.0"};
    struct ipcc *conn;
    struct ipcc_reply greeting;
    struct ipcc_value limits;
    struct ipcc_value limit;
    uint64_t session = 0;
    assert_ok(ipcc_open(&conn, &options));
    assert_ok(ipcc_session(conn, &session));
    assert_int_equal(session, 7);
    assert_ok(ipcc_greeting(conn, &greeting));
    assert_ok(ipcc_map_get(&greeting.value, "limits", &limits));
    assert_ok(ipcc_map_get(&limits, "max_name", &limit));
    assert_int_equal(limit.as.integer, 255);
    ipcc_reply_free(&greeting);
    close_and_join(conn, &server);
}

static void serve_notation(struct fake *fake)
{
    fake_accept(fake);
    fake_expect(fake, "server.hello", "[_map]");
    fake_send(fake, "%s", (const char *)fake->data);
    fake_expect_end(fake);
}

static void refused_greeting(const char *answer, const char *code, const char *word)
{
    struct fake_server server = fake_server_start(serve_notation, answer);
    struct ipcc *conn = NULL;
    assert_string_equal(ipcc_error_name(open_path(&conn, server.path)), code);
    assert_non_null(strstr(ipcc_last_message(), word));
    assert_null(conn);
    fake_server_join(&server);
}

static void open_fails_with_what_the_daemon_says_to_the_greeting(void **state)
{
    refused_greeting("[1, 0, ['LIMIT', 'too many sessions'], nil]", "LIMIT", "too many sessions");
    refused_greeting("[2, 'goodbye', ['LIMIT', '64 sessions of 64']]", "LIMIT", "of 64");
    refused_greeting("[1, 0, nil, 5]", "PROTOCOL", "session number");
    refused_greeting("[1, 0, nil, {session: 'x'}]", "PROTOCOL", "session number");
    refused_greeting("[1, 0, 'error', nil]", "PROTOCOL", "[code, message, detail?]");
}

static void serve_silence(struct fake *fake)
{
    fake_accept(fake);
    fake_expect(fake, "server.hello", "[_map]");
    fake_expect_end(fake);
}

static void open_gives_up_on_a_daemon_that_does_not_greet(void **state)
{
    struct fake_server server = fake_server_start(serve_silence, NULL);
    struct ipcc_options options = {.path = server.path, .connect_timeout_ms = 10};
    struct ipcc *conn = NULL;
    assert_fails(ipcc_open(&conn, &options), CONNECT, "did not answer the greeting within 10 ms");
    assert_null(conn);
    fake_server_join(&server);
}

/* ---- a full backlog -------------------------------------------------------------------------- */

enum { CROWD_MAX = 64 };

/* Fills the backlog of the socket; returns how many connections that took. */
static size_t crowd(const char *path, int fds[CROWD_MAX])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(address.sun_path + 1, path + 1, len - 1);
    size_t count = 0;
    for (;;) {
        assert_true(count < CROWD_MAX);
        fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fds[count] >= 0);
        if (connect(fds[count], (struct sockaddr *)&address,
                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
            assert_int_equal(errno, EAGAIN);
            (void)close(fds[count]);
            return count;
        }
        count++;
    }
}

static void serve_after_the_crowd(struct fake *fake)
{
    const int *gate = fake->data;
    char byte;
    fake_check(read(gate[0], &byte, 1) == 1);
    for (;;) {
        fake_accept(fake);
        if (recv(fake->fd, &byte, 1, MSG_PEEK) == 1) {
            break;
        }
    }
    fake_answer(fake, fake_expect(fake, "server.hello", "[_map]"), FAKE_GREETING);
    fake_expect_end(fake);
}

static void open_waits_for_room_in_a_full_backlog(void **state)
{
    int fds[CROWD_MAX];
    int gate[2];
    struct ipcc *conn;
    assert_int_equal(pipe(gate), 0);
    struct fake_server server = fake_server_start(serve_after_the_crowd, gate);
    size_t count = crowd(server.path, fds);
    struct ipcc_options options = {.path = server.path, .connect_timeout_ms = 10};
    assert_fails(ipcc_open(&conn, &options), CONNECT, "did not accept the connection within 10 ms");
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
    assert_int_equal(write(gate[1], "x", 1), 1);
    assert_ok(open_path(&conn, server.path));
    close_and_join(conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

/* ---- lost ------------------------------------------------------------------------------------ */

static void serve_loss(struct fake *fake)
{
    fake_greet(fake);
    fake_expect(fake, "queue.put", "['q', 1]");
    if (fake->data != NULL) {
        fake_send(fake, "%s", (const char *)fake->data);
    }
}

static const struct ipcc_value put_params[] = {
    {IPCC_STR, 1, {.str = "q"}},
    {IPCC_INT, 0, {.integer = 1}},
};

static void call_in_flight_fails_when_the_connection_is_lost(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_loss, NULL);
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), LOST, "closed the connection");
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), LOST, "closed the connection");
    assert_fails(ipcc_session(conn, NULL), LOST, "no session");
    assert_fails(ipcc_greeting(conn, NULL), LOST, "no session");
    close_and_join(conn, &server);
}

static void call_in_flight_fails_with_the_goodbye(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_loss, "[2, 'goodbye', ['LIMIT', 'too much']]");
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), LIMIT, "too much");
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), LOST, "too much");
    close_and_join(conn, &server);
}

static void serve_answer_and_goodbye(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_expect(fake, "queue.put", "['q', 1]");
    fake_send(fake, "[1, %u, nil, true] [2, 'goodbye', ['INTERNAL', 'ending']]", msgid);
}

static void answer_before_the_goodbye_counts(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc *conn = connect_to(&server, serve_answer_and_goodbye, NULL);
    assert_ok(ipcc_call(conn, "queue.put", put_params, 2, &reply));
    assert_true(reply.value.as.boolean);
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), LOST, "ending");
    close_and_join(conn, &server);
}

static void serve_goodbye_between_calls(struct fake *fake)
{
    int gate = *(const int *)fake->data;
    char byte;
    fake_greet(fake);
    fake_check(read(gate, &byte, 1) == 1);
    fake_send(fake, "[2, 'goodbye', ['INTERNAL', 'ending']]");
    fake_close(fake);
    fake_check(write(gate, "x", 1) == 1);
}

static void call_that_cannot_be_sent_any_more_gets_the_goodbye(void **state)
{
    int gate[2];
    char byte;
    struct fake_server server;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate), 0);
    struct ipcc *conn = connect_to(&server, serve_goodbye_between_calls, &gate[1]);
    assert_int_equal(write(gate[0], "x", 1), 1);
    assert_int_equal(read(gate[0], &byte, 1), 1);
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), INTERNAL, "ending");
    close_and_join(conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

/* ---- reconnecting ---------------------------------------------------------------------------- */

static void serve_loss_and_reconnection(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "queue.open", "['q']"), "{name: 'q'}");
    fake_expect(fake, "queue.put", "['q', 1, nil]");
    fake_greet(fake);
    /* The lost call is not repeated: the next one is the first here. */
    fake_answer(fake, fake_expect(fake, "queue.put", "['q', 2, nil]"), "nil");
    fake_expect_end(fake);
    fake_close(fake);
}

static void next_call_connects_again_and_the_lost_one_is_not_repeated(void **state)
{
    struct fake_server server = fake_server_start(serve_loss_and_reconnection, NULL);
    struct ipcc_options options = {.path = server.path, .reconnect = true};
    struct ipcc *conn;
    struct ipcc_queue *queue;
    assert_ok(ipcc_open(&conn, &options));
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    assert_fails(ipcc_queue_put(queue, ipcc_int(1), IPCC_FOREVER, NULL), LOST, "closed");
    assert_ok(ipcc_queue_put(queue, ipcc_int(2), IPCC_FOREVER, NULL));
    /* The new session has not opened the queue, so that there is nothing to close. */
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_disconnect(conn));
    fake_server_join(&server);
    assert_fails(ipcc_call(conn, "a.b", NULL, 0, NULL), CONNECT, server.path);
    assert_ok(ipcc_close(conn));
}

/* ---- peers that are something else ----------------------------------------------------------- */

static void serve_bytes_to_a_call(struct fake *fake)
{
    fake_greet(fake);
    fake_expect(fake, "queue.put", "['q', 1]");
    fake_send(fake, "%s", (const char *)fake->data);
    fake_expect_end(fake);
}

static void garbage_ends_the_connection(void **state)
{
    static const char *const garbage[] = {
        "<c1>",                       /* not MessagePack */
        "'HTTP/1.1 400 Bad Request'", /* a value, but no message */
        "[]",
        "[1, 0, nil]",
        "[1, 0, nil, nil, nil]",
        "[3, 0, nil, nil]",
        "[1, -1, nil, nil]",
        "[1, 'x', nil, nil]",
        "[1, 4294967296, nil, nil]",
        "[0, 0, 'server.ping', []]", /* requests are for daemons */
        "[1, 5, nil, nil]",          /* answers to calls that were not made */
        "[1, 4294967295, nil, nil]",
        "[1, 0, 'EMPTY', nil]", /* errors in other forms */
        "[1, 0, [], nil]",
        "[1, 0, ['EMPTY'], nil]",
        "[1, 0, [5, 'text'], nil]",
        "[1, 0, {EMPTY: 'text'}, nil]",
        "[2, 'goodbye', []]",
        "[2, 'goodbye', [1, 2]]",
        "[1, 0, nil, deep(80)]",
        "<94 01 00 c0 df 80 00 00 00>", /* more elements than a message can hold */
    };
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct fake_server server;
        struct ipcc *conn = connect_to(&server, serve_bytes_to_a_call, garbage[i]);
        int status = ipcc_call(conn, "queue.put", put_params, 2, NULL);
        if (status != IPCC_ERR_PROTOCOL && status != IPCC_ERR_TOO_LARGE) {
            fail_msg("%s: %s", garbage[i], ipcc_error_name(status));
        }
        assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), LOST, "");
        close_and_join(conn, &server);
    }
}

static void serve_oversized(struct fake *fake)
{
    fake_greet(fake);
    fake_expect(fake, "queue.put", "['q', 1]");
    /* Only the announcement: of 4 GB, nothing has come. */
    fake_send_bytes(fake, "\x94\x01\x00\xc0\xc6\xff\xff\xff\x00", 9);
    fake_expect_end(fake);
}

static void message_over_max_message_ends_the_connection_when_it_is_announced(void **state)
{
    struct fake_server server = fake_server_start(serve_oversized, NULL);
    struct ipcc_options options = {.path = server.path, .max_message = 1000000};
    struct ipcc *conn;
    assert_ok(ipcc_open(&conn, &options));
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), TOO_LARGE, "1000000 bytes");
    close_and_join(conn, &server);
}

static void serve_a_lie(struct fake *fake)
{
    fake_greet(fake);
    fake_expect(fake, "queue.put", "['q', 1]");
    fake_send_bytes(fake, "\x94\x01\x00\xc0\xc6\xff\xff\xff\x00 a few bytes", 21);
}

static void announced_bytes_that_do_not_come_take_no_memory(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_a_lie, NULL);
    assert_fails(ipcc_call(conn, "queue.put", put_params, 2, NULL), LOST, "closed");
    close_and_join(conn, &server);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    (void)closedir(directory);
    return count;
}

static void serve_descriptors(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_expect(fake, "queue.put", "['q', 1]");
    int fds[3] = {0, 1, 2};
    fake_send_descriptors(fake, "[2, 'unknown', []]", fds, 3);
    fake_answer(fake, msgid, "nil");
    fake_expect_end(fake);
}

static void descriptors_that_were_not_asked_for_are_closed(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_descriptors, NULL);
    size_t before = open_descriptors();
    assert_ok(ipcc_call(conn, "queue.put", put_params, 2, NULL));
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_without_a_daemon_says_where_it_looked),
        cmocka_unit_test(open_without_a_path_takes_the_environment_s),
        cmocka_unit_test(user_s_daemon_is_preferred_if_its_socket_is_there),
        cmocka_unit_test(open_refuses_a_path_too_long_for_a_socket),
        cmocka_unit_test(open_greets_and_keeps_the_session_and_the_limits),
        cmocka_unit_test(open_fails_with_what_the_daemon_says_to_the_greeting),
        cmocka_unit_test(open_gives_up_on_a_daemon_that_does_not_greet),
        cmocka_unit_test(open_waits_for_room_in_a_full_backlog),
        cmocka_unit_test(call_in_flight_fails_when_the_connection_is_lost),
        cmocka_unit_test(call_in_flight_fails_with_the_goodbye),
        cmocka_unit_test(answer_before_the_goodbye_counts),
        cmocka_unit_test(call_that_cannot_be_sent_any_more_gets_the_goodbye),
        cmocka_unit_test(next_call_connects_again_and_the_lost_one_is_not_repeated),
        cmocka_unit_test(garbage_ends_the_connection),
        cmocka_unit_test(message_over_max_message_ends_the_connection_when_it_is_announced),
        cmocka_unit_test(announced_bytes_that_do_not_come_take_no_memory),
        cmocka_unit_test(descriptors_that_were_not_asked_for_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
