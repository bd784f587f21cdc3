/* The condition's methods as whole calls: its lock, who sleeps and who is woken, and what becomes
 * of a notification whose receiver goes. */
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

#define FIRST "{depth: 1, abandoned: false}"

/* A session with the condition 'c' open, which has a lock of its own. */
static struct actor *with_condition(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "condition.open", "['c']",
          "{type: 'condition', name: 'c', lock: nil, holder: nil, depth: 0, sleepers: 0, ...}");
    return a;
}

/* The same with the lock 'l', which has these other conditions: 'd'. */
static struct actor *with_lock(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "lock.open", "['l']", "_map");
    check(a, "condition.open", "['c', {lock: 'l'}]", "{lock: 'l', ...}");
    check(a, "condition.open", "['d', {lock: 'l'}]", "{lock: 'l', ...}");
    return a;
}

/* A call that waits on the condition, having acquired its lock. */
static uint32_t sleeper(struct actor *actor)
{
    check(actor, "condition.acquire", "['c', 0]", FIRST);
    uint32_t wait = actor_send(actor, "condition.wait", "['c']");
    check_waits(actor, wait);
    return wait;
}

static void condition_open_finds_its_lock_and_compares_it(void **state)
{
    struct actor *a = with_lock(state);
    check(a, "condition.open", "['c']", "{lock: 'l', ...}");
    check(a, "condition.open", "['c', {lock: 'l'}]", "_map");
    check(a, "lock.open", "['m']", "_map");
    check_error(a, "condition.open", "['c', {lock: 'm'}]", "MISMATCH");
    check_error(a, "condition.open", "['x', {lock: 'none'}]", "NOT_FOUND");
    check_error(a, "condition.open", "['x', {lock: 'c'}]", "WRONG_TYPE");
    check_error(a, "condition.open", "['x', {lock: 1}]", "BAD_REQUEST");
    check(a, "condition.open", "['own']", "{lock: nil, ...}");
    check_error(a, "condition.open", "['own', {lock: 'l'}]", "MISMATCH");
    check_error(a, "condition.wait", "['x']", "NOT_FOUND");
    actor_leave(a);
}

static void condition_acquires_its_own_lock_recursively(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    check(a, "condition.acquire", "['c', nil, 1]", FIRST);
    check(a, "condition.acquire", "['c', nil, 1]", "{depth: 2, abandoned: false}");
    check_error(a, "condition.acquire", "['c', 0, 2]", "TIMEOUT");
    check(a, "object.describe", "['c']", "{holder: {session: 1, owner: 1}, depth: 2, ...}");
    check(a, "session.describe", "[]",
          "{holds: [{object: 'c', type: 'condition', since: _ext, depth: 2, owner: 1}], ...}");
    uint32_t wait = actor_send(b, "condition.acquire", "['c']");
    check_error(b, "condition.release", "['c']", "NOT_OWNER");
    check(a, "condition.release", "['c', 1]", "1");
    check_waits(b, wait);
    check(a, "condition.release", "['c', 1]", "0");
    check_answer(b, wait, FIRST);
    check_error(a, "condition.release", "['c', 1]", "NOT_OWNER");
    actor_leave(a);
    actor_leave(b);
}

static void condition_acquires_the_lock_that_it_was_given(void **state)
{
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    check(a, "condition.acquire", "['c']", FIRST);
    check_error(b, "lock.acquire", "['l', 0]", "TIMEOUT");
    check(b, "object.describe", "['d']", "{holder: {session: 1, owner: nil}, depth: 1, ...}");
    uint32_t first = actor_send(b, "lock.acquire", "['l']");
    uint32_t second = actor_send(a, "condition.acquire", "['d']");
    check(a, "condition.release", "['d']", "0");
    check_answer(b, first, FIRST);
    check_waits(a, second);
    check(b, "lock.release", "['l']", "0");
    check_answer(a, second, FIRST);
    check(a, "session.describe", "[]",
          "{holds: [{object: 'l', type: 'lock', since: _ext, depth: 1, owner: nil}], ...}");
    actor_leave(a);
    actor_leave(b);
}

