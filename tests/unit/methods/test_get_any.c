/* queue.get_any as whole calls: which queue it takes from, who comes first, and how its wait ends
 * on several queues at once. */
#include "tests/support/scarce.h"
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

/* A session that has opened the queues 'a' and 'b' and the joinable queue 'j'. */
static struct actor *with_queues(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['a']", "_map");
    check(a, "queue.open", "['b']", "_map");
    check(a, "queue.open", "['j', {joinable: true}]", "_map");
    return a;
}

static void get_any_takes_from_the_first_that_has_an_item(void **state)
{
    struct actor *a = with_queues(state);
    check(a, "queue.put_many", "['b', [1, 'x'*5000]]", "2");
    check(a, "queue.put", "['j', 3]", "nil");
    check(a, "queue.get_any", "[['a', 'b', 'j']]", "['b', 1, nil, 1]");
    check(a, "queue.get_any", "[['a', 'j', 'b'], 0]", "['j', 3, 1, 1]");
    check(a, "queue.get_any", "[['b']]", "['b', 'x'*5000, nil, 1]");
    check_error(a, "queue.get_any", "[['a', 'b', 'j'], 0]", "EMPTY");
    check(a, "queue.task_done", "['j', 1]", "0");
    actor_leave(a);
}

static void get_any_refuses_what_is_not_an_array_of_queues_it_may_write(void **state)
{
    only_here(*state, "it asks for arrays, which are here");
    struct actor *a = with_queues(state);
    struct actor *b = actor_new(*state, 1000);
    check(a, "list.open", "['l']", "_map");
    check_error(a, "queue.get_any", "[]", "BAD_REQUEST");
    check_error(a, "queue.get_any", "['a']", "BAD_REQUEST");
    check_error(a, "queue.get_any", "[[]]", "BAD_REQUEST");
    check_error(a, "queue.get_any", "[['a', 5]]", "BAD_REQUEST");
    check_error(a, "queue.get_any", "[['a'], -1]", "BAD_REQUEST");
    check_error(a, "queue.get_any", "[['a']*1001]", "BAD_REQUEST");
    check_fails(a, "queue.get_any", "[['a', 'none']]",
                "['NOT_FOUND', 'there is no object \"none\"']");
    check_fails(a, "queue.get_any", "[['l', 'a']]",
                "['WRONG_TYPE', '\"l\" is a list; queue.get_any needs a queue']");
    check(a, "event.open", "['e']", "_map");
    check_fails(a, "queue.get", "['e']",
                "['WRONG_TYPE', '\"e\" is an event; queue.get needs a queue']");
    check_fails(a, "array.len", "['e']",
                "['WRONG_TYPE', '\"e\" is an event; array.len needs an array']");
    check_fails(a, "queue.open", "['e']", "['WRONG_TYPE', '\"e\" is an event, not a queue']");
    check(a, "queue.put", "['a', 1]", "nil");
    check(a, "object.chmod", "['a', 438]", "nil");
    check_error(b, "queue.get_any", "[['a', 'b']]", "DENIED");
    check(b, "queue.get_any", "[['a']]", "['a', 1, nil, 1]");
    check_error(a, "queue.get_any", "[['a']*1000, 0]", "EMPTY");
    actor_leave(a);
    actor_leave(b);
}

