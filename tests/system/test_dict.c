/* dict.*: every row of its table. Which values may be keys is in test_values.c. */
#include "tests/support/daemon.h"

#include <stdlib.h>
#include <string.h>

static int dict_setup(void **state)
{
    (void)daemon_setup(state);
    expect(daemon_client(*state), "dict.open", "['d']", "_map");
    (void)daemon_client(*state);
    return 0;
}

static struct rpc *client(void **state, unsigned index)
{
    return ((struct daemon *)*state)->clients[index];
}

static void initial_fills_a_new_dict(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.open", "['i', {initial: {a: 1, 2: 'b', c: [3]}}]", "{size: 3, ...}");
    expect(c, "dict.keys", "['i']", "['a', 2, 'c']");
    expect(c, "dict.values", "['i']", "[1, 'b', [3]]");
    expect_error(c, "dict.open", "['bad', {initial: {[{}]: 1}}]", "TYPE");
    expect_error(c, "dict.len", "['bad']", "NOT_FOUND");
}

static void set_says_if_the_key_is_new(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.set", "['d', 'k', 1]", "true");
    expect(c, "dict.set", "['d', 'k', 2]", "false");
    expect(c, "dict.get", "['d', 'k']", "2");
    expect(c, "dict.set", "['d', nil, nil]", "true");
    expect(c, "dict.get", "['d', nil]", "nil");
    expect_error_word(c, "dict.set", "['d', 'k']", "BAD_REQUEST", "value");
    expect_error_word(c, "dict.set", "['d']", "BAD_REQUEST", "key");
}

static void get_of_a_missing_key_is_key_unless_a_default_was_sent(void **state)
{
    struct rpc *c = client(state, 0);
    expect_error(c, "dict.get", "['d', 'k']", "KEY");
    expect(c, "dict.get", "['d', 'k', 7]", "7");
    expect(c, "dict.get", "['d', 'k', nil]", "nil");
    expect(c, "dict.set", "['d', 'k', 1]", "true");
    expect(c, "dict.get", "['d', 'k', 7]", "1");
}

static void update_counts_the_new_keys(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.update", "['d', {a: 1, b: 2}]", "2");
    expect(c, "dict.update", "['d', {b: 3, c: 4}]", "1");
    expect(c, "dict.update", "['d', {}]", "0");
    expect(c, "dict.items", "['d']", "[['a', 1], ['b', 3], ['c', 4]]");
    expect(c, "dict.update", "['d', <82 a1 78 01 a1 78 02>]", "1");
    expect(c, "dict.get", "['d', 'x']", "2");
}

static void update_with_a_bad_key_changes_nothing(void **state)
{
    struct rpc *c = client(state, 0);
    expect_error(c, "dict.update", "['d', {a: 1, {}: 2}]", "TYPE");
    expect(c, "dict.len", "['d']", "0");
}

static void setdefault_returns_what_is_there_then(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.setdefault", "['d', 'a', 1]", "1");
    expect(c, "dict.setdefault", "['d', 'a', 2]", "1");
    expect(c, "dict.setdefault", "['d', 'b']", "nil");
    expect(c, "dict.setdefault", "['d', 'b', 3]", "nil");
    expect(c, "dict.copy", "['d']", "{a: 1, b: nil}");
}

static void delete_and_pop_remove(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.update", "['d', {a: 1, b: 2, c: 3}]", "3");
    expect(c, "dict.delete", "['d', 'a']", "nil");
    expect_error(c, "dict.delete", "['d', 'a']", "KEY");
    expect(c, "dict.pop", "['d', 'b']", "2");
    expect_error(c, "dict.pop", "['d', 'b']", "KEY");
    expect(c, "dict.pop", "['d', 'b', 'none']", "'none'");
    expect(c, "dict.pop", "['d', 'b', nil]", "nil");
    expect(c, "dict.pop", "['d', 'c', 'none']", "3");
    expect(c, "dict.len", "['d']", "0");
}