static void condition_needs_its_lock_to_be_held(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    check_error(a, "condition.wait", "['c', 0]", "NOT_OWNER");
    check_error(a, "condition.notify", "['c']", "NOT_OWNER");
    check_error(a, "condition.notify_all", "['c']", "NOT_OWNER");
    check(a, "condition.acquire", "['c', nil, 1]", FIRST);
    check_error(a, "condition.wait", "['c']", "NOT_OWNER");
    check_error(a, "condition.notify", "['c', 1, 2]", "NOT_OWNER");
    check_error(b, "condition.notify_all", "['c', 1]", "NOT_OWNER");
    check(a, "condition.notify", "['c', 1, 1]", "0");
    check(a, "condition.notify_all", "['c', 1]", "0");
    actor_leave(a);
    actor_leave(b);
}

static void condition_wait_gives_the_lock_up_and_gets_it_back_as_deep(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    check(a, "condition.acquire", "['c', nil, 'me']", FIRST);
    check(a, "condition.acquire", "['c', nil, 'me']", "{depth: 2, abandoned: false}");
    uint32_t wait = actor_send(a, "condition.wait", "['c', nil, 'me']");
    check(a, "object.describe", "['c']", "{holder: nil, depth: 0, sleepers: 1, ...}");
    check(b, "condition.acquire", "['c', 0]", FIRST);
    check(b, "condition.notify", "['c']", "1");
    check_waits(a, wait);
    check(b, "condition.notify", "['c']", "0");
    check(b, "object.describe", "['c']", "{sleepers: 0, waiting: 1, ...}");
    check(b, "condition.release", "['c']", "0");
    check_answer(a, wait, "true");
    check(a, "object.describe", "['c']",
          "{holder: {session: 1, owner: 'me'}, depth: 2, waiting: 0, ...}");
    check(a, "condition.release", "['c', 'me']", "1");
    check(a, "condition.release", "['c', 'me']", "0");
    actor_leave(a);
    actor_leave(b);
}

static void condition_notify_wakes_those_who_have_slept_longest(void **state)
{
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    struct actor *d = actor_new(*state, 0);
    uint32_t first = sleeper(a);
    uint32_t second = sleeper(b);
    uint32_t third = sleeper(c);
    check(d, "lock.acquire", "['l', 0]", FIRST);
    check(d, "condition.notify", "['d', 9]", "0");
    check(d, "condition.notify", "['c', 0]", "0");
    check(d, "condition.notify", "['c', 2]", "2");
    uint32_t acquirer = actor_send(d, "lock.acquire", "['l']");
    check(d, "condition.notify_all", "['c']", "1");
    check(d, "lock.release", "['l']", "0");
    check_answer(a, first, "true");
    check_waits(b, second);
    check(a, "condition.release", "['c']", "0");
    check_answer(b, second, "true");
    check(b, "lock.release", "['l']", "0");
    check_answer(d, acquirer, FIRST);
    check_waits(c, third);
    check(d, "lock.release", "['l']", "0");
    check_answer(c, third, "true");
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
    actor_leave(d);
}

static void condition_wait_that_runs_out_of_time_holds_the_lock_again(void **state)
{
    const struct stage *stage = *state;
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    check(a, "condition.acquire", "['c']", FIRST);
    uint32_t wait = actor_send(a, "condition.wait", "['c', 5]");
    stage_advance(*state, 4);
    check_waits(a, wait);
    check(b, "lock.acquire", "['l', 0]", FIRST);
    stage_advance(*state, 1);
    check_waits(a, wait);
    check(a, "session.describe", "[]",
          stage->engine == NULL
              ? "{waits: [{method: 'condition.wait', object: 'l', timeout_ms: nil, ...}], ...}"
              : "{waits: [{method: 'condition.wait', object: 'c', ...}], ...}"); /* as it was called
                                                                                  */
    check(b, "condition.notify_all", "['c']", "0");
    stage_advance(*state, 1000);
    check_waits(a, wait);
    check(b, "lock.release", "['l']", "0");
    check_answer(a, wait, "false");
    check(a, "object.describe", "['l']", "{holder: {session: 1, owner: nil}, depth: 1, ...}");
    wait = actor_send(a, "condition.wait", "['c', 5]");
    stage_advance(*state, 5);
    check_answer(a, wait, "false");
    check(a, "condition.wait", "['c', 0]", "false");
    check(a, "lock.release", "['l']", "0");
    actor_leave(a);
    actor_leave(b);
}

