/* The lock's methods as whole calls: options, owners, the queue of those who wait, and what becomes
 * of a lock whose holder goes. */
#include "daemon/objects/lock.h"
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

#define FIRST "{depth: 1, abandoned: false}"

/* A session that has opened the lock 'l' with these options. */
static struct actor *with_lock(void **state, const char *options)
{
    struct actor *a = actor_new(*state, 0);
    char params[128];
    (void)snprintf(params, sizeof(params), "['l', %s]", options);
    check(a, "lock.open", params, "{type: 'lock', name: 'l', holder: nil, depth: 0, ...}");
    return a;
}

static void lock_open_shows_and_compares_its_options(void **state)
{
    struct actor *a = with_lock(state, "nil");
    check(
        a, "lock.open", "['l', {recursive: false, on_disconnect: 'release', release_by: 'owner'}]",
        "{recursive: false, on_disconnect: 'release', release_by: 'owner', abandoned: false, ...}");
    check_error(a, "lock.open", "['l', {recursive: true}]", "MISMATCH");
    check_error(a, "lock.open", "['l', {on_disconnect: 'keep'}]", "MISMATCH");
    check_error(a, "lock.open", "['l', {release_by: 'anyone'}]", "MISMATCH");
    check(a, "lock.open", "['m', {recursive: true, on_disconnect: 'keep', release_by: 'anyone'}]",
          "{recursive: true, on_disconnect: 'keep', release_by: 'anyone', ...}");
    check(a, "lock.open", "['m']", "_map");
    check_error(a, "lock.open", "['n', {on_disconnect: 'requeue'}]", "BAD_REQUEST");
    check_error(a, "lock.open", "['n', {release_by: 'nobody'}]", "BAD_REQUEST");
    check_error(a, "lock.locked", "['n']", "NOT_FOUND");
    actor_leave(a);
}

static void lock_is_held_by_one_and_released(void **state)
{
    struct actor *a = with_lock(state, "nil");
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.locked", "['l']", "false");
    check(a, "lock.acquire", "['l']", FIRST);
    check(b, "lock.locked", "['l']", "true");
    check(b, "object.describe", "['l']",
          "{holder: {session: 1, owner: nil}, depth: 1, waiting: 0, ...}");
    check_error(b, "lock.acquire", "['l', 0]", "TIMEOUT");
    check_error(b, "lock.release", "['l']", "NOT_OWNER");
    check(a, "lock.release", "['l']", "0");
    check_error(a, "lock.release", "['l']", "NOT_OWNER");
    check(b, "lock.acquire", "['l', 0]", FIRST);
    actor_leave(a);
    actor_leave(b);
}

static void lock_tells_owners_of_a_session_apart(void **state)
{
    struct actor *a = with_lock(state, "{recursive: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.acquire", "['l', nil, 7]", FIRST);
    check(a, "object.describe", "['l']", "{holder: {session: 1, owner: 7}, ...}");
    check_error(a, "lock.acquire", "['l', 0]", "TIMEOUT");
    check_error(a, "lock.acquire", "['l', 0, 8]", "TIMEOUT");
    check_error(a, "lock.acquire", "['l', 0, '7']", "TIMEOUT");
    check_error(b, "lock.acquire", "['l', 0, 7]", "TIMEOUT");
    check_error(a, "lock.release", "['l']", "NOT_OWNER");
    check_error(a, "lock.release", "['l', 'x']", "NOT_OWNER");
    check_error(b, "lock.release", "['l', 7]", "NOT_OWNER");
    check(a, "lock.acquire", "['l', 0, <d1 00 07>]", "{depth: 2, abandoned: false}");
    check(a, "lock.release", "['l', 7]", "1");
    check(a, "lock.release", "['l', 7]", "0");
    check(b, "lock.acquire", "['l', 0, 'thread']", FIRST);
    check(a, "object.describe", "['l']", "{holder: {session: 2, owner: 'thread'}, ...}");
    check_error(b, "lock.release", "['l', 'threads']", "NOT_OWNER");
    check(b, "lock.release", "['l', 'thread']", "0");
    check(b, "lock.acquire", "['l', 0, 18446744073709551615]", FIRST);
    check_error(b, "lock.release", "['l', -1]", "NOT_OWNER");
    check(b, "lock.release", "['l', 18446744073709551615]", "0");
    check(b, "lock.acquire", "['l', 0, 'x'*255]", FIRST);
    check(b, "object.describe", "['l']", "{holder: {owner: 'x'*255, ...}, ...}");
    check_error(a, "lock.acquire", "['l', 0, 'x'*256]", "BAD_REQUEST");
    check_error(a, "lock.acquire", "['l', 0, 1.5]", "BAD_REQUEST");
    actor_leave(a);
    actor_leave(b);
}

