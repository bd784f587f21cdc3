/* The barrier's methods as whole calls: arriving, passing, and every way in which it breaks. */
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

/* A session with the barrier 'b' of three parties open. */
static struct actor *with_barrier(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "barrier.open", "['b', {parties: 3}]",
          "{type: 'barrier', name: 'b', parties: 3, timeout: nil, broken: false, waiting: 0, ...}");
    return a;
}

static void barrier_open_needs_parties_and_compares_its_options(void **state)
{
    struct actor *a = with_barrier(state);
    check(a, "barrier.open", "['b']", "{parties: 3, ...}");
    check_error(a, "barrier.open", "['b', {parties: 2}]", "MISMATCH");
    check_error(a, "barrier.open", "['b', {timeout: 5}]", "MISMATCH");
    check(a, "barrier.open", "['t', {parties: 1, timeout: 5}]", "{parties: 1, timeout: 5, ...}");
    check_error(a, "barrier.open", "['t', {timeout: 6}]", "MISMATCH");
    check_error(a, "barrier.open", "['x']", "BAD_REQUEST");
    check_error(a, "barrier.open", "['x', {parties: 0}]", "BAD_REQUEST");
    check_error(a, "barrier.open", "['x', {parties: 2147483648}]", "BAD_REQUEST");
    check_error(a, "barrier.open", "['x', {parties: 2, timeout: -1}]", "BAD_REQUEST");
    check_error(a, "barrier.wait", "['x']", "NOT_FOUND");
    actor_leave(a);
}

static void barrier_lets_all_go_when_the_last_one_comes_and_again(void **state)
{
    struct actor *a = with_barrier(state);
    struct actor *b = actor_new(*state, 0);
    for (int i = 0; i < 3; i++) {
        uint32_t first = actor_send(a, "barrier.wait", "['b']");
        uint32_t second = actor_send(b, "barrier.wait", "['b', 100]");
        check_waits(a, first);
        check_waits(b, second);
        check(b, "barrier.state", "['b']", "{parties: 3, waiting: 2, broken: false}");
        check(a, "barrier.wait", "['b', 0]", "2");
        check_answer(a, first, "0");
        check_answer(b, second, "1");
        check(b, "barrier.state", "['b']", "{parties: 3, waiting: 0, broken: false}");
        stage_advance(*state, 200);
    }
    check(a, "barrier.open", "['one', {parties: 1}]", "_map");
    check(a, "barrier.wait", "['one', 0]", "0");
    actor_leave(a);
    actor_leave(b);
}