static void
condition_wait_that_was_notified_in_time_is_true_however_long_the_lock_takes(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    check(a, "condition.acquire", "['c']", FIRST);
    uint32_t wait = actor_send(a, "condition.wait", "['c', 5]");
    check(b, "condition.acquire", "['c']", FIRST);
    check(b, "condition.notify", "['c']", "1");
    stage_advance(*state, 1000);
    check(b, "condition.release", "['c']", "0");
    check_answer(a, wait, "true");
    actor_leave(a);
    actor_leave(b);
}

static void condition_notification_of_one_who_goes_is_passed_on(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    (void)sleeper(b);
    uint32_t next = sleeper(a);
    check(c, "condition.acquire", "['c', 0]", FIRST);
    check(c, "condition.notify", "['c']", "1");
    actor_vanish(b);
    check(c, "condition.release", "['c']", "0");
    check_answer(a, next, "true");
    check(a, "condition.release", "['c']", "0");
    actor_leave(a);
    actor_leave(c);
}

static void condition_notification_of_one_who_is_cancelled_is_passed_on(void **state)
{
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    uint32_t first = sleeper(b);
    uint32_t second = sleeper(a);
    check(c, "lock.acquire", "['l', 0]", FIRST);
    check(c, "condition.notify", "['c']", "1");
    actor_notify(b, "cancel", "[2]");
    check_refused(b, first, "CANCELLED");
    check(c, "object.describe", "['c']", "{sleepers: 0, ...}");
    check(c, "lock.release", "['l']", "0");
    check_answer(a, second, "true");
    check_error(b, "lock.release", "['l']", "NOT_OWNER");
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
}

static void condition_sleeper_that_goes_is_not_notified(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    (void)sleeper(b);
    actor_vanish(b);
    check(a, "condition.acquire", "['c', 0]", FIRST);
    check(a, "object.describe", "['c']", "{sleepers: 0, waiting: 0, ...}");
    check(a, "condition.notify_all", "['c']", "0");
    actor_leave(a);
}

static void condition_lock_of_a_holder_that_goes_is_told_to_who_acquires_next(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    uint32_t wait = sleeper(a);
    check(b, "condition.acquire", "['c', 0]", FIRST);
    check(b, "condition.notify", "['c']", "1");
    actor_vanish(b);
    check_answer(a, wait, "true");
    check(a, "condition.release", "['c']", "0");
    check(c, "condition.acquire", "['c', 0]", "{depth: 1, abandoned: true}");
    actor_leave(a);
    actor_leave(c);
}

static void condition_that_is_deleted_wakes_all_its_waiters(void **state)
{
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    uint32_t notified = sleeper(a);
    uint32_t asleep = sleeper(b);
    check(c, "lock.acquire", "['l', 0]", FIRST);
    check(c, "condition.notify", "['c']", "1");
    uint32_t acquirer = actor_send(b, "condition.acquire", "['c']");
    uint32_t other = actor_send(b, "lock.acquire", "['l']");
    check(c, "object.delete", "['c']", "nil");
    check_refused(a, notified, "DELETED");
    check_refused(b, asleep, "DELETED");
    check_refused(b, acquirer, "DELETED");
    check_waits(b, other);
    check(c, "lock.release", "['l']", "0");
    check_answer(b, other, FIRST);
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
}

