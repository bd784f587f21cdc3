/* list.*: every row of its table except slices, which are in test_list_slice.c. */
#include "tests/support/daemon.h"

static int list_setup(void **state)
{
    (void)daemon_setup(state);
    expect(daemon_client(*state), "list.open", "['l']", "_map");
    return 0;
}

static struct rpc *first(void **state)
{
    return ((struct daemon *)*state)->clients[0];
}

/* The list becomes `values`. */
static void fill(struct rpc *c, const char *values)
{
    expect(c, "list.clear", "['l']", "nil");
    expect(c, "list.extend", rpc_text(c, "['l', %s]", values), "_int");
}

static void initial_fills_a_new_list(void **state)
{
    struct rpc *c = first(state);
    expect(c, "list.open", "['i', {initial: [1, 'two', [3]]}]", "{size: 3, ...}");
    expect(c, "list.slice", "['i']", "[1, 'two', [3]]");
}

static void append_and_extend_return_the_new_length(void **state)
{
    struct rpc *c = first(state);
    expect(c, "list.append", "['l', 'a']", "1");
    expect(c, "list.append", "['l', [1, 2]]", "2");
    expect(c, "list.append", "['l', nil]", "3");
    expect(c, "list.extend", "['l', [4, 5]]", "5");
    expect(c, "list.extend", "['l', []]", "5");
    expect(c, "list.slice", "['l']", "['a', [1, 2], nil, 4, 5]");
    expect(c, "list.len", "['l']", "5");
    expect_error_word(c, "list.append", "['l']", "BAD_REQUEST", "value");
    expect_error_word(c, "list.extend", "['l', 5]", "BAD_REQUEST", "values");
}

static void insert_clamps_the_index(void **state)
{
    struct rpc *c = first(state);
    static const char *const cases[][2] = {
        {"0", "['x', 1, 2, 3]"},
        {"1", "[1, 'x', 2, 3]"},
        {"3", "[1, 2, 3, 'x']"},
        {"99", "[1, 2, 3, 'x']"},
        {"-1", "[1, 2, 'x', 3]"},
        {"-3", "['x', 1, 2, 3]"},
        {"-99", "['x', 1, 2, 3]"},
        {"9223372036854775807", "[1, 2, 3, 'x']"},
        {"-9223372036854775808", "['x', 1, 2, 3]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fill(c, "[1, 2, 3]");
        expect(c, "list.insert", rpc_text(c, "['l', %s, 'x']", cases[i][0]), "nil");
        expect(c, "list.slice", "['l']", cases[i][1]);
    }
}

static void get_set_delete_and_pop_count_from_either_end(void **state)
{
    struct rpc *c = first(state);
    fill(c, "['a', 'b', 'c']");
    expect(c, "list.get", "['l', 0]", "'a'");
    expect(c, "list.get", "['l', 2]", "'c'");
    expect(c, "list.get", "['l', -1]", "'c'");
    expect(c, "list.get", "['l', -3]", "'a'");
    expect(c, "list.set", "['l', -2, 'B']", "nil");
    expect(c, "list.set", "['l', 0, nil]", "nil");
    expect(c, "list.slice", "['l']", "[nil, 'B', 'c']");
    expect(c, "list.pop", "['l', 0]", "nil");
    expect(c, "list.pop", "['l', -2]", "'B'");
    expect(c, "list.pop", "['l', nil]", "'c'");
    fill(c, "[1, 2, 3, 4]");
    expect(c, "list.pop", "['l']", "4");
    expect(c, "list.delete", "['l', 1]", "nil");
    expect(c, "list.delete", "['l', -1]", "nil");
    expect(c, "list.slice", "['l']", "[1]");
}

static void index_out_of_range_is_index(void **state)
{
    struct rpc *c = first(state);
    static const char *const outside[] = {"3", "-4", "9223372036854775807", "-9223372036854775808"};
    fill(c, "[1, 2, 3]");
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        expect_error(c, "list.get", rpc_text(c, "['l', %s]", outside[i]), "INDEX");
        expect_error(c, "list.set", rpc_text(c, "['l', %s, 0]", outside[i]), "INDEX");
        expect_error(c, "list.delete", rpc_text(c, "['l', %s]", outside[i]), "INDEX");
        expect_error(c, "list.pop", rpc_text(c, "['l', %s]", outside[i]), "INDEX");
        expect_error(c, "list.incr", rpc_text(c, "['l', %s]", outside[i]), "INDEX");
    }
    expect(c, "list.slice", "['l']", "[1, 2, 3]");
    expect(c, "list.clear", "['l']", "nil");
    expect_error(c, "list.pop", "['l']", "INDEX");
    expect_error(c, "list.get", "['l', 0]", "INDEX");
    expect_error(c, "list.get", "['l', -1]", "INDEX");
}

