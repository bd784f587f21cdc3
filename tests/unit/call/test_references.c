/* References to objects in stored values: what they keep alive, and what lets go of it. */
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

static uint64_t objects(const struct stage *stage)
{
    return stage->service.accounts.objects;
}

static void scoped_object_lives_in_a_value_and_goes_with_it(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['l']", "_map");
    check(a, "queue.open", "[nil]", "{name: '#1', lifetime: 'scoped', ...}");
    check(a, "list.append", "['l', {q: ext(1, '#1')}]", "1");
    check(a, "object.close", "['#1']", "nil");
    check(a, "queue.put", "['#1', 5]", "nil");
    check(a, "list.set", "['l', 0, 'other']", "nil");
    check_error(a, "queue.qsize", "['#1']", "NOT_FOUND");
    actor_leave(a);
}

static void getting_a_reference_opens_the_object(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "dict.open", "['inner', {lifetime: 'scoped'}]", "_map");
    check(a, "queue.put", "['q', [ext(1, 'inner')]]", "nil");
    check(b, "queue.get", "['q']", "[[ext(1, 'inner')], nil, 1]");
    actor_leave(a);
    check(b, "dict.set", "['inner', 1, 2]", "true");
    check(b, "session.describe", "[]", "{open: ['inner'], ...}");
    check(b, "object.close", "['inner']", "nil");
    check_error(b, "dict.len", "['inner']", "NOT_FOUND");
    actor_leave(b);
}

static void list_of_dicts_of_queues_goes_as_a_whole(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "list.open", "[nil]", "{name: '#1', ...}");
    check(a, "dict.open", "[nil]", "{name: '#2', ...}");
    check(a, "queue.open", "[nil]", "{name: '#3', ...}");
    check(a, "dict.set", "['#2', 'q', ext(1, '#3')]", "true");
    check(a, "list.append", "['#1', ext(1, '#2')]", "1");
    check(a, "object.close", "['#3']", "nil");
    check(a, "object.close", "['#2']", "nil");
    assert_int_equal(objects(stage), 3);
    check(a, "object.close", "['#1']", "nil");
    assert_int_equal(objects(stage), 0);
    actor_leave(a);
}

static void container_that_holds_itself_goes_when_it_is_cleared_or_deleted(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    check(a, "list.append", "['s', ext(1, 's')]", "1");
    check(a, "object.close", "['s']", "nil");
    assert_int_equal(objects(stage), 1);
    check(a, "list.clear", "['s']", "nil");
    assert_int_equal(objects(stage), 0);
    check(a, "dict.open", "['d', {lifetime: 'scoped'}]", "_map");
    check(a, "dict.set", "['d', 'me', ext(1, 'd')]", "true");
    check(a, "object.delete", "['d']", "nil");
    assert_int_equal(objects(stage), 0);
    actor_leave(a);
}

static void reference_to_nothing_is_just_a_value(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['l']", "_map");
    check(a, "list.append", "['l', ext(1, 'nobody')]", "1");
    check(a, "list.get", "['l', 0]", "ext(1, 'nobody')");
    check(a, "list.contains", "['l', ext(1, 'nobody')]", "true");
    check(a, "server.ping", "[ext(1, 'l')]", "ext(1, 'l')");
    check_error(a, "list.append", "['l', ext(2, '\\x00')]", "BAD_REQUEST");
    actor_leave(a);
}

static void put_that_waits_keeps_what_it_refers_to(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    uint32_t put = actor_send(b, "queue.put", "['q', ext(1, 's')]");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check_answer(b, put, "nil");
    check(a, "object.close", "['s']", "nil");
    check(a, "list.len", "['s']", "0");
    actor_leave(b);
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scoped_object_lives_in_a_value_and_goes_with_it),
        TEST(getting_a_reference_opens_the_object),
        TEST(list_of_dicts_of_queues_goes_as_a_whole),
        TEST(container_that_holds_itself_goes_when_it_is_cleared_or_deleted),
        TEST(reference_to_nothing_is_just_a_value),
        TEST(put_that_waits_keeps_what_it_refers_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
