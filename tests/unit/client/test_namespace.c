/* The typed functions of namespaces: the request that each makes, and what it takes from the
 * answer; arguments that are refused. */
#include "tests/unit/client/rows.h"

static const struct row rows[] = {
    {"namespace.open", "['n', {initial: {a: 1}, exclusive: true}]", "{name: 'n'}"},
    {"namespace.get", "['n', 'k']", "'v'"},
    {"namespace.get", "['n', '', nil]", "nil"},
    {"namespace.set", "['n', 'k', 'one']", "true"},
    {"namespace.update", "['n', {a: 1}]", "1"},
    {"namespace.setdefault", "['n', 'k', 5]", "6"},
    {"namespace.setdefault", "['n', 'k']", "nil"},
    {"namespace.delete", "['n', 'k']", "nil"},
    {"namespace.pop", "['n', 'k']", "'v'"},
    {"namespace.pop", "['n', 'k', 0]", "0"},
    {"namespace.popitem", "['n']", "['k', 'v']"},
    {"namespace.contains", "['n', 'k']", "true"},
    {"namespace.len", "['n']", "3"},
    {"namespace.clear", "['n']", "nil"},
    {"namespace.keys", "['n']", "['a']"},
    {"namespace.values", "['n']", "[1]"},
    {"namespace.items", "['n']", "[['a', 1]]"},
    {"namespace.copy", "['n']", "{a: 1}"},
    {"namespace.scan", "['n', 0, 10]", "{cursor: 17, items: [['a', 1]]}"},
    {"namespace.scan", "['n', 17]", "{cursor: 0, items: []}"},
    {"namespace.incr", "['n', 'i']", "1"},
    {"namespace.incr", "['n', 'i', 2]", "3"},
    {"namespace.incr", "['n', 'i', nil, 10]", "11"},
    {"namespace.cas", "['n', 'k', [1], [2]]", "true"},
    {"namespace.cas", "['n', 'k', [], [nil]]", "false"},
    {"namespace.cas", "['n', 'k', [nil], []]", "true"},
    {"namespace.wait", "['n', 'k', 0]", "'v'"},
    {"object.close", "['n']", "nil"},
    {NULL, NULL, NULL},
};

static void use_keys(struct ipcc_namespace *space)
{
    struct ipcc_reply reply;
    struct ipcc_value pair[] = {ipcc_str("a"), ipcc_int(1)};
    uint64_t count = 0;
    bool yes = false;
    assert_ok(ipcc_namespace_get(space, "k", ipcc_none(), &reply));
    assert_true(ipcc_value_is_str(&reply.value, "v"));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_namespace_get(space, "", ipcc_nil(), NULL));
    assert_ok(ipcc_namespace_set(space, "k", ipcc_str("one"), &yes));
    assert_true(yes);
    assert_ok(ipcc_namespace_update(space, ipcc_map(pair, 1), &count));
    assert_int_equal(count, 1);
    assert_answers(6, ipcc_namespace_setdefault(space, "k", ipcc_int(5), &reply));
    assert_ok(ipcc_namespace_setdefault(space, "k", ipcc_none(), NULL));
    assert_ok(ipcc_namespace_delete(space, "k"));
    assert_ok(ipcc_namespace_pop(space, "k", ipcc_none(), NULL));
    assert_answers(0, ipcc_namespace_pop(space, "k", ipcc_int(0), &reply));
}

static void use_whole(struct ipcc_namespace *space)
{
    struct ipcc_reply reply;
    struct ipcc_value key;
    struct ipcc_value value;
    uint64_t count = 0;
    uint64_t cursor = 0;
    bool yes = false;
    assert_ok(ipcc_namespace_popitem(space, &key, &value, &reply));
    assert_true(ipcc_value_is_str(&key, "k") && ipcc_value_is_str(&value, "v"));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_namespace_contains(space, "k", &yes));
    assert_true(yes);
    assert_ok(ipcc_namespace_len(space, &count));
    assert_int_equal(count, 3);
    assert_ok(ipcc_namespace_clear(space));
    assert_encoding("\x91\xa1"
                    "a",
                    ipcc_namespace_keys(space, &reply));
    assert_encoding("\x91\x01", ipcc_namespace_values(space, &reply));
    assert_encoding("\x91\x92\xa1"
                    "a\x01",
                    ipcc_namespace_items(space, &reply));
    assert_encoding("\x81\xa1"
                    "a\x01",
                    ipcc_namespace_copy(space, &reply));
    assert_encoding("\x91\x92\xa1"
                    "a\x01",
                    ipcc_namespace_scan(space, &cursor, 10, &reply));
    assert_int_equal(cursor, 17);
    assert_ok(ipcc_namespace_scan(space, &cursor, 0, &reply));
    ipcc_reply_free(&reply);
    assert_int_equal(cursor, 0);
}

static void use_numbers(struct ipcc_namespace *space)
{
    struct ipcc_reply reply;
    bool changed = false;
    assert_answers(1, ipcc_namespace_incr(space, "i", ipcc_none(), ipcc_none(), &reply));
    assert_answers(3, ipcc_namespace_incr(space, "i", ipcc_int(2), ipcc_none(), &reply));
    assert_answers(11, ipcc_namespace_incr(space, "i", ipcc_none(), ipcc_int(10), &reply));
    assert_ok(ipcc_namespace_cas(space, "k", ipcc_int(1), ipcc_int(2), &changed));
    assert_true(changed);
    assert_ok(ipcc_namespace_cas(space, "k", ipcc_none(), ipcc_nil(), &changed));
    assert_false(changed);
    assert_ok(ipcc_namespace_cas(space, "k", ipcc_nil(), ipcc_none(), NULL));
}

