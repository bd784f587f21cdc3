/* What is done after each call and when time has passed: how many are asked, and in which steps. */
#include "tests/unit/call/at_work.h"

static void wakeup_asks_only_those_whose_key_was_set(void **state)
{
    enum { KEYS = 16000 };
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    char params[32];
    stage->service.accounts.limits.max_waiting = KEYS;
    check(a, "dict.open", "['d']", "_map");
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(params, sizeof(params), "['d', %u]", i);
        (void)actor_send(a, "dict.wait", params);
    }
    assert_int_equal(stage->service.waiting, KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(params, sizeof(params), "['d', %u, %u]", KEYS - 1 - i, i);
        check(b, "dict.set", params, "true");
        actor_forget(b);
        check_answer(a, KEYS + 1 - i, "_int"); /* the open was the first */
        actor_forget(a);
    }
    assert_int_equal(stage->service.waiting, 0);
    /* Now and then two of so many keys have the same hash of 32 bits. */
    assert_in_range(stage->service.retries, KEYS, KEYS + 10);
    actor_leave(a);
    actor_leave(b);
}

static void key_set_for_nobody_asks_nobody(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "dict.open", "['d']", "_map");
    uint32_t wait = actor_send(a, "dict.wait", "['d', 'x']");
    check(a, "dict.set", "['d', 'y', 1]", "true");
    check(a, "dict.set", "['d', 'z', 1]", "true");
    assert_int_equal(stage->service.retries, 0);
    check_waits(a, wait);
    actor_leave(a);
}

static void one_item_asks_one_getter(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    for (unsigned i = 0; i < 300; i++) {
        (void)actor_send(a, "queue.get", "['q']");
    }
    check(a, "queue.put", "['q', 1]", "nil");
    assert_in_range(stage->service.retries, 1, 4); /* and, after each change, the next */
    actor_leave(a);
}

/* Four sessions with so many calls each that wait for the event. */
enum { SESSIONS = 4, WAITS = 250 };

static void wait_for_event(struct stage *stage, struct actor *actors[SESSIONS])
{
    for (unsigned i = 0; i < SESSIONS; i++) {
        actors[i] = actor_new(stage, 0);
        check(actors[i], "event.open", "['e']", "_map");
        for (unsigned k = 0; k < WAITS; k++) {
            (void)actor_send(actors[i], "event.wait", k % 2 == 0 ? "['e']" : "['e', 50]");
        }
    }
}

static void all_who_wait_for_an_event_see_it_whatever_comes_in_between(void **state)
{
    struct stage *stage = *state;
    struct actor *actors[SESSIONS];
    struct actor *b = actor_new(stage, 0);
    wait_for_event(stage, actors);
    stage_in_steps(stage);
    stage->by_hand = true;
    uint32_t set = actor_send(b, "event.set", "['e']");
    check_answer(b, set, "nil");
    assert_true(object_is_busy(stage_object(stage, "e"))); /* too many for one go */
    assert_true(stage->service.waiting > 0);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(stage_step(stage));
    }
    uint32_t clear = actor_send(b, "event.clear", "['e']");
    uint32_t later = actor_send(b, "event.wait", "['e', 20]");
    stage_advance(stage, 100); /* time is up for half of them, but the event has been set */
    actor_begin_leave(actors[3]);
    check_waits(b, clear);
    stage_finish(stage);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < WAITS; k++) {
            check_answer(actors[i], 2 + k, "true");
        }
    }
    check_answer(b, clear, "nil");
    stage_advance(stage, 0);
    check_answer(b, later, "false"); /* it came after the clear */
    check(b, "event.is_set", "['e']", "false");
    assert_int_equal(stage->service.waiting, 0);
    stage->by_hand = false;
    for (unsigned i = 0; i < 3; i++) {
        actor_leave(actors[i]);
    }
    actor_leave(b);
}

