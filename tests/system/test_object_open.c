/* TYPE.open and its options, names, lifetimes. */
#include "tests/support/daemon.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void open_creates_and_describes(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']",
           rpc_text(c,
                    "{name: 'q', type: 'queue', owner: %u, group: %u, mode: 432,"
                    " lifetime: 'daemon', created: _ext, waiting: 0, bytes: _int, maxsize: 0,"
                    " order: 'fifo', joinable: false, size: 0, unfinished: 0, taken: 0,"
                    " delayed: 0, shut_down: false, ...}",
                    getuid(), getgid()));
    expect(c, "dict.open", "['d']",
           "{name: 'd', type: 'dict', owner: _int, group: _int, mode: 432, lifetime: 'daemon',"
           " created: _ext, waiting: 0, bytes: _int, size: 0, ...}");
    expect(c, "list.open", "['l', nil]",
           "{name: 'l', type: 'list', owner: _int, group: _int, mode: 432, lifetime: 'daemon',"
           " created: _ext, waiting: 0, bytes: _int, size: 0, ...}");
}

static void description_shows_every_option_of_a_joinable_queue(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open",
           "['j', {joinable: true, maxsize: 7, order: 'priority', on_disconnect: 'discard',"
           " lease_ms: 1000, max_deliveries: 3, dead_letter: 'd', mode: 384, lifetime: 'scoped'}]",
           "{name: 'j', joinable: true, maxsize: 7, order: 'priority', on_disconnect: 'discard',"
           " lease_ms: 1000, max_deliveries: 3, dead_letter: 'd', mode: 384, lifetime: 'scoped', "
           "...}");
    expect(c, "queue.open", "['k', {joinable: true}]",
           "{maxsize: 0, order: 'fifo', on_disconnect: 'requeue', lease_ms: 0, max_deliveries: 0,"
           " dead_letter: nil, ...}");
}

static void open_of_an_existing_one_is_what_describe_says(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "list.open", "['l', {initial: [1, 2, 3]}]", "{size: 3, ...}");
    struct reply *opened = rpc_call(b, "list.open", "['l']");
    struct reply *described = rpc_call(a, "object.describe", "['l']");
    assert_true(notation_match(&opened->result, &described->result));
    reply_free(opened);
    reply_free(described);
}

static void create_false_does_not_create(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect_error(c, "queue.open", "['q', {create: false}]", "NOT_FOUND");
    expect_error(c, "object.describe", "['q']", "NOT_FOUND");
    expect(c, "queue.open", "['q', {create: true}]", "_map");
    expect(c, "queue.open", "['q', {create: false}]", "{name: 'q', ...}");
}

static void exclusive_refuses_an_existing_one(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "dict.open", "['d', {exclusive: true}]", "_map");
    expect_error(c, "dict.open", "['d', {exclusive: true}]", "EXISTS");
    expect(c, "dict.open", "['d', {exclusive: false}]", "_map");
    expect(c, "object.delete", "['d']", "nil");
    expect(c, "dict.open", "['d', {exclusive: true}]", "_map");
}

static void options_given_must_agree_with_the_object(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q', {joinable: true, maxsize: 5, lease_ms: 9}]", "_map");
    expect(c, "queue.open", "['q']", "{maxsize: 5, joinable: true, ...}");
    expect(c, "queue.open", "['q', {maxsize: 5, joinable: true, order: 'fifo', mode: 432}]",
           "_map");
    static const char *const wrong[] = {
        "{maxsize: 6}",   "{order: 'lifo'}",      "{joinable: false}",
        "{lease_ms: 10}", "{max_deliveries: 1}",  "{on_disconnect: 'discard'}",
        "{mode: 384}",    "{lifetime: 'scoped'}", "{maxsize: 5, dead_letter: 'd'}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_error(c, "queue.open", rpc_text(c, "['q', %s]", wrong[i]), "MISMATCH");
    }
    expect(c, "object.describe", "['q']", "{maxsize: 5, lifetime: 'daemon', mode: 432, ...}");
}

