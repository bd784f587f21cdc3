/* A child of fork: it cannot use, harm or end what the parent has open. */
#include "tests/unit/client/client_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/connection.h"

struct opened {
    struct fake_server server;
    struct ipcc *conn;
    struct ipcc_queue *queue;
    int fd; /* of the connection, in the parent */
};

/* Runs `body` in a child, which must return true, and waits for it. */
static void in_child(bool (*body)(struct opened *opened), struct opened *opened)
{
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(body(opened) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void serve_queue(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "queue.open", "['q']"), "{name: 'q'}");
    fake_answer(fake, fake_expect(fake, "queue.put", "['q', 1, nil]"), "nil");
    /* Nothing came from the child in between. */
    fake_answer(fake, fake_expect(fake, "queue.put", "['q', 2, nil]"), "nil");
    fake_answer(fake, fake_expect(fake, "object.close", "['q']"), "nil");
    fake_expect_end(fake);
}

static void open_queue(struct opened *opened)
{
    opened->conn = connect_to(&opened->server, serve_queue, NULL);
    assert_ok(ipcc_queue_open(opened->conn, "q", NULL, &opened->queue));
    assert_ok(ipcc_queue_put(opened->queue, ipcc_int(1), IPCC_FOREVER, NULL));
    opened->fd = ipcc_fd(opened->conn);
}

static void go_on(struct opened *opened)
{
    assert_ok(ipcc_queue_put(opened->queue, ipcc_int(2), IPCC_FOREVER, NULL));
    assert_ok(ipcc_queue_close(opened->queue));
    close_and_join(opened->conn, &opened->server);
}

static void never_called(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    _exit(99);
}

/* Every kind of use is refused with the same code. */
static bool use_everything(struct opened *opened)
{
    struct ipcc *conn = opened->conn;
    struct ipcc_request request = {.method = "a.b"};
    struct ipcc_queue *queue;
    uint64_t size;
    return ipcc_call(conn, "a.b", NULL, 0, NULL) == IPCC_ERR_FORKED &&
           strstr(ipcc_last_message(), "ipcc_open") != NULL &&
           ipcc_queue_put(opened->queue, ipcc_nil(), 0, NULL) == IPCC_ERR_FORKED &&
           ipcc_queue_qsize(opened->queue, &size) == IPCC_ERR_FORKED &&
           ipcc_queue_open(conn, "q", NULL, &queue) == IPCC_ERR_FORKED &&
           ipcc_call_async(conn, &request, never_called, NULL, NULL) == IPCC_ERR_FORKED &&
           ipcc_process(conn, POLLIN | POLLOUT) == IPCC_ERR_FORKED &&
           ipcc_flush(conn) == IPCC_ERR_FORKED && ipcc_cancel(conn, 1) == IPCC_ERR_FORKED &&
           ipcc_disconnect(conn) == IPCC_ERR_FORKED &&
           ipcc_session(conn, NULL) == IPCC_ERR_FORKED &&
           ipcc_greeting(conn, NULL) == IPCC_ERR_FORKED &&
           ipcc_on_notification(conn, NULL, NULL) == IPCC_ERR_FORKED &&
           ipcc_on_watch_event(conn, NULL, NULL) == IPCC_ERR_FORKED &&
           ipcc_wait_watch_event(conn, 0) == IPCC_ERR_FORKED && ipcc_fd(conn) == -1 &&
           ipcc_events(conn) == 0 && ipcc_next_timeout(conn) == -1;
}

static void child_is_refused_every_use_and_the_parent_goes_on(void **state)
{
    struct opened opened;
    open_queue(&opened);
    in_child(use_everything, &opened);
    go_on(&opened);
}

static bool close_all(struct opened *opened)
{
    return fcntl(opened->fd, F_GETFD) < 0 && errno == EBADF &&
           ipcc_queue_close(opened->queue) == 0 && ipcc_close(opened->conn) == 0;
}

static bool close_connection_first(struct opened *opened)
{
    return ipcc_close(opened->conn) == 0 &&
           ipcc_queue_put(opened->queue, ipcc_nil(), 0, NULL) == IPCC_ERR_FORKED &&
           ipcc_queue_close(opened->queue) == 0;
}

static void child_closes_its_copy_and_the_parent_goes_on(void **state)
{
    struct opened opened;
    open_queue(&opened);
    in_child(close_all, &opened);
    in_child(close_connection_first, &opened);
    go_on(&opened);
}

static void serve_parent_and_child(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "server.ping", "['parent']"), "1");
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "server.ping", "['child']"), "2");
    fake_expect_end(fake);
}

static bool open_anew(struct opened *opened)
{
    struct ipcc *conn;
    struct ipcc_reply reply;
    struct ipcc_options options = {.path = opened->server.path};
    return ipcc_open(&conn, &options) == 0 &&
           ipcc_server_ping(conn, ipcc_str("child"), &reply) == 0 && reply.value.as.integer == 2 &&
           ipcc_server_ping(opened->conn, ipcc_nil(), NULL) == IPCC_ERR_FORKED &&
           ipcc_close(conn) == 0;
}

