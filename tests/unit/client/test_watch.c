/* Watching: what is sent, how notifications become events, and waiting for them in one thread or
 * beside others. */
#include "tests/unit/client/client_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "client/connection.h"

/* What was told, one behind the other. */
struct heard {
    char text[256];
    int status; /* of a blocking call in the callback */
};

static void hear(struct ipcc *conn, const struct ipcc_watch_event *event, void *data)
{
    struct heard *heard = data;
    char detail[64];
    size_t len = strlen(heard->text);
    assert_ok(ipcc_value_print(event->detail, detail, sizeof(detail)));
    (void)snprintf(heard->text + len, sizeof(heard->text) - len, "%s %s %s; ", event->object,
                   event->event, detail);
    heard->status = ipcc_wait_watch_event(conn, 0);
}

static void serve_watches(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "object.watch", "['q']"), "nil");
    fake_answer(fake, fake_expect(fake, "object.watch", "['q', ['put', 'get']]"), "nil");
    fake_answer(fake, fake_expect(fake, "object.watch", "['q', []]"), "nil");
    fake_answer(fake, fake_expect(fake, "object.unwatch", "['q']"), "nil");
    fake_expect_end(fake);
}

static void watch_sends_the_events_that_are_wanted(void **state)
{
    static const char *const two[] = {"put", "get", NULL};
    static const char *const none[] = {NULL};
    const char *many[66] = {NULL};
    struct fake_server server;
    struct ipcc *conn = connect_to(&server, serve_watches, NULL);
    for (int i = 0; i < 65; i++) {
        many[i] = "put";
    }
    assert_fails(ipcc_object_watch(conn, "q", many), ARGUMENT, "64");
    assert_fails(ipcc_object_watch(conn, NULL, NULL), ARGUMENT, "name");
    assert_fails(ipcc_object_unwatch(conn, NULL), ARGUMENT, "name");
    assert_ok(ipcc_object_watch(conn, "q", NULL));
    assert_ok(ipcc_object_watch(conn, "q", two));
    assert_ok(ipcc_object_watch(conn, "q", none));
    assert_ok(ipcc_object_unwatch(conn, "q"));
    close_and_join(conn, &server);
}

static void serve_two_events(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_expect(fake, "object.watch", "['q']");
    fake_answer(fake, msgid, "nil");
    fake_send(fake, "[2, 'object.event', ['q', 'put', {size: 1}]]"
                    "[2, 'object.event', ['q', 'get', {}]]");
    (void)fake_expect(fake, "a.a", "[]");
    fake_send(fake, "[2, 'object.event', ['q', 'deleted', {}]] [2, 'other', []]");
    fake_close(fake);
}

static void events_come_while_the_program_waits_for_them(void **state)
{
    struct fake_server server;
    struct heard heard = {.text = ""};
    struct ipcc *conn = connect_to(&server, serve_two_events, NULL);
    assert_ok(ipcc_on_watch_event(conn, hear, &heard));
    assert_ok(ipcc_object_watch(conn, "q", NULL));
    while (strstr(heard.text, "get") == NULL) {
        assert_ok(ipcc_wait_watch_event(conn, IPCC_FOREVER));
    }
    assert_string_equal(heard.text, "q put {\"size\": 1}; q get {}; ");
    assert_int_equal(heard.status, IPCC_ERR_BUSY);
    assert_fails(ipcc_wait_watch_event(conn, 0), TIMEOUT, "no event");
    assert_fails(ipcc_wait_watch_event(conn, 5), TIMEOUT, "no event");
    assert_fails(ipcc_wait_watch_event(conn, -2), ARGUMENT, "timeout_ms");
    assert_fails(ipcc_call(conn, "a.a", NULL, 0, NULL), LOST, "");
    assert_true(strstr(heard.text, "deleted") != NULL);
    assert_fails(ipcc_wait_watch_event(conn, IPCC_FOREVER), LOST, "no connection");
    close_and_join(conn, &server);
}

