/* Objects that are made, deleted or given other names while a call that names them is done in
 * steps: opens and batches. */
#include "tests/unit/call/at_work.h"

#include <stdlib.h>

static void two_opens_in_steps_of_an_object_at_work_both_end(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    work_begin(&work, stage, "d");
    uint32_t first = actor_send(a, "dict.open", "['d', {initial: {1: 2}}]");
    uint32_t second = actor_send(b, "dict.open", "['d', {initial: {1: 2}}]");
    uint32_t third = actor_send(b, "queue.open", "['d', {mode: 384}]");
    for (unsigned i = 0; i < 50; i++) {
        assert_true(stage_step(stage));
    }
    work_end(&work);
    for (unsigned i = 0; i < 500 && stage_step(stage); i++) {
    }
    assert_false(stage_step(stage));
    check_answer(a, first, "_map");
    check_answer(b, second, "_map");
    check_refused(b, third, "WRONG_TYPE");
    scene_leave(a, b);
}

/* An object of the name is made while the open makes its own, and goes while that is given up. */
static void open_in_steps_ends_whatever_comes_and_goes_meanwhile(void **state)
{
    enum { STEPS = 24 };
    struct actor *a;
    struct actor *b;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    stage_in_steps(stage);
    for (int at = 0; at < STEPS * STEPS; at++) {
        stage->by_hand = true;
        uint32_t open = actor_send(a, "dict.open", "['n', {initial: {1: 2, 3: 4, 5: 6}}]");
        for (int i = 0; i < at / STEPS; i++) {
            (void)stage_step(stage);
        }
        actor_notify(b, "event.open", "['n']");
        for (int i = 0; i < at % STEPS; i++) {
            (void)stage_step(stage);
        }
        actor_notify(b, "object.rename", "['n', 'n2']");
        stage_finish(stage);
        stage->by_hand = false;
        if (session_parked(&a->session, open) == NULL) {
            actor_forget(a);
        }
        check(a, "server.ping", "[1]", "1");
        actor_notify(a, "object.delete", "['n']");
        actor_notify(a, "object.delete", "['n2']");
    }
    scene_leave(a, b);
}

static void batch_does_not_leave_a_result_out_for_an_object_made_meanwhile(void **state)
{
    struct actor *a;
    struct actor *b;
    struct work work;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    stage_in_steps(stage);
    stage->by_hand = true;
    uint32_t batch = actor_send(
        a, "atomic", "[[['server.ping', []], ['list.append', ['new', 1]], ['server.ping', []]]]");
    assert_true(stage_step(stage));
    check(b, "list.open", "['new']", "_map");
    work_begin(&work, stage, "new");
    for (int i = 0; i < 20; i++) {
        (void)stage_step(stage);
    }
    work_end(&work);
    stage_finish(stage);
    stage_expect_failure(a, batch, "['NOT_FOUND', _str, {index: 1, results: [_]}]", __FILE__,
                         __LINE__);
    scene_leave(a, b);
}

static void nothing_comes_between_the_calls_of_a_batch_on_an_object_made_meanwhile(void **state)
{
    enum { STEPS = 40 };
    struct actor *a;
    struct actor *b;
    struct stage *stage = *state;
    scene_begin(state, &a, &b);
    stage_in_steps(stage);
    for (int at = 0; at < STEPS; at++) {
        stage->by_hand = true;
        uint32_t batch = actor_send(a, "atomic",
                                    "[[['server.ping', []], ['list.append', ['new', 1]], "
                                    "['list.get', ['new', -1]]]]");
        assert_true(stage_step(stage));
        check(b, "list.open", "['new']", "_map");
        for (int i = 0; i < at; i++) {
            (void)stage_step(stage);
        }
        actor_notify(b, "list.append", "['new', 9]");
        stage_finish(stage);
        stage->by_hand = false;
        check_answer(a, batch, "[nil, _int, 1]");
        check(a, "object.delete", "['new']", "nil");
    }
    scene_leave(a, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_opens_in_steps_of_an_object_at_work_both_end),
        TEST(open_in_steps_ends_whatever_comes_and_goes_meanwhile),
        TEST(batch_does_not_leave_a_result_out_for_an_object_made_meanwhile),
        TEST(nothing_comes_between_the_calls_of_a_batch_on_an_object_made_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
