/* Waits that are ended from a signal handler. */
#include "tests/unit/client/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/connection.h"

static struct ipcc *connect_interruptible(struct fake_server *server, fake_script *script,
                                          const void *data)
{
    struct ipcc *conn = NULL;
    *server = fake_server_start(script, data);
    assert_ok(
        ipcc_open(&conn, &(struct ipcc_options){.path = server->path, .interruptible = true}));
    return conn;
}

/* ---- a thread that waits --------------------------------------------------------------------- */

struct worker {
    pthread_t thread;
    struct ipcc *conn;
    struct ipcc_queue *queue; /* or NULL: it waits for events */
    int status;
    int64_t integer;
    char message[128];
};

static void *wait_for_ever(void *data)
{
    struct worker *worker = data;
    struct ipcc_reply reply = {0};
    struct ipcc_item item = {.value = ipcc_none()};
    worker->status = worker->queue != NULL
                         ? ipcc_queue_get(worker->queue, IPCC_FOREVER, &item, &reply)
                         : ipcc_wait_watch_event(worker->conn, IPCC_FOREVER);
    (void)snprintf(worker->message, sizeof(worker->message), "%s", ipcc_last_message());
    worker->integer = item.value.kind == IPCC_INT ? item.value.as.integer : -1;
    ipcc_reply_free(&reply);
    return NULL;
}

static void start_worker(struct worker *worker)
{
    assert_int_equal(pthread_create(&worker->thread, NULL, wait_for_ever, worker), 0);
}

static void join_worker(struct worker *worker)
{
    assert_int_equal(pthread_join(worker->thread, NULL), 0);
}

static struct ipcc_queue *open_queue(struct ipcc *conn)
{
    struct ipcc_queue *queue = NULL;
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    return queue;
}

static void serve_open(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "queue.open", "['q']"), "{name: 'q'}");
}

/* The script says so when what it waits for has come. */
struct gate {
    int fds[2];
};

static void gate_open(const struct fake *fake)
{
    fake_check(write(((const struct gate *)fake->data)->fds[1], "x", 1) == 1);
}

static void gate_await(const struct gate *gate)
{
    char byte;
    assert_int_equal(read(gate->fds[0], &byte, 1), 1);
}

static void gate_close(const struct gate *gate)
{
    (void)close(gate->fds[0]);
    (void)close(gate->fds[1]);
}

/* ---- in flight ------------------------------------------------------------------------------- */

static void serve_cancelled(struct fake *fake)
{
    serve_open(fake);
    uint32_t get = fake_expect(fake, "queue.get", "['q', nil]");
    gate_open(fake);
    fake_await_cancels(fake, 1);
    fake_refuse(fake, get, "CANCELLED", "the wait was cancelled");
    fake_expect(fake, "object.close", "['q']");
}

static void wait_is_cancelled_and_takes_nothing(void **state)
{
    struct gate gate;
    struct fake_server server;
    assert_int_equal(pipe(gate.fds), 0);
    struct ipcc *conn = connect_interruptible(&server, serve_cancelled, &gate);
    struct worker worker = {.conn = conn, .queue = open_queue(conn)};
    start_worker(&worker);
    gate_await(&gate);
    assert_int_equal(ipcc_interrupt(conn), 0);
    join_worker(&worker);
    assert_int_equal(worker.status, IPCC_ERR_INTERRUPTED);
    assert_string_equal(worker.message, "the wait was interrupted, and nothing was taken");
    assert_fails(ipcc_queue_close(worker.queue), LOST, "closed");
    close_and_join(conn, &server);
    gate_close(&gate);
}

static void serve_item_before_cancel(struct fake *fake)
{
    serve_open(fake);
    uint32_t get = fake_expect(fake, "queue.get", "['q', nil]");
    gate_open(fake);
    /* The item has left when the cancel comes. */
    fake_await_cancels(fake, 1);
    fake_send(fake, "[1, %u, nil, [42, nil, 1]]", get);
    fake_answer(fake, fake_expect(fake, "server.ping", "[]"), "1");
    fake_answer(fake, fake_expect(fake, "object.close", "['q']"), "nil");
    fake_expect_end(fake);
}

