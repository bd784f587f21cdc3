/* The typed functions of locks and conditions, and guards: the request that each makes, with the
 * owner in it, what it takes from the answer, and arguments that are refused. */
#include "tests/unit/client/rows.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "client/clock.h"

#define HELD "{depth: 1, abandoned: false}"

#define assert_refused(call) assert_fails(call, ARGUMENT, "needs a handle")

/* ---- lock ------------------------------------------------------------------------------------ */

static const struct row lock_rows[] = {
    {"lock.open", "['l', {recursive: true, on_disconnect: 'keep', release_by: 'anyone'}]",
     "{name: 'l'}"},
    {"lock.acquire", "['l', nil, 7]", "{depth: 2, abandoned: true}"},
    {"lock.acquire", "['l', 50, 'task']", HELD},
    {"lock.acquire", "['l', 0, nil]", HELD},
    {"lock.acquire", "['l', 0]", HELD},
    {"lock.release", "['l', 7]", "1"},
    {"lock.release", "['l', nil]", "0"},
    {"lock.break", "['l']", "nil"},
    {"lock.locked", "['l']", "true"},
    {"lock.acquire", "_array", "{depth: 1}"},
    {"lock.acquire", "_array", "{depth: 1, abandoned: 1}"},
    {"lock.acquire", "_array", "true"},
    {"lock.release", "_array", "nil"},
    {"object.close", "['l']", "nil"},
    {NULL, NULL, NULL},
};

static void refuse_lock_options(struct ipcc *conn)
{
    struct ipcc_lock *lock = NULL;
    struct ipcc_lock_options options = {.on_disconnect = IPCC_ON_DISCONNECT_DISCARD};
    assert_fails(ipcc_lock_open(conn, "l", &options, &lock), ARGUMENT, "on_disconnect is 2");
    options = (struct ipcc_lock_options){.on_disconnect = (enum ipcc_on_disconnect)5};
    assert_fails(ipcc_lock_open(conn, "l", &options, &lock), ARGUMENT, "on_disconnect is 5");
    options = (struct ipcc_lock_options){.release_by = (enum ipcc_release_by)3};
    assert_fails(ipcc_lock_open(conn, "l", &options, &lock), ARGUMENT, "release_by is 3");
    options = (struct ipcc_lock_options){.reserved = {1}};
    assert_fails(ipcc_lock_open(conn, "l", &options, &lock), ARGUMENT, "reserved");
    assert_null(lock);
}

static void lock_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_lock *lock;
    struct ipcc_acquired acquired = {0};
    uint64_t depth = 0;
    bool locked = false;
    struct ipcc_lock_options options = {.recursive = true,
                                        .on_disconnect = IPCC_ON_DISCONNECT_KEEP,
                                        .release_by = IPCC_RELEASE_BY_ANYONE};
    struct ipcc *conn = connect_to(&server, serve_rows, lock_rows);
    refuse_lock_options(conn);
    assert_ok(ipcc_lock_open(conn, "l", &options, &lock));
    assert_string_equal(ipcc_lock_name(lock), "l");
    assert_ok(ipcc_lock_acquire_as(lock, IPCC_FOREVER, ipcc_int(7), &acquired));
    assert_true(acquired.depth == 2 && acquired.abandoned);
    assert_ok(ipcc_lock_acquire_as(lock, 50, ipcc_str("task"), &acquired));
    assert_true(acquired.depth == 1 && !acquired.abandoned);
    assert_ok(ipcc_lock_acquire_as(lock, 0, ipcc_nil(), NULL));
    assert_ok(ipcc_lock_acquire_as(lock, 0, ipcc_none(), NULL));
    assert_ok(ipcc_lock_release_as(lock, ipcc_int(7), &depth));
    assert_int_equal(depth, 1);
    assert_ok(ipcc_lock_release_as(lock, ipcc_nil(), NULL));
    assert_ok(ipcc_lock_break(lock, NULL));
    assert_ok(ipcc_lock_locked(lock, &locked));
    assert_true(locked);
    acquired.depth = 99;
    for (int i = 0; i < 3; i++) {
        assert_fails(ipcc_lock_acquire(lock, 0, &acquired), PROTOCOL, "depth and abandoned");
    }
    assert_int_equal(acquired.depth, 99);
    assert_fails(ipcc_lock_release(lock, NULL), PROTOCOL, "a count");
    assert_fails(ipcc_lock_acquire(lock, -2, NULL), ARGUMENT, "timeout_ms is -2");
    assert_ok(ipcc_lock_close(lock));
    close_and_join(conn, &server);
}

