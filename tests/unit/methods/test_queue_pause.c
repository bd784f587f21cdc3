/* Pausing a queue: no get finds anything, and all else goes on. */
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

static void a_paused_queue_gives_nothing_until_it_is_resumed(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "{paused: false, queued: 0, ...}");
    check(a, "queue.put_many", "['q', [1, 2, 3, 4]]", "4");
    check(a, "queue.pause", "['q']", "nil");
    check(a, "object.describe", "['q']", "{paused: true, size: 0, queued: 4, unfinished: 4, ...}");
    check(a, "queue.qsize", "['q']", "0");
    check(a, "queue.empty", "['q']", "true");
    check(a, "queue.peek", "['q', 0, 2]", "[1, 2]");
    check_fails(a, "queue.get", "['q', 0]", "['EMPTY', 'queue.get: \"q\" is paused']");
    check_error(a, "queue.get_many", "['q', 2, 0]", "EMPTY");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    uint32_t many = actor_send(b, "queue.get_many", "['q', 2]");
    uint32_t late = actor_send(b, "queue.get", "['q', 50]");
    check(a, "queue.put", "['q', 5]", "nil");
    stage_advance(*state, 50);
    check_refused(b, late, "EMPTY");
    check_waits(a, get);
    check_waits(b, many);
    check(a, "queue.resume", "['q']", "nil");
    check_answer(a, get, "[1, nil, 1]");
    check_answer(b, many, "[[2, nil, 1], [3, nil, 1]]");
    check(a, "object.describe", "['q']", "{paused: false, size: 2, queued: 2, ...}");
    check(a, "queue.resume", "['q']", "nil");
    actor_leave(a);
    actor_leave(b);
}

static void a_pause_for_a_time_ends_by_itself(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.pause", "['q', 100]", "nil");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    stage_advance(stage, 30);
    check(a, "object.describe", "['q']", "{paused: 70, ...}");
    check(a, "object.list", "[]", "{objects: [{paused: 70, ...}], ...}");
    stage_advance(stage, 69);
    check_waits(a, get);
    stage_advance(stage, 1);
    check_answer(a, get, "[1, nil, 1]");
    check(a, "object.describe", "['q']", "{paused: false, ...}");
    actor_leave(a);
}

static void the_last_pause_counts(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.pause", "['q', 100]", "nil");
    check(a, "queue.pause", "['q', 10]", "nil");
    stage_advance(stage, 10);
    check(a, "queue.qsize", "['q']", "1");
    check(a, "queue.pause", "['q', 10]", "nil");
    check(a, "queue.pause", "['q', nil]", "nil");
    stage_advance(stage, 1000);
    check(a, "object.describe", "['q']", "{paused: true, ...}");
    check(a, "queue.pause", "['q', 10]", "nil");
    check(a, "object.describe", "['q']", "{paused: 10, ...}");
    check(a, "queue.resume", "['q']", "nil");
    stage_advance(stage, 10);
    check(a, "queue.get", "['q', 0]", "[1, nil, 1]");
    actor_leave(a);
}

static void a_pause_of_no_time_is_over_at_once(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    uint32_t pause = actor_send(a, "queue.pause", "['q', 0]");
    check_answer(a, pause, "nil");
    check(a, "queue.get", "['q', 0]", "[1, nil, 1]");
    check_error(a, "queue.pause", "['q', -1]", "BAD_REQUEST");
    check_error(a, "queue.pause", "['q', 9223372036854775808]", "BAD_REQUEST");
    check_error(a, "queue.pause", "['q', true]", "BAD_REQUEST");
    actor_leave(a);
}

static void a_pause_without_end_is_one_like_any_other(void **state)
{
    static const char *const endless[] = {"18446744072709", "18446744072710", "18446744073709",
                                          "18446744073710", "9223372036854775807"};
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        char params[64];
        (void)snprintf(params, sizeof(params), "['q', %s]", endless[i]);
        check(a, "queue.pause", params, "nil");
        stage_advance(stage, 1000000000);
        check(a, "object.describe", "['q']", "{paused: _int, size: 0, ...}");
        check_error(a, "queue.get", "['q', 0]", "EMPTY");
        check(a, "queue.resume", "['q']", "nil");
        check(a, "queue.qsize", "['q']", "1");
    }
    check(a, "queue.pause", "['q', 9223372036854775807]", "nil"); /* and is there at the end */
    actor_leave(a);
}

static void get_any_passes_a_paused_queue_over(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['p']", "_map");
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put_many", "['p', [1, 2]]", "2");
    check(a, "queue.put", "['q', 3]", "nil");
    check(a, "queue.pause", "['p', 100]", "nil");
    check(a, "queue.get_any", "[['p', 'q']]", "['q', 3, nil, 1]");
    check_error(a, "queue.get_any", "[['p', 'q'], 0]", "EMPTY");
    uint32_t first = actor_send(a, "queue.get_any", "[['p', 'q']]");
    uint32_t second = actor_send(b, "queue.get_any", "[['q', 'p']]");
    check(a, "queue.put", "['q', 4]", "nil");
    check_answer(a, first, "['q', 4, nil, 1]");
    check_waits(b, second);
    stage_advance(*state, 100);
    check_answer(b, second, "['p', 1, nil, 1]");
    actor_leave(a);
    actor_leave(b);
}

