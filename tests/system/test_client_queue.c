/* The client library's queue functions against a real daemon. */
#include "tests/system/client_system.h"

static struct ipcc_queue *open_queue(struct ipcc *conn, const struct ipcc_queue_options *options)
{
    struct ipcc_queue *queue = NULL;
    assert_ok(ipcc_queue_open(conn, "q", options, &queue));
    return queue;
}

static void close_queue(struct ipcc *conn, struct ipcc_queue *queue)
{
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

/* Takes one item, which must print as `text`; returns its ticket. */
static int64_t take(struct ipcc_queue *queue, const char *text, int64_t deliveries)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    char printed[100];
    assert_ok(ipcc_queue_get(queue, 0, &item, &reply));
    assert_ok(ipcc_value_print(&item.value, printed, sizeof(printed)));
    assert_string_equal(printed, text);
    assert_int_equal(item.deliveries, deliveries);
    ipcc_reply_free(&reply);
    return item.ticket;
}

static void queue_put_and_get(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, &(struct ipcc_queue_options){.maxsize = 2});
    struct ipcc_item item;
    struct ipcc_reply reply;
    struct ipcc_value pair[] = {ipcc_str("k"), ipcc_nil()};
    bool yes = false;
    uint64_t size = 0;
    assert_string_equal(ipcc_queue_name(queue), "q");
    assert_ok(ipcc_queue_put(queue, ipcc_str("Grüße"), IPCC_FOREVER, NULL));
    assert_ok(ipcc_queue_put(queue, ipcc_map(pair, 1), 0, NULL));
    assert_fails(ipcc_queue_put(queue, ipcc_int(3), 0, NULL), FULL, "\"q\"");
    assert_ok(ipcc_queue_full(queue, &yes));
    assert_true(yes);
    assert_ok(ipcc_queue_qsize(queue, &size));
    assert_int_equal(size, 2);
    assert_prints("[{\"k\": null}]", ipcc_queue_peek(queue, 1, 5, &reply));
    assert_int_equal(take(queue, "\"Grüße\"", 1), IPCC_NO_TICKET);
    assert_int_equal(take(queue, "{\"k\": null}", 1), IPCC_NO_TICKET);
    assert_fails(ipcc_queue_get(queue, 0, &item, &reply), EMPTY, "\"q\"");
    assert_fails(ipcc_queue_get(queue, 1, &item, &reply), EMPTY, "\"q\"");
    assert_ok(ipcc_queue_empty(queue, &yes));
    assert_true(yes);
    close_queue(conn, queue);
}

static void queue_put_many_and_get_many(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, &(struct ipcc_queue_options){.maxsize = 4});
    struct ipcc_value numbers[6];
    struct ipcc_reply reply;
    struct ipcc_item item;
    uint64_t count = 0;
    for (int i = 0; i < 6; i++) {
        numbers[i] = ipcc_int(i);
    }
    assert_ok(ipcc_queue_put_many(queue, ipcc_array(numbers, 6), 0, &count));
    assert_int_equal(count, 4);
    assert_fails(ipcc_queue_put_many(queue, ipcc_array(numbers, 6), 0, &count), FULL, "");
    assert_ok(ipcc_queue_get_many(queue, 3, 0, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    for (int i = 0; i < 3; i++) {
        assert_true(ipcc_walk_item(&walk, &item));
        assert_int_equal(item.value.as.integer, i);
    }
    assert_false(ipcc_walk_item(&walk, &item));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_clear(queue, &count));
    assert_int_equal(count, 1);
    assert_fails(ipcc_queue_get_many(queue, 3, 0, &reply), EMPTY, "");
    close_queue(conn, queue);
}