static void child_opens_a_connection_of_its_own(void **state)
{
    struct opened opened;
    opened.conn = connect_to(&opened.server, serve_parent_and_child, NULL);
    assert_ok(ipcc_server_ping(opened.conn, ipcc_str("parent"), NULL));
    in_child(open_anew, &opened);
    close_and_join(opened.conn, &opened.server);
}

static bool use_in_grandchild(struct opened *opened)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(use_everything(opened) ? 0 : 1);
    }
    int status;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void grandchild_is_refused_as_well(void **state)
{
    struct opened opened;
    open_queue(&opened);
    in_child(use_in_grandchild, &opened);
    go_on(&opened);
}

static void serve_one_session(struct fake *fake)
{
    fake_greet(fake);
    fake_expect_end(fake);
}

/* Opens a connection, and ends without closing it while a child of its own lives on. */
static bool end_before_the_child(struct opened *opened)
{
    struct ipcc_options options = {.path = opened->server.path};
    char byte;
    if (ipcc_open(&opened->conn, &options) < 0) {
        return false;
    }
    if (fork() == 0) {
        _exit(read(opened->fd, &byte, 1) == 1 ? 0 : 1);
    }
    return true;
}

static void session_ends_with_the_parent_though_a_child_lives_on(void **state)
{
    int gate[2];
    struct opened opened;
    assert_int_equal(pipe(gate), 0);
    opened.server = fake_server_start(serve_one_session, NULL);
    opened.fd = gate[0];
    in_child(end_before_the_child, &opened);
    fake_server_join(&opened.server);
    assert_int_equal(write(gate[1], "x", 1), 1);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

static void serve_a_wait(struct fake *fake)
{
    char byte;
    fake_greet(fake);
    uint32_t waiting = fake_expect(fake, "a.wait", "[]");
    fake_check(read(*(const int *)fake->data, &byte, 1) == 1);
    fake_answer(fake, waiting, "1");
    fake_answer(fake, fake_expect(fake, "a.next", "[]"), "2");
    fake_expect_end(fake);
}

static void *wait_for_answer(void *data)
{
    return ipcc_call(data, "a.wait", NULL, 0, NULL) == 0 ? data : NULL;
}

static bool close_while_the_parent_waits(struct opened *opened)
{
    return ipcc_call(opened->conn, "a.b", NULL, 0, NULL) == IPCC_ERR_FORKED &&
           ipcc_close(opened->conn) == 0;
}

static void child_closes_while_a_thread_of_the_parent_is_in_a_call(void **state)
{
    int gate[2];
    pthread_t thread;
    void *result;
    struct opened opened;
    assert_int_equal(pipe(gate), 0);
    opened.conn = connect_to(&opened.server, serve_a_wait, &gate[0]);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_answer, opened.conn), 0);
    bool receiving = false;
    while (!receiving) {
        (void)pthread_mutex_lock(&opened.conn->lock);
        receiving = opened.conn->reader.receiving;
        (void)pthread_mutex_unlock(&opened.conn->lock);
    }
    in_child(close_while_the_parent_waits, &opened);
    assert_int_equal(write(gate[1], "x", 1), 1);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, opened.conn);
    assert_ok(ipcc_call(opened.conn, "a.next", NULL, 0, NULL));
    close_and_join(opened.conn, &opened.server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

/* ---- the thread as an owner ------------------------------------------------------------------ */

static bool owner_is_this_thread(struct opened *opened)
{
    struct ipcc_value owner = ipcc_thread_owner();
    return owner.kind == IPCC_INT && owner.as.integer == gettid() &&
           ipcc_thread_owner().as.integer == gettid();
}

static bool owner_is_this_thread_after_one_more_fork(struct opened *opened)
{
    bool here = owner_is_this_thread(opened);
    in_child(owner_is_this_thread, opened);
    return here && owner_is_this_thread(opened);
}

static void *look_at_owner(void *data)
{
    bool *is_right = data;
    *is_right = owner_is_this_thread(NULL);
    in_child(owner_is_this_thread, NULL);
    return data;
}

static void owner_is_the_thread_that_calls_in_children_too(void **state)
{
    pthread_t thread;
    bool is_right = false;
    assert_true(owner_is_this_thread(NULL));
    in_child(owner_is_this_thread_after_one_more_fork, NULL);
    assert_int_equal(pthread_create(&thread, NULL, look_at_owner, &is_right), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(is_right && owner_is_this_thread(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Before there is any connection. */
        cmocka_unit_test(owner_is_the_thread_that_calls_in_children_too),
        cmocka_unit_test(child_is_refused_every_use_and_the_parent_goes_on),
        cmocka_unit_test(child_closes_its_copy_and_the_parent_goes_on),
        cmocka_unit_test(child_opens_a_connection_of_its_own),
        cmocka_unit_test(grandchild_is_refused_as_well),
        cmocka_unit_test(session_ends_with_the_parent_though_a_child_lives_on),
        cmocka_unit_test(child_closes_while_a_thread_of_the_parent_is_in_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
