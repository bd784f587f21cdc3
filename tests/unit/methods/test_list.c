/* The list's methods, driven as whole calls: each row of the table and its errors. */
#include "tests/support/stage.h"

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

/* A session with the list 'l' open, [0, 1, 2, 3, 4]. */
static struct actor *with_list(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['l', {initial: [0, 1, 2, 3, 4]}]",
          "{type: 'list', name: 'l', size: 5, ...}");
    return a;
}

static void check_list(struct actor *a, const char *values)
{
    check(a, "list.slice", "['l']", values);
}

static void list_open_sets_the_initial_values_only_once(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.open", "['l', {initial: [7]}]", "{size: 5, ...}");
    check(a, "list.open", "['m']", "{size: 0, bytes: 0, ...}");
    check_error(a, "list.open", "['n', {initial: {}}]", "BAD_REQUEST");
    check_error(a, "list.open", "['n', {inital: []}]", "BAD_REQUEST");
    check_error(a, "dict.open", "['l']", "WRONG_TYPE");
    actor_leave(a);
}

static void list_append_and_extend_return_the_new_length(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.append", "['l', {x: 'y'*5000}]", "6");
    check(a, "list.extend", "['l', [nil, 'z']]", "8");
    check(a, "list.extend", "['l', []]", "8");
    check(a, "list.len", "['l']", "8");
    check_list(a, "[0, 1, 2, 3, 4, {x: 'y'*5000}, nil, 'z']");
    check_error(a, "list.extend", "['l', 5]", "BAD_REQUEST");
    actor_leave(a);
}

static void list_insert_clamps_its_index(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.insert", "['l', 1, 'a']", "nil");
    check(a, "list.insert", "['l', -1, 'b']", "nil");
    check(a, "list.insert", "['l', 100, 'c']", "nil");
    check(a, "list.insert", "['l', -100, 'd']", "nil");
    check_list(a, "['d', 0, 'a', 1, 2, 3, 'b', 4, 'c']");
    check_error(a, "list.insert", "['l', nil, 1]", "BAD_REQUEST");
    actor_leave(a);
}

static void list_get_set_and_delete_go_by_index(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.get", "['l', 1]", "1");
    check(a, "list.get", "['l', -1]", "4");
    check(a, "list.set", "['l', -5, <cd 00 09>]", "nil");
    check(a, "list.delete", "['l', 1]", "nil");
    check(a, "list.delete", "['l', -1]", "nil");
    check_list(a, "[9, 2, 3]");
    check_error(a, "list.get", "['l', 3]", "INDEX");
    check_error(a, "list.set", "['l', -4, 1]", "INDEX");
    check_error(a, "list.delete", "['l', 9223372036854775807]", "INDEX");
    check_error(a, "list.delete", "['l', 9223372036854775808]", "BAD_REQUEST");
    actor_leave(a);
}

static void list_pop_takes_the_last_or_the_one_at_an_index(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.append", "['l', 'x'*5000]", "6");
    check(a, "list.pop", "['l']", "'x'*5000");
    check(a, "list.pop", "['l', 0]", "0");
    check(a, "list.pop", "['l', -2]", "3");
    check(a, "list.pop", "['l', nil]", "4");
    check_error(a, "list.pop", "['l', 2]", "INDEX");
    check(a, "list.clear", "['l']", "nil");
    check_error(a, "list.pop", "['l']", "INDEX");
    actor_leave(a);
}

static void list_slice_follows_the_rules_of_python(void **state)
{
    struct actor *a = with_list(state);
    check_list(a, "[0, 1, 2, 3, 4]");
    check(a, "list.slice", "['l', 1, 3]", "[1, 2]");
    check(a, "list.slice", "['l', nil, -1]", "[0, 1, 2, 3]");
    check(a, "list.slice", "['l', nil, nil, -2]", "[4, 2, 0]");
    check(a, "list.slice", "['l', 3, 1]", "[]");
    check(a, "list.slice", "['l', -100, 100, 2]", "[0, 2, 4]");
    check_error(a, "list.slice", "['l', 0, 1, 0]", "VALUE");
    check_error(a, "list.slice", "['l', 0.5]", "BAD_REQUEST");
    actor_leave(a);
}

static void list_set_slice_follows_the_rules_of_python(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.set_slice", "['l', 1, 3, nil, ['a', 'b', 'c']]", "nil");
    check_list(a, "[0, 'a', 'b', 'c', 3, 4]");
    check(a, "list.set_slice", "['l', nil, nil, -2, ['x', 'y', 'z']]", "nil");
    check_list(a, "[0, 'z', 'b', 'y', 3, 'x']");
    check_error(a, "list.set_slice", "['l', nil, nil, 2, [1, 2]]", "VALUE");
    check_error(a, "list.set_slice", "['l', nil, nil, 0, []]", "VALUE");
    check_error(a, "list.set_slice", "['l', nil, nil, nil, nil]", "BAD_REQUEST");
    check_error(a, "list.set_slice", "['l', nil, nil, nil]", "BAD_REQUEST");
    check(a, "list.set_slice", "['l', nil, nil, nil, []]", "nil");
    check_list(a, "[]");
    actor_leave(a);
}

static void list_delete_slice_removes_what_slice_shows(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.delete_slice", "['l', nil, nil, 2]", "nil");
    check_list(a, "[1, 3]");
    check(a, "list.delete_slice", "['l', -1]", "nil");
    check_list(a, "[1]");
    check_error(a, "list.delete_slice", "['l', nil, nil, 0]", "VALUE");
    check(a, "list.delete_slice", "['l']", "nil");
    check(a, "object.describe", "['l']", "{size: 0, ...}");
    actor_leave(a);
}

