/* File descriptors and references in calls: each with its own message, and none left open. */
#include "tests/unit/client/descriptor_test.h"

#include <errno.h>
#include <sys/wait.h>

#include "client/connection.h"
#include "client/ipcclient/msgpack.h"

/* ---- in calls -------------------------------------------------------------------------------- */

static void serve_nested(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid =
        fake_expect(fake, "server.ping", "[[ext(2, '\\x00'), {k: ext(2, '\\x01')}], ext(1, 'd')]");
    check_letters(fake, "ab");
    fake_answer(fake, msgid, "nil");
    fake_expect_end(fake);
}

static void call_takes_descriptors_and_references_along(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_nested, NULL);
    unsigned before = open_descriptors();
    int a = letter_file('a');
    int b = letter_file('b');
    struct ipcc_value pair[] = {ipcc_str("k"), ipcc_descriptor(b)};
    struct ipcc_value array[] = {ipcc_descriptor(a), ipcc_map(pair, 1)};
    struct ipcc_value params[] = {ipcc_array(array, 2), ipcc_reference("d")};
    assert_ok(ipcc_call(conn, "server.ping", params, 2, NULL));
    assert_int_equal(letter_in(a), 'a');
    (void)close(a);
    (void)close(b);
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

static void serve_bytewise(struct fake *fake)
{
    fake_greet(fake);
    fake->bytewise = true;
    (void)fake_next(fake, NULL);
    check_letters(fake, "");
    (void)fake_expect(fake, "queue.put", "['q', ext(2, '\\x00')]");
    check_letters(fake, "a");
    (void)fake_expect(fake, "queue.put", "['q', 2]");
    check_letters(fake, "a");
    (void)fake_expect(fake, "queue.put", "['q', [ext(2, '\\x00'), ext(2, '\\x01')]]");
    check_letters(fake, "abc");
    (void)fake_expect(fake, "queue.put", "['q', ext(2, '\\x00')]");
    check_letters(fake, "abcd");
    for (int i = 1; i <= 5; i++) {
        fake_send(fake, "[1, %d, nil, nil]", i % 5);
    }
    fake_expect_end(fake);
}

