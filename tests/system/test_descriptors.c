/* File descriptors in values: they travel with the value that names them, and are closed with it.
 */
#include "tests/support/daemon.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int descriptors_setup(void **state)
{
    (void)daemon_setup(state);
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "dict.open", "['d']", "_map");
    expect(c, "list.open", "['l']", "_map");
    (void)daemon_client(*state);
    expect(((struct daemon *)*state)->clients[1], "server.ping", "[]", "nil");
    return 0;
}

static struct rpc *client(void **state, unsigned index)
{
    return ((struct daemon *)*state)->clients[index];
}

/* A call whose message carries the read ends of new pipes; the write ends go to writers. */
static uint32_t send_pipes(struct rpc *c, const char *method, const char *params, int *writers,
                           unsigned count)
{
    int readers[8];
    for (unsigned i = 0; i < count; i++) {
        int pair[2];
        assert_return_code(pipe(pair), errno);
        readers[i] = pair[0];
        writers[i] = pair[1];
    }
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(c, &out, method, params);
    rpc_write_descriptors(c, out.data, out.size, readers, count);
    msgpack_sbuffer_destroy(&out);
    for (unsigned i = 0; i < count; i++) {
        (void)close(readers[i]);
    }
    return msgid;
}

/* What is written to the pipe's one end must come out of the other. */
static void check_connected(int writer, int reader)
{
    char byte = 'p';
    assert_int_equal(write(writer, &byte, 1), 1);
    byte = 0;
    assert_int_equal(read(reader, &byte, 1), 1);
    assert_int_equal(byte, 'p');
}

static void descriptor_goes_through_a_queue(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    int writer;
    expect_result(a, send_pipes(a, "queue.put", "['q', ext(2, '\\x00')]", &writer, 1), "nil");
    expect(b, "queue.get", "['q']", "[ext(2, '\\x00'), nil, 1]");
    assert_int_equal(b->fd_count, 1);
    check_connected(writer, b->fds[0]);
    (void)close(writer);
}

static void descriptor_goes_straight_to_a_getter_that_waits(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    int writer;
    uint32_t get = rpc_start(b, "queue.get", "['q']");
    expect_result(a, send_pipes(a, "queue.put", "['q', ['x', ext(2, '\\x00')]]", &writer, 1),
                  "nil");
    expect_result(b, get, "[['x', ext(2, '\\x00')], nil, 1]");
    assert_int_equal(b->fd_count, 1);
    check_connected(writer, b->fds[0]);
    (void)close(writer);
}

static void dict_and_list_give_out_descriptors_again_and_again(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    int writers[2];
    unsigned before = daemon_descriptors(daemon);
    expect_result(a, send_pipes(a, "dict.set", "['d', 'k', ext(2, '\\x00')]", &writers[0], 1),
                  "true");
    expect_result(a, send_pipes(a, "list.append", "['l', {in: ext(2, '\\x00')}]", &writers[1], 1),
                  "1");
    for (int i = 0; i < 3; i++) {
        expect(b, "dict.get", "['d', 'k']", "ext(2, '\\x00')");
        expect(b, "list.get", "['l', 0]", "{in: ext(2, '\\x00')}");
    }
    assert_int_equal(b->fd_count, 6);
    for (unsigned i = 0; i < 6; i++) {
        check_connected(writers[i % 2], b->fds[i]);
    }
    expect(a, "dict.clear", "['d']", "nil");
    expect(a, "list.clear", "['l']", "nil");
    daemon_expect_descriptors(daemon, before);
    (void)close(writers[0]);
    (void)close(writers[1]);
}

static void indices_are_renumbered_in_each_message(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    int writers[3];
    expect_result(
        a,
        send_pipes(a, "queue.put_many",
                   "['q', [ext(2, '\\x02'), 'plain', [ext(2, '\\x01'), ext(2, '\\x00')]]]", writers,
                   3),
        "3");
    expect(b, "queue.get", "['q']", "[ext(2, '\\x00'), nil, 1]");
    assert_int_equal(b->fd_count, 1);
    check_connected(writers[2], b->fds[0]);
    expect(b, "queue.get", "['q']", "['plain', nil, 1]");
    assert_int_equal(b->fd_count, 1);
    struct reply *reply = rpc_call(b, "queue.get", "['q']");
    assert_int_equal(b->fd_count, 3);
    const msgpack_object *pair = reply->result.via.array.ptr[0].via.array.ptr;
    check_connected(writers[1], b->fds[1 + (unsigned)pair[0].via.ext.ptr[0]]);
    check_connected(writers[0], b->fds[1 + (unsigned)pair[1].via.ext.ptr[0]]);
    reply_free(reply);
    for (int i = 0; i < 3; i++) {
        (void)close(writers[i]);
    }
}

