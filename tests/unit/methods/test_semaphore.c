/* The semaphore's methods as whole calls: options, the queue of those who wait, and what becomes of
 * the permits of a session that goes. */
#include "tests/support/stage.h"

#include <stdio.h>

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

/* A session that has opened the semaphore 's' with these options. */
static struct actor *with_semaphore(void **state, const char *options)
{
    struct actor *a = actor_new(*state, 0);
    char params[128];
    (void)snprintf(params, sizeof(params), "['s', %s]", options);
    check(a, "semaphore.open", params, "{type: 'semaphore', name: 's', held: 0, ...}");
    return a;
}

static void semaphore_open_shows_and_compares_its_options(void **state)
{
    struct actor *a = with_semaphore(state, "nil");
    check(a, "semaphore.open", "['s', {value: 1, bounded: false, on_disconnect: 'keep'}]",
          "{value: 1, initial: 1, bounded: false, on_disconnect: 'keep', ...}");
    check_error(a, "semaphore.open", "['s', {value: 2}]", "MISMATCH");
    check_error(a, "semaphore.open", "['s', {bounded: true}]", "MISMATCH");
    check_error(a, "semaphore.open", "['s', {on_disconnect: 'release'}]", "MISMATCH");
    check(a, "semaphore.open", "['b', {bounded: true, value: 0}]",
          "{value: 0, initial: 0, bounded: true, on_disconnect: 'release', ...}");
    check(a, "semaphore.open", "['k', {bounded: true, on_disconnect: 'keep'}]",
          "{on_disconnect: 'keep', ...}");
    check(a, "semaphore.open", "['r', {on_disconnect: 'release'}]",
          "{bounded: false, on_disconnect: 'release', ...}");
    check(a, "semaphore.acquire", "['s']", "0");
    check(a, "semaphore.open", "['s', {value: 1}]", "{value: 0, initial: 1, held: 1, ...}");
    check_error(a, "semaphore.open", "['x', {value: -1}]", "BAD_REQUEST");
    check_error(a, "semaphore.open", "['x', {on_disconnect: 'requeue'}]", "BAD_REQUEST");
    actor_leave(a);
}

static void semaphore_permits_are_taken_and_given_back(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 3}");
    check(a, "semaphore.value", "['s']", "3");
    check(a, "semaphore.acquire", "['s']", "2");
    check(a, "semaphore.acquire", "['s', nil, 2]", "0");
    check_error(a, "semaphore.acquire", "['s', 0]", "TIMEOUT");
    check(a, "semaphore.release", "['s', 2]", "2");
    check(a, "semaphore.release", "['s']", "3");
    check(a, "semaphore.release", "['s', 4]", "7");
    check_error(a, "semaphore.acquire", "['s', 0, 0]", "VALUE");
    check_error(a, "semaphore.release", "['s', 0]", "VALUE");
    check_error(a, "semaphore.release", "['s', 9223372036854775807]", "RANGE");
    check(a, "semaphore.release", "['s', 9223372036854775800]", "9223372036854775807");
    check(a, "semaphore.acquire", "['s']", "9223372036854775806");
    check(a, "semaphore.release", "['s']", "9223372036854775807");
    check_error(a, "semaphore.release", "['s']", "RANGE");
    actor_leave(a);
}

static void semaphore_that_is_bounded_is_not_released_too_often(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 2, bounded: true}");
    check_error(a, "semaphore.release", "['s']", "VALUE");
    check(a, "semaphore.acquire", "['s']", "1");
    check_error(a, "semaphore.release", "['s', 2]", "VALUE");
    check(a, "semaphore.value", "['s']", "1");
    check_error(a, "semaphore.acquire", "['s', nil, 3]", "VALUE");
    check(a, "semaphore.release", "['s']", "2");
    check(a, "semaphore.acquire", "['s', nil, 2]", "0");
    actor_leave(a);
}

static void semaphore_serves_those_who_wait_in_their_order(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 1}");
    struct actor *b = actor_new(*state, 0);
    uint32_t many = actor_send(a, "semaphore.acquire", "['s', nil, 3]");
    uint32_t few = actor_send(b, "semaphore.acquire", "['s']");
    uint32_t later = actor_send(a, "semaphore.acquire", "['s', nil, 2]");
    check_error(b, "semaphore.acquire", "['s', 0]", "TIMEOUT");
    check(b, "semaphore.release", "['s']", "2");
    check_waits(b, few);
    check(b, "semaphore.release", "['s', 3]", "5");
    check_answer(a, many, "2");
    check_answer(b, few, "1");
    check_waits(a, later);
    check(b, "semaphore.release", "['s']", "2");
    check_answer(a, later, "0");
    actor_leave(a);
    actor_leave(b);
}