static void joinable_queue_counts_until_all_is_done(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, &(struct ipcc_queue_options){.joinable = true});
    uint64_t left = 0;
    assert_ok(ipcc_queue_put(queue, ipcc_int(1), 0, NULL));
    assert_ok(ipcc_queue_put(queue, ipcc_int(2), 0, NULL));
    int64_t ticket = take(queue, "1", 1);
    assert_true(ticket != IPCC_NO_TICKET);
    assert_fails(ipcc_queue_join(queue, 1), TIMEOUT, "");
    assert_ok(ipcc_queue_touch(queue, ticket));
    assert_ok(ipcc_queue_give_back(queue, ticket, 0));
    ticket = take(queue, "1", 2);
    assert_ok(ipcc_queue_give_back_uncounted(queue, ticket, 0));
    ticket = take(queue, "1", 2);
    assert_ok(ipcc_queue_task_done(queue, ticket, &left));
    assert_int_equal(left, 1);
    assert_fails(ipcc_queue_task_done(queue, ticket, &left), VALUE, "");
    (void)take(queue, "2", 1);
    assert_ok(ipcc_queue_task_done(queue, IPCC_NO_TICKET, &left));
    assert_int_equal(left, 0);
    assert_ok(ipcc_queue_join(queue, IPCC_FOREVER));
    close_queue(conn, queue);
}

static void queue_tells_what_is_taken(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue =
        open_queue(conn, &(struct ipcc_queue_options){.joinable = true, .lease_ms = 100000});
    struct ipcc_reply reply;
    struct ipcc_value item;
    struct ipcc_value field;
    uint64_t session = 0;
    assert_ok(ipcc_session(conn, &session));
    assert_ok(ipcc_queue_put(queue, ipcc_str("x"), 0, NULL));
    int64_t ticket = take(queue, "\"x\"", 1);
    assert_ok(ipcc_queue_taken(queue, 0, 10, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, &item));
    assert_ok(ipcc_map_get(&item, "ticket", &field));
    assert_int_equal(field.as.integer, ticket);
    assert_ok(ipcc_map_get(&item, "session", &field));
    assert_int_equal(session_number(&field), session);
    assert_ok(ipcc_map_get(&item, "value", &field));
    assert_true(ipcc_value_is_str(&field, "x"));
    assert_false(ipcc_walk_next(&walk, &item));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_taken(queue, 1, SIZE_MAX / 2, &reply));
    walk = ipcc_walk_of(&reply.value);
    assert_false(ipcc_walk_next(&walk, &item));
    ipcc_reply_free(&reply);
    close_queue(conn, queue);
}

static void queue_orders_by_priority(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue =
        open_queue(conn, &(struct ipcc_queue_options){.order = IPCC_ORDER_PRIORITY});
    struct ipcc_put_options late = {.priority = ipcc_float(2.5)};
    struct ipcc_put_options early = {.priority = ipcc_int(-1)};
    struct ipcc_put_options delayed = {.priority = ipcc_int(-9), .delay_ms = 100000};
    assert_ok(ipcc_queue_put(queue, ipcc_str("late"), 0, &late));
    assert_ok(ipcc_queue_put(queue, ipcc_str("early"), 0, &early));
    assert_ok(ipcc_queue_put(queue, ipcc_str("delayed"), 0, &delayed));
    (void)take(queue, "\"early\"", 1);
    (void)take(queue, "\"late\"", 1);
    struct ipcc_item item;
    struct ipcc_reply reply;
    assert_fails(ipcc_queue_get(queue, 0, &item, &reply), EMPTY, "");
    close_queue(conn, queue);
}

static void what_is_returned_to_a_queue_is_got_next(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, &(struct ipcc_queue_options){.maxsize = 1});
    struct ipcc_put_options returned = {.head = true};
    assert_ok(ipcc_queue_put(queue, ipcc_str("second"), 0, NULL));
    assert_ok(ipcc_queue_put(queue, ipcc_str("first"), 0, &returned));
    (void)take(queue, "\"first\"", 1);
    (void)take(queue, "\"second\"", 1);
    close_queue(conn, queue);
}