static void condition_with_its_own_lock_that_is_deleted_wakes_all(void **state)
{
    struct actor *a = with_condition(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t asleep = sleeper(a);
    check(b, "condition.acquire", "['c', 0]", FIRST);
    uint32_t acquirer = actor_send(a, "condition.acquire", "['c']");
    check(b, "object.delete", "['c']", "nil");
    check_refused(a, asleep, "DELETED");
    check_refused(a, acquirer, "DELETED");
    check(b, "session.describe", "[]", "{holding: 0, holds: [], ...}");
    actor_leave(a);
    actor_leave(b);
}

static void condition_whose_lock_is_deleted_wakes_all_and_is_of_no_more_use(void **state)
{
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    uint32_t notified = sleeper(a);
    uint32_t asleep = sleeper(b);
    check(c, "lock.acquire", "['l', 0]", FIRST);
    check(c, "condition.notify", "['c']", "1");
    check(c, "object.delete", "['l']", "nil");
    check_refused(a, notified, "DELETED");
    check_refused(b, asleep, "DELETED");
    check_error(c, "condition.acquire", "['c']", "NOT_FOUND");
    check_error(c, "condition.wait", "['d']", "NOT_FOUND");
    check_error(c, "condition.release", "['c']", "NOT_FOUND");
    check(c, "object.describe", "['c']", "{lock: 'l', holder: nil, sleepers: 0, ...}");
    check(c, "lock.open", "['l']", "_map");
    check_error(c, "condition.acquire", "['c']", "NOT_FOUND");
    check(c, "object.delete", "['c']", "nil");
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
}

static void condition_keeps_a_scoped_lock_alive(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "lock.open", "[nil]", "{name: '#1', lifetime: 'scoped', ...}");
    check(a, "condition.open", "[nil, {lock: '#1'}]", "{name: '#2', lock: '#1', ...}");
    check(a, "object.close", "['#1']", "nil");
    check(a, "condition.acquire", "['#2']", FIRST);
    check(a, "lock.release", "['#1']", "0");
    check(a, "object.close", "['#2']", "nil");
    check_error(a, "lock.locked", "['#1']", "NOT_FOUND");
    check_error(a, "object.describe", "['#2']", "NOT_FOUND");
    actor_leave(a);
}

static void condition_needs_the_write_bits_of_both(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    struct actor *b = actor_new(*state, 2000);
    check(a, "lock.open", "['l', {mode: 432}]", "_map");
    check(a, "condition.open", "['c', {lock: 'l', mode: 438}]", "_map");
    check(a, "condition.open", "['d', {mode: 436}]", "_map");
    check_error(b, "condition.acquire", "['c', 0]", "DENIED");
    check_error(b, "condition.wait", "['c', 0]", "DENIED");
    check_error(b, "condition.notify", "['c']", "DENIED");
    check_error(b, "condition.notify_all", "['c']", "DENIED");
    check_error(b, "condition.release", "['c']", "DENIED");
    check_error(b, "condition.acquire", "['d', 0]", "DENIED");
    check(a, "object.chmod", "['l', 436]", "nil"); /* the read bit is not enough */
    check_error(b, "condition.acquire", "['c', 0]", "DENIED");
    check(a, "object.chmod", "['l', 438]", "nil");
    check(b, "condition.acquire", "['c', 0]", FIRST);
    actor_leave(a);
    actor_leave(b);
}

static void condition_open_on_a_lock_needs_its_write_bit(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    struct actor *b = actor_new(*state, 2000);
    check(a, "lock.open", "['l', {mode: 436, lifetime: 'scoped'}]", "_map"); /* 0664 */
    check_error(b, "condition.open", "['mine', {lock: 'l'}]", "DENIED");
    check_error(b, "object.describe", "['mine']", "NOT_FOUND");
    check(a, "condition.open", "['c', {lock: 'l', mode: 438}]", "_map");
    check_error(b, "condition.open", "['c']", "DENIED");
    check(a, "object.chmod", "['l', 438]", "nil");
    check(b, "condition.open", "['c', {lock: 'l'}]", "_map");
    check(b, "condition.open", "['mine', {lock: 'l'}]", "_map");
    check(a, "object.chmod", "['l', 436]", "nil");
    check_error(b, "condition.acquire", "['mine']", "DENIED");
    check(a, "object.delete", "['l']", "nil");
    check(b, "condition.open", "['mine']", "_map"); /* there is no lock to have a right to */
    actor_leave(a);
    actor_leave(b);
}

