/* server.* and the rules of the protocol for requests, responses and notifications that are well
 * formed. Bad messages are in tests/wire. */
#include "tests/support/daemon.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void hello_tells_version_session_and_limits(void **state)
{
    only_in_memory("it tells the host, too");
    struct rpc *c = daemon_client(*state);
    static const char answer[] =
        "{server: 'ipcd', version: _str, protocol: 1, session: _int,"
        " limits: {max_message: 16777216, max_depth: 32, max_name: 255, ...}}";
    expect(c, "server.hello", "[]", answer);
    expect(c, "server.hello", "[nil]", answer);
    expect(c, "server.hello", "[{client: 'tests', version: '1'}]", answer);
}

static void hello_gives_each_session_its_own_number(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    int64_t number = rpc_number(a, "server.hello", "[]", "session");
    assert_int_equal(rpc_number(a, "session.describe", "[]", "session"), number);
    assert_int_equal(rpc_number(a, "server.hello", "[]", "session"), number);
    assert_int_not_equal(rpc_number(b, "server.hello", "[]", "session"), number);
}

static void hello_names_the_client_for_others_to_see(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    int64_t number = rpc_number(a, "server.hello", "[{client: 'painter'}]", "session");
    expect(b, "session.describe", rpc_text(b, "[%d]", (int)number), "{client: 'painter', ...}");
}

static void ping_returns_its_value(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "server.ping", "[]", "nil");
    expect(c, "server.ping", "[nil]", "nil");
    expect(c, "server.ping", "[{a: [1, 2.5, b'x']}]", "{a: [1, 2.5, b'x']}");
}

/* Every row of the table; a method that belongs to no type has an empty one. */
static const char *const method_names[] = {
#define METHOD(type, verb, needs, flags, params, result, errors, summary) #type "." #verb,
#include "proto/methods.def"
#undef METHOD
};

static bool has_name(const msgpack_object *row, const char *name)
{
    for (uint32_t i = 0; i < row->via.map.size; i++) {
        const msgpack_object_kv *pair = &row->via.map.ptr[i];
        if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == 4 &&
            memcmp(pair->key.via.str.ptr, "name", 4) == 0) {
            return pair->val.type == MSGPACK_OBJECT_STR && pair->val.via.str.size == strlen(name) &&
                   memcmp(pair->val.via.str.ptr, name, strlen(name)) == 0;
        }
    }
    return false;
}

static void methods_lists_every_method_once(void **state)
{
    struct rpc *c = daemon_client(*state);
    struct reply *reply = rpc_call(c, "server.methods", "[]");
    assert_int_equal(reply->result.type, MSGPACK_OBJECT_ARRAY);
    const msgpack_object_array *rows = &reply->result.via.array;
    for (size_t i = 0; i < sizeof(method_names) / sizeof(method_names[0]); i++) {
        const char *name = method_names[i] + (method_names[i][0] == '.');
        unsigned found = 0;
        for (uint32_t j = 0; j < rows->size; j++) {
            assert_int_equal(rows->ptr[j].type, MSGPACK_OBJECT_MAP);
            found += has_name(&rows->ptr[j], name);
        }
        if (found != 1) {
            test_fail(HERE, "server.methods has %s %u times", name, found);
        }
    }
    reply_free(reply);
}

static void methods_rows_have_the_six_columns_and_options_five(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "server.methods", "[]",
           "[{name: 'server.hello', params: '[options:map]', result: _, summary: _str, flags: [],"
           " options: [{name: 'client', type: 'str', words: [], default: _str, summary: _str},"
           " {name: 'version', ...}]},"
           " {name: 'server.ping', params: _, result: _, summary: _str, flags: _, options: []},"
           " ...]");
}

static void stats_count_objects_calls_errors_and_waits(void **state)
{
    only_in_memory("what is in the engine is not counted");
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "dict.open", "['d']", "_map");
    expect(c, "dict.open", "['e']", "_map");
    expect_error(c, "queue.get", "['q', 0]", "EMPTY");
    uint32_t waiting = rpc_start(c, "queue.get", "['q']");
    expect_waiting(c, waiting);
    expect(c, "server.stats", "[]",
           "{uptime: _, sessions: 1, objects: {queue: 1, dict: 2, ...}, bytes: _int,"
           " calls: {'dict.open': 2, 'queue.get': 2, ...}, errors: {'queue.get': 1, ...},"
           " waiting: 1, memory: _, ...}");
}