static void list_looks_for_equal_values(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.extend", "['l', [1, 1.0, '1', [1]]]", "9");
    check(a, "list.index", "['l', <cd 00 01>]", "1");
    check(a, "list.index", "['l', 1, 2]", "5");
    check(a, "list.index", "['l', 1, -4, -1]", "5");
    check(a, "list.index", "['l', [<d3 00 00 00 00 00 00 00 01>]]", "8");
    check_error(a, "list.index", "['l', 1, 2, 5]", "VALUE");
    check_error(a, "list.index", "['l', 'no']", "VALUE");
    check(a, "list.count", "['l', 1]", "2");
    check(a, "list.count", "['l', f32(1.0)]", "1");
    check(a, "list.contains", "['l', '1']", "true");
    check(a, "list.contains", "['l', true]", "false");
    check(a, "list.remove", "['l', 1]", "nil");
    check_list(a, "[0, 2, 3, 4, 1, 1.0, '1', [1]]");
    check_error(a, "list.remove", "['l', 'no']", "VALUE");
    actor_leave(a);
}

static void list_reverse_and_sort_are_in_place(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.reverse", "['l']", "nil");
    check_list(a, "[4, 3, 2, 1, 0]");
    check(a, "list.append", "['l', 2.5]", "6");
    check(a, "list.sort", "['l']", "nil");
    check_list(a, "[0, 1, 2, 2.5, 3, 4]");
    check(a, "list.sort", "['l', true]", "nil");
    check_list(a, "[4, 3, 2.5, 2, 1, 0]");
    check(a, "list.append", "['l', 'x']", "7");
    check_error(a, "list.sort", "['l']", "TYPE");
    check_list(a, "[4, 3, 2.5, 2, 1, 0, 'x']");
    check_error(a, "list.sort", "['l', 1]", "BAD_REQUEST");
    actor_leave(a);
}

static void list_repeat_is_in_place(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.repeat", "['l', 2]", "nil");
    check_list(a, "[0, 1, 2, 3, 4, 0, 1, 2, 3, 4]");
    check_error(a, "list.repeat", "['l', 9223372036854775807]", "TOO_LARGE");
    check_error(a, "list.repeat", "['l', 200000000]", "LIMIT");
    check(a, "list.repeat", "['l', 0]", "nil");
    check_list(a, "[]");
    actor_leave(a);
}

static void list_incr_adds_atomically(void **state)
{
    struct actor *a = with_list(state);
    check(a, "list.incr", "['l', -1]", "5");
    check(a, "list.incr", "['l', 0, -300]", "-300");
    check(a, "list.incr", "['l', 1, 0.5]", "1.5");
    check_list(a, "[-300, 1.5, 2, 3, 5]");
    check_error(a, "list.incr", "['l', 5]", "INDEX");
    check(a, "list.set", "['l', 0, 'x']", "nil");
    check_error(a, "list.incr", "['l', 0]", "TYPE");
    check(a, "list.set", "['l', 0, -9223372036854775808]", "nil");
    check_error(a, "list.incr", "['l', 0, -1]", "RANGE");
    check(a, "list.get", "['l', 0]", "-9223372036854775808");
    actor_leave(a);
}

static void list_over_its_users_bytes_is_a_limit_and_changes_nothing(void **state)
{
    only_here(*state, "an engine has no quotas");
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    stage->service.accounts.limits.max_user_bytes = 60000;
    check(a, "list.open", "['l', {initial: [1, 2]}]", "_map");
    check_error(a, "list.append", "['l', 'x'*70000]", "LIMIT");
    check_error(a, "list.insert", "['l', 0, 'x'*70000]", "LIMIT");
    check_error(a, "list.extend", "['l', [3, 'x'*70000]]", "LIMIT");
    check_error(a, "list.set", "['l', 0, 'x'*70000]", "LIMIT");
    check_error(a, "list.set_slice", "['l', nil, nil, nil, ['x'*70000]]", "LIMIT");
    check_error(a, "list.repeat", "['l', 100000]", "LIMIT");
    check_error(a, "list.open", "['m', {initial: ['x'*70000]}]", "LIMIT");
    check_error(a, "object.describe", "['m']", "NOT_FOUND");
    check_list(a, "[1, 2]");
    check(a, "object.delete", "['l']", "nil");
    actor_leave(a);
    assert_int_equal(stage->service.accounts.bytes, 0);
}

static void list_answers_over_the_limit_are_too_large(void **state)
{
    struct stage *stage = *state;
    struct actor *a = with_list(state);
    check(a, "list.extend", "['l', ['x'*60000, 'y'*60000]]", "7");
    stage->service.accounts.limits.max_output = 100000;
    check_error(a, "list.slice", "['l']", "TOO_LARGE");
    check(a, "list.slice", "['l', -1]", "['y'*60000]");
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(list_open_sets_the_initial_values_only_once),
        TEST(list_append_and_extend_return_the_new_length),
        TEST(list_insert_clamps_its_index),
        TEST(list_get_set_and_delete_go_by_index),
        TEST(list_pop_takes_the_last_or_the_one_at_an_index),
        TEST(list_slice_follows_the_rules_of_python),
        TEST(list_set_slice_follows_the_rules_of_python),
        TEST(list_delete_slice_removes_what_slice_shows),
        TEST(list_looks_for_equal_values),
        TEST(list_reverse_and_sort_are_in_place),
        TEST(list_repeat_is_in_place),
        TEST(list_incr_adds_atomically),
        TEST(list_over_its_users_bytes_is_a_limit_and_changes_nothing),
        TEST(list_answers_over_the_limit_are_too_large),
    };
    return cmocka_run_group_tests_name("methods of list", tests, NULL, NULL);
}