static void several_items_in_one_response_have_an_index_each(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    int writers[3];
    for (int i = 0; i < 3; i++) {
        expect_result(a, send_pipes(a, "queue.put", "['q', ext(2, '\\x00')]", &writers[i], 1),
                      "nil");
    }
    struct reply *reply = rpc_call(b, "queue.get_many", "['q', 3]");
    assert_int_equal(b->fd_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        const msgpack_object *value = reply->result.via.array.ptr[i].via.array.ptr;
        assert_int_equal(value->type, MSGPACK_OBJECT_EXT);
        check_connected(writers[i], b->fds[(unsigned)value->via.ext.ptr[0]]);
        (void)close(writers[i]);
    }
    reply_free(reply);
}

static void descriptors_are_closed_with_their_values(void **state)
{
    static const char *const ends[][2] = {
        {"queue.clear", "['q']"}, {"queue.shutdown", "['q', true]"}, {"object.delete", "['q']"}};
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    unsigned before = daemon_descriptors(daemon);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        int writer;
        expect(a, "queue.open", "['q']", "_map");
        expect_result(a, send_pipes(a, "queue.put", "['q', ext(2, '\\x00')]", &writer, 1), "nil");
        assert_true(daemon_descriptors(daemon) > before);
        expect(a, ends[i][0], ends[i][1], "_");
        daemon_expect_descriptors(daemon, before);
        (void)close(writer);
        if (i == 1) {
            expect(a, "object.delete", "['q']", "nil");
        }
    }
}

static void ping_returns_the_descriptor(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    unsigned before = daemon_descriptors(daemon);
    int writer;
    expect_result(a, send_pipes(a, "server.ping", "[ext(2, '\\x00')]", &writer, 1),
                  "ext(2, '\\x00')");
    assert_int_equal(a->fd_count, 1);
    check_connected(writer, a->fds[0]);
    (void)close(writer);
    daemon_expect_descriptors(daemon, before);
}

static void refused_call_closes_its_descriptors(void **state)
{
    static const char *const calls[][3] = {
        {"queue.put", "['none', ext(2, '\\x00')]", "NOT_FOUND"},
        {"queue.put", "['d', ext(2, '\\x00')]", "WRONG_TYPE"},
        {"queue.put", "['q', ext(2, '\\x00'), 'x']", "BAD_REQUEST"},
        {"no.method", "[ext(2, '\\x00')]", "UNKNOWN_METHOD"},
        {"dict.set", "['d', ext(2, '\\x00'), 1]", "TYPE"},
    };
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    unsigned before = daemon_descriptors(daemon);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int writer;
        expect_failure(a, send_pipes(a, calls[i][0], calls[i][1], &writer, 1), calls[i][2]);
        (void)close(writer);
        daemon_expect_descriptors(daemon, before);
    }
}

static void undelivered_descriptor_is_not_lost(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    int writer;
    pid_t gone = daemon_client_process(daemon, "queue.get", "['q']");
    process_kill(gone);
    expect_result(a, send_pipes(a, "queue.put", "['q', ext(2, '\\x00')]", &writer, 1), "nil");
    expect(a, "queue.get", "['q', 20000]", "[ext(2, '\\x00'), nil, _int]");
    assert_int_equal(a->fd_count, 1);
    check_connected(writer, a->fds[0]);
    (void)close(writer);
}

/* A message can carry only so many descriptors; what does not fit into one comes in the next. */
static void more_descriptors_than_a_message_carries_are_not_lost(void **state)
{
    enum { ITEMS = 600 };
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    unsigned before = daemon_descriptors(daemon);
    int writer;
    for (int i = 0; i < ITEMS; i++) {
        expect_result(a, send_pipes(a, "queue.put", "['q', ext(2, '\\x00')]", &writer, 1), "nil");
        (void)close(writer);
    }
    unsigned taken = 0;
    while (taken < ITEMS) {
        struct rpc *b = daemon_client(daemon);
        struct reply *reply = rpc_call(b, "queue.get_many", "['q', 600, 0]");
        assert_int_equal(reply->error.type, MSGPACK_OBJECT_NIL);
        assert_int_equal(b->fd_count, reply->result.via.array.size);
        assert_true(b->fd_count > 0);
        taken += b->fd_count;
        reply_free(reply);
        daemon_drop(daemon, b);
    }
    assert_int_equal(taken, ITEMS);
    expect(a, "queue.qsize", "['q']", "0");
    daemon_expect_descriptors(daemon, before);
}

/* An answer that would need more descriptors than a message carries is refused, not cut. */
static void answer_with_too_many_descriptors_is_refused(void **state)
{
    enum { ITEMS = 300 };
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    unsigned before = daemon_descriptors(daemon);
    int writer;
    for (int i = 0; i < ITEMS; i++) {
        expect_result(a, send_pipes(a, "list.append", "['l', ext(2, '\\x00')]", &writer, 1),
                      "_int");
        (void)close(writer);
    }
    struct reply *reply = rpc_call(a, "list.slice", "['l']");
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_ARRAY);
    reply_free(reply);
    expect(a, "list.get", "['l', 299]", "ext(2, '\\x00')");
    expect(a, "list.clear", "['l']", "nil");
    daemon_expect_descriptors(daemon, before);
}