static void options_of_the_wrong_kind_are_bad_request(void **state)
{
    struct rpc *c = daemon_client(*state);
    static const char *const wrong[][2] = {
        {"create", "1"},          {"exclusive", "'yes'"}, {"lifetime", "'forever'"},
        {"lifetime", "true"},     {"mode", "'0660'"},     {"mode", "-1"},
        {"maxsize", "'x'"},       {"maxsize", "1.5"},     {"order", "'random'"},
        {"order", "1"},           {"joinable", "1"},      {"on_disconnect", "'keep'"},
        {"lease_ms", "-1"},       {"lease_ms", "'1'"},    {"max_deliveries", "-1"},
        {"max_deliveries", "[]"}, {"dead_letter", "5"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *base = strcmp(wrong[i][0], "joinable") == 0 ? "" : "joinable: true, ";
        expect_error_word(c, "queue.open",
                          rpc_text(c, "['q', {%s%s: %s}]", base, wrong[i][0], wrong[i][1]),
                          "BAD_REQUEST", wrong[i][0]);
    }
    expect_error_word(c, "dict.open", "['d', {initial: [1]}]", "BAD_REQUEST", "initial");
    expect_error_word(c, "list.open", "['l', {initial: {}}]", "BAD_REQUEST", "initial");
    expect(c, "object.list", "[]", "{objects: [], ...}");
}

static void another_type_is_wrong_type(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    expect_error(c, "dict.open", "['q']", "WRONG_TYPE");
    expect_error(c, "list.open", "['q', {create: false}]", "WRONG_TYPE");
    expect_error(c, "dict.get", "['q', 1]", "WRONG_TYPE");
    expect_error(c, "list.append", "['q', 1]", "WRONG_TYPE");
    expect(c, "queue.qsize", "['q']", "0");
}

static void operations_on_what_is_not_there_create_nothing(void **state)
{
    struct rpc *c = daemon_client(*state);
    static const char *const calls[][2] = {
        {"queue.put", "['x', 1]"}, {"queue.get", "['x']"},       {"queue.join", "['x']"},
        {"queue.qsize", "['x']"},  {"dict.set", "['x', 1, 2]"},  {"dict.setdefault", "['x', 1]"},
        {"dict.incr", "['x', 1]"}, {"dict.wait", "['x', 1]"},    {"list.append", "['x', 1]"},
        {"list.slice", "['x']"},   {"object.describe", "['x']"}, {"object.delete", "['x']"},
        {"object.close", "['x']"}, {"object.chmod", "['x', 0]"}, {"queue.put", "['#1', 1]"},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        expect_error(c, calls[i][0], calls[i][1], "NOT_FOUND");
    }
    expect(c, "object.list", "[]", "{objects: [], ...}");
}

static void names_are_1_to_255_bytes_of_clean_utf8(void **state)
{
    struct rpc *c = daemon_client(*state);
    static const char *const good[] = {"'a'",     "' '",     "'a b/c*?[x]'",
                                       "'grüße'", "'x'*255", "'\\xf0\\x9f\\x90\\x8d'"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        expect(c, "list.open", rpc_text(c, "[%s, {exclusive: true}]", good[i]),
               rpc_text(c, "{name: %s, ...}", good[i]));
    }
    static const char *const bad[] = {"''",
                                      "'x'*256",
                                      "'ü'*128",
                                      "'a\\x00'",
                                      "'\\n'",
                                      "'a\\x1f'",
                                      "'\\x7f'",
                                      "'\\xff'",
                                      "'\\xc3'",
                                      "'\\xc0\\xaf'",
                                      "'a\\xe2\\x82'",
                                      "'\\xed\\xa0\\x80'",
                                      "'\\xf4\\x90\\x80\\x80'",
                                      "'#mine'",
                                      "'#1'"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_error_word(c, "list.open", rpc_text(c, "[%s]", bad[i]), "BAD_REQUEST", "name");
    }
}

static void anonymous_objects_get_names_of_their_own(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    struct reply *first = rpc_call(a, "list.open", "[nil]");
    expect(a, "list.open", "[]", "{lifetime: 'scoped', name: _str, ...}");
    expect(a, "list.open", "[nil, {initial: [7]}]", "{size: 1, ...}");
    const msgpack_object_map *map = &first->result.via.map;
    assert_int_equal(first->result.type, MSGPACK_OBJECT_MAP);
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->ptr[i].key.via.str.size == 4 &&
            memcmp(map->ptr[i].key.via.str.ptr, "name", 4) == 0) {
            const msgpack_object_str *name = &map->ptr[i].val.via.str;
            assert_true(name->size >= 2 && name->ptr[0] == '#');
            const char *text = rpc_text(a, "%.*s", (int)name->size, name->ptr);
            assert_int_equal(strspn(text + 1, "0123456789"), name->size - 1);
            expect(b, "list.append", rpc_text(b, "['%s', 1]", text), "1");
            expect(b, "list.open", rpc_text(b, "['%s', {create: false}]", text), "{size: 1, ...}");
        }
    }
    reply_free(first);
    expect(a, "object.list", "[]", "{objects: [_, _, _], ...}");
}