static void stats_say_which_daemon_this_is(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *c = daemon_client(daemon);
    expect(c, "server.stats", "[]",
           rpc_text(c,
                    "{version: _str, pid: %d, socket: '%s', state_directory: nil,"
                    " limits: {max_message: 16777216, max_bytes: _int, max_depth: 32, ...}, ...}",
                    (int)daemon->pid, daemon->socket));
}

static void stats_show_what_each_user_has(void **state)
{
    only_in_memory("what is in the engine is not counted");
    struct rpc *c = daemon_client(*state);
    int64_t bytes = rpc_number(c, "session.describe", "[]", "bytes");
    expect(c, "server.stats", "[]",
           rpc_text(c,
                    "{bytes: %lld, descriptors: 0, users: [{uid: %u, bytes: %lld, sessions: 1,"
                    " objects: 0, stored: 0, descriptors: 0}], ...}",
                    (long long)bytes, getuid(), (long long)bytes));
    expect(c, "list.open", "['l']", "_map");
    expect(c, "server.stats", "[]", "{users: [{uid: _, sessions: 1, objects: 1, ...}], ...}");
    expect(c, "list.append", "['l', 'x'*100000]", "_");
    expect(c, "object.delete", "['l']", "nil");
    expect(c, "server.stats", "[]", "{users: [{uid: _, objects: 0, ...}], ...}");
}

static void unknown_method_is_unknown_method(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect_error(c, "queue.fly", "[]", "UNKNOWN_METHOD");
    expect_error(c, "", "[]", "UNKNOWN_METHOD");
    expect_error(c, "server.ping2", "[]", "UNKNOWN_METHOD");
    expect_error(c, "server.pin", "[1]", "UNKNOWN_METHOD");
    expect(c, "server.ping", "[1]", "1");
}

static void method_name_may_be_bin(void **state)
{
    struct rpc *c = daemon_client(*state);
    rpc_write_notation(c, "[0, 5, b'server.ping', ['x']]");
    expect_result(c, 5, "'x'");
}

static void every_msgid_of_32_bits_is_echoed(void **state)
{
    struct rpc *c = daemon_client(*state);
    rpc_write_notation(c, "[0, 0, 'server.ping', [0]] [0, 4294967295, 'server.ping', [1]]"
                          "[0, <cf 00 00 00 00 00 00 00 07>, 'server.ping', [2]]");
    expect_result(c, 0, "0");
    expect_result(c, 4294967295U, "1");
    expect_result(c, 7, "2");
}

static void requests_start_in_order_and_waiting_ones_hold_up_nobody(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    uint32_t get = rpc_send(c, "queue.get", "['q']");
    uint32_t size = rpc_send(c, "queue.qsize", "['q']");
    uint32_t put = rpc_send(c, "queue.put", "['q', 'late']");
    uint32_t after = rpc_send(c, "queue.qsize", "['q']");
    struct reply *first = rpc_next(c);
    assert_int_equal(first->msgid, size);
    reply_free(first);
    expect_result(c, get, "['late', nil, 1]");
    expect_result(c, put, "nil");
    expect_result(c, after, "0");
}

static void thousands_of_requests_in_one_write_are_all_answered_in_order(void **state)
{
    enum { COUNT = 5000 };
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['l']", "_map");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    for (int i = 0; i < COUNT; i++) {
        (void)rpc_pack(c, &out, "list.append", rpc_text(c, "['l', %d]", i));
    }
    rpc_write(c, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct reply *reply = rpc_next(c);
        assert_non_null(reply);
        assert_int_equal(reply->msgid, c->last_msgid - COUNT + 1 + i);
        assert_int_equal(reply->result.via.u64, i + 1);
        reply_free(reply);
    }
}

static void msgid_that_still_waits_cannot_be_used_again(void **state)
{
    struct rpc *c = daemon_client(*state);
    struct rpc *other = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    rpc_write_notation(c, "[0, 77, 'queue.get', ['q']] [0, 77, 'server.ping', []]");
    expect_failure(c, 77, "BAD_REQUEST");
    expect(other, "queue.put", "['q', 'for the first']", "nil");
    expect_result(c, 77, "['for the first', nil, 1]");
    rpc_write_notation(c, "[0, 77, 'server.ping', ['free again']]");
    expect_result(c, 77, "'free again'");
}

static void two_sessions_may_wait_with_the_same_msgid(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "queue.open", "['q']", "_map");
    uint32_t first = rpc_start(a, "queue.get", "['q']");
    uint32_t second = rpc_start(b, "queue.get", "['q']");
    rpc_cancel(b, first);
    expect_waiting(a, first);
    rpc_cancel(a, second);
    rpc_cancel(a, first);
    expect_failure(a, first, "CANCELLED");
    rpc_cancel(b, second);
    expect_failure(b, second, "CANCELLED");
}