static void barrier_breaks_when_a_wait_runs_out_of_time(void **state)
{
    struct actor *a = with_barrier(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t first = actor_send(a, "barrier.wait", "['b']");
    uint32_t second = actor_send(b, "barrier.wait", "['b', 5]");
    stage_advance(*state, 4);
    check_waits(a, first);
    stage_advance(*state, 1);
    check_refused(a, first, "BROKEN");
    check_refused(b, second, "BROKEN");
    check(a, "barrier.state", "['b']", "{parties: 3, waiting: 0, broken: true}");
    check_error(a, "barrier.wait", "['b']", "BROKEN");
    check(a, "barrier.reset", "['b']", "nil");
    check_error(a, "barrier.wait", "['b', 0]", "BROKEN");
    check(a, "object.describe", "['b']", "{broken: true, waiting: 0, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void barrier_has_a_timeout_for_those_who_give_none(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "barrier.open", "['t', {parties: 2, timeout: 5}]", "_map");
    uint32_t standard = actor_send(a, "barrier.wait", "['t']");
    stage_advance(*state, 5);
    check_refused(a, standard, "BROKEN");
    check(a, "barrier.reset", "['t']", "nil");
    uint32_t longer = actor_send(a, "barrier.wait", "['t', 7]");
    stage_advance(*state, 6);
    check(a, "barrier.wait", "['t']", "1");
    check_answer(a, longer, "0");
    actor_leave(a);
}

static void barrier_breaks_when_one_who_waits_goes(void **state)
{
    struct actor *a = with_barrier(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t first = actor_send(a, "barrier.wait", "['b']");
    (void)actor_send(b, "barrier.wait", "['b']");
    actor_vanish(b);
    check_refused(a, first, "BROKEN");
    check_error(a, "barrier.wait", "['b']", "BROKEN");
    check(a, "barrier.reset", "['b']", "nil");
    b = actor_new(*state, 0);
    first = actor_send(a, "barrier.wait", "['b']");
    uint32_t cancelled = actor_send(b, "barrier.wait", "['b']");
    actor_notify(b, "cancel", "[1]");
    check_refused(b, cancelled, "CANCELLED");
    check_refused(a, first, "BROKEN");
    check(a, "barrier.state", "['b']", "{parties: 3, waiting: 0, broken: true}");
    actor_leave(a);
    actor_leave(b);
}

static void barrier_that_was_passed_is_not_broken_by_those_who_go_then(void **state)
{
    struct actor *a = with_barrier(state);
    struct actor *b = actor_new(*state, 0);
    (void)actor_send(b, "barrier.wait", "['b']");
    (void)actor_send(b, "barrier.wait", "['b']");
    check(a, "barrier.wait", "['b']", "2");
    actor_vanish(b);
    check(a, "barrier.state", "['b']", "{parties: 3, waiting: 0, broken: false}");
    actor_leave(a);
}

static void barrier_reset_breaks_those_who_wait_and_is_as_new(void **state)
{
    struct actor *a = with_barrier(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t first = actor_send(a, "barrier.wait", "['b']");
    uint32_t second = actor_send(b, "barrier.wait", "['b']");
    check(b, "barrier.reset", "['b']", "nil");
    check_refused(a, first, "BROKEN");
    check_refused(b, second, "BROKEN");
    check(b, "barrier.state", "['b']", "{parties: 3, waiting: 0, broken: false}");
    first = actor_send(a, "barrier.wait", "['b']");
    second = actor_send(b, "barrier.wait", "['b']");
    check(b, "barrier.wait", "['b']", "2");
    check_answer(a, first, "0");
    check_answer(b, second, "1");
    check(b, "barrier.reset", "['b']", "nil");
    actor_leave(a);
    actor_leave(b);
}

static void barrier_abort_breaks_it_until_it_is_reset(void **state)
{
    struct actor *a = with_barrier(state);
    uint32_t first = actor_send(a, "barrier.wait", "['b']");
    check(a, "barrier.abort", "['b']", "nil");
    check_refused(a, first, "BROKEN");
    check_error(a, "barrier.wait", "['b', 100]", "BROKEN");
    check(a, "barrier.state", "['b']", "{parties: 3, waiting: 0, broken: true}");
    check(a, "barrier.reset", "['b']", "nil");
    check_waits(a, actor_send(a, "barrier.wait", "['b']"));
    actor_leave(a);
}

static void barrier_that_is_deleted_refuses_those_who_wait(void **state)
{
    struct actor *a = with_barrier(state);
    uint32_t first = actor_send(a, "barrier.wait", "['b']");
    uint32_t second = actor_send(a, "barrier.wait", "['b']");
    check(a, "object.delete", "['b']", "nil");
    check_refused(a, first, "DELETED");
    check_refused(a, second, "DELETED");
    actor_leave(a);
}

static void barrier_wait_that_is_refused_has_not_arrived(void **state)
{
    struct actor *a = with_barrier(state);
    struct stage *stage = *state;
    uint32_t first = actor_send(a, "barrier.wait", "['b']");
    stage->service.accounts.limits.max_waiting = 1;
    check_error(a, "barrier.wait", "['b']", "LIMIT");
    check_waits(a, first);
    check(a, "barrier.state", "['b']", "{parties: 3, waiting: 1, broken: false}");
    actor_leave(a);
}

static void barrier_needs_the_write_bit_but_for_its_state(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    struct actor *b = actor_new(*state, 2000);
    check(a, "barrier.open", "['b', {parties: 2, mode: 436}]", "_map");
    check(b, "barrier.state", "['b']", "_map");
    check_error(b, "barrier.wait", "['b', 0]", "DENIED");
    check_error(b, "barrier.reset", "['b']", "DENIED");
    check_error(b, "barrier.abort", "['b']", "DENIED");
    check(a, "barrier.state", "['b']", "{broken: false, ...}");
    actor_leave(a);
    actor_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(barrier_open_needs_parties_and_compares_its_options),
        TEST(barrier_lets_all_go_when_the_last_one_comes_and_again),
        TEST(barrier_breaks_when_a_wait_runs_out_of_time),
        TEST(barrier_has_a_timeout_for_those_who_give_none),
        TEST(barrier_breaks_when_one_who_waits_goes),
        TEST(barrier_that_was_passed_is_not_broken_by_those_who_go_then),
        TEST(barrier_reset_breaks_those_who_wait_and_is_as_new),
        TEST(barrier_abort_breaks_it_until_it_is_reset),
        TEST(barrier_that_is_deleted_refuses_those_who_wait),
        TEST(barrier_wait_that_is_refused_has_not_arrived),
        TEST(barrier_needs_the_write_bit_but_for_its_state),
    };
    return cmocka_run_group_tests_name("methods of barrier", tests, NULL, NULL);
}