static void index_finds_the_first_equal_value(void **state)
{
    struct rpc *c = first(state);
    fill(c, "['a', 'b', 1, 1.0, true, '1', 'b', [1, {k: 2}]]");
    expect(c, "list.index", "['l', 'b']", "1");
    expect(c, "list.index", "['l', 1]", "2");
    expect(c, "list.index", "['l', 1.0]", "3");
    expect(c, "list.index", "['l', true]", "4");
    expect(c, "list.index", "['l', '1']", "5");
    expect(c, "list.index", "['l', [1, {k: 2}]]", "7");
    expect(c, "list.index", "['l', <cd 00 01>]", "2");
    expect_error(c, "list.index", "['l', b'b']", "VALUE");
    expect_error(c, "list.index", "['l', nil]", "VALUE");
}

static void index_searches_between_start_and_stop(void **state)
{
    struct rpc *c = first(state);
    fill(c, "['a', 'b', 'c', 'b']");
    expect(c, "list.index", "['l', 'b', 2]", "3");
    expect(c, "list.index", "['l', 'b', -1]", "3");
    expect(c, "list.index", "['l', 'b', -99, 99]", "1");
    expect(c, "list.index", "['l', 'b', nil, nil]", "1");
    expect(c, "list.index", "['l', 'b', 1, 2]", "1");
    expect(c, "list.index", "['l', 'c', 0, -1]", "2");
    expect_error(c, "list.index", "['l', 'b', 2, 3]", "VALUE");
    expect_error(c, "list.index", "['l', 'b', 0, 1]", "VALUE");
    expect_error(c, "list.index", "['l', 'a', 99]", "VALUE");
    expect_error(c, "list.index", "['l', 'b', 0, -3]", "VALUE");
}

static void count_contains_and_remove_use_equality(void **state)
{
    struct rpc *c = first(state);
    fill(c, "[1, 2, <cc 01>, 1.0, '1', f32(1.0), 1]");
    expect(c, "list.count", "['l', 1]", "3");
    expect(c, "list.count", "['l', 1.0]", "2");
    expect(c, "list.count", "['l', 9]", "0");
    expect(c, "list.contains", "['l', '1']", "true");
    expect(c, "list.contains", "['l', b'1']", "false");
    expect(c, "list.remove", "['l', 1]", "nil");
    expect(c, "list.slice", "['l']", "[2, 1, 1.0, '1', 1.0, 1]");
    expect(c, "list.remove", "['l', '1']", "nil");
    expect_error(c, "list.remove", "['l', '1']", "VALUE");
    expect(c, "list.slice", "['l']", "[2, 1, 1.0, 1.0, 1]");
}

static void reverse_turns_the_list_around(void **state)
{
    struct rpc *c = first(state);
    expect(c, "list.reverse", "['l']", "nil");
    fill(c, "[1, 'b', [3], 4]");
    expect(c, "list.reverse", "['l']", "nil");
    expect(c, "list.slice", "['l']", "[4, [3], 'b', 1]");
}

static void sort_orders_numbers_by_number_and_strings_by_bytes(void **state)
{
    struct rpc *c = first(state);
    fill(c, "[3, -1, 2.5, 18446744073709551615, -0.5, 0]");
    expect(c, "list.sort", "['l']", "nil");
    expect(c, "list.slice", "['l']", "[-1, -0.5, 0, 2.5, 3, 18446744073709551615]");
    fill(c, "['b', 'a', 'B', 'aa', '', 'ä', 'z']");
    expect(c, "list.sort", "['l', false]", "nil");
    expect(c, "list.slice", "['l']", "['', 'B', 'a', 'aa', 'b', 'z', 'ä']");
    fill(c, "[b'\\xff', b'\\x00', b'']");
    expect(c, "list.sort", "['l', nil]", "nil");
    expect(c, "list.slice", "['l']", "[b'', b'\\x00', b'\\xff']");
    fill(c, "[9007199254740993, 9007199254740992.0, 9007199254740991]");
    expect(c, "list.sort", "['l']", "nil");
    expect(c, "list.slice", "['l']", "[9007199254740991, 9007199254740992.0, 9007199254740993]");
}

static void sort_is_stable_in_both_directions(void **state)
{
    struct rpc *c = first(state);
    fill(c, "[2, 1.0, 1, 2.0, <cd 00 01>, 0]");
    expect(c, "list.sort", "['l']", "nil");
    expect_bytes(c, "list.slice", "['l']", "[0, 1.0, 1, <cd 00 01>, 2, 2.0]");
    fill(c, "[2, 1.0, 1, 2.0, <cd 00 01>, 0]");
    expect(c, "list.sort", "['l', true]", "nil");
    expect_bytes(c, "list.slice", "['l']", "[2, 2.0, 1.0, 1, <cd 00 01>, 0]");
}

