/*
 * Want of memory, at every allocation in turn: a code, no crash, no leak (run under
 * AddressSanitizer, too), and the connection goes on or is ended cleanly.
 */
#include "tests/unit/client/client_test.h"

#include "client/ipcclient/msgpack.h"

#include <poll.h>
#include <unistd.h>

#include "tests/support/scarce.h"

/* Runs an operation that fails at the n-th allocation, for each n, until it needs no more. */
static void at_every_allocation(int (*operation)(void *data), void *data)
{
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        assert_true(n < 1000);
        scarce_begin(n);
        int status = operation(data);
        failed = scarce_end();
        if (!failed) {
            assert_int_equal(status, 0);
        } else if (status != 0 && status != IPCC_ERR_NO_MEMORY) {
            fail_msg("%s: %s", ipcc_error_name(status), ipcc_last_message());
        }
    }
}

/* Answers whatever comes, on however many connections, until one asks for the end. */
static void serve_everything(struct fake *fake)
{
    for (;;) {
        fake_accept(fake);
        while (fake_more(fake)) {
            int64_t wish = 0;
            uint32_t msgid = fake_next(fake, &wish);
            if (wish == 99) {
                return;
            }
            if (wish == 98) {
                char text[60];
                (void)snprintf(text, sizeof(text), "[1, %u, nil, [ext(2, '\\x00')]]", msgid);
                fake_send_descriptors(fake, text, (const int[]){0, 1}, 2);
                continue;
            }
            fake_answer(fake, msgid,
                        "{session: 7, name: 'q', cursor: 0, items: ['0123456789'*100]}");
        }
    }
}

static void end_server(struct fake_server *server)
{
    struct ipcc *conn;
    struct ipcc_value wish = ipcc_int(99);
    assert_ok(ipcc_open(&conn, &(struct ipcc_options){.path = server->path}));
    (void)ipcc_call(conn, "a.end", &wish, 1, NULL);
    close_and_join(conn, server);
}

static int open_and_close(void *data)
{
    struct fake_server *server = data;
    struct ipcc *conn;
    struct ipcc_options options = {.path = server->path};
    int status = ipcc_open(&conn, &options);
    return status < 0 ? status : ipcc_close(conn);
}

static void open_without_memory_leaves_nothing_behind(void **state)
{
    struct fake_server server = fake_server_start(serve_everything, NULL);
    at_every_allocation(open_and_close, &server);
    end_server(&server);
}

static int call_with_a_reply(void *data)
{
    struct ipcc *conn = data;
    struct ipcc_reply reply;
    static char bytes[5000];
    struct ipcc_value param = ipcc_bin(bytes, sizeof(bytes));
    int status = ipcc_call(conn, "a.b", &param, 1, &reply);
    ipcc_reply_free(&reply);
    return status;
}

static void call_without_memory_fails_and_the_next_one_works(void **state)
{
    struct fake_server server = fake_server_start(serve_everything, NULL);
    struct ipcc_options options = {.path = server.path, .reconnect = true};
    struct ipcc *conn;
    assert_ok(ipcc_open(&conn, &options));
    at_every_allocation(call_with_a_reply, conn);
    assert_ok(call_with_a_reply(conn));
    /* The end of a connection frees its buffers: they are allocated anew in the next calls. */
    assert_ok(ipcc_disconnect(conn));
    at_every_allocation(call_with_a_reply, conn);
    assert_ok(ipcc_close(conn));
    end_server(&server);
}

static int pass_descriptors(void *data)
{
    struct ipcc_reply reply;
    struct ipcc_reply copy = {0};
    struct ipcc_value params[] = {ipcc_int(98), ipcc_descriptor(0)};
    int status = ipcc_call(data, "a.b", params, 2, &reply);
    status = status < 0 ? status : ipcc_reply_copy(&copy, &reply);
    ipcc_reply_free(&reply);
    ipcc_reply_free(&copy);
    return status;
}