static void popitem_takes_the_last_one_in(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.update", "['d', {a: 1, b: 2, c: 3}]", "3");
    expect(c, "dict.set", "['d', 'a', 9]", "false");
    expect(c, "dict.popitem", "['d']", "['c', 3]");
    expect(c, "dict.popitem", "['d']", "['b', 2]");
    expect(c, "dict.popitem", "['d']", "['a', 9]");
    expect_error(c, "dict.popitem", "['d']", "KEY");
}

static void contains_len_and_clear(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.contains", "['d', 'a']", "false");
    expect(c, "dict.set", "['d', 'a', nil]", "true");
    expect(c, "dict.contains", "['d', 'a']", "true");
    expect(c, "dict.contains", "['d', b'a']", "false");
    expect(c, "dict.len", "['d']", "1");
    expect(c, "dict.clear", "['d']", "nil");
    expect(c, "dict.len", "['d']", "0");
    expect(c, "dict.contains", "['d', 'a']", "false");
    expect(c, "dict.keys", "['d']", "[]");
    expect(c, "dict.copy", "['d']", "{}");
}

static void order_is_that_of_insertion(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.update", "['d', {z: 1, a: 2, m: 3}]", "3");
    expect(c, "dict.set", "['d', 'z', 4]", "false");
    expect(c, "dict.keys", "['d']", "['z', 'a', 'm']");
    expect(c, "dict.delete", "['d', 'z']", "nil");
    expect(c, "dict.set", "['d', 'z', 5]", "true");
    expect(c, "dict.keys", "['d']", "['a', 'm', 'z']");
    expect(c, "dict.values", "['d']", "[2, 3, 5]");
    expect(c, "dict.items", "['d']", "[['a', 2], ['m', 3], ['z', 5]]");
    expect_bytes(c, "dict.values", "['d']", "[2, 3, 5]");
}

static void incr_adds_atomically_and_starts_at_initial(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.incr", "['d', 'n']", "1");
    expect(c, "dict.incr", "['d', 'n']", "2");
    expect(c, "dict.incr", "['d', 'n', -5]", "-3");
    expect(c, "dict.incr", "['d', 'm', 10, 100]", "110");
    expect(c, "dict.incr", "['d', 'm', nil, 100]", "111");
    expect(c, "dict.incr", "['d', 'f', 0.5]", "0.5");
    expect(c, "dict.incr", "['d', 'f', 1]", "1.5");
    expect(c, "dict.get", "['d', 'f']", "1.5");
}

static void incr_refuses_what_is_no_number_or_does_not_fit(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.update",
           "['d', {s: '1', t: true, top: 18446744073709551615, low: -9223372036854775808}]", "4");
    expect_error(c, "dict.incr", "['d', 's']", "TYPE");
    expect_error(c, "dict.incr", "['d', 't']", "TYPE");
    expect_error(c, "dict.incr", "['d', 'top']", "RANGE");
    expect_error(c, "dict.incr", "['d', 'low', -1]", "RANGE");
    expect(c, "dict.incr", "['d', 'top', -1]", "18446744073709551614");
    expect(c, "dict.incr", "['d', 'low', 1]", "-9223372036854775807");
    expect(c, "dict.get", "['d', 's']", "'1'");
}

static void cas_changes_only_what_is_expected(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.cas", "['d', 'k', [1], [2]]", "false");
    expect(c, "dict.cas", "['d', 'k', [], [1]]", "true");
    expect(c, "dict.cas", "['d', 'k', [], [9]]", "false");
    expect(c, "dict.cas", "['d', 'k', [2], [9]]", "false");
    expect(c, "dict.cas", "['d', 'k', [1.0], [9]]", "false");
    expect(c, "dict.cas", "['d', 'k', [<cd 00 01>], [2]]", "true");
    expect(c, "dict.get", "['d', 'k']", "2");
    expect(c, "dict.cas", "['d', 'k', [3], []]", "false");
    expect(c, "dict.cas", "['d', 'k', [2], []]", "true");
    expect(c, "dict.contains", "['d', 'k']", "false");
    expect(c, "dict.cas", "['d', 'k', [], []]", "true");
    expect_error_word(c, "dict.cas", "['d', 'k', [1, 2], [3]]", "BAD_REQUEST", "expected");
    expect_error_word(c, "dict.cas", "['d', 'k', [1], [2, 3]]", "BAD_REQUEST", "value");
}

