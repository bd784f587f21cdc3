/* queue: lifo and priority, delay and time to live, peek, clear and shutdown. */
#include "tests/support/daemon.h"

static int order_setup(void **state)
{
    (void)daemon_setup(state);
    (void)daemon_client(*state);
    (void)daemon_client(*state);
    return 0;
}

static struct rpc *client(void **state, unsigned index)
{
    return ((struct daemon *)*state)->clients[index];
}

static void lifo_gives_the_newest_first(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['s', {order: 'lifo', maxsize: 3}]", "{order: 'lifo', ...}");
    expect(c, "queue.put_many", "['s', [1, 2, 3]]", "3");
    expect_error(c, "queue.put", "['s', 4, 0]", "FULL");
    expect(c, "queue.peek", "['s', 0, 9]", "[3, 2, 1]");
    expect(c, "queue.peek", "['s', 1]", "[2]");
    expect(c, "queue.get", "['s']", "[3, nil, 1]");
    expect(c, "queue.put", "['s', 4]", "nil");
    expect(c, "queue.get_many", "['s', 9]", "[[4, nil, 1], [2, nil, 1], [1, nil, 1]]");
}

static void lower_priority_numbers_come_first_and_equal_ones_in_order(void **state)
{
    struct rpc *c = client(state, 0);
    static const char *const priorities[] = {
        "5",      "-3",   "5", "2.5", "-3", "0", "9223372036854775807", "18446744073709551615",
        "-1e300", "-3.0", "2"};
    expect(c, "queue.open", "['p', {order: 'priority'}]", "_map");
    for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
        expect(c, "queue.put",
               rpc_text(c, "['p', '%zu:%s', nil, {priority: %s}]", i, priorities[i], priorities[i]),
               "nil");
    }
    static const char sorted[] = "['8:-1e300', '1:-3', '4:-3', '9:-3.0', '5:0', '10:2', '3:2.5',"
                                 " '0:5', '2:5', '6:9223372036854775807',"
                                 " '7:18446744073709551615']";
    expect(c, "queue.peek", "['p', 0, 99]", sorted);
    expect(c, "queue.get", "['p']", "['8:-1e300', nil, 1]");
    expect(c, "queue.get_many", "['p', 3]",
           "[['1:-3', nil, 1], ['4:-3', nil, 1], ['9:-3.0', nil, 1]]");
    expect(c, "queue.peek", "['p', 2, 2]", "['3:2.5', '0:5']");
}

static void priorities_compare_exactly(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['p', {order: 'priority'}]", "_map");
    expect(c, "queue.put", "['p', 'odd', nil, {priority: 9007199254740993}]", "nil");
    expect(c, "queue.put", "['p', 'even', nil, {priority: 9007199254740992.0}]", "nil");
    expect(c, "queue.peek", "['p', 0, 2]", "['even', 'odd']");
}

static void priorities_that_cannot_be_ordered_are_refused(void **state)
{
    static const char *const priorities[][2] = {{"'urgent'", "TYPE"},   {"b'urgent'", "TYPE"},
                                                {"[1]", "BAD_REQUEST"}, {"true", "BAD_REQUEST"},
                                                {"{}", "BAD_REQUEST"},  {"nan", "BAD_REQUEST"}};
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['p', {order: 'priority'}]", "_map");
    expect(c, "queue.put", "['p', 1, nil, {priority: 1}]", "nil");
    for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
        expect_error(c, "queue.put", rpc_text(c, "['p', 2, nil, {priority: %s}]", priorities[i][0]),
                     priorities[i][1]);
    }
    expect(c, "queue.peek", "['p', 0, 9]", "[1]");
}

static void strings_are_priorities_among_themselves(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['p', {order: 'priority'}]", "_map");
    expect(c, "queue.put", "['p', 2, nil, {priority: 'b'}]", "nil");
    expect(c, "queue.put", "['p', 3, nil, {priority: 'ba'}]", "nil");
    expect(c, "queue.put", "['p', 1, nil, {priority: 'a'}]", "nil");
    expect_error(c, "queue.put", "['p', 4]", "TYPE");
    expect(c, "queue.peek", "['p', 0, 9]", "[1, 2, 3]");
}

static void many_priorities_come_out_sorted(void **state)
{
    enum { COUNT = 500 };
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['p', {order: 'priority'}]", "_map");
    unsigned number = 1;
    for (int i = 0; i < COUNT; i++) {
        number = (number * 1103515245U + 12345U) & 0x7fffffffU;
        unsigned priority = number >> 16 & 63U;
        expect(
            c, "queue.put",
            rpc_text(c, "['p', %u, nil, {priority: %u}]", priority * COUNT + (unsigned)i, priority),
            "nil");
    }
    uint64_t last = 0;
    for (int i = 0; i < COUNT; i++) {
        struct reply *reply = rpc_call(c, "queue.get", "['p', 0]");
        uint64_t item = reply->result.via.array.ptr[0].via.u64;
        assert_true(i == 0 || item > last);
        last = item;
        reply_free(reply);
    }
}

