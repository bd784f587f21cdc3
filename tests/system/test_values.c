/* Section 2: values come back as they were sent, equality, and which values may be keys. */
#include "tests/support/daemon.h"

#include <string.h>

static int values_setup(void **state)
{
    (void)daemon_setup(state);
    struct rpc *c = daemon_client(*state);
    expect(c, "dict.open", "['d']", "_map");
    expect(c, "list.open", "['l']", "_map");
    expect(c, "queue.open", "['q']", "_map");
    return 0;
}

static struct rpc *first(void **state)
{
    return ((struct daemon *)*state)->clients[0];
}

/* Every form that MessagePack has, with the longer headers that a value would not need. */
static const char *const values[] = {
    "nil",
    "true",
    "false",
    "0",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "-1",
    "-32",
    "-33",
    "-128",
    "-129",
    "-32768",
    "-32769",
    "-2147483649",
    "-9223372036854775808",
    "1.5",
    "f32(1.5)",
    "nan",
    "inf",
    "-inf",
    "-0.0",
    "<cc 05>",
    "<cd 00 05>",
    "<ce 00 00 00 05>",
    "<cf 00 00 00 00 00 00 00 05>",
    "<d0 05>",
    "<d1 00 05>",
    "<d2 00 00 00 05>",
    "<d3 00 00 00 00 00 00 00 05>",
    "<d0 ff>",
    "<d3 ff ff ff ff ff ff ff ff>",
    "<ca 7f c0 00 01>",
    "<cb 7f f8 00 00 00 00 00 01>",
    "''",
    "'a'",
    "'x'*31",
    "'x'*32",
    "'x'*256",
    "'x'*65536",
    "<d9 01 61>",
    "<da 00 01 61>",
    "<db 00 00 00 01 61>",
    "'\\xff\\xfe'",
    "'a\\0b'",
    "b''",
    "b'x'*255",
    "b'x'*256",
    "b'x'*65536",
    "<c5 00 01 61>",
    "<c6 00 00 00 01 61>",
    "[]",
    "[1, 2]",
    "[nil]*16",
    "[nil]*65536",
    "<dc 00 01 05>",
    "<dd 00 00 00 01 05>",
    "{}",
    "{a: 1}",
    "<de 00 01 01 02>",
    "<df 00 00 00 01 01 02>",
    "<82 01 02 01 03>",
    "{nil: 1, {}: 2, nan: 3}",
    "ext(-1, '1234')",
    "ext(-1, '123456789abc')",
    "ext(1, 'name')",
    "ext(3, '')",
    "ext(127, 'x')",
    "ext(-128, 'x'*300)",
    "ext(5, 'x'*70000)",
    "<c7 01 05 78>",
    "<c8 00 01 05 78>",
    "<c9 00 00 00 01 05 78>",
    "[[[{a: [<cd 00 05>]}]]]",
    "deep(28)",
};
enum { VALUES = sizeof(values) / sizeof(values[0]) };

static void bytes_come_back_from_ping(void **state)
{
    struct rpc *c = first(state);
    for (size_t i = 0; i < VALUES; i++) {
        const char *params = rpc_text(c, "[%s]", values[i]);
        expect_bytes(c, "server.ping", params, values[i]);
    }
}

static void bytes_come_back_from_a_dict(void **state)
{
    struct rpc *c = first(state);
    for (size_t i = 0; i < VALUES; i++) {
        const char *pair = rpc_text(c, "['d', 'k', %s]", values[i]);
        expect(c, "dict.set", pair, "_bool");
        expect_bytes(c, "dict.get", "['d', 'k']", values[i]);
        expect_bytes(c, "dict.setdefault", "['d', 'k', 1]", values[i]);
        expect_bytes(c, "dict.wait", "['d', 'k']", values[i]);
        expect_bytes(c, "dict.pop", "['d', 'k']", values[i]);
        expect_bytes(c, "dict.get", pair, values[i]);
    }
}