static void wait_returns_once_the_key_is_there(void **state)
{
    struct rpc *a = client(state, 0);
    struct rpc *b = client(state, 1);
    static const char *const makers[][2] = {
        {"dict.set", "['d', 'k', 7]"},        {"dict.update", "['d', {x: 1, k: 7}]"},
        {"dict.setdefault", "['d', 'k', 7]"}, {"dict.incr", "['d', 'k', 7]"},
        {"dict.cas", "['d', 'k', [], [7]]"},
    };
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        uint32_t one = rpc_start(a, "dict.wait", "['d', 'k']");
        uint32_t two = rpc_start(a, "dict.wait", "['d', 'k', 600000]");
        uint32_t other = rpc_start(a, "dict.wait", "['d', 'never']");
        expect(b, "dict.set", "['d', 'noise', 0]", "true");
        expect_waiting(a, one);
        expect(b, makers[i][0], makers[i][1], "_");
        expect_result(a, one, "7");
        expect_result(a, two, "7");
        expect_waiting(a, other);
        expect(a, "dict.wait", "['d', 'k', 0]", "7");
        expect(a, "dict.clear", "['d']", "nil");
        rpc_cancel(a, other);
        expect_failure(a, other, "CANCELLED");
    }
    expect_error(a, "dict.wait", "['d', 'k', 0]", "TIMEOUT");
}

/* Marks each key of a scan's items in seen; returns the next cursor. */
static uint64_t scan_step(struct rpc *c, const char *params, unsigned *seen, unsigned count)
{
    struct reply *reply = rpc_call(c, "dict.scan", params);
    assert_int_equal(reply->result.type, MSGPACK_OBJECT_MAP);
    uint64_t cursor = 0;
    for (uint32_t i = 0; i < reply->result.via.map.size; i++) {
        const msgpack_object_kv *pair = &reply->result.via.map.ptr[i];
        if (memcmp(pair->key.via.str.ptr, "cursor", pair->key.via.str.size) == 0) {
            assert_int_equal(pair->val.type, MSGPACK_OBJECT_POSITIVE_INTEGER);
            cursor = pair->val.via.u64;
            continue;
        }
        assert_int_equal(pair->val.type, MSGPACK_OBJECT_ARRAY);
        for (uint32_t j = 0; j < pair->val.via.array.size; j++) {
            const msgpack_object *item = pair->val.via.array.ptr[j].via.array.ptr;
            assert_int_equal(item[0].via.u64, item[1].via.u64);
            if (item[0].via.u64 < count) {
                seen[item[0].via.u64]++;
            }
        }
    }
    reply_free(reply);
    return cursor;
}

static void scan_shows_each_key_that_stays_once(void **state)
{
    enum { COUNT = 1000 };
    struct rpc *c = client(state, 0);
    unsigned seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        expect(c, "dict.set", rpc_text(c, "['d', %d, %d]", i, i), "true");
    }
    uint64_t cursor = 0;
    unsigned steps = 0;
    do {
        cursor =
            scan_step(c, rpc_text(c, "['d', %llu, 37]", (unsigned long long)cursor), seen, COUNT);
        /* Odd keys go and others come while the scan runs, fewer than it passes in a step; even
         * ones below COUNT stay. */
        for (unsigned i = 0; i < 10; i++) {
            unsigned odd = (steps * 10 + i) * 2 + 1;
            expect(c, "dict.pop", rpc_text(c, "['d', %u, nil]", odd % COUNT), "_");
            expect(c, "dict.set", rpc_text(c, "['d', %u, %u]", COUNT + odd, COUNT + odd), "_bool");
        }
        steps++;
        assert_true(steps < 1000);
    } while (cursor != 0);
    for (unsigned i = 0; i < COUNT; i += 2) {
        assert_int_equal(seen[i], 1);
    }
    assert_true(steps > 1);
}