static void get_any_waits_for_the_first_to_get_an_item(void **state)
{
    struct actor *a = with_queues(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t get = actor_send(a, "queue.get_any", "[['a', 'b', 'j']]");
    check(b, "queue.put", "['j', 1]", "nil");
    check(b, "queue.put", "['a', 2]", "nil");
    check_answer(a, get, "['j', 1, 1, 1]");
    check(b, "queue.qsize", "['a']", "1");
    check(b, "queue.clear", "['a']", "1");
    get = actor_send(a, "queue.get_any", "[['a', 'b']]");
    check(b, "atomic", "[[['queue.put', ['b', 3]], ['queue.put', ['a', 4]]]]", "[nil, nil]");
    check_answer(a, get, "['b', 3, nil, 1]");
    check(b, "object.describe", "['a']", "{size: 1, waiting: 0, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void getters_of_both_kinds_are_served_in_their_order(void **state)
{
    struct actor *a = with_queues(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t first = actor_send(a, "queue.get", "['a']");
    uint32_t any = actor_send(b, "queue.get_any", "[['a', 'b']]");
    uint32_t later = actor_send(a, "queue.get", "['a']");
    uint32_t other = actor_send(a, "queue.get", "['b']");
    uint32_t last = actor_send(b, "queue.get_any", "[['b', 'a']]");
    check(b, "queue.put", "['a', 1]", "nil");
    check_answer(a, first, "[1, nil, 1]");
    check_waits(b, any);
    check(b, "queue.put", "['a', 2]", "nil");
    check_answer(b, any, "['a', 2, nil, 1]");
    check(b, "queue.put", "['b', 3]", "nil");
    check_answer(a, other, "[3, nil, 1]");
    check_waits(b, last);
    check(b, "queue.put_many", "['a', [4, 5]]", "2");
    check_answer(a, later, "[4, nil, 1]");
    check_answer(b, last, "['a', 5, nil, 1]");
    actor_leave(a);
    actor_leave(b);
}

static void get_any_does_not_overtake_who_waits(void **state)
{
    struct actor *a = with_queues(state);
    uint32_t get = actor_send(a, "queue.get", "['a']");
    check_fails(a, "atomic", "[[['queue.put', ['a', 1]], ['queue.get_any', [['a', 'b']]]]]",
                "['EMPTY', _str, {index: 1, results: [nil]}]");
    check_answer(a, get, "[1, nil, 1]");
    get = actor_send(a, "queue.get", "['a']");
    check(a, "atomic",
          "[[['queue.put', ['a', 1]], ['queue.put', ['b', 2]], "
          "['queue.get_any', [['a', 'b'], 50]]]]",
          "[nil, nil, ['b', 2, nil, 1]]");
    check_answer(a, get, "[1, nil, 1]");
    actor_leave(a);
}

static void queue_named_twice_counts_once(void **state)
{
    struct actor *a = with_queues(state);
    uint32_t get = actor_send(a, "queue.get_any", "[['a', 'b', 'a', 'a', 'b']]");
    check(a, "object.describe", "['a']", "{waiting: 1, ...}");
    check(a, "queue.put_many", "['a', [1, 2]]", "2");
    check_answer(a, get, "['a', 1, nil, 1]");
    check(a, "object.describe", "['b']", "{waiting: 0, ...}");
    check(a, "queue.get_any", "[['a', 'a']]", "['a', 2, nil, 1]");
    actor_leave(a);
}

static void deleted_queue_ends_the_wait(void **state)
{
    struct actor *a = with_queues(state);
    uint32_t get = actor_send(a, "queue.get_any", "[['a', 'b', 'j']]");
    uint32_t behind = actor_send(a, "queue.get", "['j']");
    check(a, "object.delete", "['b']", "nil");
    check_refused(a, get, "DELETED");
    check(a, "queue.put", "['j', 1]", "nil");
    check_answer(a, behind, "[1, 1, 1]");
    actor_leave(a);
}

static void queue_that_goes_with_the_last_reference_ends_the_wait(void **state)
{
    only_here(*state, "references are bytes in an engine");
    struct actor *a = with_queues(state);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['gone', {lifetime: 'scoped'}]", "_map");
    check(a, "list.open", "['l', {initial: [ext(1, 'gone')]}]", "_map");
    check(a, "object.close", "['gone']", "nil");
    uint32_t get = actor_send(b, "queue.get_any", "[['j', 'gone']]");
    uint32_t behind = actor_send(b, "queue.get", "['j']");
    check(a, "list.clear", "['l']", "nil");
    check_refused(b, get, "DELETED");
    check(a, "queue.put", "['j', 1]", "nil");
    check_answer(b, behind, "[1, 1, 1]");
    actor_leave(b);
    actor_leave(a);
}

static void queue_shut_down_is_passed_over_while_another_is_left(void **state)
{
    struct actor *a = with_queues(state);
    uint32_t get = actor_send(a, "queue.get_any", "[['a', 'b', 'j']]");
    uint32_t behind = actor_send(a, "queue.get", "['a']");
    check(a, "queue.shutdown", "['a']", "nil");
    check_waits(a, get);
    check_refused(a, behind, "SHUT_DOWN");
    check_error(a, "queue.get", "['a']", "SHUT_DOWN");
    check(a, "session.describe", "[]",
          "{waiting: 1, waits: [{object: 'a', ...}, {object: 'b', ...}, {object: 'j', ...}], ...}");
    check(a, "queue.put", "['j', 1]", "nil");
    check_answer(a, get, "['j', 1, 1, 1]");
    get = actor_send(a, "queue.get_any", "[['a', 'b', 'j']]");
    check(a, "queue.shutdown", "['j']", "nil");
    check_waits(a, get);
    check(a, "queue.shutdown", "['b', true]", "nil");
    check_refused(a, get, "SHUT_DOWN");
    check_error(a, "queue.get_any", "[['a', 'b', 'j']]", "SHUT_DOWN");
    actor_leave(a);
}

static void queue_shut_down_gives_what_it_has(void **state)
{
    struct actor *a = with_queues(state);
    check(a, "queue.put", "['b', 1]", "nil");
    check(a, "queue.put", "['b', 2, nil, {delay_ms: 5}]", "nil");
    check(a, "queue.shutdown", "['a']", "nil");
    check(a, "queue.shutdown", "['b']", "nil");
    check(a, "queue.get_any", "[['a', 'b']]", "['b', 1, nil, 1]");
    uint32_t get = actor_send(a, "queue.get_any", "[['a', 'b']]");
    check_waits(a, get);
    stage_advance(*state, 5);
    check_answer(a, get, "['b', 2, nil, 1]");
    check_error(a, "queue.get_any", "[['a', 'b']]", "SHUT_DOWN");
    actor_leave(a);
}

/* An item that comes back to a queue that is shut down can be had by whoever gets. */
static void get_any_gets_what_comes_back_to_a_queue_shut_down(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['j', {joinable: true}]", "_map");
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put_many", "['j', [1, 2]]", "2");
    check(b, "queue.get_many", "['j', 2]", "[[1, 1, 1], [2, 2, 1]]");
    uint32_t before = actor_send(a, "queue.get_any", "[['j', 'q']]");
    check(a, "queue.shutdown", "['j']", "nil");
    uint32_t after = actor_send(a, "queue.get_any", "[['q', 'j']]");
    check_error(a, "queue.get", "['j']", "SHUT_DOWN");
    check_error(a, "queue.get_many", "['j', 1]", "SHUT_DOWN");
    check_error(a, "queue.get_any", "[['j', 'j']]", "SHUT_DOWN");
    check_waits(a, before);
    check(b, "queue.give_back", "['j', 1]", "nil");
    check_answer(a, before, "['j', 1, 3, 2]");
    check_waits(a, after);
    actor_vanish(b);
    check_answer(a, after, "['j', 2, 4, 2]");
    actor_leave(a);
}

static void get_any_times_out_and_is_cancelled_without_a_trace(void **state)
{
    struct actor *a = with_queues(state);
    uint32_t late = actor_send(a, "queue.get_any", "[['a', 'b'], 5]");
    uint32_t cancelled = actor_send(a, "queue.get_any", "[['a', 'j'], 50]");
    stage_advance(*state, 4);
    check_waits(a, late);
    stage_advance(*state, 1);
    check_refused(a, late, "EMPTY");
    actor_notify(a, "cancel", "[5]");
    check_refused(a, cancelled, "CANCELLED");
    check(a, "queue.put", "['a', 1]", "nil");
    check(a, "queue.put", "['j', 2]", "nil");
    check(a, "object.describe", "['a']", "{size: 1, waiting: 0, ...}");
    check(a, "object.describe", "['j']", "{size: 1, taken: 0, waiting: 0, ...}");
    check(a, "session.describe", "[]", "{waiting: 0, waits: [], ...}");
    actor_leave(a);
}

static void waiter_that_is_gone_takes_nothing(void **state)
{
    struct actor *a = with_queues(state);
    struct actor *gone = actor_new(*state, 0);
    (void)actor_send(gone, "queue.get_any", "[['a', 'b', 'j']]");
    uint32_t plain = actor_send(a, "queue.get", "['a']");
    uint32_t any = actor_send(a, "queue.get_any", "[['j', 'b']]");
    actor_vanish(gone);
    check(a, "queue.put", "['a', 1]", "nil");
    check_answer(a, plain, "[1, nil, 1]");
    check(a, "queue.put", "['j', 2]", "nil");
    check_answer(a, any, "['j', 2, 1, 1]");
    actor_leave(a);
}

static void item_whose_answer_was_never_sent_goes_back(void **state)
{
    struct actor *a = with_queues(state);
    struct actor *gone = actor_new(*state, 0);
    (void)actor_send(gone, "queue.get_any", "[['a', 'b']]");
    (void)actor_send(gone, "queue.get_any", "[['j', 'b']]");
    check(a, "queue.put_many", "['b', ['x'*5000, 2]]", "2");
    check(a, "queue.qsize", "['b']", "0");
    actor_vanish(gone);
    check(a, "queue.peek", "['b', 0, 9]", "['x'*5000, 2]");
    actor_leave(a);
}

static void get_any_tells_what_it_waits_for(void **state)
{
    struct actor *a = with_queues(state);
    (void)actor_send(a, "queue.get_any", "[['a', 'j'], 70]");
    check(a, "session.describe", "[]",
          "{waiting: 1, waits: [{method: 'queue.get_any', object: 'a', msgid: 4, timeout_ms: 70, "
          "...}, {method: 'queue.get_any', object: 'j', msgid: 4, ...}], ...}");
    check(a, "server.stats", "[]", "{waiting: 1, ...}");
    actor_leave(a);
}

static void want_of_memory_leaves_no_wait(void **state)
{
    only_here(*state, "the memory is elsewhere");
    struct stage *stage = *state;
    struct actor *a = with_queues(state);
    const struct object *queue = registry_find(&stage->service.registry, slice_of_string("b"));
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct actor *b = actor_new(stage, 0);
        struct buffer request;
        struct message message;
        actor_pack(&request, "queue.get_any", "[['a', 'b', 'j', 'b']]");
        assert_int_equal(
            message_decode(request.data, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
        scarce_begin(n);
        service_run(&stage->service, &b->session, &message, NULL, stage->now);
        stage_finish(stage);
        failed = scarce_end();
        buffer_deinit(&request);
        if (failed) {
            check_refused(b, 0, "LIMIT");
        }
        assert_int_equal(queue->waiting, !failed);
        assert_int_equal(b->session.calls.live, !failed);
        assert_int_equal(b->session.charged.bytes > b->session.memory.bytes, !failed);
        actor_leave(b);
    }
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(get_any_takes_from_the_first_that_has_an_item, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(get_any_refuses_what_is_not_an_array_of_queues_it_may_write,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_any_waits_for_the_first_to_get_an_item, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(getters_of_both_kinds_are_served_in_their_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(get_any_does_not_overtake_who_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queue_named_twice_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deleted_queue_ends_the_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queue_that_goes_with_the_last_reference_ends_the_wait,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(queue_shut_down_is_passed_over_while_another_is_left,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_any_gets_what_comes_back_to_a_queue_shut_down, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(queue_shut_down_gives_what_it_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_any_times_out_and_is_cancelled_without_a_trace, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(waiter_that_is_gone_takes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(item_whose_answer_was_never_sent_goes_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(get_any_tells_what_it_waits_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(want_of_memory_leaves_no_wait, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("methods_get_any", tests, NULL, NULL);
}
