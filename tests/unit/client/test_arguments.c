/* Null handles, null results, bad options: a code and a message, never a crash, nothing sent. */
#include "tests/unit/client/client_test.h"

#include <string.h>

static const struct ipcc_value v = {IPCC_INT, 0, {5}};

#define assert_refused(call) assert_fails(call, ARGUMENT, "")

static void functions_of_a_connection_refuse_null(void **state)
{
    struct ipcc_request request = {.method = "a.b"};
    struct ipcc_reply reply;
    assert_fails(ipcc_call(NULL, "a.b", NULL, 0, &reply), ARGUMENT, "the connection is NULL");
    assert_refused(ipcc_call_request(NULL, &request, NULL));
    assert_refused(ipcc_call_async(NULL, &request, NULL, NULL, NULL));
    assert_refused(ipcc_cancel(NULL, 1));
    assert_refused(ipcc_process(NULL, 0));
    assert_refused(ipcc_flush(NULL));
    assert_refused(ipcc_disconnect(NULL));
    assert_refused(ipcc_session(NULL, NULL));
    assert_refused(ipcc_greeting(NULL, NULL));
    assert_refused(ipcc_on_notification(NULL, NULL, NULL));
    assert_refused(ipcc_on_watch_event(NULL, NULL, NULL));
    assert_refused(ipcc_wait_watch_event(NULL, 0));
    assert_refused(ipcc_object_watch(NULL, "q", NULL));
    assert_refused(ipcc_object_unwatch(NULL, "q"));
    assert_refused(ipcc_object_describe(NULL, "q", NULL));
    assert_refused(ipcc_object_delete(NULL, "q"));
    assert_refused(ipcc_object_close(NULL, "q"));
    assert_refused(ipcc_object_chmod(NULL, "q", 0600));
    assert_refused(ipcc_object_chown(NULL, "q", 0, 0));
    assert_refused(ipcc_object_rename(NULL, "q", "r"));
    assert_refused(ipcc_object_list(NULL, NULL, NULL));
    assert_refused(ipcc_server_ping(NULL, v, NULL));
    assert_refused(ipcc_server_methods(NULL, NULL));
    assert_refused(ipcc_server_stats(NULL, NULL));
    assert_refused(ipcc_session_list(NULL, NULL));
    assert_refused(ipcc_session_describe(NULL, 1, NULL));
    assert_refused(ipcc_session_kill(NULL, 1));
    assert_int_equal(ipcc_fd(NULL), -1);
    assert_int_equal(ipcc_events(NULL), 0);
    assert_int_equal(ipcc_next_timeout(NULL), -1);
    assert_int_equal(ipcc_close(NULL), 0);
}

static void functions_of_a_queue_refuse_null(void **state)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    struct ipcc_queue *queue;
    assert_refused(ipcc_queue_open(NULL, "q", NULL, &queue));
    assert_fails(ipcc_queue_put(NULL, v, 0, NULL), ARGUMENT, "queue.put needs a handle");
    assert_refused(ipcc_queue_put_many(NULL, ipcc_array(&v, 1), 0, NULL));
    assert_refused(ipcc_queue_get(NULL, 0, &item, &reply));
    assert_refused(ipcc_queue_get_many(NULL, 5, 0, &reply));
    assert_refused(ipcc_queue_task_done(NULL, 1, NULL));
    assert_refused(ipcc_queue_give_back(NULL, 1, 0));
    assert_refused(ipcc_queue_give_back_uncounted(NULL, 1, 0));
    assert_refused(ipcc_queue_touch(NULL, 1));
    assert_refused(ipcc_queue_taken(NULL, 0, 1, &reply));
    assert_refused(ipcc_queue_join(NULL, 0));
    assert_refused(ipcc_queue_qsize(NULL, NULL));
    assert_refused(ipcc_queue_empty(NULL, NULL));
    assert_refused(ipcc_queue_full(NULL, NULL));
    assert_refused(ipcc_queue_peek(NULL, 0, 1, &reply));
    assert_refused(ipcc_queue_clear(NULL, NULL));
    assert_refused(ipcc_queue_pause(NULL, 5));
    assert_refused(ipcc_queue_resume(NULL));
    assert_refused(ipcc_queue_shutdown(NULL, false));
    assert_null(ipcc_queue_name(NULL));
    assert_int_equal(ipcc_queue_close(NULL), 0);
}