static void item_that_was_on_its_way_is_not_lost(void **state)
{
    struct gate gate;
    struct fake_server server;
    assert_int_equal(pipe(gate.fds), 0);
    struct ipcc *conn = connect_interruptible(&server, serve_item_before_cancel, &gate);
    struct worker worker = {.conn = conn, .queue = open_queue(conn)};
    start_worker(&worker);
    gate_await(&gate);
    assert_int_equal(ipcc_interrupt(conn), 0);
    join_worker(&worker);
    assert_int_equal(worker.status, 0);
    assert_int_equal(worker.integer, 42);
    assert_ok(ipcc_server_ping(conn, ipcc_none(), NULL));
    assert_ok(ipcc_queue_close(worker.queue));
    close_and_join(conn, &server);
    gate_close(&gate);
}

enum { WORKERS = 20 };

static void serve_many(struct fake *fake)
{
    uint32_t gets[WORKERS];
    serve_open(fake);
    for (int i = 0; i < WORKERS; i++) {
        gets[i] = fake_expect(fake, "queue.get", "['q', nil]");
    }
    uint32_t ping = fake_expect(fake, "server.ping", "[5]");
    gate_open(fake);
    fake_await_cancels(fake, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        fake_refuse(fake, gets[i], "CANCELLED", "the wait was cancelled");
    }
    fake_answer(fake, ping, "5");
    fake_answer(fake, fake_expect(fake, "object.close", "['q']"), "nil");
    fake_expect_end(fake);
}

static void *ping_five(void *data)
{
    struct worker *worker = data;
    struct ipcc_reply reply;
    worker->status = ipcc_server_ping(worker->conn, ipcc_int(5), &reply);
    worker->integer = reply.value.as.integer;
    return NULL;
}

/* Waits until so many calls are in flight. */
static void await_flight(struct ipcc *conn, unsigned wanted)
{
    for (unsigned count = 0; count != wanted;) {
        count = 0;
        (void)pthread_mutex_lock(&conn->lock);
        for (uint32_t i = 0; i < conn->flight.count; i++) {
            count += conn->flight.slots[i].kind != SLOT_FREE;
        }
        (void)pthread_mutex_unlock(&conn->lock);
    }
}

static void all_threads_that_wait_end_and_those_that_do_not_go_on(void **state)
{
    struct gate gate;
    struct fake_server server;
    struct worker workers[WORKERS];
    assert_int_equal(pipe(gate.fds), 0);
    struct ipcc *conn = connect_interruptible(&server, serve_many, &gate);
    struct worker ping = {.conn = conn};
    struct ipcc_queue *queue = open_queue(conn);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.conn = conn, .queue = queue};
        start_worker(&workers[i]);
    }
    await_flight(conn, WORKERS);
    assert_int_equal(pthread_create(&ping.thread, NULL, ping_five, &ping), 0);
    gate_await(&gate);
    assert_int_equal(ipcc_interrupt(conn), 0);
    for (int i = 0; i < WORKERS; i++) {
        join_worker(&workers[i]);
        assert_int_equal(workers[i].status, IPCC_ERR_INTERRUPTED);
    }
    join_worker(&ping);
    assert_int_equal(ping.status, 0);
    assert_int_equal(ping.integer, 5);
    assert_ok(ipcc_queue_close(queue));
    close_and_join(conn, &server);
    gate_close(&gate);
}

static void serve_quietly(struct fake *fake)
{
    fake_greet(fake);
    fake_expect_end(fake);
}

static void waiting_for_events_ends(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_interruptible(&server, serve_quietly, NULL);
    struct worker worker = {.conn = conn};
    start_worker(&worker);
    for (bool there = false; !there;) {
        (void)pthread_mutex_lock(&conn->lock);
        there = !TAILQ_EMPTY(&conn->reader.listeners);
        (void)pthread_mutex_unlock(&conn->lock);
    }
    assert_int_equal(ipcc_interrupt(conn), 0);
    join_worker(&worker);
    assert_int_equal(worker.status, IPCC_ERR_INTERRUPTED);
    assert_fails(ipcc_wait_watch_event(conn, IPCC_FOREVER), INTERRUPTED, "ipcc_resume");
    close_and_join(conn, &server);
}

/* ---- until it is resumed --------------------------------------------------------------------- */