static void functions_of_a_lock_refuse_null(void **state)
{
    struct ipcc_guard guard;
    assert_refused(ipcc_lock_acquire(NULL, 0, NULL));
    assert_refused(ipcc_lock_acquire_as(NULL, 0, ipcc_int(1), NULL));
    assert_refused(ipcc_lock_release(NULL, NULL));
    assert_refused(ipcc_lock_release_as(NULL, ipcc_int(1), NULL));
    assert_refused(ipcc_lock_break(NULL, NULL));
    assert_refused(ipcc_lock_locked(NULL, NULL));
    assert_refused(ipcc_lock_guard(NULL, 0, &guard));
    assert_null(ipcc_lock_name(NULL));
    assert_int_equal(ipcc_lock_close(NULL), 0);
}

/* ---- condition ------------------------------------------------------------------------------- */

static const struct row condition_rows[] = {
    {"condition.open", "['c', {lock: 'l'}]", "{name: 'c'}"},
    {"condition.acquire", "['c', nil, 7]", "{depth: 2, abandoned: true}"},
    {"condition.wait", "['c', nil, 7]", "true"},
    {"condition.wait", "['c', 5, nil]", "false"},
    {"condition.notify", "['c', 2, 7]", "1"},
    {"condition.notify_all", "['c', 7]", "3"},
    {"condition.release", "['c', 7]", "1"},
    {"condition.acquire", "['c', 0, _int]", HELD},
    {"condition.wait", "['c', 0, _int]", "false"},
    {"condition.notify", "['c', 1, _int]", "0"},
    {"condition.notify_all", "['c', _int]", "0"},
    {"condition.release", "['c', _int]", "0"},
    {"condition.acquire", "_array", "{abandoned: false}"},
    {"condition.wait", "_array", "nil"},
    {"object.close", "['c']", "nil"},
    {NULL, NULL, NULL},
};

static void use_condition_as_task(struct ipcc_condition *condition)
{
    struct ipcc_acquired acquired = {0};
    struct ipcc_value task = ipcc_int(7);
    uint64_t count = 0;
    bool notified = false;
    assert_ok(ipcc_condition_acquire_as(condition, IPCC_FOREVER, task, &acquired));
    assert_true(acquired.depth == 2 && acquired.abandoned);
    assert_ok(ipcc_condition_wait_as(condition, IPCC_FOREVER, task, &notified));
    assert_true(notified);
    assert_ok(ipcc_condition_wait_as(condition, 5, ipcc_nil(), &notified));
    assert_false(notified);
    assert_ok(ipcc_condition_notify_as(condition, 2, task, &count));
    assert_int_equal(count, 1);
    assert_ok(ipcc_condition_notify_all_as(condition, task, &count));
    assert_int_equal(count, 3);
    assert_ok(ipcc_condition_release_as(condition, task, &count));
    assert_int_equal(count, 1);
}

static void condition_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_condition *condition = NULL;
    struct ipcc_condition_options options = {.reserved = {1}};
    struct ipcc *conn = connect_to(&server, serve_rows, condition_rows);
    assert_fails(ipcc_condition_open(conn, "c", &options, &condition), ARGUMENT, "reserved");
    options = (struct ipcc_condition_options){.lock = "l"};
    assert_ok(ipcc_condition_open(conn, "c", &options, &condition));
    assert_string_equal(ipcc_condition_name(condition), "c");
    use_condition_as_task(condition);
    assert_ok(ipcc_condition_acquire(condition, 0, NULL));
    assert_ok(ipcc_condition_wait(condition, 0, NULL));
    assert_ok(ipcc_condition_notify(condition, 1, NULL));
    assert_ok(ipcc_condition_notify_all(condition, NULL));
    assert_ok(ipcc_condition_release(condition, NULL));
    assert_fails(ipcc_condition_acquire(condition, 0, NULL), PROTOCOL, "depth and abandoned");
    assert_fails(ipcc_condition_wait(condition, 0, NULL), PROTOCOL, "a boolean");
    assert_fails(ipcc_condition_wait(condition, -2, NULL), ARGUMENT, "timeout_ms is -2");
    assert_ok(ipcc_condition_close(condition));
    close_and_join(conn, &server);
}

static bool never(void *data)
{
    int *calls = data;
    (*calls)++;
    return false;
}