static void functions_of_a_dict_refuse_null(void **state)
{
    struct ipcc_reply reply;
    struct ipcc_dict *dict;
    uint64_t cursor = 0;
    assert_refused(ipcc_dict_open(NULL, "d", NULL, &dict));
    assert_refused(ipcc_dict_get(NULL, v, v, &reply));
    assert_refused(ipcc_dict_set(NULL, v, v, NULL));
    assert_refused(ipcc_dict_update(NULL, v, NULL));
    assert_refused(ipcc_dict_setdefault(NULL, v, v, &reply));
    assert_refused(ipcc_dict_delete(NULL, v));
    assert_refused(ipcc_dict_pop(NULL, v, v, &reply));
    assert_refused(ipcc_dict_popitem(NULL, NULL, NULL, &reply));
    assert_refused(ipcc_dict_contains(NULL, v, NULL));
    assert_refused(ipcc_dict_len(NULL, NULL));
    assert_refused(ipcc_dict_clear(NULL));
    assert_refused(ipcc_dict_keys(NULL, &reply));
    assert_refused(ipcc_dict_values(NULL, &reply));
    assert_refused(ipcc_dict_items(NULL, &reply));
    assert_refused(ipcc_dict_copy(NULL, &reply));
    assert_refused(ipcc_dict_scan(NULL, &cursor, 0, &reply));
    assert_refused(ipcc_dict_scan(NULL, NULL, 0, &reply));
    assert_refused(ipcc_dict_incr(NULL, v, v, v, &reply));
    assert_refused(ipcc_dict_cas(NULL, v, v, v, NULL));
    assert_refused(ipcc_dict_wait(NULL, v, 0, &reply));
    assert_null(ipcc_dict_name(NULL));
    assert_int_equal(ipcc_dict_close(NULL), 0);
}

static void functions_of_a_list_refuse_null(void **state)
{
    struct ipcc_reply reply;
    struct ipcc_list *list;
    assert_refused(ipcc_list_open(NULL, "l", NULL, &list));
    assert_refused(ipcc_list_append(NULL, v, NULL));
    assert_refused(ipcc_list_extend(NULL, v, NULL));
    assert_refused(ipcc_list_insert(NULL, 0, v));
    assert_refused(ipcc_list_get(NULL, 0, &reply));
    assert_refused(ipcc_list_delete(NULL, 0));
    assert_refused(ipcc_list_set(NULL, 0, v));
    assert_refused(ipcc_list_pop(NULL, 0, &reply));
    assert_refused(ipcc_list_slice(NULL, 0, 0, 1, &reply));
    assert_refused(ipcc_list_set_slice(NULL, 0, 0, 1, v));
    assert_refused(ipcc_list_delete_slice(NULL, 0, 0, 1));
    assert_refused(ipcc_list_len(NULL, NULL));
    assert_refused(ipcc_list_clear(NULL));
    assert_refused(ipcc_list_index(NULL, v, 0, 0, NULL));
    assert_refused(ipcc_list_count(NULL, v, NULL));
    assert_refused(ipcc_list_contains(NULL, v, NULL));
    assert_refused(ipcc_list_remove(NULL, v));
    assert_refused(ipcc_list_reverse(NULL));
    assert_refused(ipcc_list_sort(NULL, false));
    assert_refused(ipcc_list_repeat(NULL, 1));
    assert_refused(ipcc_list_incr(NULL, 0, v, &reply));
    assert_null(ipcc_list_name(NULL));
    assert_int_equal(ipcc_list_close(NULL), 0);
}

/* A reply that was never set to anything, as a careless program has it. */
static struct ipcc_reply wild(void)
{
    struct ipcc_reply reply;
    memset(&reply, 0xa5, sizeof(reply));
    return reply;
}

