/* One connection, many threads, each blocked in its own call. Run under ThreadSanitizer, too. */
#include "tests/unit/client/callers.h"

#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 100, ROUNDS = 50 };

/* Answers `total` requests, each with its number: `batch` of them together, last come first. */
static void answer_in_batches(struct fake *fake, int total, int batch)
{
    uint32_t msgids[THREADS];
    int64_t numbers[THREADS];
    fake_greet(fake);
    for (int done = 0; done < total; done += batch) {
        for (int i = 0; i < batch; i++) {
            msgids[i] = fake_next(fake, &numbers[i]);
        }
        for (int i = batch; i > 0; i--) {
            fake_send(fake, "[1, %u, nil, %lld]", msgids[i - 1], (long long)numbers[i - 1]);
        }
    }
    fake_expect_end(fake);
}

static void serve_all_together(struct fake *fake)
{
    answer_in_batches(fake, THREADS * ROUNDS, THREADS);
}

static void serve_one_by_one(struct fake *fake)
{
    answer_in_batches(fake, THREADS * ROUNDS, 1);
}

static void hundred_threads(fake_script *script)
{
    static struct caller callers[THREADS];
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, script, NULL);
    start_callers(callers, THREADS, &(struct caller){.conn = conn, .rounds = ROUNDS});
    join_callers(callers, THREADS);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(callers[i].status, 0);
    }
    close_and_join(conn, &server);
}

static void threads_that_all_wait_are_answered_last_come_first(void **state)
{
    hundred_threads(serve_all_together);
}

static void threads_are_answered_one_by_one(void **state)
{
    hundred_threads(serve_one_by_one);
}

enum { SENDERS = 8, LARGE_ROUNDS = 10, LARGE = 700000 };

static void serve_large(struct fake *fake)
{
    answer_in_batches(fake, SENDERS * LARGE_ROUNDS, 1);
}

static void serve_large_at_last(struct fake *fake)
{
    answer_in_batches(fake, SENDERS * LARGE_ROUNDS, SENDERS);
}

/* Requests that do not fit into the socket, while another thread is in a receive. */
static void large_senders(fake_script *script)
{
    static struct caller callers[SENDERS];
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, script, NULL);
    start_callers(callers, SENDERS,
                  &(struct caller){.conn = conn, .rounds = LARGE_ROUNDS, .payload = LARGE});
    join_callers(callers, SENDERS);
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(callers[i].status, 0);
    }
    close_and_join(conn, &server);
}

static void threads_send_more_than_the_socket_holds(void **state)
{
    large_senders(serve_large);
    large_senders(serve_large_at_last);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void serve_loss(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < THREADS; i++) {
        fake_next(fake, NULL);
    }
    fake_send(fake, "[2, 'goodbye', ['INTERNAL', 'the daemon ends']]");
}

static void all_waiting_threads_get_the_goodbye(void **state)
{
    static struct caller callers[THREADS];
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_loss, NULL);
    start_callers(callers, THREADS, &(struct caller){.conn = conn, .rounds = 1});
    join_callers(callers, THREADS);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(callers[i].status, IPCC_ERR_INTERNAL);
        assert_string_equal(callers[i].message, "the daemon ends");
    }
    close_and_join(conn, &server);
}

static void serve_waits(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 3; i++) {
        fake_next(fake, NULL);
    }
    fake_check(write(*(const int *)fake->data, "x", 1) == 1);
    fake_expect_end(fake);
}