static void serve_strange_events(struct fake *fake)
{
    fake_greet(fake);
    uint32_t msgid = fake_expect(fake, "a.a", "[]");
    fake_send(fake, "[2, 'object.event', []] [2, 'object.event', [1, 2, 3]]"
                    "[2, 'object.event', ['q', 'put']] [2, 'object.event', ['x'*300, 'put', {}]]"
                    "[2, 'object.event', ['q', 'put', {}, 'more']]");
    fake_answer(fake, msgid, "nil");
    fake_expect_end(fake);
}

static void count(struct ipcc *conn, const struct ipcc_value *method,
                  const struct ipcc_value *params, void *data)
{
    ++*(int *)data;
}

static void what_is_no_event_is_any_notification(void **state)
{
    struct fake_server server;
    struct heard heard = {.text = ""};
    int others = 0;
    struct ipcc *conn = connect_to(&server, serve_strange_events, NULL);
    assert_ok(ipcc_on_watch_event(conn, hear, &heard));
    assert_ok(ipcc_on_notification(conn, count, &others));
    assert_ok(ipcc_call(conn, "a.a", NULL, 0, NULL));
    assert_string_equal(heard.text, "q put {}; ");
    assert_int_equal(others, 4);
    close_and_join(conn, &server);
}

static void serve_one_event(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "a.a", "[]"), "nil");
    uint32_t msgid = fake_expect(fake, "a.b", "[]");
    fake_send(fake, "[2, 'object.event', ['q', 'put', {}]]");
    (void)fake_expect(fake, "a.c", "[]");
    fake_answer(fake, msgid, "nil");
    fake_expect_end(fake);
}

struct listener {
    struct ipcc *conn;
    int status;
};

static void *listen_once(void *data)
{
    struct listener *listener = data;
    listener->status = ipcc_wait_watch_event(listener->conn, IPCC_FOREVER);
    if (listener->status == 0) {
        (void)ipcc_call_async(listener->conn, &(struct ipcc_request){.method = "a.c"}, NULL, NULL,
                              NULL);
        (void)ipcc_flush(listener->conn);
    }
    return NULL;
}

static void start_listening(pthread_t *thread, struct listener *listener)
{
    bool listens = false;
    assert_int_equal(pthread_create(thread, NULL, listen_once, listener), 0);
    while (!listens) {
        (void)sched_yield();
        (void)pthread_mutex_lock(&listener->conn->lock);
        listens = !TAILQ_EMPTY(&listener->conn->reader.listeners);
        (void)pthread_mutex_unlock(&listener->conn->lock);
    }
}

/* The listener reads for both. The caller's answer does not come before the listener has gone on,
 * so that the role of the reader must have gone to the caller with the event. */
static void thread_that_waits_for_events_goes_on_beside_one_that_calls(void **state)
{
    struct fake_server server;
    struct heard heard = {.text = ""};
    pthread_t thread;
    struct ipcc *conn = connect_to(&server, serve_one_event, NULL);
    struct listener listener = {.conn = conn, .status = -1};
    assert_ok(ipcc_on_watch_event(conn, hear, &heard));
    start_listening(&thread, &listener);
    assert_ok(ipcc_call(conn, "a.a", NULL, 0, NULL));
    assert_ok(ipcc_call(conn, "a.b", NULL, 0, NULL));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(listener.status, 0);
    assert_string_equal(heard.text, "q put {}; ");
    close_and_join(conn, &server);
}

static void serve_nothing(struct fake *fake)
{
    fake_greet(fake);
    fake_expect_end(fake);
}

static void waiting_for_events_ends_with_the_connection(void **state)
{
    struct fake_server server;
    pthread_t thread;
    struct ipcc *conn = connect_to(&server, serve_nothing, NULL);
    struct listener listener = {.conn = conn, .status = 0};
    start_listening(&thread, &listener);
    assert_fails(ipcc_close(conn), BUSY, "threads");
    assert_ok(ipcc_disconnect(conn));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(listener.status, IPCC_ERR_LOST);
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watch_sends_the_events_that_are_wanted),
        cmocka_unit_test(events_come_while_the_program_waits_for_them),
        cmocka_unit_test(what_is_no_event_is_any_notification),
        cmocka_unit_test(thread_that_waits_for_events_goes_on_beside_one_that_calls),
        cmocka_unit_test(waiting_for_events_ends_with_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