static void assert_cleared(struct ipcc_reply *reply)
{
    assert_int_equal(reply->value.kind, IPCC_NONE);
    assert_null(reply->owned);
    *reply = wild();
}

static void reply_of_a_refused_call_may_be_freed(void **state)
{
    struct ipcc_reply reply = wild();
    struct ipcc_item item;
    struct ipcc_object_filter filter = {.reserved = {1}};
    (void)ipcc_call(NULL, "a.b", NULL, 0, &reply);
    assert_cleared(&reply);
    (void)ipcc_greeting(NULL, &reply);
    assert_cleared(&reply);
    (void)ipcc_queue_get(NULL, 0, &item, &reply);
    assert_cleared(&reply);
    (void)ipcc_queue_get(NULL, 0, NULL, &reply);
    assert_cleared(&reply);
    (void)ipcc_queue_get_many(NULL, 1, 0, &reply);
    assert_cleared(&reply);
    (void)ipcc_dict_scan(NULL, NULL, 0, &reply);
    assert_cleared(&reply);
    (void)ipcc_object_describe(NULL, NULL, &reply);
    assert_cleared(&reply);
    (void)ipcc_object_list(NULL, &filter, &reply);
    assert_cleared(&reply);
    (void)ipcc_server_stats(NULL, &reply);
    assert_cleared(&reply);
}

static void bad_options_of_a_connection_are_refused(void **state)
{
    struct ipcc *conn = NULL;
    struct ipcc_options options = {.path = "@nobody", .connect_timeout_ms = -2};
    assert_fails(ipcc_open(&conn, &options), ARGUMENT, "connect_timeout_ms");
    assert_fails(ipcc_open_async(&conn, &options), ARGUMENT, "connect_timeout_ms");
    options = (struct ipcc_options){.path = "@nobody", .guard_ms = -1};
    assert_fails(ipcc_open(&conn, &options), ARGUMENT, "guard_ms");
    options = (struct ipcc_options){.path = "@nobody", .reserved = {[7] = 1}};
    assert_fails(ipcc_open(&conn, &options), ARGUMENT, "reserved");
    options = (struct ipcc_options){.path = "@nobody"};
    assert_fails(ipcc_open(NULL, &options), ARGUMENT, "a place for the connection");
    assert_fails(ipcc_open_async(NULL, &options), ARGUMENT, "a place for the connection");
    assert_null(conn);
}

static void serve_nothing(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "queue.open", "['q']"), "{name: 'q'}");
    fake_answer(fake, fake_expect(fake, "dict.open", "['d']"), "{name: 'd'}");
    fake_answer(fake, fake_expect(fake, "object.close", "['q']"), "nil");
    fake_answer(fake, fake_expect(fake, "object.close", "['d']"), "nil");
    fake_expect_end(fake);
}

static void refuse_requests(struct ipcc *conn)
{
    struct ipcc_request request = {.method = "a.b", .guard_ms = -1};
    assert_fails(ipcc_call_request(conn, &request, NULL), ARGUMENT, "guard_ms");
    assert_fails(ipcc_call_async(conn, &request, NULL, NULL, NULL), ARGUMENT, "guard_ms");
    request = (struct ipcc_request){.method = "a.b", .reserved = {1}};
    assert_fails(ipcc_call_request(conn, &request, NULL), ARGUMENT, "reserved");
    assert_fails(ipcc_call_request(conn, NULL, NULL), ARGUMENT, "method");
    assert_fails(ipcc_call_async(conn, NULL, NULL, NULL, NULL), ARGUMENT, "method");
    assert_fails(ipcc_object_describe(conn, NULL, NULL), ARGUMENT, "object.describe needs a name");
    assert_refused(ipcc_object_delete(conn, NULL));
    assert_refused(ipcc_object_close(conn, NULL));
    assert_refused(ipcc_object_chmod(conn, NULL, 0));
    assert_refused(ipcc_object_chown(conn, NULL, 0, 0));
    assert_refused(ipcc_object_rename(conn, NULL, "r"));
    assert_refused(ipcc_object_rename(conn, "q", NULL));
    assert_refused(ipcc_object_list(conn, &(struct ipcc_object_filter){.reserved = {1}}, NULL));
}