static void functions_of_a_condition_refuse_null(void **state)
{
    struct ipcc_guard guard;
    int calls = 0;
    assert_refused(ipcc_condition_acquire(NULL, 0, NULL));
    assert_refused(ipcc_condition_release(NULL, NULL));
    assert_refused(ipcc_condition_wait(NULL, 0, NULL));
    assert_refused(ipcc_condition_wait_for(NULL, never, &calls, 0));
    assert_refused(ipcc_condition_notify(NULL, 1, NULL));
    assert_refused(ipcc_condition_notify_all(NULL, NULL));
    assert_refused(ipcc_condition_guard(NULL, 0, &guard));
    assert_int_equal(calls, 0);
    assert_null(ipcc_condition_name(NULL));
    assert_int_equal(ipcc_condition_close(NULL), 0);
}

/* ---- wait_for -------------------------------------------------------------------------------- */

/* True at the call of that number. */
struct countdown {
    int calls;
    int wanted;
};

static bool count_to(void *data)
{
    struct countdown *countdown = data;
    countdown->calls++;
    return countdown->calls >= countdown->wanted;
}

static const struct row wait_for_rows[] = {
    {"condition.open", "['c']", "{name: 'c'}"},
    {"condition.wait", "['c', nil, 7]", "true"},
    {"condition.wait", "['c', nil, 7]", "true"},
    {"condition.wait", "['c', 9223372036854775807, 7]", "true"},
    {"condition.wait", "['c', _int, 7]", "false"},
    {"object.close", "['c']", "nil"},
    {NULL, NULL, NULL},
};

static void wait_for_waits_until_the_predicate_is_true(void **state)
{
    struct fake_server server;
    struct ipcc_condition *condition;
    struct ipcc_value task = ipcc_int(7);
    struct countdown countdown = {.wanted = 1};
    int calls = 0;
    struct ipcc *conn = connect_to(&server, serve_rows, wait_for_rows);
    assert_ok(ipcc_condition_open(conn, "c", NULL, &condition));
    assert_ok(ipcc_condition_wait_for_as(condition, count_to, &countdown, 0, task));
    assert_int_equal(countdown.calls, 1);
    countdown = (struct countdown){.wanted = 3};
    assert_ok(ipcc_condition_wait_for_as(condition, count_to, &countdown, IPCC_FOREVER, task));
    assert_int_equal(countdown.calls, 3);
    countdown = (struct countdown){.wanted = 2};
    assert_ok(ipcc_condition_wait_for_as(condition, count_to, &countdown, INT64_MAX, task));
    /* What became true while the time ran out counts. */
    countdown = (struct countdown){.wanted = 2};
    assert_ok(ipcc_condition_wait_for_as(condition, count_to, &countdown, 60000, task));
    assert_fails(ipcc_condition_wait_for(condition, never, &calls, 0), TIMEOUT, "within 0 ms");
    assert_int_equal(calls, 1);
    assert_fails(ipcc_condition_wait_for(condition, never, &calls, -2), ARGUMENT, "is -2");
    assert_fails(ipcc_condition_wait_for(condition, NULL, NULL, 0), ARGUMENT, "a predicate");
    assert_int_equal(calls, 1);
    assert_ok(ipcc_condition_close(condition));
    close_and_join(conn, &server);
}

/* Notifies at once, whatever the time that a wait is given. */
static void serve_notifications(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "condition.open", "['c']"), "{name: 'c'}");
    while (fake_more(fake)) {
        int64_t ignored;
        fake_answer(fake, fake_next(fake, &ignored), "true");
    }
}

static bool take_a_millisecond(void *data)
{
    int64_t start = clock_ms();
    while (clock_ms() < start + 2) {
    }
    return never(data);
}

static void wait_for_measures_its_time_over_all_waits(void **state)
{
    struct fake_server server;
    struct ipcc_condition *condition;
    int calls = 0;
    struct ipcc *conn = connect_to(&server, serve_notifications, NULL);
    assert_ok(ipcc_condition_open(conn, "c", NULL, &condition));
    int64_t start = clock_ms();
    assert_fails(ipcc_condition_wait_for(condition, take_a_millisecond, &calls, 20), TIMEOUT,
                 "\"c\" did not come within 20 ms");
    assert_true(clock_ms() - start >= 20);
    assert_in_range(calls, 1, 23);
    assert_ok(ipcc_condition_close(condition));
    close_and_join(conn, &server);
}

