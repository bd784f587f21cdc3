/* session.*, server.hello and server.stats of a daemon that shares an engine with other hosts: here
 * one that notes what it is handed. */
#include "daemon/call/engine.h"

#include "daemon/call/waiting.h"
#include "daemon/methods/session_description.h"
#include "daemon/methods/sessions.h"
#include "tests/support/stage.h"

/* It has every object whose name begins with "far". */
struct far {
    struct engine_api api;
    struct call *call; /* the last one that it has begun and not ended */
    unsigned begun;
};

static bool far_has(void *data, struct slice name)
{
    return name.len >= 3 && memcmp(name.data, "far", 3) == 0;
}

static int far_begin(void *data, struct call *call)
{
    struct far *far = data;
    far->call = call;
    far->begun++;
    return 0;
}

static void far_forget(void *data, struct call *call)
{
}

static size_t far_session_tags(void *data, const struct session *session)
{
    return 0;
}

static void far_session_ends(void *data, struct session *session)
{
}

static size_t far_describe(void *data, struct buffer *out)
{
    pack_key_string(out, "state", "ready");
    return 1;
}

static struct actor *begin(void **state, struct far *far)
{
    struct stage *stage = *state;
    *far = (struct far){.api = {.host = "near.one",
                                .has = far_has,
                                .begin = far_begin,
                                .forget = far_forget,
                                .session_tags = far_session_tags,
                                .session_ends = far_session_ends,
                                .describe = far_describe}};
    far->api.data = far;
    stage->service.engine = &far->api;
    return actor_new(stage, 1000);
}