static void lock_goes_to_those_who_wait_in_their_order(void **state)
{
    struct actor *a = with_lock(state, "nil");
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    check(a, "lock.acquire", "['l']", FIRST);
    uint32_t first = actor_send(b, "lock.acquire", "['l']");
    uint32_t second = actor_send(c, "lock.acquire", "['l', 1000]");
    uint32_t third = actor_send(a, "lock.acquire", "['l']");
    check(a, "lock.release", "['l']", "0");
    check_answer(b, first, FIRST);
    check_waits(c, second);
    check_error(a, "lock.acquire", "['l', 0]", "TIMEOUT");
    check(b, "lock.release", "['l']", "0");
    check_answer(c, second, FIRST);
    check(c, "lock.release", "['l']", "0");
    check_answer(a, third, FIRST);
    check(a, "lock.release", "['l']", "0");
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
}

/* As when a call comes after the lock is free and before those who wait for it are asked. */
static void lock_that_is_free_is_not_for_those_who_come_after_the_waiters(void **state)
{
    only_here(*state, "it reaches into the object");
    struct stage *stage = *state;
    struct actor *a = with_lock(state, "nil");
    struct actor *b = actor_new(stage, 0);
    check(a, "lock.acquire", "['l']", FIRST);
    uint32_t wait = actor_send(b, "lock.acquire", "['l']");
    struct object *object = registry_find(&stage->service.registry, slice_of_string("l"));
    assert_non_null(mutex_release(&lock_of(object)->mutex, 1));
    check_error(a, "lock.acquire", "['l', 0]", "TIMEOUT");
    check_answer(b, wait, FIRST);
    actor_leave(a);
    actor_leave(b);
}

static void lock_that_is_recursive_counts_its_depth(void **state)
{
    struct actor *a = with_lock(state, "{recursive: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.acquire", "['l']", FIRST);
    uint32_t wait = actor_send(b, "lock.acquire", "['l']");
    check(a, "lock.acquire", "['l']", "{depth: 2, abandoned: false}");
    check(a, "lock.release", "['l']", "1");
    check_waits(b, wait);
    check(a, "lock.release", "['l']", "0");
    check_answer(b, wait, FIRST);
    actor_leave(a);
    actor_leave(b);
}

static void lock_that_is_not_recursive_lets_its_holder_wait_too(void **state)
{
    struct actor *a = with_lock(state, "nil");
    check(a, "lock.acquire", "['l']", FIRST);
    uint32_t again = actor_send(a, "lock.acquire", "['l']");
    check_waits(a, again);
    check(a, "lock.release", "['l']", "0");
    check_answer(a, again, FIRST);
    actor_leave(a);
}