static void condition_wait_that_is_refused_has_not_given_the_lock_up(void **state)
{
    struct actor *a = with_condition(state);
    struct stage *stage = *state;
    check(a, "condition.acquire", "['c']", FIRST);
    stage->service.accounts.limits.max_waiting = 0;
    check_error(a, "condition.wait", "['c']", "LIMIT");
    check(a, "object.describe", "['c']", "{depth: 1, sleepers: 0, waiting: 0, ...}");
    check(a, "condition.release", "['c']", "0");
    actor_leave(a);
}

static void condition_wait_takes_its_turn_for_a_lock_that_is_broken(void **state)
{
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    uint32_t asleep = sleeper(a);
    check(b, "condition.acquire", "['c', 0]", FIRST);
    check(b, "condition.notify", "['c']", "1");
    check_waits(a, asleep);
    check(c, "lock.break", "['l']", "{session: 2, owner: nil, depth: 1}");
    check_answer(a, asleep, "true");
    check_error(b, "condition.wait", "['c', 0]", "NOT_OWNER");
    check_error(b, "condition.release", "['c']", "NOT_OWNER");
    check(a, "condition.release", "['c']", "0");
    check(c, "lock.acquire", "['l', 0]", "{depth: 1, abandoned: true}");
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
}

static void condition_sleepers_sleep_on_when_the_lock_is_broken(void **state)
{
    struct actor *a = with_lock(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t asleep = sleeper(a);
    check(b, "lock.break", "['l']", "nil");
    check(b, "lock.acquire", "['l', 0]", FIRST);
    check(b, "lock.break", "['l']", "{session: 2, ...}");
    check_waits(a, asleep);
    check(b, "object.describe", "['c']", "{sleepers: 1, waiting: 1, holder: nil, ...}");
    actor_leave(a);
    actor_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(condition_open_finds_its_lock_and_compares_it),
        TEST(condition_acquires_its_own_lock_recursively),
        TEST(condition_acquires_the_lock_that_it_was_given),
        TEST(condition_needs_its_lock_to_be_held),
        TEST(condition_wait_gives_the_lock_up_and_gets_it_back_as_deep),
        TEST(condition_notify_wakes_those_who_have_slept_longest),
        TEST(condition_wait_that_runs_out_of_time_holds_the_lock_again),
        TEST(condition_wait_that_was_notified_in_time_is_true_however_long_the_lock_takes),
        TEST(condition_notification_of_one_who_goes_is_passed_on),
        TEST(condition_notification_of_one_who_is_cancelled_is_passed_on),
        TEST(condition_sleeper_that_goes_is_not_notified),
        TEST(condition_lock_of_a_holder_that_goes_is_told_to_who_acquires_next),
        TEST(condition_that_is_deleted_wakes_all_its_waiters),
        TEST(condition_with_its_own_lock_that_is_deleted_wakes_all),
        TEST(condition_whose_lock_is_deleted_wakes_all_and_is_of_no_more_use),
        TEST(condition_keeps_a_scoped_lock_alive),
        TEST(condition_needs_the_write_bits_of_both),
        TEST(condition_open_on_a_lock_needs_its_write_bit),
        TEST(condition_wait_that_is_refused_has_not_given_the_lock_up),
        TEST(condition_wait_takes_its_turn_for_a_lock_that_is_broken),
        TEST(condition_sleepers_sleep_on_when_the_lock_is_broken),
    };
    return cmocka_run_group_tests_name("methods of condition", tests, NULL, NULL);
}
