/* Calls that are told of signals: ipcc_request.interrupted. */
#include "tests/unit/client/loop.h"

#include "client/connection.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* A call that asks. The thread that makes it is sent signals all the time from its first question
 * on, so that every question but that one is because of a signal. */
struct asked {
    struct ipcc *conn;
    pthread_t caller;
    pthread_t sender;
    int stop_at;     /* the question that is answered with true; 0: none */
    int stop_again;  /* and one more */
    int ping_at;     /* the question in which the connection is used */
    atomic_int asks; /* so far */
    atomic_bool done;
    int status;
    struct ipcc_reply reply;
};

static void *send_signals(void *data)
{
    struct asked *asked = data;
    struct timespec moment = {.tv_nsec = 1000000};
    while (!atomic_load(&asked->done)) {
        assert_int_equal(pthread_kill(asked->caller, SIGUSR1), 0);
        (void)nanosleep(&moment, NULL);
    }
    return NULL;
}

static bool ask(void *data)
{
    struct asked *asked = data;
    int ask = atomic_fetch_add(&asked->asks, 1) + 1;
    assert_true(pthread_equal(pthread_self(), asked->caller));
    if (ask == 1) {
        assert_int_equal(pthread_create(&asked->sender, NULL, send_signals, asked), 0);
    }
    if (ask == asked->ping_at) {
        assert_ok(ipcc_server_ping(asked->conn, ipcc_none(), NULL));
    }
    return ask == asked->stop_at || ask == asked->stop_again;
}

static void handle(int signal)
{
}

/* Calls queue.get. */
static void *get(void *data)
{
    struct asked *asked = data;
    struct ipcc_value name = ipcc_str("q");
    struct ipcc_request request = {.method = "queue.get",
                                   .params = &name,
                                   .nparams = 1,
                                   .interrupted = ask,
                                   .interrupted_data = asked};
    asked->caller = pthread_self();
    asked->status = ipcc_call_request(asked->conn, &request, &asked->reply);
    atomic_store(&asked->done, true);
    if (atomic_load(&asked->asks) > 0) {
        assert_int_equal(pthread_join(asked->sender, NULL), 0);
    }
    return NULL;
}

static struct ipcc *connect_handled(struct fake_server *server, fake_script *script)
{
    struct sigaction action = {.sa_handler = handle};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    struct ipcc *conn = NULL;
    *server = fake_server_start(script, NULL);
    assert_ok(ipcc_open(&conn, &(struct ipcc_options){.path = server->path, .spin = true}));
    return conn;
}

static void serve_cancelled(struct fake *fake)
{
    fake_greet(fake);
    uint32_t waits = fake_expect(fake, "queue.get", "['q']");
    fake_await_cancels(fake, 1);
    fake_refuse(fake, waits, "CANCELLED", "the wait was cancelled");
    fake_expect_end(fake);
}

static void a_signal_ends_the_call_that_says_so(void **state)
{
    struct fake_server server;
    struct asked asked = {.conn = connect_handled(&server, serve_cancelled), .stop_at = 3};
    (void)get(&asked);
    assert_int_equal(asked.status, IPCC_ERR_INTERRUPTED);
    assert_string_equal(ipcc_last_message(), "the wait was interrupted, and nothing was taken");
    assert_true(asked.conn->link.brief); /* it has not polled first */
    assert_true(atomic_load(&asked.asks) >= 3);
    close_and_join(asked.conn, &server);
}

static void a_signal_before_the_wait_is_found_too(void **state)
{
    struct fake_server server;
    struct asked asked = {.conn = connect_handled(&server, serve_cancelled), .stop_at = 1};
    (void)get(&asked);
    assert_int_equal(asked.status, IPCC_ERR_INTERRUPTED);
    close_and_join(asked.conn, &server);
}

static void serve_item(struct fake *fake)
{
    fake_greet(fake);
    uint32_t waits = fake_expect(fake, "queue.get", "['q']");
    fake_await_cancels(fake, 1);
    fake_answer(fake, waits, "[42, nil, 1]");
    fake_expect_end(fake);
}

static void what_was_on_its_way_is_the_result(void **state)
{
    struct fake_server server;
    struct asked asked = {.conn = connect_handled(&server, serve_item), .stop_at = 2};
    (void)get(&asked);
    assert_int_equal(asked.status, 0);
    ipcc_reply_free(&asked.reply);
    close_and_join(asked.conn, &server);
}

static void serve_ping_within(struct fake *fake)
{
    fake_greet(fake);
    uint32_t waits = fake_expect(fake, "queue.get", "['q']");
    fake_answer(fake, fake_expect(fake, "server.ping", "[]"), "nil");
    fake_answer(fake, waits, "[42, nil, 1]");
    fake_expect_end(fake);
}

static void who_is_asked_may_use_the_connection(void **state)
{
    struct fake_server server;
    struct asked asked = {.conn = connect_handled(&server, serve_ping_within), .ping_at = 2};
    (void)get(&asked);
    assert_int_equal(asked.status, 0);
    ipcc_reply_free(&asked.reply);
    close_and_join(asked.conn, &server);
}

static void serve_nothing(struct fake *fake)
{
    fake_greet(fake);
    fake_expect(fake, "queue.get", "['q']");
    fake_await_cancels(fake, 1);
    fake_expect_end(fake);
}

static void a_daemon_that_does_not_answer_is_given_up_the_second_time(void **state)
{
    struct fake_server server;
    struct asked asked = {
        .conn = connect_handled(&server, serve_nothing), .stop_at = 2, .stop_again = 3};
    (void)get(&asked);
    assert_int_equal(asked.status, IPCC_ERR_NO_ANSWER);
    close_and_join(asked.conn, &server);
}

enum { OTHERS = 4 };

static void serve_one_of_many(struct fake *fake)
{
    uint32_t waits[1 + OTHERS];
    fake_greet(fake);
    for (int i = 0; i <= OTHERS; i++) {
        waits[i] = fake_expect(fake, "queue.get", "['q']");
    }
    fake_await_cancels(fake, 1);
    /* Whose it is does not matter here: the others must go on waiting, whoever reads. */
    for (int i = 0; i <= OTHERS; i++) {
        fake_answer(fake, waits[i], "[42, nil, 1]");
    }
    fake_expect_end(fake);
}

static void other_threads_wait_on(void **state)
{
    struct fake_server server;
    pthread_t threads[1 + OTHERS];
    struct asked asked[1 + OTHERS] = {{.conn = connect_handled(&server, serve_one_of_many)}};
    for (int i = 0; i <= OTHERS; i++) {
        asked[i].conn = asked[0].conn;
        asked[i].stop_at = i == OTHERS ? 4 : 0;
        assert_int_equal(pthread_create(&threads[i], NULL, get, &asked[i]), 0);
    }
    for (int i = 0; i <= OTHERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(asked[i].status, 0);
        ipcc_reply_free(&asked[i].reply);
    }
    close_and_join(asked[0].conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_ends_the_call_that_says_so),
        cmocka_unit_test(a_signal_before_the_wait_is_found_too),
        cmocka_unit_test(what_was_on_its_way_is_the_result),
        cmocka_unit_test(who_is_asked_may_use_the_connection),
        cmocka_unit_test(a_daemon_that_does_not_answer_is_given_up_the_second_time),
        cmocka_unit_test(other_threads_wait_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
