/*
 * A sealed object: calls on it are INTERNAL, those that wait on it end, it can be described and
 * deleted, and everything else goes on.
 */
#include "tests/support/stage.h"

static unsigned told;

static void tell(void *data, const struct object *object, const char *what)
{
    assert_ptr_equal(data, &told);
    assert_string_equal(what, "a test says so");
    told++;
}

static int set_up(void **state)
{
    struct stage *stage = stage_new();
    told = 0;
    stage->service.registry.listener = (struct fault_listener){tell, &told};
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

static void seal(struct stage *stage, const char *name)
{
    struct object *object = registry_find(&stage->service.registry, slice_of_string(name));
    assert_non_null(object);
    object_seal(object, "a test says so");
    assert_int_equal(told, 1);
    service_drain(&stage->service);
    stage_finish(stage);
}

static void calls_are_internal_and_others_go_on(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.open", "['other']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    seal(*state, "q");
    check_error(a, "queue.put", "['q', 1]", "INTERNAL");
    check_error(a, "queue.get", "['q']", "INTERNAL");
    check_error(a, "queue.open", "['q']", "INTERNAL");
    check_error(a, "queue.get_any", "[['other', 'q'], 0]", "INTERNAL");
    check_error(a, "dict.get", "['q', 1]", "INTERNAL");
    check(a, "queue.put", "['other', 2]", "nil");
    check(a, "queue.get", "['other']", "[2, nil, 1]");
    check(a, "object.describe", "['q']", "{type: 'queue', sealed: true, size: 1, ...}");
    check(a, "server.stats", "[]", "{faults: 1, ...}");
    check(a, "object.delete", "['q']", "nil");
    check(a, "queue.open", "['q']", "{size: 0, ...}");
    check(a, "queue.put", "['q', 1]", "nil");
    actor_leave(a);
}

static void those_who_wait_on_it_end(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true, maxsize: 1}]", "_map");
    check(a, "queue.open", "['other']", "_map");
    uint32_t first = actor_send(a, "queue.get", "['q']");
    uint32_t second = actor_send(b, "queue.get", "['q', 1000]");
    uint32_t any = actor_send(b, "queue.get_any", "[['other', 'q']]");
    uint32_t elsewhere = actor_send(b, "queue.get", "['other']");
    seal(*state, "q");
    check_refused(a, first, "INTERNAL");
    check_refused(b, second, "INTERNAL");
    check_refused(b, any, "INTERNAL");
    check_waits(b, elsewhere);
    check(a, "queue.put", "['other', 2]", "nil");
    check_answer(b, elsewhere, "[2, nil, 1]");
    stage_advance(*state, 2000);
    actor_leave(a);
    actor_leave(b);
}

static void those_who_wait_for_keys_of_their_own_end_too(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "dict.open", "['d']", "_map");
    uint32_t first = actor_send(a, "dict.wait", "['d', 1]");
    uint32_t second = actor_send(a, "dict.wait", "['d', 2]");
    seal(*state, "d");
    check_refused(a, first, "INTERNAL");
    check_refused(a, second, "INTERNAL");
    actor_leave(a);
}

static void a_session_that_holds_something_of_it_can_end(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true, lease_ms: 10}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check(b, "queue.get_many", "['q', 2]", "_array");
    seal(*state, "q");
    stage_advance(*state, 20); /* its leases do not end any more */
    actor_leave(b);
    check(a, "object.describe", "['q', true]", "{sealed: true, taken: 2, holds: [], ...}");
    actor_leave(a);
}

static void a_plain_item_that_did_not_leave_does_not_come_back_to_it(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    (void)actor_send(b, "queue.get", "['q']");
    seal(*state, "q");
    actor_vanish(b);
    check(a, "object.describe", "['q']", "{sealed: true, size: 0, ...}");
    actor_leave(a);
}

static void dead_letters_do_not_go_there(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['dead']", "_map");
    check(a, "queue.open", "['q', {joinable: true, max_deliveries: 1, dead_letter: 'dead'}]",
          "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.get", "['q']", "[1, 1, 1]");
    seal(*state, "dead");
    check(a, "queue.give_back", "['q', 1]", "nil");
    check(a, "object.describe", "['q']", "{dropped: 1, ...}");
    check_error(a, "condition.open", "['c', {lock: 'dead'}]", "INTERNAL");
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_are_internal_and_others_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_who_wait_on_it_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_who_wait_for_keys_of_their_own_end_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_session_that_holds_something_of_it_can_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_plain_item_that_did_not_leave_does_not_come_back_to_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(dead_letters_do_not_go_there, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