static void replaced_and_expired_values_close_theirs(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    unsigned before = daemon_descriptors(daemon);
    int writer;
    for (int i = 0; i < 5; i++) {
        (void)send_pipes(a, "dict.set", "['d', 'k', ext(2, '\\x00')]", &writer, 1);
        expect_result(a, a->last_msgid, "_bool");
        (void)close(writer);
    }
    expect_result(
        a, send_pipes(a, "queue.put", "['q', ext(2, '\\x00'), nil, {ttl_ms: 50}]", &writer, 1),
        "nil");
    (void)close(writer);
    expect_soon(a, "queue.qsize", "['q']", "0");
    daemon_expect_descriptors(daemon, before + 1);
    expect(a, "dict.set", "['d', 'k', 0]", "false");
    daemon_expect_descriptors(daemon, before);
}

static void copies_of_a_value_share_its_descriptor(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    unsigned before = daemon_descriptors(daemon);
    int writer;
    expect_result(a, send_pipes(a, "list.append", "['l', [ext(2, '\\x00')]]", &writer, 1), "1");
    expect(a, "list.repeat", "['l', 4]", "nil");
    struct reply *reply = rpc_call(b, "list.slice", "['l']");
    assert_int_equal(reply->result.via.array.size, 4);
    assert_true(b->fd_count >= 1);
    for (unsigned i = 0; i < 4; i++) {
        const msgpack_object *value = reply->result.via.array.ptr[i].via.array.ptr;
        check_connected(writer, b->fds[(unsigned)value->via.ext.ptr[0]]);
    }
    reply_free(reply);
    (void)close(writer);
    expect(a, "list.clear", "['l']", "nil");
    daemon_expect_descriptors(daemon, before);
}

static void item_of_a_killed_taker_comes_back_with_its_descriptor(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = client(state, 0);
    int writer;
    expect(a, "queue.open", "['j', {joinable: true}]", "_map");
    expect_result(a, send_pipes(a, "queue.put", "['j', ext(2, '\\x00')]", &writer, 1), "nil");
    process_kill(daemon_client_process(daemon, "queue.get", "['j']"));
    expect(a, "queue.get", "['j', 20000]", "[ext(2, '\\x00'), _int, 2]");
    assert_int_equal(a->fd_count, 1);
    check_connected(writer, a->fds[0]);
    (void)close(writer);
}

static void kept_descriptors_are_limited(void **state)
{
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.config = "[limits]\nmax_descriptors = 4\n"});
    *state = daemon;
    struct rpc *c = daemon_client(daemon);
    expect(c, "list.open", "['l']", "_map");
    unsigned before = daemon_descriptors(daemon);
    for (int i = 0; i < 8; i++) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        uint32_t msgid = rpc_pack(c, &out, "list.append", "['l', ext(2, '\\x00')]");
        rpc_write_descriptors(c, out.data, out.size, (const int[]){0}, 1);
        msgpack_sbuffer_destroy(&out);
        if (i < 4) {
            expect_result(c, msgid, rpc_text(c, "%d", i + 1));
        } else {
            expect_failure(c, msgid, "LIMIT");
        }
    }
    daemon_expect_descriptors(daemon, before + 4);
    expect(c, "list.clear", "['l']", "nil");
    daemon_expect_descriptors(daemon, before);
}

#define descriptors_test(function)                                                                 \
    cmocka_unit_test_setup_teardown(function, descriptors_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        descriptors_test(descriptor_goes_through_a_queue),
        descriptors_test(descriptor_goes_straight_to_a_getter_that_waits),
        descriptors_test(dict_and_list_give_out_descriptors_again_and_again),
        descriptors_test(indices_are_renumbered_in_each_message),
        descriptors_test(several_items_in_one_response_have_an_index_each),
        descriptors_test(descriptors_are_closed_with_their_values),
        descriptors_test(ping_returns_the_descriptor),
        descriptors_test(refused_call_closes_its_descriptors),
        descriptors_test(undelivered_descriptor_is_not_lost),
        descriptors_test(more_descriptors_than_a_message_carries_are_not_lost),
        descriptors_test(answer_with_too_many_descriptors_is_refused),
        descriptors_test(replaced_and_expired_values_close_theirs),
        descriptors_test(copies_of_a_value_share_its_descriptor),
        descriptors_test(item_of_a_killed_taker_comes_back_with_its_descriptor),
        cmocka_unit_test_teardown(kept_descriptors_are_limited, daemon_teardown),
    };
    return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