static void waits_can_be_cancelled_while_they_are_served(void **state)
{
    struct stage *stage = *state;
    struct actor *actors[SESSIONS];
    wait_for_event(stage, actors);
    stage_in_steps(stage);
    stage->by_hand = true;
    (void)actor_send(actors[0], "event.set", "['e']");
    struct actor *last = actors[3];
    const struct wait *next = stage_object(stage, "e")->cursor;
    for (unsigned i = 0; next == NULL && i < 3; i++) {
        assert_true(stage_step(stage));
        next = stage_object(stage, "e")->cursor;
    }
    assert_non_null(next); /* the one that is next goes: asking goes on behind it */
    call_cancel(next->call, ERR_CANCELLED, "it was next");
    char params[32];
    (void)snprintf(params, sizeof(params), "[%u]", WAITS + 1);
    actor_notify(last, "cancel", params);
    check_refused(last, WAITS + 1, "CANCELLED");
    stage_finish(stage);
    assert_int_equal(stage->service.waiting, 0);
    check_answer(last, WAITS, "true");
    stage->by_hand = false;
    for (unsigned i = 0; i < SESSIONS; i++) {
        actor_leave(actors[i]);
    }
}

static void object_deleted_while_its_waits_are_served_ends_the_rest(void **state)
{
    struct stage *stage = *state;
    struct actor *actors[SESSIONS];
    struct actor *b = actor_new(stage, 0);
    wait_for_event(stage, actors);
    stage_in_steps(stage);
    stage->by_hand = true;
    (void)actor_send(b, "event.set", "['e']");
    assert_true(stage_step(stage));
    service_delete(&stage->service, stage_object(stage, "e"), NULL);
    service_drain(&stage->service);
    stage_finish(stage);
    assert_int_equal(stage->service.waiting, 0);
    check_answer(actors[0], 2, "true");
    check_refused(actors[3], WAITS + 1, "DELETED");
    stage->by_hand = false;
    for (unsigned i = 0; i < SESSIONS; i++) {
        actor_leave(actors[i]);
    }
    actor_leave(b);
}

static void tick_ends_so_many_and_the_rest_the_next_time(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    for (unsigned i = 0; i < TICK_MOST * 2 + 44; i++) {
        (void)actor_send(a, "queue.get", "['q', 50]");
    }
    stage_advance(stage, 50);
    assert_int_equal(stage->service.waiting, TICK_MOST + 44);
    assert_true(service_due(&stage->service) <= stage->now);
    stage_advance(stage, 0);
    assert_int_equal(stage->service.waiting, 44);
    stage_advance(stage, 0);
    assert_int_equal(stage->service.waiting, 0);
    assert_int_equal(service_due(&stage->service), UINT64_MAX);
    check_refused(a, 2, "EMPTY");
    actor_leave(a);
}

static void deadline_of_an_object_at_work_is_looked_at_after_that(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct work work;
    check(a, "queue.open", "['q', {joinable: true, lease_ms: 50}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.get", "['q']", "[1, 1, 1]");
    work_begin(&work, stage, "q");
    stage_advance(stage, 100);
    assert_int_equal(service_due(&stage->service), UINT64_MAX); /* it does not spin meanwhile */
    work_end(&work);
    stage_finish(stage);
    assert_true(service_due(&stage->service) <= stage->now);
    stage_advance(stage, 0);
    stage_finish(stage);
    check(a, "queue.get", "['q', 0]", "[1, _, 2]");
    stage->by_hand = false;
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wakeup_asks_only_those_whose_key_was_set),
        TEST(key_set_for_nobody_asks_nobody),
        TEST(one_item_asks_one_getter),
        TEST(all_who_wait_for_an_event_see_it_whatever_comes_in_between),
        TEST(waits_can_be_cancelled_while_they_are_served),
        TEST(object_deleted_while_its_waits_are_served_ends_the_rest),
        TEST(tick_ends_so_many_and_the_rest_the_next_time),
        TEST(deadline_of_an_object_at_work_is_looked_at_after_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