static void serve_a_lock_that_is_long_in_coming(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "condition.open", "['c']"), "{name: 'c'}");
    uint32_t msgid = fake_expect(fake, "condition.wait", "['c', 1, _int]");
    (void)poll(NULL, 0, 100);
    fake_answer(fake, msgid, "false");
    fake_answer(fake, fake_expect(fake, "object.close", "['c']"), "nil");
    fake_expect_end(fake);
}

static void guard_time_does_not_end_a_wait_for_the_lock(void **state)
{
    struct fake_server server = fake_server_start(serve_a_lock_that_is_long_in_coming, NULL);
    struct ipcc *conn;
    struct ipcc_condition *condition;
    struct ipcc_options options = {.path = server.path, .guard_ms = 50};
    assert_ok(ipcc_open(&conn, &options));
    assert_ok(ipcc_condition_open(conn, "c", NULL, &condition));
    assert_ok(ipcc_condition_wait(condition, 1, NULL));
    assert_ok(ipcc_condition_close(condition));
    close_and_join(conn, &server);
}

/* ---- guards ---------------------------------------------------------------------------------- */

static void serve_guards(struct fake *fake)
{
    char acquire[32];
    char release[32];
    const int *owner = fake->data;
    (void)snprintf(acquire, sizeof(acquire), "['l', 9, %d]", *owner);
    (void)snprintf(release, sizeof(release), "['l', %d]", *owner);
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "lock.open", "['l']"), "{name: 'l'}");
    /* By the cleanup, before the end of the scope, and in vain. */
    fake_answer(fake, fake_expect(fake, "lock.acquire", acquire), "{depth: 1, abandoned: true}");
    fake_answer(fake, fake_expect(fake, "lock.release", release), "0");
    fake_answer(fake, fake_expect(fake, "lock.acquire", acquire), HELD);
    fake_answer(fake, fake_expect(fake, "lock.release", release), "0");
    fake_answer(fake, fake_expect(fake, "lock.acquire", acquire), HELD);
    fake_refuse(fake, fake_expect(fake, "lock.release", release), "NOT_OWNER", "not yours");
    fake_refuse(fake, fake_expect(fake, "lock.acquire", acquire), "TIMEOUT", "held");
    fake_answer(fake, fake_expect(fake, "object.close", "['l']"), "nil");
    fake_expect_end(fake);
}

static bool guard_in_a_scope(struct ipcc_lock *lock)
{
    IPCC_CLEANUP(ipcc_guard_release) struct ipcc_guard guard = {0};
    assert_ok(ipcc_lock_guard(lock, 9, &guard));
    return guard.acquired.abandoned;
}

static int guard_to_the_end(struct ipcc_lock *lock)
{
    IPCC_CLEANUP(ipcc_guard_release) struct ipcc_guard guard = {0};
    assert_ok(ipcc_lock_guard(lock, 9, &guard));
    int status = ipcc_guard_release(&guard);
    assert_null(guard.held);
    return status;
}

static void guard_releases_once_what_it_holds(void **state)
{
    struct fake_server server;
    struct ipcc_lock *lock;
    struct ipcc_guard guard;
    int owner = gettid();
    memset(&guard, 0xa5, sizeof(guard));
    struct ipcc *conn = connect_to(&server, serve_guards, &owner);
    assert_ok(ipcc_lock_open(conn, "l", NULL, &lock));
    assert_true(guard_in_a_scope(lock));
    assert_int_equal(guard_to_the_end(lock), 0);
    assert_int_equal(guard_to_the_end(lock), IPCC_ERR_NOT_OWNER);
    assert_fails(ipcc_lock_guard(lock, 9, &guard), TIMEOUT, "held");
    assert_ok(ipcc_guard_release(&guard));
    assert_ok(ipcc_guard_release(NULL));
    assert_fails(ipcc_lock_guard(lock, 0, NULL), ARGUMENT, "needs a guard");
    assert_ok(ipcc_lock_close(lock));
    close_and_join(conn, &server);
}

static const struct row other_guard_rows[] = {
    {"condition.open", "['c']", "{name: 'c'}"},
    {"condition.acquire", "['c', nil, _int]", HELD},
    {"condition.release", "['c', _int]", "0"},
    {"semaphore.open", "['s']", "{name: 's'}"},
    {"semaphore.acquire", "['s', 5, 3]", "0"},
    {"semaphore.release", "['s', 3]", "3"},
    {"object.close", "['c']", "nil"},
    {"object.close", "['s']", "nil"},
    {NULL, NULL, NULL},
};