static void delayed_item_cannot_be_got_before_its_time(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['q']", "_map");
    for (int delay = 1; delay <= 64; delay *= 4) {
        int64_t start = rpc_now();
        expect(c, "queue.put", rpc_text(c, "['q', %d, nil, {delay_ms: %d}]", delay, delay), "nil");
        expect(c, "queue.get", "['q', 20000]", rpc_text(c, "[%d, nil, 1]", delay));
        assert_true(rpc_now() - start >= delay);
    }
}

static void delayed_items_come_in_the_order_in_which_they_are_due(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "queue.put", "['q', 'late', nil, {delay_ms: 1000}]", "nil");
    expect(c, "queue.put", "['q', 'soon', nil, {delay_ms: 30}]", "nil");
    expect(c, "queue.put", "['q', 'now']", "nil");
    expect(c, "queue.get", "['q', 20000]", "['now', nil, 1]");
    expect(c, "queue.get", "['q', 20000]", "['soon', nil, 1]");
    expect(c, "queue.get", "['q', 20000]", "['late', nil, 1]");
}

static void delayed_items_take_room_but_are_not_there_yet(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['q', {maxsize: 2}]", "_map");
    expect(c, "queue.put", "['q', 'hidden', nil, {delay_ms: 600000}]", "nil");
    expect(c, "queue.qsize", "['q']", "0");
    expect(c, "queue.empty", "['q']", "true");
    expect(c, "queue.peek", "['q', 0, 9]", "[]");
    expect_error(c, "queue.get", "['q', 0]", "EMPTY");
    expect(c, "queue.put", "['q', 'seen']", "nil");
    expect(c, "queue.full", "['q']", "true");
    expect_error(c, "queue.put", "['q', 'third', 0]", "FULL");
    expect(c, "object.describe", "['q']", "{size: 1, delayed: 1, ...}");
    expect(c, "queue.clear", "['q']", "2");
    expect(c, "object.describe", "['q']", "{size: 0, delayed: 0, ...}");
}

static void item_past_its_time_to_live_is_gone(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    expect(a, "queue.put", "['q', 'short', nil, {ttl_ms: 20}]", "nil");
    uint32_t put = rpc_start(b, "queue.put", "['q', 'next']");
    expect_result(b, put, "nil");
    expect(a, "queue.get", "['q', 0]", "['next', nil, 1]");
    expect(a, "queue.put", "['q', 'lasting', nil, {ttl_ms: 600000}]", "nil");
    expect(a, "queue.get", "['q', 0]", "['lasting', nil, 1]");
}

/* Fills a queue of this order with 1 to 200, of which every third lives long. */
static void expire_two_of_three(struct rpc *c, const char *order, const int *survivors)
{
    enum { COUNT = 200 };
    expect(c, "queue.open", rpc_text(c, "['%s', {order: '%s'}]", order, order), "_map");
    for (int i = 0; i < COUNT; i++) {
        expect(c, "queue.put",
               rpc_text(c, "['%s', %d, nil, {priority: %d, ttl_ms: %d}]", order, i, -i,
                        i % 3 == 0 ? 600000 : 30),
               "nil");
    }
    expect_soon(c, "queue.qsize", rpc_text(c, "['%s']", order), "67");
    struct reply *reply = rpc_call(c, "queue.peek", rpc_text(c, "['%s', 0, 200]", order));
    assert_int_equal(reply->result.via.array.size, 67);
    for (int i = 0; i < 67; i++) {
        assert_int_equal(reply->result.via.array.ptr[i].via.u64, survivors[i]);
    }
    reply_free(reply);
    for (int i = 0; i < 67; i++) {
        expect(c, "queue.get", rpc_text(c, "['%s', 0]", order),
               rpc_text(c, "[%d, nil, 1]", survivors[i]));
    }
    expect_error(c, "queue.get", rpc_text(c, "['%s', 0]", order), "EMPTY");
}

static void expired_items_leave_the_others_in_their_order(void **state)
{
    struct rpc *c = client(state, 0);
    int rising[67];
    int falling[67];
    for (int i = 0; i < 67; i++) {
        rising[i] = i * 3;
        falling[66 - i] = i * 3;
    }
    expire_two_of_three(c, "fifo", rising);
    expire_two_of_three(c, "lifo", falling);
    expire_two_of_three(c, "priority", falling);
}

static void expired_item_is_finished(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['j', {joinable: true}]", "_map");
    expect(c, "queue.put", "['j', 'short', nil, {ttl_ms: 10}]", "nil");
    expect(c, "queue.join", "['j', 20000]", "nil");
    expect(c, "object.describe", "['j']", "{size: 0, unfinished: 0, ...}");
}

static void clear_wakes_putters(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['q', {maxsize: 2}]", "_map");
    expect(a, "queue.put_many", "['q', [1, 2]]", "2");
    uint32_t one = rpc_start(b, "queue.put", "['q', 3]");
    uint32_t two = rpc_start(b, "queue.put_many", "['q', [4]]");
    uint32_t three = rpc_start(b, "queue.put", "['q', 5]");
    expect(a, "queue.clear", "['q']", "2");
    expect_result(b, one, "nil");
    expect_result(b, two, "1");
    expect_waiting(b, three);
    expect(a, "queue.peek", "['q', 0, 9]", "[3, 4]");
}