static void anonymous_object_may_last_as_long_as_the_daemon(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(b, "list.open", "[nil, {lifetime: 'daemon'}]", "{lifetime: 'daemon', ...}");
    daemon_drop(*state, b);
    expect_soon(a, "session.list", "[]", "[_map]");
    expect(a, "object.list", "[]", "{objects: [{lifetime: 'daemon', ...}], ...}");
}

static void scoped_object_lives_while_a_session_has_it_open(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    expect(b, "list.open", "['s']", "_map");
    expect(a, "list.append", "['s', 1]", "1");
    daemon_drop(*state, a);
    expect_soon(b, "session.list", "[]", "[_map]");
    expect(b, "list.len", "['s']", "1");
    expect(b, "object.close", "['s']", "nil");
    expect_error(b, "list.len", "['s']", "NOT_FOUND");
}

static void close_undoes_all_opens_of_the_session(void **state)
{
    struct rpc *a = daemon_client(*state);
    expect(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    expect(a, "list.open", "['s']", "_map");
    expect(a, "object.close", "['s']", "nil");
    expect_error(a, "list.len", "['s']", "NOT_FOUND");
    expect(a, "list.open", "['n']", "_map");
    expect(a, "object.close", "['n']", "nil");
    expect(a, "list.len", "['n']", "0");
}

static void use_without_open_does_not_keep_a_scoped_object(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    expect(b, "list.append", "['s', 1]", "1");
    expect(a, "object.close", "['s']", "nil");
    expect_error(b, "list.len", "['s']", "NOT_FOUND");
}

static void durable_needs_a_store(void **state)
{
    only_in_memory("the engine keeps them");
    struct rpc *c = daemon_client(*state);
    expect_error(c, "queue.open", "['q', {lifetime: 'durable'}]", "STORAGE");
    expect_error(c, "dict.open", "['d', {lifetime: 'durable'}]", "STORAGE");
    expect_error(c, "list.open", "['l', {lifetime: 'durable'}]", "STORAGE");
    expect(c, "object.list", "[]", "{objects: [], ...}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(open_creates_and_describes),
        daemon_test(description_shows_every_option_of_a_joinable_queue),
        daemon_test(open_of_an_existing_one_is_what_describe_says),
        daemon_test(create_false_does_not_create),
        daemon_test(exclusive_refuses_an_existing_one),
        daemon_test(options_given_must_agree_with_the_object),
        daemon_test(options_of_the_wrong_kind_are_bad_request),
        daemon_test(another_type_is_wrong_type),
        daemon_test(operations_on_what_is_not_there_create_nothing),
        daemon_test(names_are_1_to_255_bytes_of_clean_utf8),
        daemon_test(anonymous_objects_get_names_of_their_own),
        daemon_test(anonymous_object_may_last_as_long_as_the_daemon),
        daemon_test(scoped_object_lives_while_a_session_has_it_open),
        daemon_test(close_undoes_all_opens_of_the_session),
        daemon_test(use_without_open_does_not_keep_a_scoped_object),
        daemon_test(durable_needs_a_store),
    };
    return cmocka_run_group_tests_name("object open", tests, NULL, NULL);
}