static void lock_wait_ends_by_time_cancel_and_deletion(void **state)
{
    struct actor *a = with_lock(state, "nil");
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.acquire", "['l']", FIRST);
    uint32_t late = actor_send(b, "lock.acquire", "['l', 5]");
    uint32_t cancelled = actor_send(b, "lock.acquire", "['l']");
    uint32_t deleted = actor_send(b, "lock.acquire", "['l']");
    stage_advance(*state, 4);
    check_waits(b, late);
    stage_advance(*state, 1);
    check_refused(b, late, "TIMEOUT");
    actor_notify(b, "cancel", "[2]");
    check_refused(b, cancelled, "CANCELLED");
    check(b, "object.describe", "['l']", "{waiting: 1, depth: 1, ...}");
    check(a, "object.delete", "['l']", "nil");
    check_refused(b, deleted, "DELETED");
    check(a, "session.describe", "[]", "{holding: 0, holds: [], open: [], ...}");
    check(a, "lock.open", "['l']", "{holder: nil, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void lock_of_a_session_that_ends_goes_to_the_next_who_is_told(void **state)
{
    struct actor *a = with_lock(state, "{recursive: true}");
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    check(a, "lock.acquire", "['l', nil, 1]", FIRST);
    check(a, "lock.acquire", "['l', nil, 1]", "{depth: 2, abandoned: false}");
    uint32_t second = actor_send(b, "lock.acquire", "['l']");
    uint32_t third = actor_send(c, "lock.acquire", "['l']");
    actor_vanish(a);
    check_answer(b, second, "{depth: 1, abandoned: true}");
    check(b, "lock.acquire", "['l']", "{depth: 2, abandoned: false}");
    check(b, "lock.release", "['l']", "1");
    check(b, "lock.release", "['l']", "0");
    check_answer(c, third, FIRST);
    actor_vanish(c);
    check(b, "object.describe", "['l']", "{holder: nil, abandoned: true, ...}");
    check(b, "lock.acquire", "['l', 0]", "{depth: 1, abandoned: true}");
    actor_leave(b);
}

static void lock_is_never_given_to_a_waiter_that_is_gone(void **state)
{
    struct actor *a = with_lock(state, "nil");
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    check(a, "lock.acquire", "['l']", FIRST);
    (void)actor_send(b, "lock.acquire", "['l']");
    uint32_t wait = actor_send(c, "lock.acquire", "['l']");
    actor_vanish(b);
    check(a, "lock.release", "['l']", "0");
    check_answer(c, wait, FIRST);
    actor_leave(a);
    actor_leave(c);
}

static void lock_granted_in_an_answer_that_never_left_goes_to_the_next(void **state)
{
    struct actor *a = with_lock(state, "nil");
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    check(a, "lock.acquire", "['l']", FIRST);
    (void)actor_send(b, "lock.acquire", "['l']");
    uint32_t wait = actor_send(c, "lock.acquire", "['l']");
    check(a, "lock.release", "['l']", "0");
    actor_vanish(b);
    check_answer(c, wait, "{depth: 1, abandoned: true}");
    actor_leave(a);
    actor_leave(c);
}

static void lock_that_is_kept_outlives_its_holder(void **state)
{
    struct actor *a = with_lock(state, "{on_disconnect: 'keep', release_by: 'anyone'}");
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.acquire", "['l', nil, 'child']", FIRST);
    check(a, "session.describe", "[]", "{holding: 1, ...}");
    actor_leave(a);
    check(b, "object.describe", "['l']",
          "{holder: {session: 1, owner: 'child'}, depth: 1, abandoned: false, ...}");
    uint32_t wait = actor_send(b, "lock.acquire", "['l']");
    check_waits(b, wait);
    check(b, "lock.release", "['l']", "0");
    check_answer(b, wait, FIRST);
    actor_leave(b);
}

static void lock_that_anyone_may_release_frees_the_holder_of_its_claim(void **state)
{
    struct actor *a = with_lock(state, "{release_by: 'anyone', recursive: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "object.close", "['l']", "nil");
    check(a, "lock.acquire", "['l']", FIRST);
    check(a, "lock.acquire", "['l']", "{depth: 2, abandoned: false}");
    check(b, "lock.release", "['l', 3]", "1");
    check(a, "session.describe", "[]", "{holding: 1, ...}");
    check(b, "lock.release", "['l']", "0");
    check(a, "session.describe", "[]", "{holding: 0, holds: [], ...}");
    check_error(b, "lock.release", "['l']", "NOT_OWNER");
    check(b, "lock.acquire", "['l']", FIRST);
    actor_leave(a);
    check(b, "object.describe", "['l']", "{holder: {session: 2, owner: nil}, ...}");
    actor_leave(b);
}

static void lock_is_shown_with_its_session(void **state)
{
    struct actor *a = with_lock(state, "{recursive: true}");
    check(a, "lock.acquire", "['l', nil, 5]", FIRST);
    check(a, "lock.acquire", "['l', nil, 5]", "{depth: 2, abandoned: false}");
    (void)actor_send(a, "lock.acquire", "['l', 100]");
    check(a, "session.describe", "[]",
          "{holding: 1, holds: [{object: 'l', type: 'lock', since: _ext, depth: 2, owner: 5}], "
          "waits: [{method: 'lock.acquire', object: 'l', timeout_ms: 100, ...}], ...}");
    actor_leave(a);
}

static void lock_needs_the_write_bit_to_be_held(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    struct actor *b = actor_new(*state, 2000);
    check(a, "lock.open", "['l', {mode: 436}]", "{mode: 436, ...}");
    check(b, "lock.locked", "['l']", "false");
    check_error(b, "lock.acquire", "['l', 0]", "DENIED");
    check_error(b, "lock.release", "['l']", "DENIED");
    actor_leave(a);
    actor_leave(b);
}

/* How often waiting calls are asked when a lock that so many wait for is handed on `times` times.
 */
static uint64_t handing_on(struct stage *stage, unsigned waiters, unsigned times)
{
    struct actor *a = actor_new(stage, 0);
    check(a, "lock.open", "['l', {lifetime: 'scoped'}]", "_map");
    check(a, "lock.acquire", "['l', nil, 0]", FIRST);
    for (unsigned i = 1; i <= waiters; i++) {
        char params[64];
        (void)snprintf(params, sizeof(params), "['l', nil, %u]", i);
        (void)actor_send(a, "lock.acquire", params);
    }
    uint64_t before = stage->service.retries;
    for (unsigned i = 0; i < times; i++) {
        char params[64];
        (void)snprintf(params, sizeof(params), "['l', %u]", i);
        check(a, "lock.release", params, "0");
        actor_forget(a);
    }
    uint64_t retries = stage->service.retries - before;
    actor_vanish(a); /* and all who wait; their lock goes with it */
    return retries;
}

static void lock_release_costs_the_same_with_a_thousand_waiters_as_with_ten(void **state)
{
    only_here(*state, "it counts what is asked again here");
    enum { TIMES = 9 };
    uint64_t few = handing_on(*state, 10, TIMES);
    assert_in_range(few, TIMES, 4 * TIMES);
    assert_int_equal(handing_on(*state, 1000, TIMES), few);
}

static void lock_break_takes_it_at_any_depth_and_tells_of_whom(void **state)
{
    struct actor *a = with_lock(state, "{recursive: true}");
    struct actor *b = actor_new(*state, 0);
    check(b, "lock.break", "['l']", "nil");
    check(a, "lock.acquire", "['l', nil, 'thread']", FIRST);
    check(a, "lock.acquire", "['l', nil, 'thread']", "{depth: 2, abandoned: false}");
    check(b, "lock.break", "['l']", "{session: 1, owner: 'thread', depth: 2}");
    check(b, "object.describe", "['l']", "{holder: nil, depth: 0, abandoned: true, ...}");
    check(b, "session.describe", "[1]", "{holding: 0, holds: [], ...}");
    check_error(a, "lock.release", "['l', 'thread']", "NOT_OWNER");
    check(b, "lock.break", "['l']", "nil");
    check(a, "lock.acquire", "['l', 0, 'thread']", "{depth: 1, abandoned: true}");
    check(a, "lock.release", "['l', 'thread']", "0");
    check(b, "lock.acquire", "['l', 0]", FIRST);
    actor_leave(a);
    actor_leave(b);
}

static void lock_break_serves_the_first_who_waits(void **state)
{
    struct actor *a = with_lock(state, "nil");
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    check(a, "lock.acquire", "['l']", FIRST);
    uint32_t first = actor_send(b, "lock.acquire", "['l']");
    uint32_t second = actor_send(c, "lock.acquire", "['l']");
    check(c, "lock.break", "['l']", "{session: 1, owner: nil, depth: 1}");
    check_answer(b, first, "{depth: 1, abandoned: true}");
    check_waits(c, second);
    check_error(a, "lock.release", "['l']", "NOT_OWNER");
    actor_leave(a);
    check_waits(c, second);
    check(b, "lock.release", "['l']", "0");
    check_answer(c, second, FIRST);
    actor_leave(b);
    actor_leave(c);
}

static void lock_that_was_kept_by_a_session_that_is_gone_can_be_broken(void **state)
{
    struct actor *a = with_lock(state, "{on_disconnect: 'keep'}");
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.acquire", "['l', nil, 5]", FIRST);
    actor_leave(a);
    check_error(b, "lock.acquire", "['l', 0]", "TIMEOUT");
    check_error(b, "lock.release", "['l']", "NOT_OWNER");
    check(b, "lock.break", "['l']", "{session: 1, owner: 5, depth: 1}");
    check(b, "lock.acquire", "['l', 0]", "{depth: 1, abandoned: true}");
    actor_leave(b);
}

static void lock_break_is_for_the_owner(void **state)
{
    struct actor *root = actor_new(*state, 0);
    struct actor *owner = actor_new(*state, 1000);
    struct actor *other = actor_new(*state, 1001);
    check(owner, "lock.open", "['l', {mode: 438}]", "_map");
    check(other, "lock.acquire", "['l']", FIRST);
    check(owner, "lock.break", "['l']", "{session: 3, ...}");
    check(owner, "lock.acquire", "['l']", "{depth: 1, abandoned: true}");
    check_error(other, "lock.break", "['l']", "DENIED");
    check(root, "lock.break", "['l']", "{session: 2, ...}");
    check_error(root, "lock.break", "['none']", "NOT_FOUND");
    actor_leave(root);
    actor_leave(owner);
    actor_leave(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lock_open_shows_and_compares_its_options),
        TEST(lock_is_held_by_one_and_released),
        TEST(lock_tells_owners_of_a_session_apart),
        TEST(lock_goes_to_those_who_wait_in_their_order),
        TEST(lock_that_is_free_is_not_for_those_who_come_after_the_waiters),
        TEST(lock_that_is_recursive_counts_its_depth),
        TEST(lock_that_is_not_recursive_lets_its_holder_wait_too),
        TEST(lock_wait_ends_by_time_cancel_and_deletion),
        TEST(lock_of_a_session_that_ends_goes_to_the_next_who_is_told),
        TEST(lock_is_never_given_to_a_waiter_that_is_gone),
        TEST(lock_granted_in_an_answer_that_never_left_goes_to_the_next),
        TEST(lock_that_is_kept_outlives_its_holder),
        TEST(lock_that_anyone_may_release_frees_the_holder_of_its_claim),
        TEST(lock_is_shown_with_its_session),
        TEST(lock_break_takes_it_at_any_depth_and_tells_of_whom),
        TEST(lock_break_serves_the_first_who_waits),
        TEST(lock_that_was_kept_by_a_session_that_is_gone_can_be_broken),
        TEST(lock_break_is_for_the_owner),
        TEST(lock_needs_the_write_bit_to_be_held),
        TEST(lock_release_costs_the_same_with_a_thousand_waiters_as_with_ten),
    };
    return cmocka_run_group_tests_name("methods of lock", tests, NULL, NULL);
}
