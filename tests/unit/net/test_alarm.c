/* When the daemon is woken for a deadline, and when it gives memory back. */
#include "tests/unit/net/wire.h"

#include "daemon/net/alarm.h"
#include "daemon/memory.h"

enum { MS = 1000000, MIB = 1024 * 1024 };

static void count(evutil_socket_t fd, short what, void *data)
{
    (void)fd;
    (void)what;
    ++*(int *)data;
}

static void it_rings_at_its_time_and_not_before(void **state)
{
    (void)state;
    int rung = 0;
    struct alarm alarm;
    struct event_base *base = event_base_new();
    assert_int_equal(alarm_init(&alarm, base, count, &rung), 0);
    uint64_t due = net_clock() + 20 * MS;
    alarm_set(&alarm, due);
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    assert_true(net_clock() >= due);
    assert_int_equal(rung, 1);
    alarm_rung(&alarm);
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(rung, 1);
    alarm_deinit(&alarm);
    event_base_free(base);
}

static void only_an_earlier_deadline_sets_it_again(void **state)
{
    (void)state;
    int rung = 0;
    struct alarm alarm;
    struct event_base *base = event_base_new();
    assert_int_equal(alarm_init(&alarm, base, count, &rung), 0);
    alarm_set(&alarm, UINT64_MAX);
    assert_int_equal(alarm.at, UINT64_MAX);
    uint64_t far = net_clock() + (uint64_t)3600 * 1000 * MS;
    alarm_set(&alarm, far);
    assert_int_equal(alarm.at, far);
    alarm_set(&alarm, far + 1);
    assert_int_equal(alarm.at, far);
    alarm_set(&alarm, 0); /* long past: at once */
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    assert_int_equal(rung, 1);
    alarm_rung(&alarm);
    assert_int_equal(alarm.at, UINT64_MAX);
    alarm_deinit(&alarm);
    event_base_free(base);
}

static void memory_is_given_back_when_much_less_is_stored(void **state)
{
    (void)state;
    struct memory memory;
    struct event_base *base = event_base_new();
    assert_int_equal(memory_init(&memory, base), 0);
    memory_watch(&memory, (uint64_t)800 * MIB);
    memory_watch(&memory, (uint64_t)700 * MIB);
    assert_false(memory.waiting);
    memory_watch(&memory, (uint64_t)600 * MIB);
    assert_true(memory.waiting);
    memory_watch(&memory, (uint64_t)100 * MIB);
    event_active(&memory.timer, EV_TIMEOUT, 0);
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    assert_false(memory.waiting);
    assert_int_equal(memory.peak, (uint64_t)100 * MIB);
    memory_watch(&memory, (uint64_t)95 * MIB);
    assert_false(memory.waiting);
    memory_deinit(&memory);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_rings_at_its_time_and_not_before),
        cmocka_unit_test(only_an_earlier_deadline_sets_it_again),
        cmocka_unit_test(memory_is_given_back_when_much_less_is_stored),
    };
    return cmocka_run_group_tests_name("alarm", tests, NULL, NULL);
}