static void scan_takes_at_most_count_at_a_time(void **state)
{
    enum { COUNT = 250 };
    struct rpc *c = client(state, 0);
    static const char *const counts[][2] = {{"", "100"}, {", nil", "100"}, {", 7", "7"}};
    for (int i = 0; i < COUNT; i++) {
        expect(c, "dict.set", rpc_text(c, "['d', %d, %d]", i, i), "true");
    }
    for (size_t i = 0; i < 3; i++) {
        unsigned seen[COUNT] = {0};
        unsigned sum = 0;
        assert_true(scan_step(c, rpc_text(c, "['d', 0%s]", counts[i][0]), seen, COUNT) != 0);
        for (unsigned key = 0; key < COUNT; key++) {
            sum += seen[key];
        }
        assert_true(sum > 0 && sum <= (unsigned)atoi(counts[i][1]));
    }
}

static void scan_of_a_small_dict_is_done_in_one_step(void **state)
{
    struct rpc *c = client(state, 0);
    expect(c, "dict.scan", "['d', 0]", "{cursor: 0, items: []}");
    expect(c, "dict.update", "['d', {a: 1, b: 2}]", "2");
    expect(c, "dict.scan", "['d', 0]", "{cursor: 0, items: [['a', 1], ['b', 2]]}");
}

static void large_dict_keeps_all_and_gives_memory_back(void **state)
{
    enum { COUNT = 20000, STEP = 1000 };
    struct rpc *c = client(state, 0);
    for (int at = 0; at < COUNT; at += STEP) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        for (int i = at; i < at + STEP; i++) {
            (void)rpc_pack(c, &out, "dict.set", rpc_text(c, "['d', 'key%d', %d]", i, i));
        }
        rpc_write(c, out.data, out.size);
        msgpack_sbuffer_destroy(&out);
        for (int i = 0; i < STEP; i++) {
            expect_result(c, c->last_msgid - (uint32_t)(STEP - 1 - i), "true");
        }
    }
    expect(c, "dict.len", "['d']", "20000");
    int64_t full = rpc_number(c, "object.describe", "['d']", "bytes");
    for (int i = 0; i < COUNT; i += 13) {
        expect(c, "dict.get", rpc_text(c, "['d', 'key%d']", i), rpc_text(c, "%d", i));
    }
    expect(c, "dict.clear", "['d']", "nil");
    assert_true(rpc_number(c, "object.describe", "['d']", "bytes") < full / 2);
}

#define dict_test(function) cmocka_unit_test_setup_teardown(function, dict_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dict_test(initial_fills_a_new_dict),
        dict_test(set_says_if_the_key_is_new),
        dict_test(get_of_a_missing_key_is_key_unless_a_default_was_sent),
        dict_test(update_counts_the_new_keys),
        dict_test(update_with_a_bad_key_changes_nothing),
        dict_test(setdefault_returns_what_is_there_then),
        dict_test(delete_and_pop_remove),
        dict_test(popitem_takes_the_last_one_in),
        dict_test(contains_len_and_clear),
        dict_test(order_is_that_of_insertion),
        dict_test(incr_adds_atomically_and_starts_at_initial),
        dict_test(incr_refuses_what_is_no_number_or_does_not_fit),
        dict_test(cas_changes_only_what_is_expected),
        dict_test(wait_returns_once_the_key_is_there),
        dict_test(scan_shows_each_key_that_stays_once),
        dict_test(scan_takes_at_most_count_at_a_time),
        dict_test(scan_of_a_small_dict_is_done_in_one_step),
        dict_test(large_dict_keeps_all_and_gives_memory_back),
    };
    return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