static void bytes_come_back_from_a_list(void **state)
{
    struct rpc *c = first(state);
    for (size_t i = 0; i < VALUES; i++) {
        const char *params = rpc_text(c, "['l', %s]", values[i]);
        expect(c, "list.append", params, "1");
        expect_bytes(c, "list.get", "['l', 0]", values[i]);
        expect(c, "list.extend", rpc_text(c, "['l', [1, %s]]", values[i]), "3");
        expect_bytes(c, "list.get", "['l', -1]", values[i]);
        expect_bytes(c, "list.pop", "['l']", values[i]);
        expect(c, "list.set", rpc_text(c, "['l', 1, %s]", values[i]), "nil");
        expect_bytes(c, "list.pop", "['l']", values[i]);
        expect_bytes(c, "list.pop", "['l']", values[i]);
    }
}

/* The first element's bytes: they stand behind the header of the result's array. */
static void expect_first_element(struct rpc *c, const char *method, const char *params,
                                 const char *value)
{
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    assert_null(notation_pack(value, &bytes));
    struct reply *reply = rpc_call(c, method, params);
    const char *result = reply->bytes + reply->result_at;
    size_t size = reply->size - reply->result_at;
    size_t header = (unsigned char)result[0] == 0xdc ? 3 : (unsigned char)result[0] == 0xdd ? 5 : 1;
    assert_int_equal(reply->result.type, MSGPACK_OBJECT_ARRAY);
    if (size < header + bytes.size || memcmp(result + header, bytes.data, bytes.size) != 0) {
        test_fail(HERE, "%s does not give %s back as it was sent", method, value);
    }
    reply_free(reply);
    msgpack_sbuffer_destroy(&bytes);
}

static void bytes_come_back_from_a_queue(void **state)
{
    struct rpc *a = first(state);
    struct rpc *b = daemon_client(*state);
    for (size_t i = 0; i < VALUES; i++) {
        const char *params = rpc_text(a, "['q', %s]", values[i]);
        expect(a, "queue.put", params, "nil");
        expect_first_element(a, "queue.peek", "['q']", values[i]);
        expect_first_element(a, "queue.get", "['q']", values[i]);
        expect(a, "queue.put_many", rpc_text(a, "['q', [%s]]", values[i]), "1");
        expect_first_element(a, "queue.get", "['q']", values[i]);
        /* Also when the item goes straight to a getter that waits. */
        uint32_t get = rpc_start(b, "queue.get", "['q']");
        expect(a, "queue.put", params, "nil");
        struct reply *reply = rpc_wait(b, get);
        assert_non_null(reply);
        assert_int_equal(reply->error.type, MSGPACK_OBJECT_NIL);
        reply_free(reply);
    }
}

static void five_is_five_however_encoded(void **state)
{
    struct rpc *c = first(state);
    static const char *const fives[] = {"5",
                                        "<cc 05>",
                                        "<cd 00 05>",
                                        "<d0 05>",
                                        "<ce 00 00 00 05>",
                                        "<d1 00 05>",
                                        "<d2 00 00 00 05>",
                                        "<cf 00 00 00 00 00 00 00 05>",
                                        "<d3 00 00 00 00 00 00 00 05>"};
    for (size_t i = 0; i < sizeof(fives) / sizeof(fives[0]); i++) {
        expect(c, "dict.set", rpc_text(c, "['d', %s, %zu]", fives[i], i),
               i == 0 ? "true" : "false");
        expect(c, "dict.set", rpc_text(c, "['d', [1, %s], %zu]", fives[i], i),
               i == 0 ? "true" : "false");
    }
    expect(c, "dict.len", "['d']", "2");
    expect(c, "dict.get", "['d', 5]", "8");
    expect(c, "dict.get", "['d', <dc 00 02 01 05>]", "8");
}