static void shutdown_fails_puts_and_drains_gets(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "queue.put_many", "['q', [1, 2]]", "2");
    expect(c, "queue.shutdown", "['q']", "nil");
    expect(c, "object.describe", "['q']", "{size: 2, shut_down: true, ...}");
    expect_error(c, "queue.put", "['q', 3]", "SHUT_DOWN");
    expect_error(c, "queue.put", "['q', 3, 0]", "SHUT_DOWN");
    expect_error(c, "queue.put_many", "['q', [3]]", "SHUT_DOWN");
    expect(c, "queue.get", "['q']", "[1, nil, 1]");
    expect(c, "queue.get_many", "['q', 5]", "[[2, nil, 1]]");
    expect_error(c, "queue.get", "['q']", "SHUT_DOWN");
    expect_error(c, "queue.get", "['q', 0]", "SHUT_DOWN");
    expect_error(c, "queue.get_many", "['q', 5, 0]", "SHUT_DOWN");
    expect(c, "queue.shutdown", "['q', true]", "nil");
}

static void shutdown_wakes_all_who_wait(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['empty']", "_map");
    expect(a, "queue.open", "['full', {maxsize: 1}]", "_map");
    expect(a, "queue.put", "['full', 1]", "nil");
    uint32_t get = rpc_start(b, "queue.get", "['empty']");
    uint32_t get_many = rpc_start(b, "queue.get_many", "['empty', 4]");
    uint32_t put = rpc_start(b, "queue.put", "['full', 2]");
    uint32_t put_many = rpc_start(b, "queue.put_many", "['full', [3]]");
    expect(a, "queue.shutdown", "['empty']", "nil");
    expect(a, "queue.shutdown", "['full']", "nil");
    expect_failure(b, get, "SHUT_DOWN");
    expect_failure(b, get_many, "SHUT_DOWN");
    expect_failure(b, put, "SHUT_DOWN");
    expect_failure(b, put_many, "SHUT_DOWN");
    expect(a, "queue.get", "['full', 0]", "[1, nil, 1]");
}

static void put_many_interrupted_by_shutdown_says_how_many_were_put(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['q', {maxsize: 2}]", "_map");
    uint32_t put = rpc_start(b, "queue.put_many", "['q', [1, 2, 3]]");
    expect_waiting(b, put);
    expect(a, "queue.shutdown", "['q']", "nil");
    expect_result(b, put, "2");
}

static void immediate_shutdown_drops_the_items(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['j', {joinable: true}]", "_map");
    expect(a, "queue.put_many", "['j', [1, 2, 3]]", "3");
    expect(a, "queue.put", "['j', 4, nil, {delay_ms: 600000}]", "nil");
    uint32_t join = rpc_start(b, "queue.join", "['j']");
    expect(a, "queue.shutdown", "['j', true]", "nil");
    expect_result(b, join, "nil");
    expect_error(a, "queue.get", "['j']", "SHUT_DOWN");
    expect(a, "object.describe", "['j']",
           "{size: 0, delayed: 0, unfinished: 0, shut_down: true, ...}");
}

static void immediate_shutdown_leaves_taken_items_to_be_done(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    expect(a, "queue.open", "['j', {joinable: true}]", "_map");
    expect(a, "queue.put_many", "['j', [1, 2]]", "2");
    expect(a, "queue.get", "['j']", "[1, _int, 1]");
    uint32_t join = rpc_start(b, "queue.join", "['j']");
    expect(a, "queue.shutdown", "['j', true]", "nil");
    expect_waiting(b, join);
    expect(a, "queue.task_done", "['j']", "0");
    expect_result(b, join, "nil");
}

#define order_test(function) cmocka_unit_test_setup_teardown(function, order_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        order_test(lifo_gives_the_newest_first),
        order_test(lower_priority_numbers_come_first_and_equal_ones_in_order),
        order_test(priorities_compare_exactly),
        order_test(priorities_that_cannot_be_ordered_are_refused),
        order_test(strings_are_priorities_among_themselves),
        order_test(many_priorities_come_out_sorted),
        order_test(delayed_item_cannot_be_got_before_its_time),
        order_test(delayed_items_come_in_the_order_in_which_they_are_due),
        order_test(delayed_items_take_room_but_are_not_there_yet),
        order_test(item_past_its_time_to_live_is_gone),
        order_test(expired_items_leave_the_others_in_their_order),
        order_test(expired_item_is_finished),
        order_test(clear_wakes_putters),
        order_test(shutdown_fails_puts_and_drains_gets),
        order_test(shutdown_wakes_all_who_wait),
        order_test(put_many_interrupted_by_shutdown_says_how_many_were_put),
        order_test(immediate_shutdown_drops_the_items),
        order_test(immediate_shutdown_leaves_taken_items_to_be_done),
    };
    return cmocka_run_group_tests_name("queue order", tests, NULL, NULL);
}