static void namespace_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_namespace *space;
    struct ipcc_value pair[] = {ipcc_str("a"), ipcc_int(1)};
    struct ipcc_namespace_options options = {.initial = ipcc_map(pair, 1),
                                             .open = {.exclusive = true}};
    struct ipcc *conn = connect_to(&server, serve_rows, rows);
    assert_ok(ipcc_namespace_open(conn, "n", &options, &space));
    assert_string_equal(ipcc_namespace_name(space), "n");
    use_keys(space);
    use_whole(space);
    use_numbers(space);
    assert_ok(ipcc_namespace_wait(space, "k", 0, NULL));
    assert_ok(ipcc_namespace_close(space));
    close_and_join(conn, &server);
}

static const struct row wrong_rows[] = {
    {"namespace.open", "['n']", "{name: 'n'}"},
    {"namespace.contains", "_array", "0"},
    {"namespace.len", "_array", "'five'"},
    {"namespace.popitem", "_array", "['k']"},
    {"namespace.scan", "_array", "{cursor: 0}"},
    {"object.close", "['n']", "nil"},
    {NULL, NULL, NULL},
};

static void refuse_keys(struct ipcc_namespace *space)
{
    struct ipcc_reply reply;
    struct ipcc_value v = ipcc_int(5);
    assert_fails(ipcc_namespace_get(space, NULL, v, &reply), ARGUMENT, "no bytes");
    assert_fails(ipcc_namespace_get(space, NULL, ipcc_none(), &reply), ARGUMENT, "no bytes");
    assert_fails(ipcc_namespace_set(space, NULL, v, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_setdefault(space, NULL, v, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_delete(space, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_pop(space, NULL, v, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_contains(space, NULL, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_incr(space, NULL, v, v, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_cas(space, NULL, v, v, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_wait(space, NULL, 0, NULL), ARGUMENT, "");
    assert_fails(ipcc_namespace_wait(space, "k", -2, NULL), ARGUMENT, "timeout_ms is -2");
    assert_fails(ipcc_namespace_scan(space, NULL, 0, &reply), ARGUMENT, "needs a cursor");
    assert_fails(ipcc_namespace_popitem(space, NULL, NULL, NULL), ARGUMENT, "reply");
}

static void bad_keys_and_answers_of_another_kind_are_refused(void **state)
{
    struct fake_server server;
    struct ipcc_namespace *space = NULL;
    struct ipcc_reply reply;
    uint64_t cursor = 0;
    struct ipcc_namespace_options options = {.reserved = {1}};
    struct ipcc *conn = connect_to(&server, serve_rows, wrong_rows);
    assert_fails(ipcc_namespace_open(conn, "n", &options, &space), ARGUMENT, "reserved");
    assert_null(space);
    assert_ok(ipcc_namespace_open(conn, "n", NULL, &space));
    refuse_keys(space);
    assert_fails(ipcc_namespace_contains(space, "k", NULL), PROTOCOL, "a boolean");
    assert_fails(ipcc_namespace_len(space, NULL), PROTOCOL, "a count");
    assert_fails(ipcc_namespace_popitem(space, NULL, NULL, &reply), PROTOCOL, "namespace.popitem");
    assert_fails(ipcc_namespace_scan(space, &cursor, 0, &reply), PROTOCOL, "namespace.scan");
    assert_ok(ipcc_namespace_close(space));
    close_and_join(conn, &server);
}

#define assert_refused(call) assert_fails(call, ARGUMENT, "namespace.")

static void functions_of_a_namespace_refuse_null(void **state)
{
    struct ipcc_reply reply;
    struct ipcc_namespace *space;
    struct ipcc_value v = ipcc_int(5);
    uint64_t cursor = 0;
    assert_fails(ipcc_namespace_open(NULL, "n", NULL, &space), ARGUMENT, "");
    assert_refused(ipcc_namespace_get(NULL, "k", v, &reply));
    assert_refused(ipcc_namespace_set(NULL, "k", v, NULL));
    assert_refused(ipcc_namespace_update(NULL, v, NULL));
    assert_refused(ipcc_namespace_setdefault(NULL, "k", v, &reply));
    assert_refused(ipcc_namespace_delete(NULL, "k"));
    assert_refused(ipcc_namespace_pop(NULL, "k", v, &reply));
    assert_refused(ipcc_namespace_popitem(NULL, NULL, NULL, &reply));
    assert_refused(ipcc_namespace_contains(NULL, "k", NULL));
    assert_refused(ipcc_namespace_len(NULL, NULL));
    assert_refused(ipcc_namespace_clear(NULL));
    assert_refused(ipcc_namespace_keys(NULL, &reply));
    assert_refused(ipcc_namespace_values(NULL, &reply));
    assert_refused(ipcc_namespace_items(NULL, &reply));
    assert_refused(ipcc_namespace_copy(NULL, &reply));
    assert_refused(ipcc_namespace_scan(NULL, &cursor, 0, &reply));
    assert_refused(ipcc_namespace_incr(NULL, "k", v, v, &reply));
    assert_refused(ipcc_namespace_cas(NULL, "k", v, v, NULL));
    assert_refused(ipcc_namespace_wait(NULL, "k", 0, &reply));
    assert_null(ipcc_namespace_name(NULL));
    assert_int_equal(ipcc_namespace_close(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(namespace_functions_make_their_requests),
        cmocka_unit_test(bad_keys_and_answers_of_another_kind_are_refused),
        cmocka_unit_test(functions_of_a_namespace_refuse_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