static void what_is_taken_goes_on_while_the_queue_is_paused(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true, lease_ms: 50, maxsize: 3}]", "_map");
    check(a, "queue.put_many", "['q', ['x', 'y']]", "2");
    check(a, "queue.get_many", "['q', 2]", "[['x', 1, 1], ['y', 2, 1]]");
    check(a, "queue.put", "['q', 'short', 0, {ttl_ms: 20}]", "nil");
    check(a, "queue.put", "['q', 'later', 0, {delay_ms: 20}]", "nil");
    check(a, "queue.pause", "['q', 1000]", "nil");
    uint32_t join = actor_send(b, "queue.join", "['q']");
    stage_advance(stage, 30);
    check(a, "object.describe", "['q']", "{queued: 1, delayed: 0, expired: 1, ...}");
    check(a, "queue.task_done", "['q', 1]", "2");
    check(a, "queue.touch", "['q', 2]", "nil");
    stage_advance(stage, 50);
    check(a, "object.describe", "['q']", "{queued: 2, taken: 0, size: 0, ...}");
    check(a, "queue.put", "['q', 'z', 0]", "nil");
    check(a, "queue.full", "['q']", "true");
    check_error(a, "queue.put", "['q', 'w', 0]", "FULL");
    check_waits(b, join);
    check(a, "queue.clear", "['q']", "3");
    check_answer(b, join, "nil");
    check(a, "object.describe", "['q']", "{queued: 0, unfinished: 0, paused: _int, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void a_queue_that_is_shut_down_and_paused_drains_when_it_is_resumed(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.pause", "['q']", "nil");
    uint32_t first = actor_send(a, "queue.get", "['q']");
    uint32_t second = actor_send(b, "queue.get", "['q']");
    check(a, "queue.shutdown", "['q']", "nil");
    check_waits(a, first);
    check_error(a, "queue.put", "['q', 2, 0]", "SHUT_DOWN");
    check(a, "queue.resume", "['q']", "nil");
    check_answer(a, first, "[1, nil, 1]");
    check_refused(b, second, "SHUT_DOWN");
    check(a, "queue.pause", "['q']", "nil"); /* there is nothing that it could hold back */
    check_error(a, "queue.get", "['q']", "SHUT_DOWN");
    actor_leave(a);
    actor_leave(b);
}

static void shutting_a_paused_queue_down_at_once_ends_the_waits(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2]]", "2");
    check(a, "queue.get", "['q']", "[1, 1, 1]");
    check(a, "queue.pause", "['q']", "nil");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    check(a, "queue.shutdown", "['q', false, {drain: true}]", "1");
    check_waits(a, get);
    check(a, "queue.shutdown", "['q', true, {}]", "1");
    check_waits(a, get); /* what is taken may come back */
    check(a, "queue.task_done", "['q', 1]", "0");
    check_refused(a, get, "SHUT_DOWN");
    actor_leave(a);
}

static void pause_and_resume_need_the_write_bit(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 1001);
    check(a, "queue.open", "['q', {mode: 388}]", "_map"); /* 0604 */
    check_error(b, "queue.pause", "['q']", "DENIED");
    check_error(b, "queue.resume", "['q']", "DENIED");
    check(a, "list.open", "['l']", "_map");
    check_error(a, "queue.pause", "['l']", "WRONG_TYPE");
    actor_leave(a);
    actor_leave(b);
}

static void who_watches_is_told_of_pauses(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "object.watch", "['q']", "nil");
    check(a, "queue.resume", "['q']", "nil"); /* nothing has changed */
    check(a, "queue.pause", "['q']", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.pause", "['q', 20]", "nil");
    stage_advance(stage, 20);
    check(a, "queue.pause", "['q', 9223372036854775807]", "nil");
    check(a, "queue.resume", "['q']", "nil");
    check_events(a, "[['q', 'pause', {timed: false, ms: 0}], ['q', 'put', {size: 0}],"
                    " ['q', 'pause', {timed: true, ms: 20}], ['q', 'resume', {size: 1}],"
                    " ['q', 'pause', {timed: true, ms: 9223372036854775807}],"
                    " ['q', 'resume', {size: 1}]]");
    actor_leave(a);
}

static void many_who_waited_for_the_end_of_a_pause_are_served_in_order(void **state)
{
    enum { COUNT = 200 };
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    uint32_t gets[COUNT];
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.pause", "['q', 10]", "nil");
    for (int i = 0; i < COUNT; i++) {
        char params[64];
        gets[i] = actor_send(a, "queue.get", "['q']");
        (void)snprintf(params, sizeof(params), "['q', %d]", i);
        check(a, "queue.put", params, "nil");
    }
    stage_advance(stage, 10);
    for (int i = 0; i < COUNT; i++) {
        char answer[64];
        (void)snprintf(answer, sizeof(answer), "[%d, nil, 1]", i);
        check_answer(a, gets[i], answer);
    }
    actor_leave(a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_paused_queue_gives_nothing_until_it_is_resumed),
        TEST(a_pause_for_a_time_ends_by_itself),
        TEST(the_last_pause_counts),
        TEST(a_pause_of_no_time_is_over_at_once),
        TEST(a_pause_without_end_is_one_like_any_other),
        TEST(get_any_passes_a_paused_queue_over),
        TEST(what_is_taken_goes_on_while_the_queue_is_paused),
        TEST(a_queue_that_is_shut_down_and_paused_drains_when_it_is_resumed),
        TEST(shutting_a_paused_queue_down_at_once_ends_the_waits),
        TEST(pause_and_resume_need_the_write_bit),
        TEST(who_watches_is_told_of_pauses),
        TEST(many_who_waited_for_the_end_of_a_pause_are_served_in_order),
    };
    return cmocka_run_group_tests_name("queue_pause", tests, NULL, NULL);
}