/* Many calls leave together; each takes its own with its first byte. The caller has closed his. */
static void descriptors_go_with_the_first_byte_of_their_call(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_bytewise, NULL);
    unsigned before = open_descriptors();
    unsigned done = 0;
    int fds[] = {letter_file('a'), letter_file('b'), letter_file('c'), letter_file('d')};
    struct ipcc_value both[] = {ipcc_descriptor(fds[1]), ipcc_descriptor(fds[2])};
    assert_ok(put(conn, ipcc_int(1), count_done, &done));
    assert_ok(put(conn, ipcc_descriptor(fds[0]), count_done, &done));
    assert_ok(put(conn, ipcc_int(2), count_done, &done));
    assert_ok(put(conn, ipcc_array(both, 2), count_done, &done));
    assert_ok(put(conn, ipcc_descriptor(fds[3]), count_done, &done));
    for (int i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
    assert_int_equal(open_descriptors(), before + 4);
    drive(conn, &done, 5);
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

static void serve_much(struct fake *fake)
{
    char letters[41] = "";
    fake_greet(fake);
    fake->bytewise = true;
    for (int i = 0; i < 40; i++) {
        uint32_t msgid = fake_next(fake, NULL);
        check_letters(fake, letters);
        letters[i] = 'a';
        fake_answer(fake, msgid, "nil");
    }
    fake_expect_end(fake);
}

/* The buffer's front is cut off while descriptors wait behind it. */
static void descriptors_keep_their_place_when_the_socket_is_full(void **state)
{
    enum { SIZE = 20000 };
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_much, NULL);
    unsigned before = open_descriptors();
    unsigned done = 0;
    char *bytes = calloc(1, SIZE);
    int fd = letter_file('a');
    struct ipcc_value both[] = {ipcc_descriptor(fd), ipcc_bin(bytes, SIZE)};
    assert_ok(put(conn, ipcc_array(both + 1, 1), count_done, &done));
    for (int i = 1; i < 40; i++) {
        while (i == 30 && conn->link.out.sent <= conn->link.out.bytes.len / 2) {
            struct pollfd end = {.fd = ipcc_fd(conn)};
            assert_int_equal(poll(&end, 1, 0), 0); /* else nobody reads any more */
            assert_ok(ipcc_flush(conn));
        }
        assert_ok(put(conn, ipcc_array(both, 2), count_done, &done));
    }
    drive(conn, &done, 40);
    (void)close(fd);
    free(bytes);
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

static void serve_sixteen(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_next(fake, NULL);
    fake_check(fake->fd_count == 16);
    fake_answer(fake, msgid, "nil");
    fake_expect_end(fake);
}

static void sixteen_descriptors_go_with_a_call_and_no_more(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_sixteen, NULL);
    unsigned before = open_descriptors();
    struct ipcc_value values[17];
    for (int i = 0; i < 17; i++) {
        values[i] = ipcc_descriptor(0);
    }
    struct ipcc_value param = ipcc_array(values, 17);
    assert_fails(ipcc_call(conn, "server.ping", &param, 1, NULL), ARGUMENT, "at most 16");
    param.length = 16;
    assert_ok(ipcc_call(conn, "server.ping", &param, 1, NULL));
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

static void serve_nothing(struct fake *fake)
{
    fake_greet(fake);
    fake_expect_end(fake);
}

static void refuse(struct ipcc *conn, struct ipcc_value param, const char *word)
{
    assert_fails(ipcc_call(conn, "server.ping", &param, 1, NULL), ARGUMENT, word);
}

static void calls_that_cannot_be_sent_duplicate_nothing(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_nothing, NULL);
    unsigned before = open_descriptors();
    msgpack_object ext = {.type = MSGPACK_OBJECT_EXT, .via.ext = {2, 1, "\0"}};
    struct ipcc_value closed[] = {ipcc_descriptor(0), ipcc_descriptor(9999)};
    struct ipcc_value none[] = {ipcc_descriptor(0), ipcc_none()};
    char long_name[IPCC_NAME_SIZE + 1] = "";
    memset(long_name, 'x', IPCC_NAME_SIZE);
    refuse(conn, ipcc_descriptor(-1), "-1 is not an open file descriptor");
    refuse(conn, ipcc_array(closed, 2), "9999 is not an open file descriptor");
    refuse(conn, ipcc_array(none, 2), "IPCC_NONE");
    refuse(conn, ipcc_raw("\x91\xd4\x02\x00", 4), "ipcc_descriptor");
    refuse(conn, ipcc_object(&ext), "ipcc_descriptor");
    refuse(conn, ipcc_reference(NULL), "name");
    refuse(conn, ipcc_reference(""), "name");
    refuse(conn, ipcc_reference(long_name), "name");
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

static void want_of_descriptors_is_told_before_a_call_is_sent(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_nothing, NULL);
    unsigned before = open_descriptors();
    struct ipcc_value values[] = {ipcc_descriptor(0), ipcc_descriptor(1), ipcc_descriptor(2)};
    struct ipcc_value param = ipcc_array(values, 3);
    int next = dup(0);
    (void)close(next);
    rlim_t limit = limit_descriptors((rlim_t)next + 2);
    int status = ipcc_call(conn, "server.ping", &param, 1, NULL);
    (void)limit_descriptors(limit);
    assert_fails(status, SYSTEM, "duplicate");
    assert_int_equal(open_descriptors(), before);
    close_and_join(conn, &server);
}

static void unsent_descriptors_are_closed_with_the_connection(void **state)
{
    struct fake_server server;
    unsigned before = open_descriptors();
    struct ipcc *conn = connect_to(&server, serve_nothing, NULL);
    assert_ok(put(conn, ipcc_descriptor(0), NULL, NULL));
    assert_ok(put(conn, ipcc_descriptor(1), NULL, NULL));
    close_and_join(conn, &server);
    assert_int_equal(open_descriptors(), before);
}

/* ---- that the kernel does not pass ------------------------------------------------------------
 */

static void serve_late(struct fake *fake)
{
    const int *told = fake->data;
    char byte;
    fake_greet(fake);
    fake_check(read(told[0], &byte, 1) == 1);
    for (int i = 0; i < 2; i++) {
        fake_answer(fake, fake_next(fake, NULL), "nil");
    }
    fake_check(fake->fd_count == 32);
    fake_refuse(fake, fake_next(fake, NULL), "BAD_REQUEST", "an index without a descriptor");
    fake_check(fake->fd_count == 32);
    fake_answer(fake, fake_next(fake, NULL), "nil");
    fake_expect_end(fake);
}

