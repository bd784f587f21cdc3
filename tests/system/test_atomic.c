/* atomic over a socket: answers that are sent in parts, descriptors in params and results, and
 * processes that count together while some of them are killed. */
#include "tests/support/daemon.h"

#include <errno.h>
#include <unistd.h>

/* A call whose message carries the read ends of new pipes. */
static uint32_t send_pipes(struct rpc *c, const char *method, const char *params, unsigned count)
{
    int readers[8];
    for (unsigned i = 0; i < count; i++) {
        int pair[2];
        assert_return_code(pipe(pair), errno);
        readers[i] = pair[0];
        (void)close(pair[1]);
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

static struct rpc *with_queues(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "queue.open", "['j', {joinable: true}]", "_map");
    return c;
}

static void large_results_come_whole(void **state)
{
    struct rpc *c = with_queues(state);
    expect(c, "atomic",
           "[[['queue.put', ['q', 'a'*3000000]], ['queue.get', ['q']], "
           "['server.ping', ['b'*100000]]]]",
           "[nil, ['a'*3000000, nil, 1], 'b'*100000]");
    struct reply *reply = rpc_call(c, "atomic",
                                   "[[['queue.put', ['q', 'c'*3000000]], ['queue.get', ['q']], "
                                   "['queue.get', ['q']]]]");
    assert_non_null(reply);
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_ARRAY);
    assert_int_equal(reply->error.via.array.size, 3);
    assert_true(reply->size > 3000000);
    reply_free(reply);
    expect(c, "server.ping", "[5]", "5");
}

static void descriptors_go_through_the_calls_and_into_the_error(void **state)
{
    only_in_memory("descriptors stay here");
    struct daemon *daemon = *state;
    struct rpc *c = with_queues(state);
    unsigned before = daemon_descriptors(daemon);
    uint32_t done = send_pipes(c, "atomic",
                               "[[['queue.put', ['q', ext(2, '\\x01')]], "
                               "['queue.put', ['q', [ext(2, '\\x00'), ext(2, '\\x01')]]], "
                               "['queue.get', ['q']], ['queue.get', ['q']]]]",
                               2);
    expect_result(c, done,
                  "[nil, nil, [ext(2, '\\x00'), nil, 1], "
                  "[[ext(2, '\\x01'), ext(2, '\\x02')], nil, 1]]");
    assert_int_equal(c->fd_count, 3);
    done = send_pipes(c, "atomic",
                      "[[['queue.put', ['q', ext(2, '\\x00')]], ['queue.get', ['q']], "
                      "['queue.get', ['q']]]]",
                      1);
    struct reply *reply = rpc_wait(c, done);
    assert_non_null(reply);
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_ARRAY);
    reply_free(reply);
    assert_int_equal(c->fd_count, 4);
    daemon_expect_descriptors(daemon, before);
}

/* Each queue.get would add 8 to the descriptors of the answer, which has room for 16. */
static void too_many_descriptors_leave_the_item_where_it_is(void **state)
{
    only_in_memory("descriptors stay here");
    struct daemon *daemon = *state;
    struct rpc *c = with_queues(state);
    unsigned before = daemon_descriptors(daemon);
    static const char *const eight =
        "[ext(2, '\\x00'), ext(2, '\\x01'), ext(2, '\\x02'), ext(2, '\\x03'), ext(2, '\\x04'), "
        "ext(2, '\\x05'), ext(2, '\\x06'), ext(2, '\\x07')]";
    expect(c, "list.open", "['l']", "_map");
    for (int i = 0; i < 3; i++) {
        const char *queue = i < 2 ? "q" : "j";
        uint32_t put = send_pipes(c, "queue.put", rpc_text(c, "['%s', %s]", queue, eight), 8);
        expect_result(c, put, "nil");
    }
    expect_result(c, send_pipes(c, "list.append", rpc_text(c, "['l', %s]", eight), 8), "1");
    static const char *const third[] = {"'queue.get', ['j']", "'queue.get_many', ['j', 9]",
                                        "'queue.get_any', [['j']]", "'queue.peek', ['j']",
                                        "'list.pop', ['l']"};
    for (size_t i = 0; i < sizeof(third) / sizeof(third[0]); i++) {
        struct rpc *gone = daemon_client(daemon);
        uint32_t call =
            rpc_send(gone, "atomic",
                     rpc_text(c, "[[['queue.get', ['q']], ['queue.get', ['q']], [%s]]]", third[i]));
        expect_failure(gone, call, "TOO_LARGE");
        assert_int_equal(gone->fd_count, 16);
        daemon_drop(daemon, gone);
        expect(c, "object.describe", "['j']", "{size: 1, taken: 0, ...}");
        expect(c, "list.len", "['l']", "1");
        for (int k = 0; k < 2; k++) {
            uint32_t put = send_pipes(c, "queue.put", rpc_text(c, "['q', %s]", eight), 8);
            expect_result(c, put, "nil");
        }
    }
    for (const char *const *name = (const char *const[]){"q", "j", "l", NULL}; *name != NULL;
         name++) {
        expect(c, "object.delete", rpc_text(c, "['%s']", *name), "nil");
    }
    daemon_expect_descriptors(daemon, before);
}

/* A call that packs some descriptors, and then fails, leaves none in the answer. */
static void failed_call_passes_no_descriptors(void **state)
{
    only_in_memory("descriptors stay here");
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['l']", "_map");
    for (int i = 0; i < 3; i++) {
        uint32_t append = send_pipes(c, "list.append",
                                     "['l', [ext(2, '\\x00'), ext(2, '\\x01'), ext(2, '\\x02'), "
                                     "ext(2, '\\x03'), ext(2, '\\x04'), ext(2, '\\x05')]]",
                                     6);
        expect_result(c, append, rpc_text(c, "%d", i + 1));
    }
    expect_error(c, "list.slice", "['l']", "TOO_LARGE");
    expect_error(c, "atomic", "[[['list.get', ['l', 0]], ['list.slice', ['l']]]]", "TOO_LARGE");
    assert_int_equal(c->fd_count, 6);
    expect(c, "list.clear", "['l']", "nil");
}

/* What stands in the dict is only ever changed together, whoever is killed meanwhile. */
static void what_is_changed_together_is_never_seen_apart(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "dict.open", "['d', {initial: {x: 0, y: 0}}]", "_map");
    static const char both[] = "[[['dict.incr', ['d', 'x']], ['dict.incr', ['d', 'y', -1]]]]";
    for (int i = 0; i < 8; i++) {
        pid_t pid = daemon_client_process_of(
            *state,
            (const char *const[][2]){{"atomic", both}, {"atomic", both}, {"atomic", both}, {NULL}});
        uint32_t look =
            rpc_send(c, "atomic", "[[['dict.get', ['d', 'x']], ['dict.get', ['d', 'y']]]]");
        process_kill(pid);
        struct reply *reply = rpc_wait(c, look);
        assert_non_null(reply);
        const msgpack_object *seen = reply->result.via.array.ptr;
        assert_int_equal(seen[0].via.i64, -seen[1].via.i64);
        reply_free(reply);
    }
    expect(c, "dict.copy", "['d']", "{x: 24, y: -24}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(large_results_come_whole),
        daemon_test(descriptors_go_through_the_calls_and_into_the_error),
        daemon_test(too_many_descriptors_leave_the_item_where_it_is),
        daemon_test(failed_call_passes_no_descriptors),
        daemon_test(what_is_changed_together_is_never_seen_apart),
    };
    return cmocka_run_group_tests_name("atomic", tests, NULL, NULL);
}