static void serve_refused(struct fake *fake)
{
    serve_open(fake);
    /* The get in between is not sent. */
    fake_answer(fake, fake_expect(fake, "queue.task_done", "['q', 3]"), "0");
    uint32_t put = fake_expect(fake, "queue.put", "['q', 1, 0]");
    fake_answer(fake, put, "nil");
    uint32_t get = fake_expect(fake, "queue.get", "['q', nil]");
    fake_send(fake, "[1, %u, nil, [7, nil, 1]]", get);
    uint32_t second = fake_expect(fake, "queue.get", "['q', nil]");
    gate_open(fake);
    fake_await_cancels(fake, 1);
    fake_refuse(fake, second, "CANCELLED", "the wait was cancelled");
    fake_answer(fake, fake_expect(fake, "object.close", "['q']"), "nil");
    fake_expect_end(fake);
}

static void until_it_is_resumed_no_wait_begins_and_all_else_goes_on(void **state)
{
    struct gate gate;
    struct fake_server server;
    struct ipcc_item item;
    struct ipcc_reply reply;
    assert_int_equal(pipe(gate.fds), 0);
    struct ipcc *conn = connect_interruptible(&server, serve_refused, &gate);
    struct worker worker = {.conn = conn, .queue = open_queue(conn)};
    assert_int_equal(ipcc_interrupt(conn), 0);
    assert_int_equal(ipcc_interrupt(conn), 0);
    assert_fails(ipcc_queue_get(worker.queue, IPCC_FOREVER, &item, &reply), INTERRUPTED,
                 "ipcc_resume");
    assert_fails(ipcc_queue_get(worker.queue, 1, &item, &reply), INTERRUPTED, "ipcc_resume");
    assert_ok(ipcc_queue_task_done(worker.queue, 3, NULL));
    assert_ok(ipcc_queue_put(worker.queue, ipcc_int(1), 0, NULL));
    assert_ok(ipcc_resume(conn));
    assert_ok(ipcc_resume(conn));
    assert_ok(ipcc_queue_get(worker.queue, IPCC_FOREVER, &item, &reply));
    assert_int_equal(item.value.as.integer, 7);
    ipcc_reply_free(&reply);
    start_worker(&worker);
    gate_await(&gate);
    assert_int_equal(ipcc_interrupt(conn), 0);
    join_worker(&worker);
    assert_int_equal(worker.status, IPCC_ERR_INTERRUPTED);
    assert_ok(ipcc_queue_close(worker.queue));
    close_and_join(conn, &server);
    gate_close(&gate);
}

static void serve_by_name(struct fake *fake)
{
    fake_greet(fake);
    uint32_t done = fake_expect(fake, "queue.get", "['q']");
    fake_await_cancels(fake, 1);
    fake_answer(fake, done, "[1, nil, 1]");
    uint32_t waits = fake_expect(fake, "queue.get", "['q']");
    fake_await_cancels(fake, 2);
    fake_refuse(fake, waits, "CANCELLED", "the wait was cancelled");
    fake_expect_end(fake);
}

static void call_by_name_does_what_needs_no_waiting(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_interruptible(&server, serve_by_name, NULL);
    struct ipcc_value name = ipcc_str("q");
    assert_int_equal(ipcc_interrupt(conn), 0);
    assert_ok(ipcc_call(conn, "queue.get", &name, 1, NULL));
    assert_fails(ipcc_call(conn, "queue.get", &name, 1, NULL), INTERRUPTED, "nothing was taken");
    close_and_join(conn, &server);
}

static void serve_condition(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "condition.open", "['c']"), "{name: 'c'}");
    uint32_t wait = fake_next(fake, NULL);
    fake_await_cancels(fake, 1);
    fake_refuse(fake, wait, "CANCELLED", "the wait was cancelled");
    fake_answer(fake, fake_expect(fake, "object.close", "['c']"), "nil");
    fake_expect_end(fake);
}

static void wait_on_a_condition_gives_up_its_lock_all_the_same(void **state)
{
    struct fake_server server;
    struct ipcc_condition *condition = NULL;
    struct ipcc *conn = connect_interruptible(&server, serve_condition, NULL);
    assert_ok(ipcc_condition_open(conn, "c", NULL, &condition));
    assert_int_equal(ipcc_interrupt(conn), 0);
    assert_fails(ipcc_condition_wait(condition, IPCC_FOREVER, NULL), INTERRUPTED, "interrupted");
    assert_ok(ipcc_condition_close(condition));
    close_and_join(conn, &server);
}