static void note_status(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    (void)conn;
    (void)reply;
    bool said = status == 0 || strstr(ipcc_last_message(), strerror(ETOOMANYREFS)) != NULL;
    *(int *)data = said ? status : -1;
}

/* Without privileges no more may be on their way than RLIMIT_NOFILE. */
static _Noreturn void pass_too_many(const struct fake_server *server, int tell)
{
    int statuses[] = {1, 1, 1};
    struct ipcc *conn = NULL;
    struct ipcc_value values[16];
    struct ipcc_options options = {.path = server->path};
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0) {
        _exit(10);
    }
    for (int i = 0; i < 16; i++) {
        values[i] = ipcc_descriptor(0);
    }
    bool well = ipcc_open(&conn, &options) == 0;
    (void)limit_descriptors(31);
    for (int i = 0; i < 3 && well; i++) {
        well = put(conn, ipcc_array(values, 16), note_status, &statuses[i]) == 0 &&
               ipcc_flush(conn) == 0;
    }
    well = well && write(tell, "", 1) == 1 && ping(conn, NULL) == 0;
    bool told = statuses[0] == 0 && statuses[1] == 0 && statuses[2] == IPCC_ERR_SYSTEM;
    _exit(!well ? 11 : !told ? 12 : ipcc_close(conn) == 0 ? 0 : 13);
}

static void refusal_of_the_kernel_is_the_calls_alone(void **state)
{
    int told[2];
    int status;
    assert_return_code(pipe2(told, O_CLOEXEC), errno);
    struct fake_server server = fake_server_start(serve_late, told);
    pid_t pid = fork();
    if (pid == 0) {
        pass_too_many(&server, told[1]);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fake_server_join(&server);
    (void)close(told[0]);
    (void)close(told[1]);
}

/* ---- references ------------------------------------------------------------------------------ */

static void reference_gives_its_name(void **state)
{
    char name[IPCC_NAME_SIZE];
    struct ipcc_value value = ipcc_raw("\xd5\x01qr", 4);
    struct ipcc_value other = ipcc_raw("\xd4\x02\x00", 3);
    struct ipcc_value cut = ipcc_raw("\xd5\x01q", 3);
    (void)state;
    assert_ok(ipcc_value_reference(&value, name, sizeof(name)));
    assert_string_equal(name, "qr");
    assert_ok(ipcc_value_reference(&value, name, 3));
    assert_fails(ipcc_value_reference(&value, name, 2), RANGE, "room for 3");
    assert_fails(ipcc_value_reference(&other, name, sizeof(name)), TYPE, "reference");
    assert_fails(ipcc_value_reference(&cut, name, sizeof(name)), TYPE, "reference");
    assert_fails(ipcc_value_reference(&value, NULL, 5), ARGUMENT, "room");
    assert_fails(ipcc_value_reference(&value, name, 0), ARGUMENT, "room");
    assert_fails(ipcc_value_reference(NULL, name, 5), ARGUMENT, "value");
}

static void printing_says_what_they_are(void **state)
{
    char text[100];
    struct ipcc_value values[] = {ipcc_raw("\xd4\x02\x03", 3), ipcc_reference("d"),
                                  ipcc_descriptor(5)};
    struct ipcc_value value = ipcc_array(values, 3);
    (void)state;
    assert_ok(ipcc_value_print(&value, text, sizeof(text)));
    assert_string_equal(text, "[descriptor(3), reference(\"d\"), descriptor(0)]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_takes_descriptors_and_references_along),
        cmocka_unit_test(descriptors_go_with_the_first_byte_of_their_call),
        cmocka_unit_test(descriptors_keep_their_place_when_the_socket_is_full),
        cmocka_unit_test(sixteen_descriptors_go_with_a_call_and_no_more),
        cmocka_unit_test(calls_that_cannot_be_sent_duplicate_nothing),
        cmocka_unit_test(want_of_descriptors_is_told_before_a_call_is_sent),
        cmocka_unit_test(unsent_descriptors_are_closed_with_the_connection),
        cmocka_unit_test(refusal_of_the_kernel_is_the_calls_alone),
        cmocka_unit_test(reference_gives_its_name),
        cmocka_unit_test(printing_says_what_they_are),
    };
    return cmocka_run_group_tests_name("client_descriptors_sent", tests, NULL, NULL);
}