static void semaphore_waiter_that_goes_lets_those_behind_it_pass(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 1}");
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    (void)actor_send(a, "semaphore.acquire", "['s', nil, 9]");
    uint32_t late = actor_send(b, "semaphore.acquire", "['s', 5, 8]");
    uint32_t cancelled = actor_send(b, "semaphore.acquire", "['s', nil, 7]");
    uint32_t few = actor_send(c, "semaphore.acquire", "['s']");
    actor_vanish(a);
    check_waits(c, few);
    stage_advance(*state, 5);
    check_refused(b, late, "TIMEOUT");
    check_waits(c, few);
    actor_notify(b, "cancel", "[2]");
    check_refused(b, cancelled, "CANCELLED");
    check_answer(c, few, "0");
    uint32_t deleted = actor_send(b, "semaphore.acquire", "['s']");
    check(c, "object.delete", "['s']", "nil");
    check_refused(b, deleted, "DELETED");
    check(c, "session.describe", "[]", "{holding: 0, holds: [], ...}");
    actor_leave(b);
    actor_leave(c);
}

static void semaphore_permits_of_a_session_that_ends_come_back(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 3, bounded: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "semaphore.acquire", "['s', nil, 2]", "1");
    check(a, "session.describe", "[]",
          "{holding: 2, holds: [{object: 's', type: 'semaphore', since: _ext, permits: 2}], ...}");
    uint32_t wait = actor_send(b, "semaphore.acquire", "['s', nil, 3]");
    actor_vanish(a);
    check_answer(b, wait, "0");
    check(b, "object.describe", "['s']", "{value: 0, held: 3, ...}");
    actor_leave(b);
}

static void semaphore_permits_that_are_kept_stay_taken(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 3}");
    struct actor *b = actor_new(*state, 0);
    check(a, "semaphore.acquire", "['s', nil, 2]", "1");
    actor_vanish(a);
    check(b, "object.describe", "['s']", "{value: 1, held: 0, ...}");
    check(b, "semaphore.release", "['s', 2]", "3");
    actor_leave(b);
}

static void semaphore_released_by_another_session_is_not_given_back_twice(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 3, bounded: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "object.close", "['s']", "nil");
    check(a, "semaphore.acquire", "['s', nil, 2]", "1");
    check(b, "semaphore.acquire", "['s']", "0");
    check(b, "semaphore.release", "['s', 2]", "2");
    check(a, "session.describe", "[]", "{holding: 1, ...}");
    check(b, "session.describe", "[]", "{holding: 0, ...}");
    check(b, "semaphore.release", "['s']", "3");
    check(a, "session.describe", "[]", "{holding: 0, holds: [], ...}");
    actor_vanish(a);
    check(b, "object.describe", "['s']", "{value: 3, held: 0, ...}");
    actor_leave(b);
}

static void semaphore_that_is_not_bounded_takes_a_foreign_release_as_a_new_permit(void **state)
{
    struct actor *a = with_semaphore(state, "{value: 1, on_disconnect: 'release'}");
    struct actor *b = actor_new(*state, 0);
    check(a, "semaphore.acquire", "['s']", "0");
    check(b, "semaphore.release", "['s']", "1");
    actor_vanish(a);
    check(b, "semaphore.value", "['s']", "2");
    actor_leave(b);
}

static void semaphore_needs_the_write_bit_to_be_used(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    struct actor *b = actor_new(*state, 2000);
    check(a, "semaphore.open", "['s', {mode: 436}]", "_map");
    check(b, "semaphore.value", "['s']", "1");
    check_error(b, "semaphore.acquire", "['s', 0]", "DENIED");
    check_error(b, "semaphore.release", "['s']", "DENIED");
    actor_leave(a);
    actor_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(semaphore_open_shows_and_compares_its_options),
        TEST(semaphore_permits_are_taken_and_given_back),
        TEST(semaphore_that_is_bounded_is_not_released_too_often),
        TEST(semaphore_serves_those_who_wait_in_their_order),
        TEST(semaphore_waiter_that_goes_lets_those_behind_it_pass),
        TEST(semaphore_permits_of_a_session_that_ends_come_back),
        TEST(semaphore_permits_that_are_kept_stay_taken),
        TEST(semaphore_released_by_another_session_is_not_given_back_twice),
        TEST(semaphore_that_is_not_bounded_takes_a_foreign_release_as_a_new_permit),
        TEST(semaphore_needs_the_write_bit_to_be_used),
    };
    return cmocka_run_group_tests_name("methods of semaphore", tests, NULL, NULL);
}