static void guards_of_conditions_and_semaphores_release_them(void **state)
{
    struct fake_server server;
    struct ipcc_condition *condition;
    struct ipcc_semaphore *semaphore;
    struct ipcc_guard guard = {0};
    struct ipcc *conn = connect_to(&server, serve_rows, other_guard_rows);
    assert_ok(ipcc_condition_open(conn, "c", NULL, &condition));
    assert_ok(ipcc_condition_guard(condition, IPCC_FOREVER, &guard));
    assert_int_equal(guard.acquired.depth, 1);
    assert_ok(ipcc_guard_release(&guard));
    assert_ok(ipcc_semaphore_open(conn, "s", NULL, &semaphore));
    assert_ok(ipcc_semaphore_guard(semaphore, 3, 5, &guard));
    assert_ok(ipcc_guard_release(&guard));
    assert_ok(ipcc_guard_release(&guard));
    assert_fails(ipcc_semaphore_guard(semaphore, 3, 5, NULL), ARGUMENT, "needs a guard");
    assert_fails(ipcc_condition_guard(condition, 5, NULL), ARGUMENT, "needs a guard");
    assert_ok(ipcc_condition_close(condition));
    assert_ok(ipcc_semaphore_close(semaphore));
    close_and_join(conn, &server);
}

static void serve_runs(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "lock.open", "['l']"), "{name: 'l'}");
    for (int i = 0; i < 2; i++) {
        fake_answer(fake, fake_expect(fake, "lock.acquire", "['l', 9, _int]"),
                    "{depth: 3, abandoned: true}");
        fake_answer(fake, fake_expect(fake, "lock.release", "['l', _int]"), "2");
    }
    fake_answer(fake, fake_expect(fake, "lock.acquire", "['l', 9, _int]"), HELD);
    fake_refuse(fake, fake_expect(fake, "lock.release", "['l', _int]"), "NOT_OWNER", "not yours");
    fake_refuse(fake, fake_expect(fake, "lock.acquire", "['l', 9, _int]"), "TIMEOUT", "held");
    fake_answer(fake, fake_expect(fake, "object.close", "['l']"), "nil");
    fake_expect_end(fake);
}

struct section {
    int result;
    int calls;
    struct ipcc_acquired acquired;
};

static int enter_section(const struct ipcc_acquired *acquired, void *data)
{
    struct section *section = data;
    section->acquired = *acquired;
    section->calls++;
    return section->result;
}

static void lock_run_tells_of_acquiring_the_section_and_releasing(void **state)
{
    struct fake_server server;
    struct ipcc_lock *lock;
    struct section section = {0};
    struct ipcc *conn = connect_to(&server, serve_runs, NULL);
    assert_ok(ipcc_lock_open(conn, "l", NULL, &lock));
    assert_ok(ipcc_lock_run(lock, 9, enter_section, &section));
    assert_true(section.acquired.depth == 3 && section.acquired.abandoned);
    section.result = 42;
    assert_int_equal(ipcc_lock_run(lock, 9, enter_section, &section), 42);
    section.result = 0;
    assert_fails(ipcc_lock_run(lock, 9, enter_section, &section), NOT_OWNER, "not yours");
    assert_int_equal(section.calls, 3);
    assert_fails(ipcc_lock_run(lock, 9, enter_section, &section), TIMEOUT, "held");
    assert_int_equal(section.calls, 3);
    assert_fails(ipcc_lock_run(lock, 9, NULL, NULL), ARGUMENT, "a function to call");
    assert_ok(ipcc_lock_close(lock));
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_functions_make_their_requests),
        cmocka_unit_test(functions_of_a_lock_refuse_null),
        cmocka_unit_test(condition_functions_make_their_requests),
        cmocka_unit_test(functions_of_a_condition_refuse_null),
        cmocka_unit_test(wait_for_waits_until_the_predicate_is_true),
        cmocka_unit_test(wait_for_measures_its_time_over_all_waits),
        cmocka_unit_test(guard_time_does_not_end_a_wait_for_the_lock),
        cmocka_unit_test(guard_releases_once_what_it_holds),
        cmocka_unit_test(guards_of_conditions_and_semaphores_release_them),
        cmocka_unit_test(lock_run_tells_of_acquiring_the_section_and_releasing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