static void queue_shut_down_drains_and_then_fails(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, NULL);
    struct ipcc_item item;
    struct ipcc_reply reply;
    assert_ok(ipcc_queue_put(queue, ipcc_int(1), 0, NULL));
    assert_ok(ipcc_queue_shutdown(queue, false));
    assert_fails(ipcc_queue_put(queue, ipcc_int(2), IPCC_FOREVER, NULL), SHUT_DOWN, "");
    (void)take(queue, "1", 1);
    assert_fails(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply), SHUT_DOWN, "");
    close_queue(conn, queue);
}

static void queue_options_are_those_of_the_daemon(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *dead = NULL;
    struct ipcc_queue *other = NULL;
    struct ipcc_reply reply;
    struct ipcc_value value;
    struct ipcc_queue_options options = {
        .open = {.exclusive = true, .lifetime = IPCC_LIFETIME_SCOPED, .mode = 0600},
        .maxsize = 7,
        .order = IPCC_ORDER_LIFO,
        .joinable = true,
        .on_disconnect = IPCC_ON_DISCONNECT_DISCARD,
        .lease_ms = 60000,
        .max_deliveries = 3,
        .dead_letter = "dead",
    };
    assert_ok(ipcc_queue_open(conn, "dead", NULL, &dead));
    struct ipcc_queue *queue = open_queue(conn, &options);
    assert_ok(ipcc_object_describe(conn, "q", &reply));
    static const struct {
        const char *name;
        int64_t number;
        const char *text;
    } expected[] = {
        {"maxsize", 7, NULL},      {"order", 0, "lifo"},        {"on_disconnect", 0, "discard"},
        {"lease_ms", 60000, NULL}, {"max_deliveries", 3, NULL}, {"dead_letter", 0, "dead"},
        {"lifetime", 0, "scoped"}, {"mode", 0600, NULL},        {"type", 0, "queue"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_ok(ipcc_map_get(&reply.value, expected[i].name, &value));
        if (expected[i].text != NULL) {
            assert_true(ipcc_value_is_str(&value, expected[i].text));
        } else {
            assert_int_equal(value.as.integer, expected[i].number);
        }
    }
    ipcc_reply_free(&reply);
    assert_fails(ipcc_queue_open(conn, "q", &options, &other), EXISTS, "");
    options = (struct ipcc_queue_options){.maxsize = -1};
    assert_fails(ipcc_queue_open(conn, "q", &options, &other), MISMATCH, "maxsize");
    options = (struct ipcc_queue_options){.open = {.existing = true}};
    assert_fails(ipcc_queue_open(conn, "none", &options, &other), NOT_FOUND, "none");
    options = (struct ipcc_queue_options){.open = {.lifetime = IPCC_LIFETIME_DURABLE}};
    if (getenv("IPCD_ENGINE") == NULL) {
        assert_fails(ipcc_queue_open(conn, "durable", &options, &other), STORAGE, "");
    }
    assert_ok(ipcc_queue_close(dead));
    close_queue(conn, queue);
}

static void anonymous_queue_goes_with_its_last_handle(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = NULL;
    char name[32];
    assert_ok(ipcc_queue_open(conn, NULL, NULL, &queue));
    assert_int_equal(ipcc_queue_name(queue)[0], '#');
    (void)snprintf(name, sizeof(name), "%s", ipcc_queue_name(queue));
    assert_ok(ipcc_object_describe(conn, name, NULL));
    assert_ok(ipcc_queue_close(queue));
    assert_fails(ipcc_object_describe(conn, name, NULL), NOT_FOUND, name);
    assert_ok(ipcc_close(conn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(queue_put_and_get),
        daemon_test(queue_put_many_and_get_many),
        daemon_test(joinable_queue_counts_until_all_is_done),
        daemon_test(queue_tells_what_is_taken),
        daemon_test(queue_orders_by_priority),
        daemon_test(what_is_returned_to_a_queue_is_got_next),
        daemon_test(queue_shut_down_drains_and_then_fails),
        daemon_test(queue_options_are_those_of_the_daemon),
        daemon_test(anonymous_queue_goes_with_its_last_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