static void descriptors_without_memory_are_closed(void **state)
{
    struct fake_server server = fake_server_start(serve_everything, NULL);
    struct ipcc_options options = {.path = server.path, .reconnect = true};
    struct ipcc *conn;
    assert_ok(ipcc_open(&conn, &options));
    int next = dup(0);
    (void)close(next);
    at_every_allocation(pass_descriptors, conn);
    assert_int_equal(dup(0), next);
    (void)close(next);
    assert_ok(ipcc_close(conn));
    end_server(&server);
}

static int open_a_handle(void *data)
{
    struct ipcc_queue *queue;
    int status = ipcc_queue_open(data, "q", NULL, &queue);
    return status < 0 ? status : ipcc_queue_close(queue);
}

static int copy_greeting(void *data)
{
    struct ipcc_reply reply;
    int status = ipcc_greeting(data, &reply);
    if (status == 0) {
        ipcc_reply_free(&reply);
    }
    return status;
}

static int print_value(void *data)
{
    char text[100];
    struct ipcc_value value = ipcc_str("some text");
    return ipcc_value_print(&value, text, sizeof(text));
}

static int unpack_value(void *data)
{
    msgpack_zone zone;
    msgpack_object object;
    struct ipcc_value value = ipcc_raw("\x93\x91\x01\x81\x01\x90\x91\x92\x01\x02", 10);
    if (!msgpack_zone_init(&zone, 16)) {
        return IPCC_ERR_NO_MEMORY;
    }
    int status = ipcc_value_unpack(&value, &zone, &object);
    msgpack_zone_destroy(&zone);
    return status;
}

static void other_operations_without_memory_fail_as_well(void **state)
{
    struct fake_server server = fake_server_start(serve_everything, NULL);
    struct ipcc *conn;
    assert_ok(ipcc_open(&conn, &(struct ipcc_options){.path = server.path}));
    at_every_allocation(open_a_handle, conn);
    at_every_allocation(copy_greeting, conn);
    at_every_allocation(print_value, NULL);
    at_every_allocation(unpack_value, NULL);
    assert_ok(ipcc_close(conn));
    end_server(&server);
}

struct async {
    struct ipcc *conn;
    int callbacks;
    int status;
};

static void note(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct async *async = data;
    struct ipcc_reply kept = {0};
    async->callbacks++;
    async->status = status == 0 ? ipcc_reply_copy(&kept, reply) : status;
    ipcc_reply_free(&kept);
}

/* Starts calls and drives the connection until each has had its callback. */
static int run_async_calls(void *data)
{
    struct async *async = data;
    struct ipcc_request request = {.method = "a.b"};
    int started = 0;
    int status = 0;
    async->callbacks = 0;
    for (int i = 0; i < 20; i++) {
        int result = ipcc_call_async(async->conn, &request, note, async, NULL);
        started += result == 0 ? 1 : 0;
        status = result < 0 ? result : status;
    }
    while (async->callbacks < started) {
        struct pollfd ready = {.fd = ipcc_fd(async->conn),
                               .events = (short)ipcc_events(async->conn)};
        (void)poll(&ready, 1, -1);
        (void)ipcc_process(async->conn, ready.revents);
    }
    assert_int_equal(async->callbacks, started);
    return status < 0 ? status : async->status;
}

static void each_asynchronous_call_that_was_started_has_its_callback(void **state)
{
    struct fake_server server = fake_server_start(serve_everything, NULL);
    struct ipcc_options options = {.path = server.path, .reconnect = true};
    struct async async = {0};
    assert_ok(ipcc_open(&async.conn, &options));
    at_every_allocation(run_async_calls, &async);
    assert_ok(ipcc_disconnect(async.conn));
    at_every_allocation(run_async_calls, &async);
    assert_ok(ipcc_close(async.conn));
    end_server(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_without_memory_leaves_nothing_behind),
        cmocka_unit_test(call_without_memory_fails_and_the_next_one_works),
        cmocka_unit_test(descriptors_without_memory_are_closed),
        cmocka_unit_test(other_operations_without_memory_fail_as_well),
        cmocka_unit_test(each_asynchronous_call_that_was_started_has_its_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
