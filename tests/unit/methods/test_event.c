/* The event's methods as whole calls. */
#include "daemon/objects/event.h"
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

static struct actor *with_event(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "event.open", "['e']", "{type: 'event', name: 'e', set: false, waiting: 0, ...}");
    return a;
}

static void event_is_set_and_cleared(void **state)
{
    struct actor *a = with_event(state);
    check(a, "event.is_set", "['e']", "false");
    check(a, "event.set", "['e']", "nil");
    check(a, "event.set", "['e']", "nil");
    check(a, "event.is_set", "['e']", "true");
    check(a, "event.open", "['e']", "{set: true, ...}");
    check(a, "event.clear", "['e']", "nil");
    check(a, "event.is_set", "['e']", "false");
    check_error(a, "event.open", "['e', {set: true}]", "BAD_REQUEST");
    check_error(a, "event.set", "['none']", "NOT_FOUND");
    actor_leave(a);
}

static void event_set_wakes_all_who_wait(void **state)
{
    struct actor *a = with_event(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t first = actor_send(a, "event.wait", "['e']");
    uint32_t second = actor_send(b, "event.wait", "['e', 100]");
    uint32_t third = actor_send(b, "event.wait", "['e']");
    check_waits(a, first);
    check(a, "event.set", "['e']", "nil");
    check(a, "event.clear", "['e']", "nil");
    check_answer(a, first, "true");
    check_answer(b, second, "true");
    check_answer(b, third, "true");
    uint32_t later = actor_send(a, "event.wait", "['e']");
    check_waits(a, later);
    check(b, "event.set", "['e']", "nil");
    check_answer(a, later, "true");
    check(a, "event.wait", "['e', 0]", "true");
    actor_leave(a);
    actor_leave(b);
}

/* As when both happen in one step, before anybody who waits is asked. */
static void event_that_is_clear_again_has_woken_those_who_waited(void **state)
{
    only_here(*state, "it reaches into the object");
    struct stage *stage = *state;
    struct actor *a = with_event(state);
    uint32_t wait = actor_send(a, "event.wait", "['e']");
    struct object *object = registry_find(&stage->service.registry, slice_of_string("e"));
    assert_true(event_object_set(event_of(object)));
    event_object_clear(event_of(object));
    service_drain(&stage->service);
    check_answer(a, wait, "true");
    check(a, "event.is_set", "['e']", "false");
    actor_leave(a);
}

static void event_wait_that_runs_out_of_time_is_false(void **state)
{
    struct actor *a = with_event(state);
    check(a, "event.wait", "['e', 0]", "false");
    uint32_t wait = actor_send(a, "event.wait", "['e', 5]");
    stage_advance(*state, 4);
    check_waits(a, wait);
    stage_advance(*state, 1);
    check_answer(a, wait, "false");
    check_error(a, "event.wait", "['e', -1]", "BAD_REQUEST");
    check(a, "object.describe", "['e']", "{waiting: 0, ...}");
    actor_leave(a);
}

static void event_wait_ends_by_cancel_and_deletion(void **state)
{
    struct actor *a = with_event(state);
    uint32_t cancelled = actor_send(a, "event.wait", "['e']");
    uint32_t deleted = actor_send(a, "event.wait", "['e']");
    actor_notify(a, "cancel", "[1]");
    actor_notify(a, "cancel", "[2]");
    check_refused(a, cancelled, "CANCELLED");
    check_waits(a, deleted);
    check(a, "object.delete", "['e']", "nil");
    check_refused(a, deleted, "DELETED");
    actor_leave(a);
}

static void event_wait_needs_the_read_bit_and_set_the_write_bit(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    struct actor *b = actor_new(*state, 2000);
    check(a, "event.open", "['e', {mode: 436}]", "{mode: 436, ...}");
    check(b, "event.wait", "['e', 0]", "false");
    check(b, "event.is_set", "['e']", "false");
    check_error(b, "event.set", "['e']", "DENIED");
    check_error(b, "event.clear", "['e']", "DENIED");
    actor_leave(a);
    actor_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(event_is_set_and_cleared),
        TEST(event_set_wakes_all_who_wait),
        TEST(event_that_is_clear_again_has_woken_those_who_waited),
        TEST(event_wait_that_runs_out_of_time_is_false),
        TEST(event_wait_ends_by_cancel_and_deletion),
        TEST(event_wait_needs_the_read_bit_and_set_the_write_bit),
    };
    return cmocka_run_group_tests_name("methods of event", tests, NULL, NULL);
}
