/* The namespace's methods as whole calls: a dict whose keys are str. What they do besides is tested
 * with the dict, whose handlers they are. */
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

static void namespace_has_every_method_of_dict(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "namespace.open", "['n', {initial: {x: 1}}]",
          "{type: 'namespace', name: 'n', size: 1, ...}");
    check(a, "namespace.get", "['n', 'x']", "1");
    check(a, "namespace.get", "['n', 'y', 'none']", "'none'");
    check(a, "namespace.set", "['n', 'y', [2]]", "true");
    check(a, "namespace.update", "['n', {z: 3, x: 0}]", "1");
    check(a, "namespace.setdefault", "['n', 'w', 4]", "4");
    check(a, "namespace.incr", "['n', 'x', 5]", "5");
    check(a, "namespace.cas", "['n', 'x', [5], [6]]", "true");
    check(a, "namespace.contains", "['n', 'x']", "true");
    check(a, "namespace.len", "['n']", "4");
    check(a, "namespace.keys", "['n']", "['x', 'y', 'z', 'w']");
    check(a, "namespace.values", "['n']", "[6, [2], 3, 4]");
    check(a, "namespace.items", "['n']", "[['x', 6], ['y', [2]], ['z', 3], ['w', 4]]");
    check(a, "namespace.copy", "['n']", "{x: 6, y: [2], z: 3, w: 4}");
    check(a, "namespace.scan", "['n', 0, 1]", "{cursor: _int, items: [['x', 6]]}");
    check(a, "namespace.popitem", "['n']", "['w', 4]");
    check(a, "namespace.pop", "['n', 'z']", "3");
    check(a, "namespace.delete", "['n', 'y']", "nil");
    check_error(a, "namespace.get", "['n', 'y']", "KEY");
    check(a, "namespace.clear", "['n']", "nil");
    check(a, "namespace.len", "['n']", "0");
    actor_leave(a);
}

static void namespace_keys_are_strings(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "namespace.open", "['n']", "_map");
    check_error(a, "namespace.set", "['n', 1, 1]", "BAD_REQUEST");
    check_error(a, "namespace.get", "['n', b'x']", "BAD_REQUEST");
    check_error(a, "namespace.get", "['n', nil, 1]", "BAD_REQUEST");
    check_error(a, "namespace.update", "['n', {x: 1, 2: 3}]", "TYPE");
    check_error(a, "namespace.open", "['m', {initial: {1: 1}}]", "TYPE");
    check(a, "namespace.len", "['n']", "0");
    check(a, "namespace.set", "['n', <d9 01 78>, 1]", "true");
    check(a, "namespace.get", "['n', 'x']", "1");
    actor_leave(a);
}

static void namespace_and_dict_are_two_types(void **state)
{
    only_here(*state, "server.stats counts objects that are here");
    struct actor *a = actor_new(*state, 0);
    check(a, "namespace.open", "['n']", "_map");
    check(a, "dict.open", "['d']", "{type: 'dict', ...}");
    check_error(a, "dict.get", "['n', 'x']", "WRONG_TYPE");
    check_error(a, "namespace.get", "['d', 'x']", "WRONG_TYPE");
    check_error(a, "dict.open", "['n']", "WRONG_TYPE");
    check_error(a, "namespace.open", "['d']", "WRONG_TYPE");
    check(a, "object.list", "[{type: 'namespace'}]", "{objects: [{name: 'n', ...}], ...}");
    check(a, "server.stats", "[]", "{objects: {namespace: 1, dict: 1, ...}, ...}");
    actor_leave(a);
}

static void namespace_wait_is_ended_by_a_set(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "namespace.open", "['n']", "_map");
    uint32_t x = actor_send(a, "namespace.wait", "['n', 'x']");
    uint32_t y = actor_send(a, "namespace.wait", "['n', 'y', 5]");
    check(b, "namespace.set", "['n', 'x', 'here']", "true");
    check_answer(a, x, "'here'");
    check_waits(a, y);
    stage_advance(*state, 5);
    check_refused(a, y, "TIMEOUT");
    actor_leave(a);
    actor_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(namespace_has_every_method_of_dict),
        TEST(namespace_keys_are_strings),
        TEST(namespace_and_dict_are_two_types),
        TEST(namespace_wait_is_ended_by_a_set),
    };
    return cmocka_run_group_tests_name("methods of namespace", tests, NULL, NULL);
}