static void assert_matches(struct slice packed, const char *text)
{
    msgpack_unpacked got;
    msgpack_unpacked expected;
    msgpack_sbuffer pattern;
    msgpack_unpacked_init(&got);
    msgpack_unpacked_init(&expected);
    msgpack_sbuffer_init(&pattern);
    assert_null(notation_pack(text, &pattern));
    assert_int_equal(msgpack_unpack_next(&expected, pattern.data, pattern.size, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(msgpack_unpack_next(&got, (const char *)packed.data, packed.len, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    if (!notation_match(&expected.data, &got.data)) {
        notation_print(stderr, &got.data);
        fail_msg("is not %s", text);
    }
    msgpack_unpacked_destroy(&got);
    msgpack_unpacked_destroy(&expected);
    msgpack_sbuffer_destroy(&pattern);
}

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

static void own_sessions_have_the_name_of_the_host(void **state)
{
    struct far far;
    struct actor *a = begin(state, &far);
    check(a, "atomic", "[[['session.describe', []]]]",
          "[{session: 'near.one:1', host: 'near.one', uid: 1000, waits: [], cursor: nil, ...}]");
    check(a, "atomic", "[[['session.describe', [1]]]]", "[{session: 'near.one:1', ...}]");
    check(a, "atomic", "[[['session.describe', ['near.one:1']]]]",
          "[{session: 'near.one:1', ...}]");
    check(a, "server.hello", "[]", "{session: 1, host: 'near.one', ...}");
    check(a, "server.stats", "[]", "{engine: {state: 'ready'}, ...}");
    assert_int_equal(far.begun, 0);
    actor_leave(a);
}

static void all_sessions_and_those_of_other_hosts_are_asked_for_elsewhere(void **state)
{
    static const char *const calls[][2] = {
        {"session.list", "[]"},
        {"session.describe", "['far:1']"},
        {"session.describe", "['near:1', {limit: 5}]"}, /* which is another name than near.one */
        {"session.kill", "['far:9223372036854775807']"},
    };
    struct far far;
    struct actor *a = begin(state, &far);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t msgid = actor_send(a, calls[i][0], calls[i][1]);
        assert_int_equal(far.begun, i + 1);
        call_take_up(far.call);
        (void)call_answer_int(far.call, i);
        call_finish(far.call, 0);
        actor_read(a);
        char number[2] = {(char)('0' + i), '\0'};
        check_answer(a, msgid, number);
    }
    actor_leave(a);
}

static void what_is_no_name_of_a_session_is_refused_here(void **state)
{
    static const char *const names[] = {
        "''",          "'1'",       "':1'",     "'far:'",
        "'far:-1'",    "'far:+1'",  "'far:01'", "'far: 1'",
        "'far:1 '",    "'far:1:2'", "'f ar:1'", "'far:9223372036854775808'",
        "'far/two:1'", "'far:x'",   "'#1'",     "'far:18446744073709551617'",
    };
    struct far far;
    struct actor *a = begin(state, &far);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char params[64];
        (void)snprintf(params, sizeof(params), "[%s]", names[i]);
        check_error(a, "session.describe", params, "BAD_REQUEST");
        check_error(a, "session.kill", params, "BAD_REQUEST");
    }
    check_error(a, "session.kill", "[-1]", "BAD_REQUEST");
    check_error(a, "session.describe", "['far:1', {limit: 0}]", "BAD_REQUEST");
    check_error(a, "session.describe", "['far:1', {cursor: [1]}]", "BAD_REQUEST");
    check_error(a, "session.describe", "['near.one:0']", "NOT_FOUND");
    check_error(a, "session.describe", "[0]", "NOT_FOUND");
    actor_leave(actor_new(*state, 1000));
    struct actor *b = actor_new(*state, 1000);
    check_error(a, "session.describe", "[2]", "NOT_FOUND");
    check_error(a, "session.kill", "['near.one:2']", "NOT_FOUND");
    actor_leave(b);
    check_error(a, "session.kill", "[9223372036854775807]", "NOT_FOUND");
    assert_int_equal(far.begun, 0);
    actor_leave(a);
}

static void host_of_a_name_has_at_most_64_bytes(void **state)
{
    char name[80];
    struct slice host;
    uint64_t number;
    memset(name, 'h', sizeof(name));
    memcpy(name + SESSIONS_HOST_MOST, ":7", 3);
    assert_true(sessions_read_name(slice_of_string(name), &host, &number));
    assert_int_equal(host.len, SESSIONS_HOST_MOST);
    assert_int_equal(number, 7);
    memcpy(name + SESSIONS_HOST_MOST, "h:7", 4);
    assert_false(sessions_read_name(slice_of_string(name), &host, &number));
    assert_true(sessions_read_name(slice_of_string("a:9223372036854775807"), &host, &number));
    assert_int_equal(number, INT64_MAX);
}

static void without_an_engine_there_are_no_other_hosts(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    check_error(a, "session.describe", "['far:1']", "NOT_FOUND");
    check_error(a, "session.kill", "['far:1']", "NOT_FOUND");
    check_error(a, "session.describe", "['far']", "BAD_REQUEST");
    check(a, "session.list", "[]", "[{session: 1, pid: _int, ...}]");
    check(a, "server.hello", "[]",
          "{server: 'ipcd', version: _str, protocol: 1, session: 1, limits: _map}");
    check(a, "server.stats", "[]", "{engine: nil, ...}");
    actor_leave(a);
}

static void other_hosts_cannot_be_asked_in_a_batch(void **state)
{
    struct far far;
    struct actor *a = begin(state, &far);
    check_fails(a, "atomic", "[[['session.list', []]]]",
                "['UNSUPPORTED', 'atomic, call 0: session.list asks all hosts of the engine, and "
                "cannot be one of "
                "a batch', _map]");
    check_fails(a, "atomic", "[[['session.kill', ['far:1']]]]",
                "['UNSUPPORTED', 'atomic, call 0: session.kill: sessions of other hosts cannot be "
                "asked for in a "
                "batch', _map]");
    check(a, "atomic", "[[['session.describe', ['near.one:1']]]]",
          "[{session: 'near.one:1', ...}]");
    assert_int_equal(far.begun, 0);
    actor_leave(a);
}

static void what_a_session_waits_for_in_the_engine_is_told(void **state)
{
    struct far far;
    struct stage *stage = *state;
    struct actor *a = begin(state, &far);
    (void)actor_send(a, "dict.wait", "['far d', 'k', 700]");
    call_wait_away(far.call, stage->now + 1000000000);
    (void)actor_send(a, "queue.get_any", "[['far q', 'far r']]");
    call_wait_away(far.call, TIME_NEVER);
    (void)actor_send(a, "queue.qsize", "['far q']"); /* which does not wait */
    check(a, "atomic", "[[['session.describe', []]]]",
          "[{waiting: 2, cursor: nil, waits: [{object: 'far d', method: 'dict.wait', msgid: 1, "
          "since_ms: 0, timeout_ms: 700}, {object: 'far q', method: 'queue.get_any', msgid: 2, "
          "since_ms: 0, timeout_ms: nil}, {object: 'far r', method: 'queue.get_any', msgid: 2, "
          "since_ms: 0, timeout_ms: nil}], ...}]");
    check(a, "atomic", "[[['session.describe', [nil, {limit: 2}]]]]",
          "[{cursor: [2, 1, 0], waits: [{object: 'far d', ...}, {object: 'far q', ...}], ...}]");
    check(a, "atomic", "[[['session.describe', [nil, {limit: 2, cursor: [2, 1, 0]}]]]]",
          "[{waits: [{object: 'far r', ...}], ...}]");
    check(a, "atomic", "[[['session.describe', [nil, {cursor: [2, 9223372036854775807, 0]}]]]]",
          "[{cursor: nil, waits: [], ...}]");
    actor_leave(a);
}

static void sessions_are_told_in_pieces(void **state)
{
    struct far far;
    struct stage *stage = *state;
    struct actor *actors[3] = {begin(state, &far), actor_new(stage, 1), actor_new(stage, 2)};
    struct buffer out = {0};
    uint64_t last = 0;
    pack_array(&out, 3);
    assert_int_equal(sessions_pack(&stage->service, &last, 2, &out), 2);
    assert_int_equal(last, 2);
    assert_int_equal(sessions_pack(&stage->service, &last, 2, &out), 1);
    assert_int_equal(sessions_pack(&stage->service, &last, 2, &out), 0);
    assert_int_equal(last, 3);
    last = UINT64_MAX;
    assert_int_equal(sessions_pack(&stage->service, &last, 2, &out), 0);
    assert_matches(buffer_slice(&out),
                   "[{session: 'near.one:1', host: 'near.one', uid: 1000, ...}, "
                   "{session: 'near.one:2', ...}, {session: 'near.one:3', uid: 2, ...}]");
    buffer_deinit(&out);
    for (int i = 0; i < 3; i++) {
        actor_leave(actors[i]);
    }
}

static void session_is_described_and_ended_for_another_host(void **state)
{
    struct far far;
    struct stage *stage = *state;
    struct actor *a = begin(state, &far);
    struct session_page page = {.limit = UINT64_MAX};
    char text[CALL_TEXT_MAX];
    struct buffer out = {0};
    assert_int_equal(session_describe(&stage->service, 2, &page, NULL, &out, text), ERR_NOT_FOUND);
    assert_string_equal(text, "there is no session near.one:2; session.list lists them");
    page.cursor = (struct slice){(const uint8_t *)"\xc0", 1};
    assert_int_equal(session_describe(&stage->service, 1, &page, NULL, &out, text),
                     ERR_BAD_REQUEST);
    assert_int_equal(out.len, 0);
    page.cursor = (struct slice){(const uint8_t *)"\x93\x00\x00\x00", 4};
    assert_int_equal(session_describe(&stage->service, 1, &page, NULL, &out, text), 0);
    assert_matches(buffer_slice(&out), "{session: 'near.one:1', open: [], cursor: nil, ...}");
    buffer_deinit(&out);
    assert_int_equal(sessions_kill(&stage->service, UINT64_MAX, 0, text), ERR_NOT_FOUND);
    assert_int_equal(sessions_kill(&stage->service, 0, 0, text), ERR_NOT_FOUND);
    assert_int_equal(sessions_kill(&stage->service, 1, 1001, text), ERR_DENIED);
    assert_string_equal(text, "session near.one:1 belongs to user 1000; only that user, root and "
                              "the daemon's user may end it, and the caller is user 1001");
    assert_false(a->session.killed);
    assert_int_equal(sessions_kill(&stage->service, 1, 1000, text), 0);
    assert_true(a->session.killed);
    actor_leave(a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(own_sessions_have_the_name_of_the_host),
        TEST(all_sessions_and_those_of_other_hosts_are_asked_for_elsewhere),
        TEST(what_is_no_name_of_a_session_is_refused_here),
        TEST(host_of_a_name_has_at_most_64_bytes),
        TEST(without_an_engine_there_are_no_other_hosts),
        TEST(other_hosts_cannot_be_asked_in_a_batch),
        TEST(what_a_session_waits_for_in_the_engine_is_told),
        TEST(sessions_are_told_in_pieces),
        TEST(session_is_described_and_ended_for_another_host),
    };
#undef TEST
    return cmocka_run_group_tests_name("sessions_away", tests, NULL, NULL);
}