static void close_is_refused_while_threads_wait_and_disconnect_ends_them(void **state)
{
    int gate[2];
    char byte;
    struct caller callers[3];
    struct fake_server server;
    assert_int_equal(pipe(gate), 0);
    struct ipcc *conn = connect_to(&server, serve_waits, &gate[1]);
    start_callers(callers, 3, &(struct caller){.conn = conn, .rounds = 1});
    assert_int_equal(read(gate[0], &byte, 1), 1);
    assert_fails(ipcc_close(conn), BUSY, "ipcc_disconnect");
    assert_ok(ipcc_disconnect(conn));
    join_callers(callers, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(callers[i].status, IPCC_ERR_LOST);
    }
    close_and_join(conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

static void serve_reluctantly(struct fake *fake)
{
    fake_greet(fake);
    /* Only the one without a guard time is answered. */
    uint32_t patient = 0;
    for (int i = 0; i < 10; i++) {
        int64_t number = 0;
        uint32_t msgid = fake_next(fake, &number);
        patient = number == 4000 ? msgid : patient;
    }
    fake_await_cancels(fake, 9);
    answer_number(fake, patient, 4000);
    fake_expect_end(fake);
}

static void threads_over_their_guard_time_leave_and_the_others_stay(void **state)
{
    struct caller callers[10];
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_reluctantly, NULL);
    for (int i = 0; i < 10; i++) {
        struct caller model = {.conn = conn, .rounds = 1, .guard_ms = i == 4 ? 0 : 20 + i};
        callers[i] = model;
        callers[i].number = i;
        start_caller(&callers[i]);
    }
    join_callers(callers, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(callers[i].status, i == 4 ? 0 : IPCC_ERR_NO_ANSWER);
    }
    close_and_join(conn, &server);
}

/* ---- blocked threads and an event loop on the same connection ------------------------------- */

struct loop {
    pthread_t thread;
    struct ipcc *conn;
    atomic_int left;
};

enum { ASYNC_CALLS = 1000, MIXED_THREADS = 10 };

static void count_down(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct loop *loop = data;
    if (status == 0) {
        (void)atomic_fetch_sub(&loop->left, 1);
    }
}

static void *run_loop(void *data)
{
    struct loop *loop = data;
    for (int i = 0; i < ASYNC_CALLS; i++) {
        struct ipcc_value number = ipcc_int(i);
        struct ipcc_request request = {.method = "a.a", .params = &number, .nparams = 1};
        (void)ipcc_call_async(loop->conn, &request, count_down, loop, NULL);
        (void)ipcc_process(loop->conn, i % 3 == 0 ? POLLIN | POLLOUT : 0);
    }
    while (atomic_load(&loop->left) > 0) {
        struct pollfd ready = {.fd = ipcc_fd(loop->conn), .events = (short)ipcc_events(loop->conn)};
        /* A blocked thread may have taken what would have woken this one. */
        if (poll(&ready, 1, 1) >= 0) {
            (void)ipcc_process(loop->conn, ready.revents);
        }
    }
    return NULL;
}

static void serve_mixed(struct fake *fake)
{
    answer_in_batches(fake, ASYNC_CALLS + MIXED_THREADS * ROUNDS, 1);
}

static void threads_and_an_event_loop_share_a_connection(void **state)
{
    static struct caller callers[MIXED_THREADS];
    struct fake_server server;
    struct loop loop = {.left = ASYNC_CALLS};
    loop.conn = connect_to(&server, serve_mixed, NULL);
    assert_int_equal(pthread_create(&loop.thread, NULL, run_loop, &loop), 0);
    start_callers(callers, MIXED_THREADS, &(struct caller){.conn = loop.conn, .rounds = ROUNDS});
    join_callers(callers, MIXED_THREADS);
    assert_int_equal(pthread_join(loop.thread, NULL), 0);
    assert_int_equal(atomic_load(&loop.left), 0);
    close_and_join(loop.conn, &server);
}

static void serve_handover(struct fake *fake)
{
    int64_t number = 0;
    fake_greet(fake);
    uint32_t first = fake_next(fake, &number);
    answer_number(fake, first, number);
    uint32_t second = fake_next(fake, &number);
    /* After ipcc_process is over, which read the first answer. */
    char byte;
    fake_check(read(*(const int *)fake->data, &byte, 1) == 1);
    answer_number(fake, second, number);
    fake_expect_end(fake);
}

/* Returns when another thread waits behind the one that runs this. */
static void outlast(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    start_caller(data);
    await_waiters(conn);
}

static void process_passes_the_reading_on_to_a_thread_that_waits(void **state)
{
    int gate[2];
    struct fake_server server;
    struct caller caller = {.number = 5, .rounds = 1};
    struct ipcc_request request = {.method = "a.a"};
    assert_int_equal(pipe(gate), 0);
    caller.conn = connect_to(&server, serve_handover, &gate[0]);
    assert_ok(ipcc_call_async(caller.conn, &request, outlast, &caller, NULL));
    assert_ok(ipcc_flush(caller.conn));
    struct pollfd ready = {.fd = ipcc_fd(caller.conn), .events = POLLIN};
    assert_int_equal(poll(&ready, 1, -1), 1);
    assert_ok(ipcc_process(caller.conn, ready.revents));
    assert_int_equal(write(gate[1], "x", 1), 1);
    join_callers(&caller, 1);
    assert_int_equal(caller.status, 0);
    close_and_join(caller.conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

/* ---- lost and found by many ------------------------------------------------------------------ */

static void serve_reconnecting_threads(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 20; i++) {
        fake_next(fake, NULL);
    }
    fake_greet(fake);
    for (int i = 0; i < 20; i++) {
        int64_t number;
        uint32_t msgid = fake_next(fake, &number);
        answer_number(fake, msgid, number);
    }
    fake_expect_end(fake);
}

static void *call_twice(void *data)
{
    struct caller *caller = data;
    (void)call_rounds(caller);
    if (caller->status == IPCC_ERR_LOST) {
        caller->status = 0;
        (void)call_rounds(caller);
    }
    return NULL;
}

static void threads_that_lost_their_connection_share_the_next_one(void **state)
{
    struct caller callers[20];
    struct fake_server server = fake_server_start(serve_reconnecting_threads, NULL);
    struct ipcc *conn;
    assert_ok(ipcc_open(&conn, &(struct ipcc_options){.path = server.path, .reconnect = true}));
    for (int i = 0; i < 20; i++) {
        callers[i] = (struct caller){.conn = conn, .number = i, .rounds = 1};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_twice, &callers[i]), 0);
    }
    join_callers(callers, 20);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(callers[i].status, 0);
    }
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_all_wait_are_answered_last_come_first),
        cmocka_unit_test(threads_are_answered_one_by_one),
        cmocka_unit_test(threads_send_more_than_the_socket_holds),
        cmocka_unit_test(all_waiting_threads_get_the_goodbye),
        cmocka_unit_test(close_is_refused_while_threads_wait_and_disconnect_ends_them),
        cmocka_unit_test(threads_over_their_guard_time_leave_and_the_others_stay),
        cmocka_unit_test(threads_and_an_event_loop_share_a_connection),
        cmocka_unit_test(process_passes_the_reading_on_to_a_thread_that_waits),
        cmocka_unit_test(threads_that_lost_their_connection_share_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