static void keys_are_kept_in_canonical_form(void **state)
{
    struct rpc *c = first(state);
    static const char *const keys[][2] = {
        {"<cd 00 05>", "5"},
        {"<d0 ff>", "-1"},
        {"<d9 01 61>", "'a'"},
        {"<c5 00 01 61>", "b'a'"},
        {"f32(0.5)", "0.5"},
        {"<dc 00 02 cc 01 d9 01 61>", "[1, 'a']"},
        {"<c7 01 05 78>", "ext(5, 'x')"},
        {"<d3 00 00 00 01 00 00 00 00>", "4294967296"},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        expect(c, "dict.set", rpc_text(c, "['d', %s, 1]", keys[i][0]), "true");
        expect_first_element(c, "dict.keys", "['d']", keys[i][1]);
        expect(c, "dict.contains", rpc_text(c, "['d', %s]", keys[i][1]), "true");
        expect(c, "dict.clear", "['d']", "nil");
    }
}

static void one_float_one_true_and_string_are_four_keys(void **state)
{
    struct rpc *c = first(state);
    expect(c, "dict.set", "['d', 1, 'int']", "true");
    expect(c, "dict.set", "['d', 1.0, 'float']", "true");
    expect(c, "dict.set", "['d', true, 'bool']", "true");
    expect(c, "dict.set", "['d', '1', 'str']", "true");
    expect(c, "dict.set", "['d', b'1', 'bin']", "true");
    expect(c, "dict.set", "['d', [1], 'array']", "true");
    expect(c, "dict.get", "['d', 1]", "'int'");
    expect(c, "dict.get", "['d', f32(1.0)]", "'float'");
    expect(c, "dict.get", "['d', true]", "'bool'");
    expect(c, "dict.get", "['d', '1']", "'str'");
    expect(c, "dict.get", "['d', b'1']", "'bin'");
    expect(c, "dict.get", "['d', [1]]", "'array'");
}

static void every_other_value_may_be_a_key(void **state)
{
    struct rpc *c = first(state);
    static const char *const keys[] = {"nil",        "false",      "0",    "-1",
                                       "2.5",        "inf",        "''",   "b''",
                                       "[]",         "[[1], 'x']", "-0.0", "ext(-1, '1234')",
                                       "ext(7, '')", "'x'*70000"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        expect(c, "dict.set", rpc_text(c, "['d', %s, %zu]", keys[i], i), "true");
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        expect(c, "dict.get", rpc_text(c, "['d', %s]", keys[i]), rpc_text(c, "%zu", i));
    }
}

static void maps_nan_references_and_descriptors_are_no_keys(void **state)
{
    struct rpc *c = first(state);
    static const char *const calls[][2] = {
        {"dict.get", "['d', %s]"},        {"dict.set", "['d', %s, 1]"},
        {"dict.setdefault", "['d', %s]"}, {"dict.delete", "['d', %s]"},
        {"dict.pop", "['d', %s, nil]"},   {"dict.contains", "['d', %s]"},
        {"dict.incr", "['d', %s]"},       {"dict.cas", "['d', %s, [], [1]]"},
        {"dict.wait", "['d', %s, 0]"},    {"dict.update", "['d', {%s: 1}]"},
    };
    static const char *const keys[] = {"{}",  "{a: 1}",           "[{}]",       "[1, [[{}]]]",
                                       "nan", "<ca 7f c0 00 00>", "ext(1, 'q')"};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
            const char *place = strchr(calls[i][1], '%');
            const char *params = rpc_text(c, "%.*s%s%s", (int)(place - calls[i][1]), calls[i][1],
                                          keys[j], place + 2);
            expect_error(c, calls[i][0], params, "TYPE");
        }
    }
    expect(c, "dict.len", "['d']", "0");
}

#define values_test(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, values_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        values_test(bytes_come_back_from_ping),
        values_test(bytes_come_back_from_a_dict),
        values_test(bytes_come_back_from_a_list),
        values_test(bytes_come_back_from_a_queue),
        values_test(five_is_five_however_encoded),
        values_test(keys_are_kept_in_canonical_form),
        values_test(one_float_one_true_and_string_are_four_keys),
        values_test(every_other_value_may_be_a_key),
        values_test(maps_nan_references_and_descriptors_are_no_keys),
    };
    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