static void refuse_queue_options(struct ipcc *conn)
{
    struct ipcc_queue *queue = NULL;
    struct ipcc_queue_options options = {.order = (enum ipcc_order)9};
    assert_fails(ipcc_queue_open(conn, "q", &options, &queue), ARGUMENT, "order is 9");
    options = (struct ipcc_queue_options){.on_disconnect = (enum ipcc_on_disconnect)3};
    assert_fails(ipcc_queue_open(conn, "q", &options, &queue), ARGUMENT, "on_disconnect is 3");
    options = (struct ipcc_queue_options){.open = {.lifetime = (enum ipcc_lifetime)4}};
    assert_fails(ipcc_queue_open(conn, "q", &options, &queue), ARGUMENT, "lifetime is 4");
    options = (struct ipcc_queue_options){.open = {.reserved = {1}}};
    assert_fails(ipcc_queue_open(conn, "q", &options, &queue), ARGUMENT, "reserved");
    options = (struct ipcc_queue_options){.reserved = {1}};
    assert_fails(ipcc_queue_open(conn, "q", &options, &queue), ARGUMENT, "reserved");
    assert_refused(ipcc_queue_open(conn, "q", NULL, NULL));
    assert_null(queue);
}

static void refuse_queue_calls(struct ipcc_queue *queue)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    assert_fails(ipcc_queue_put(queue, v, -2, NULL), ARGUMENT, "timeout_ms is -2");
    assert_refused(ipcc_queue_put(queue, v, 0, &(struct ipcc_put_options){.reserved = {1}}));
    assert_refused(ipcc_queue_get(queue, -2, &item, &reply));
    assert_fails(ipcc_queue_get(queue, 0, NULL, &reply), ARGUMENT, "item");
    assert_fails(ipcc_queue_get(queue, 0, &item, NULL), ARGUMENT, "reply");
    assert_fails(ipcc_queue_get_many(queue, 5, 0, NULL), ARGUMENT, "reply");
    assert_refused(ipcc_queue_join(queue, INT64_MIN));
}

static void refuse_dict_calls(struct ipcc *conn, struct ipcc_dict *dict)
{
    struct ipcc_reply reply;
    uint64_t cursor = 0;
    struct ipcc_dict *other;
    struct ipcc_list *list;
    assert_refused(ipcc_dict_scan(dict, NULL, 0, &reply));
    assert_refused(ipcc_dict_scan(dict, &cursor, 0, NULL));
    assert_refused(ipcc_dict_popitem(dict, NULL, NULL, NULL));
    assert_refused(ipcc_dict_wait(dict, v, -7, &reply));
    assert_fails(ipcc_dict_set(dict, ipcc_none(), v, NULL), ARGUMENT, "left out");
    assert_refused(ipcc_dict_open(conn, "d", &(struct ipcc_dict_options){.reserved = {1}}, &other));
    assert_refused(ipcc_list_open(conn, "l", &(struct ipcc_list_options){.reserved = {1}}, &list));
    assert_refused(ipcc_list_open(conn, "l", NULL, NULL));
}

static void bad_arguments_are_refused_and_nothing_is_sent(void **state)
{
    struct fake_server server;
    struct ipcc_queue *queue;
    struct ipcc_dict *dict;
    struct ipcc *conn = connect_to(&server, serve_nothing, NULL);
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    refuse_requests(conn);
    refuse_queue_options(conn);
    refuse_queue_calls(queue);
    refuse_dict_calls(conn, dict);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_dict_close(dict));
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_a_connection_refuse_null),
        cmocka_unit_test(functions_of_a_queue_refuse_null),
        cmocka_unit_test(functions_of_a_dict_refuse_null),
        cmocka_unit_test(functions_of_a_list_refuse_null),
        cmocka_unit_test(reply_of_a_refused_call_may_be_freed),
        cmocka_unit_test(bad_options_of_a_connection_are_refused),
        cmocka_unit_test(bad_arguments_are_refused_and_nothing_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