static void serve_async(struct fake *fake)
{
    fake_greet(fake);
    uint32_t first = fake_expect(fake, "a.a", "[]");
    fake_answer(fake, fake_expect(fake, "server.ping", "[]"), "nil");
    fake_answer(fake, first, "9");
    fake_expect_end(fake);
    fake_check(fake->cancels == 0);
}

static void asynchronous_calls_are_not_concerned(void **state)
{
    struct fake_server server;
    struct outcome outcome = {0};
    struct ipcc *conn = connect_interruptible(&server, serve_async, NULL);
    assert_ok(start(conn, "a.a", &outcome, NULL));
    assert_int_equal(ipcc_interrupt(conn), 0);
    assert_ok(ipcc_server_ping(conn, ipcc_none(), NULL));
    run_until(conn, &outcome);
    assert_int_equal(outcome.status, 0);
    assert_int_equal(outcome.integer, 9);
    close_and_join(conn, &server);
}

/* ---- signals and forks ----------------------------------------------------------------------- */

static struct ipcc *to_interrupt;
static atomic_int handled;

static void handle(int signal)
{
    int before = errno;
    errno = 1234;
    (void)ipcc_interrupt(to_interrupt);
    atomic_store(&handled, errno);
    errno = before;
}

static void signal_ends_the_wait_of_the_thread_that_gets_it(void **state)
{
    struct gate gate;
    struct fake_server server;
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct sigaction before;
    assert_int_equal(pipe(gate.fds), 0);
    struct ipcc *conn = connect_interruptible(&server, serve_cancelled, &gate);
    struct worker worker = {.conn = conn, .queue = open_queue(conn)};
    to_interrupt = conn;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    start_worker(&worker);
    gate_await(&gate);
    assert_int_equal(pthread_kill(worker.thread, SIGUSR1), 0);
    join_worker(&worker);
    assert_int_equal(worker.status, IPCC_ERR_INTERRUPTED);
    assert_int_equal(atomic_load(&handled), 1234);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    (void)ipcc_queue_close(worker.queue);
    close_and_join(conn, &server);
    gate_close(&gate);
}

static void child_does_not_interrupt_its_parent(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_interruptible(&server, serve_quietly, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(ipcc_interrupt(conn) == IPCC_ERR_FORKED && ipcc_resume(conn) == IPCC_ERR_FORKED ? 0
                                                                                              : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_fails(ipcc_wait_watch_event(conn, 1), TIMEOUT, "no event");
    close_and_join(conn, &server);
}

static void connection_must_have_been_opened_for_it(void **state)
{
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_quietly, NULL);
    (void)error_set(IPCC_ERR_VALUE, "what was said before");
    assert_int_equal(ipcc_interrupt(conn), IPCC_ERR_ARGUMENT);
    assert_int_equal(ipcc_interrupt(NULL), IPCC_ERR_ARGUMENT);
    assert_string_equal(ipcc_last_message(), "what was said before");
    assert_fails(ipcc_resume(conn), ARGUMENT, "interruptible");
    assert_fails(ipcc_resume(NULL), ARGUMENT, "NULL");
    assert_fails(ipcc_wait_watch_event(conn, 1), TIMEOUT, "no event");
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_is_cancelled_and_takes_nothing),
        cmocka_unit_test(item_that_was_on_its_way_is_not_lost),
        cmocka_unit_test(all_threads_that_wait_end_and_those_that_do_not_go_on),
        cmocka_unit_test(waiting_for_events_ends),
        cmocka_unit_test(until_it_is_resumed_no_wait_begins_and_all_else_goes_on),
        cmocka_unit_test(call_by_name_does_what_needs_no_waiting),
        cmocka_unit_test(wait_on_a_condition_gives_up_its_lock_all_the_same),
        cmocka_unit_test(asynchronous_calls_are_not_concerned),
        cmocka_unit_test(signal_ends_the_wait_of_the_thread_that_gets_it),
        cmocka_unit_test(child_does_not_interrupt_its_parent),
        cmocka_unit_test(connection_must_have_been_opened_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