static void notifications_get_no_response(void **state)
{
    struct rpc *c = daemon_client(*state);
    rpc_notify(c, "no.such.thing", "[1, {a: 2}]");
    rpc_notify(c, "cancel", "[12345]");
    uint32_t ping = rpc_send(c, "server.ping", "[1]");
    struct reply *reply = rpc_next(c);
    assert_non_null(reply);
    assert_int_equal(reply->type, REPLY_RESPONSE);
    assert_int_equal(reply->msgid, ping);
    reply_free(reply);
}

static void too_many_params_are_refused(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect_error(c, "server.ping", "[1, 2]", "BAD_REQUEST");
    expect_error(c, "server.ping", "[1]*1000", "BAD_REQUEST");
    expect_error(c, "server.methods", "[nil]", "BAD_REQUEST");
    expect_error(c, "server.stats", "[nil]*9", "BAD_REQUEST");
}

static void descriptors_that_no_index_names_are_closed(void **state)
{
    only_in_memory("the connections to the engine are descriptors, too");
    struct daemon *daemon = *state;
    struct rpc *c = daemon_client(daemon);
    expect(c, "server.ping", "[]", "nil");
    unsigned before = daemon_descriptors(daemon);
    for (int i = 0; i < 20; i++) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        uint32_t msgid = rpc_pack(c, &out, "server.ping", "['no index']");
        rpc_write_descriptors(c, out.data, out.size, (const int[]){0, 1, 2}, 3);
        msgpack_sbuffer_destroy(&out);
        expect_result(c, msgid, "'no index'");
    }
    daemon_expect_descriptors(daemon, before);
}

static void index_without_descriptor_is_bad_request(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect_error(c, "server.ping", "[ext(2, '\\x00')]", "BAD_REQUEST");
    expect_error(c, "server.ping", "[[{a: ext(2, '\\x05')}]]", "BAD_REQUEST");
    expect(c, "server.ping", "[ext(3, '\\x00')]", "ext(3, '\\x00')");
}

static void index_beyond_the_descriptors_sent_is_bad_request(void **state)
{
    only_in_memory("the connections to the engine are descriptors, too");
    struct daemon *daemon = *state;
    struct rpc *c = daemon_client(daemon);
    expect(c, "server.ping", "[]", "nil");
    unsigned before = daemon_descriptors(daemon);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(c, &out, "server.ping", "[ext(2, '\\x01')]");
    rpc_write_descriptors(c, out.data, out.size, (const int[]){0}, 1);
    msgpack_sbuffer_destroy(&out);
    expect_failure(c, msgid, "BAD_REQUEST");
    daemon_expect_descriptors(daemon, before);
}

static void descriptors_of_a_message_that_never_ends_are_closed_with_the_session(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *other = daemon_client(daemon);
    expect(other, "server.ping", "[]", "nil");
    unsigned before = daemon_descriptors(daemon);
    struct rpc *c = daemon_client(daemon);
    rpc_write_descriptors(c, "\x94\x00\x01", 3, (const int[]){0, 1}, 2);
    expect(other, "server.ping", "[]", "nil");
    daemon_drop(daemon, c);
    daemon_expect_descriptors(daemon, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(hello_tells_version_session_and_limits),
        daemon_test(hello_gives_each_session_its_own_number),
        daemon_test(hello_names_the_client_for_others_to_see),
        daemon_test(ping_returns_its_value),
        daemon_test(methods_lists_every_method_once),
        daemon_test(methods_rows_have_the_six_columns_and_options_five),
        daemon_test(stats_say_which_daemon_this_is),
        daemon_test(stats_show_what_each_user_has),
        daemon_test(stats_count_objects_calls_errors_and_waits),
        daemon_test(unknown_method_is_unknown_method),
        daemon_test(method_name_may_be_bin),
        daemon_test(every_msgid_of_32_bits_is_echoed),
        daemon_test(requests_start_in_order_and_waiting_ones_hold_up_nobody),
        daemon_test(thousands_of_requests_in_one_write_are_all_answered_in_order),
        daemon_test(msgid_that_still_waits_cannot_be_used_again),
        daemon_test(two_sessions_may_wait_with_the_same_msgid),
        daemon_test(notifications_get_no_response),
        daemon_test(too_many_params_are_refused),
        daemon_test(descriptors_that_no_index_names_are_closed),
        daemon_test(index_without_descriptor_is_bad_request),
        daemon_test(index_beyond_the_descriptors_sent_is_bad_request),
        daemon_test(descriptors_of_a_message_that_never_ends_are_closed_with_the_session),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