static void sort_of_mixed_kinds_is_type_and_changes_nothing(void **state)
{
    struct rpc *c = first(state);
    static const char *const mixed[] = {"[2, 1, 'a']",
                                        "['b', b'a']",
                                        "[true, false]",
                                        "[[2], [1]]",
                                        "[nil, 1]",
                                        "[{}, {}]",
                                        "[ext(5, 'b'), ext(5, 'a')]"};
    for (size_t i = 0; i < sizeof(mixed) / sizeof(mixed[0]); i++) {
        fill(c, mixed[i]);
        expect_error(c, "list.sort", "['l']", "TYPE");
        expect(c, "list.slice", "['l']", mixed[i]);
    }
}

static void repeat_multiplies_in_place(void **state)
{
    struct rpc *c = first(state);
    fill(c, "[1, 'b']");
    expect(c, "list.repeat", "['l', 3]", "nil");
    expect(c, "list.slice", "['l']", "[1, 'b', 1, 'b', 1, 'b']");
    expect(c, "list.repeat", "['l', 1]", "nil");
    expect(c, "list.len", "['l']", "6");
    expect(c, "list.repeat", "['l', 0]", "nil");
    expect(c, "list.len", "['l']", "0");
    fill(c, "[1]");
    expect(c, "list.repeat", "['l', -5]", "nil");
    expect(c, "list.len", "['l']", "0");
    expect(c, "list.repeat", "['l', 9223372036854775807]", "nil");
    expect(c, "list.len", "['l']", "0");
}

static void repeat_without_bound_is_refused(void **state)
{
    struct rpc *c = first(state);
    fill(c, "['x'*1000]*10");
    struct reply *reply = rpc_call(c, "list.repeat", "['l', 9223372036854775807]");
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_ARRAY);
    reply_free(reply);
    reply = rpc_call(c, "list.repeat", "['l', 1000000000000]");
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_ARRAY);
    reply_free(reply);
    expect(c, "list.len", "['l']", "10");
}

static void incr_adds_to_the_number_at_an_index(void **state)
{
    struct rpc *c = first(state);
    fill(c, "[1, 'x', 18446744073709551615, 0.5, -9223372036854775808]");
    expect(c, "list.incr", "['l', 0]", "2");
    expect(c, "list.incr", "['l', 0, -7]", "-5");
    expect(c, "list.incr", "['l', -2, 1]", "1.5");
    expect(c, "list.incr", "['l', 0, 0.5]", "-4.5");
    expect_error(c, "list.incr", "['l', 1]", "TYPE");
    expect_error(c, "list.incr", "['l', 2]", "RANGE");
    expect_error(c, "list.incr", "['l', -1, -1]", "RANGE");
    expect(c, "list.slice", "['l']",
           "[-4.5, 'x', 18446744073709551615, 1.5, -9223372036854775808]");
}

static void large_list_keeps_all_and_gives_memory_back(void **state)
{
    struct rpc *c = first(state);
    for (int i = 0; i < 100; i++) {
        expect(c, "list.extend", rpc_text(c, "['l', [%d]*1000]", i),
               rpc_text(c, "%d", i * 1000 + 1000));
    }
    int64_t full = rpc_number(c, "object.describe", "['l']", "bytes");
    expect(c, "list.get", "['l', 54321]", "54");
    expect(c, "list.slice", "['l', 999, 1001]", "[0, 1]");
    expect(c, "list.index", "['l', 99]", "99000");
    expect(c, "list.delete_slice", "['l', 1]", "nil");
    expect(c, "list.slice", "['l']", "[0]");
    assert_true(rpc_number(c, "object.describe", "['l']", "bytes") < full / 2);
}

#define list_test(function) cmocka_unit_test_setup_teardown(function, list_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        list_test(initial_fills_a_new_list),
        list_test(append_and_extend_return_the_new_length),
        list_test(insert_clamps_the_index),
        list_test(get_set_delete_and_pop_count_from_either_end),
        list_test(index_out_of_range_is_index),
        list_test(index_finds_the_first_equal_value),
        list_test(index_searches_between_start_and_stop),
        list_test(count_contains_and_remove_use_equality),
        list_test(reverse_turns_the_list_around),
        list_test(sort_orders_numbers_by_number_and_strings_by_bytes),
        list_test(sort_is_stable_in_both_directions),
        list_test(sort_of_mixed_kinds_is_type_and_changes_nothing),
        list_test(repeat_multiplies_in_place),
        list_test(repeat_without_bound_is_refused),
        list_test(incr_adds_to_the_number_at_an_index),
        list_test(large_list_keeps_all_and_gives_memory_back),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
