/* atomic as whole calls: order, errors and what stays done, what must not wait, and what becomes of
 * the items in its results. */
#include "daemon/objects/queue.h"
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

/* A session that has opened the queue 'q', the joinable queue 'j', the dict 'd' and the list 'l'.
 */
static struct actor *with_objects(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.open", "['j', {joinable: true}]", "_map");
    check(a, "dict.open", "['d']", "_map");
    check(a, "list.open", "['l']", "_map");
    return a;
}

static void atomic_answers_the_results_in_order(void **state)
{
    struct actor *a = with_objects(state);
    check(a, "atomic", "[[]]", "[]");
    check(a, "atomic",
          "[[['queue.put', ['q', 1]], ['queue.get', ['q']], [b'server.ping', []], "
          "['dict.incr', ['d', 'n', 5]], ['dict.get', ['d', 'n']], ['queue.qsize', ['q']]]]",
          "[nil, [1, nil, 1], nil, 5, 5, 0]");
    check(a, "server.stats", "[]",
          "{calls: {atomic: 2, 'queue.put': 1, 'dict.incr': 1, ...}, errors: {}, ...}");
    actor_leave(a);
}

static void atomic_stops_at_the_first_error_and_what_ran_stays_done(void **state)
{
    struct actor *a = with_objects(state);
    check_fails(a, "atomic",
                "[[['queue.put', ['q', 1]], ['queue.put', ['j', 2]], ['queue.get', ['q']], "
                "['queue.get', ['j']], ['queue.get', ['q']], ['queue.put', ['q', 3]]]]",
                "['EMPTY', _str, {index: 4, results: [nil, nil, [1, nil, 1], [2, 1, 1]]}]");
    check(a, "queue.qsize", "['q']", "0");
    check(a, "queue.task_done", "['j', 1]", "0");
    check_fails(a, "atomic", "[[['dict.get', ['d', 'none']]]]",
                "['KEY', _str, {index: 0, results: []}]");
    check(a, "server.stats", "[]",
          "{calls: {atomic: 2, 'queue.put': 2, 'queue.get': 3, ...}, "
          "errors: {atomic: 2, 'queue.get': 1, 'dict.get': 1}, ...}");
    actor_leave(a);
}

static void atomic_checks_each_call_as_any_other(void **state)
{
    only_here(*state, "it names objects here and there");
    struct actor *a = with_objects(state);
    struct actor *b = actor_new(*state, 1000);
    static const char *const wrong[][2] = {
        {"'queue.get', []", "BAD_REQUEST"},
        {"'queue.get', ['q', -1]", "BAD_REQUEST"},
        {"'queue.get', ['q', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", "BAD_REQUEST"},
        {"'queue.get', ['none']", "NOT_FOUND"},
        {"'queue.get', ['d']", "WRONG_TYPE"},
        {"'queue.got', ['q']", "UNKNOWN_METHOD"},
        {"'atomic', [[]]", "BAD_REQUEST"},
        {"'atomic', [7]", "BAD_REQUEST"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char params[160];
        char error[80];
        (void)snprintf(params, sizeof(params), "[[['list.append', ['l', 0]], [%s]]]", wrong[i][0]);
        (void)snprintf(error, sizeof(error), "['%s', _str, {index: 1, results: [%zu]}]",
                       wrong[i][1], i + 1);
        check_fails(a, "atomic", params, error);
    }
    check_fails(b, "atomic", "[[['server.ping', [7]], ['queue.put', ['q', 1]]]]",
                "['DENIED', _str, {index: 1, results: [7]}]");
    check(a, "list.len", "['l']", "8");
    check(a, "server.stats", "[]", "{unknown_methods: 1, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void atomic_with_a_malformed_entry_runs_nothing(void **state)
{
    struct actor *a = with_objects(state);
    static const char *const wrong[] = {
        "7",
        "'server.ping'",
        "[]",
        "['server.ping']",
        "['server.ping', [], []]",
        "[1, []]",
        "['server.ping', {}]",
        "['server.ping', nil]",
        "{'server.ping': []}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char params[160];
        (void)snprintf(params, sizeof(params),
                       "[[['list.append', ['l', 0]], ['list.append', ['l', 0]], %s]]", wrong[i]);
        check_fails(a, "atomic", params, "['BAD_REQUEST', _str, {index: 2, results: []}]");
    }
    check(a, "list.len", "['l']", "0");
    check_error(a, "atomic", "[]", "BAD_REQUEST");
    check_error(a, "atomic", "[{}]", "BAD_REQUEST");
    actor_leave(a);
}

static void atomic_never_waits(void **state)
{
    struct actor *a = with_objects(state);
    check(a, "queue.open", "['full', {maxsize: 1}]", "_map");
    check(a, "event.open", "['e']", "_map");
    check(a, "lock.open", "['k']", "_map");
    check(a, "lock.acquire", "['k']", "_map");
    check(a, "queue.put", "['full', 1]", "nil");
    static const char *const calls[][2] = {
        {"'queue.get', ['q']", "EMPTY"},
        {"'queue.get', ['q', 50]", "EMPTY"},
        {"'queue.get_many', ['q', 5]", "EMPTY"},
        {"'queue.put', ['full', 2, 50]", "FULL"},
        {"'queue.put_many', ['full', [2]]", "FULL"},
        {"'dict.wait', ['d', 'k', 50]", "TIMEOUT"},
        {"'lock.acquire', ['k', 50]", "TIMEOUT"},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char params[80];
        (void)snprintf(params, sizeof(params), "[[[%s]]]", calls[i][0]);
        check_error(a, "atomic", params, calls[i][1]);
    }
    check(a, "atomic", "[[['event.wait', ['e', 50]], ['queue.put', ['j', 1]]]]", "[false, nil]");
    check_error(a, "atomic", "[[['queue.join', ['j']]]]", "TIMEOUT");
    check(a, "session.describe", "[]", "{waits: [], ...}");
    actor_leave(a);
}

static void condition_wait_in_atomic_does_not_give_up_the_lock(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "condition.open", "['c']", "_map");
    check(a, "condition.acquire", "['c']", "_map");
    uint32_t behind = actor_send(b, "condition.acquire", "['c']");
    check(a, "atomic", "[[['condition.wait', ['c']], ['condition.wait', ['c', 50]]]]",
          "[false, false]");
    check_waits(b, behind);
    check(a, "object.describe", "['c']", "{depth: 1, sleepers: 0, ...}");
    check(a, "condition.release", "['c']", "0");
    check_answer(b, behind, "_map");
    check_error(a, "atomic", "[[['condition.wait', ['c']]]]", "NOT_OWNER");
    actor_leave(a);
    actor_leave(b);
}

static void barrier_wait_in_atomic_breaks_it_unless_it_is_the_last(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "barrier.open", "['b', {parties: 2}]", "_map");
    uint32_t wait = actor_send(a, "barrier.wait", "['b']");
    check(b, "atomic", "[[['barrier.wait', ['b']]]]", "[1]");
    check_answer(a, wait, "0");
    check_error(b, "atomic", "[[['barrier.wait', ['b']]]]", "BROKEN");
    check(a, "barrier.state", "['b']", "{broken: true, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void those_who_wait_are_served_when_atomic_is_done(void **state)
{
    struct actor *a = with_objects(state);
    struct actor *b = actor_new(*state, 0);
    uint32_t get = actor_send(b, "queue.get", "['q']");
    uint32_t put = actor_send(b, "dict.wait", "['d', 'k']");
    check_fails(a, "atomic", "[[['queue.put', ['q', 1]], ['queue.get', ['q']]]]",
                "['EMPTY', _str, {index: 1, results: [nil]}]");
    check_answer(b, get, "[1, nil, 1]");
    check(a, "atomic", "[[['dict.set', ['d', 'k', 1]], ['dict.delete', ['d', 'k']]]]",
          "[true, nil]");
    check_waits(b, put);
    get = actor_send(b, "queue.get", "['q']");
    check(a, "atomic", "[[['queue.put', ['q', 1]], ['queue.clear', ['q']]]]", "[nil, 1]");
    check_waits(b, get);
    actor_leave(a);
    actor_leave(b);
}

static void large_values_move_into_the_error(void **state)
{
    struct actor *a = with_objects(state);
    check(a, "queue.put_many", "['q', ['a'*100000, 'b'*5, 'c'*4096]]", "3");
    check(a, "queue.put_many", "['j', ['d'*100000]]", "1");
    check_fails(a, "atomic",
                "[[['queue.get', ['q']], ['queue.get', ['j']], ['queue.get_many', ['q', 9]], "
                "['server.ping', ['e'*5000]], ['list.pop', ['l']]]]",
                "['INDEX', _str, {index: 4, results: [['a'*100000, nil, 1], ['d'*100000, 1, 1], "
                "[['b'*5, nil, 1], ['c'*4096, nil, 1]], 'e'*5000]}]");
    actor_leave(a);
}

/* Items whose answer was never sent, when it was a result and when it was the detail of an error.
 */
static void undelivered_items_go_back_in_their_order(void **state)
{
    static const char *const calls[] = {
        "[[['queue.get', ['q']], ['queue.get_many', ['q', 2]], ['queue.get', ['j']]]]",
        "[[['queue.get', ['q']], ['queue.get_many', ['q', 2]], ['queue.get', ['j']], "
        "['list.pop', ['l']]]]",
    };
    struct actor *a = with_objects(state);
    check(a, "queue.put_many", "['q', [1, 'b'*5000, 3, 4]]", "4");
    check(a, "queue.put_many", "['j', ['x']]", "1");
    for (size_t i = 0; i < 2; i++) {
        struct actor *b = actor_new(*state, 0);
        (void)actor_send(b, "server.ping", "['before']");
        (void)actor_send(b, "atomic", calls[i]);
        check(a, "queue.qsize", "['q']", "1");
        actor_vanish(b);
        check(a, "queue.peek", "['q', 0, 9]", "[1, 'b'*5000, 3, 4]");
        check(a, "queue.peek", "['j', 0, 9]", "['x']");
    }
    actor_leave(a);
}

static void undelivered_item_is_given_to_who_waits(void **state)
{
    struct actor *a = with_objects(state);
    struct actor *b = actor_new(*state, 0);
    (void)actor_send(b, "atomic", "[[['queue.put', ['q', 1]], ['queue.get', ['q']]]]");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    actor_vanish(b);
    check_answer(a, get, "[1, nil, 1]");
    actor_leave(a);
}

static void other_answers_of_the_session_stand_in_front_of_it(void **state)
{
    struct actor *a = with_objects(state);
    uint32_t get = actor_send(a, "queue.get", "['q']");
    uint32_t joined = actor_send(a, "queue.get", "['j']");
    check(a, "atomic", "[[['server.ping', [1]], ['object.delete', ['q']], ['server.ping', [2]]]]",
          "[1, nil, 2]");
    check_refused(a, get, "DELETED");
    check_fails(a, "atomic",
                "[[['server.ping', [1]], ['object.delete', ['j']], ['queue.get', ['j']]]]",
                "['NOT_FOUND', _str, {index: 2, results: [1, nil]}]");
    check_refused(a, joined, "DELETED");
    actor_leave(a);
}

static void too_long_an_answer_ends_it(void **state)
{
    only_here(*state, "what was too long has been run there");
    struct stage *stage = *state;
    struct actor *a = with_objects(state);
    check(a, "list.extend", "['l', ['x'*3000]]", "1");
    check(a, "dict.update", "['d', {a: 'x'*3000, b: 'y'*3000, c: 'z'*3000}]", "3");
    stage->service.accounts.limits.max_message = 5000;
    check_fails(a, "atomic",
                "[[['dict.pop', ['d', 'a']], ['dict.pop', ['d', 'b']], ['dict.pop', ['d', 'c']]]]",
                "['TOO_LARGE', _str, {index: 2, results: ['x'*3000, 'y'*3000]}]");
    check(a, "dict.contains", "['d', 'c']", "true");
    stage->service.accounts.limits.max_output = 5000;
    check_fails(a, "atomic",
                "[[['server.ping', [1]], ['dict.get', ['d', 'c']], ['list.get', ['l', 0]]]]",
                "['TOO_LARGE', _str, {index: 2, results: [1, 'z'*3000]}]");
    actor_leave(a);
}

static void what_was_taken_and_is_too_long_to_be_told_goes_back(void **state)
{
    struct stage *stage = *state;
    struct actor *a = with_objects(state);
    check(a, "queue.put_many", "['q', ['a'*3000, 'b'*3000, 3, 4, 5, 6]]", "6");
    stage->service.accounts.limits.max_message = 5000;
    check_fails(a, "atomic",
                "[[['queue.get', ['q']], ['queue.get', ['q']], ['queue.get', ['q']], "
                "['queue.get_many', ['q', 2]]]]",
                "['TOO_LARGE', _str, {index: 2, results: [['a'*3000, nil, 1], ['b'*3000, nil, "
                "1]]}]");
    check(a, "queue.peek", "['q', 0, 9]", "[3, 4, 5, 6]");
    actor_leave(a);
}

static void atomic_by_notification_answers_nothing(void **state)
{
    struct actor *a = with_objects(state);
    actor_notify(a, "atomic", "[[['queue.put', ['q', 1]], ['queue.put', ['q', 2]]]]");
    actor_notify(a, "atomic", "[[['queue.get', ['q']], ['queue.get', ['j']]]]");
    assert_int_equal(output_pending(&a->session.output), 0);
    check(a, "queue.get_many", "['q', 9]", "[[2, nil, 1]]");
    actor_leave(a);
}

static void references_in_inner_calls_keep_and_open(void **state)
{
    only_here(*state, "references are bytes in an engine");
    struct stage *stage = *state;
    struct actor *a = with_objects(state);
    struct actor *b = actor_new(stage, 0);
    check(a, "atomic",
          "[[['queue.open', [nil]], ['list.append', ['l', {r: ext(1, '#1')}]], "
          "['object.close', ['#1']], ['queue.put', ['#1', 5]]]]",
          "[{name: '#1', ...}, 1, nil, nil]");
    check_fails(b, "atomic", "[[['list.pop', ['l']], ['list.pop', ['l']]]]",
                "['INDEX', _str, {index: 1, results: [{r: ext(1, '#1')}]}]");
    check(b, "session.describe", "[]", "{open: ['#1'], ...}");
    check(b, "queue.get", "['#1']", "[5, nil, 1]");
    actor_leave(b);
    actor_leave(a);
}

/* How many of the queue's items came with the answer, a batch of queue.get, or its error. */
static uint64_t items_in(const msgpack_object *answer)
{
    const msgpack_object *error = &answer->via.array.ptr[2];
    const msgpack_object *results = &answer->via.array.ptr[3];
    if (error->type == MSGPACK_OBJECT_ARRAY) {
        if (error->via.array.size < 3) {
            return 0;
        }
        results = &error->via.array.ptr[2].via.map.ptr[1].val;
    }
    return results->via.array.size;
}

static void want_of_memory_loses_no_item(void **state)
{
    only_here(*state, "the memory is elsewhere");
    struct stage *stage = *state;
    stage->takes_over = false; /* that takes memory, too */
    struct actor *a = with_objects(state);
    const struct queue *queue =
        (struct queue *)registry_find(&stage->service.registry, slice_of_string("q"));
    for (unsigned n = 0;; n++) {
        struct actor *b = actor_new(stage, 0);
        struct buffer request;
        struct message message;
        check(a, "queue.clear", "['q']", "_int");
        check(a, "queue.put_many", "['q', ['a'*4000, 'b'*5000, 'c', 'd'*5000]]", "4");
        actor_pack(&request, "atomic",
                   "[[['queue.get', ['q']], ['queue.get', ['q']], ['queue.get', ['q']]]]");
        assert_int_equal(
            message_decode(request.data, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
        scarce_begin(n);
        service_run(&stage->service, &b->session, &message, NULL, stage->now);
        stage_finish(stage);
        bool failed = scarce_end();
        buffer_deinit(&request);
        actor_read(b);
        if (b->nanswers > 0) {
            assert_int_equal(items_in(&b->answers[0].data) + queue->ready, 4);
        } else {
            assert_true(failed);
            assert_int_equal(queue->ready, 4);
        }
        actor_leave(b);
        if (!failed) {
            break;
        }
    }
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(atomic_answers_the_results_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(atomic_stops_at_the_first_error_and_what_ran_stays_done,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(atomic_checks_each_call_as_any_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(atomic_with_a_malformed_entry_runs_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(atomic_never_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(condition_wait_in_atomic_does_not_give_up_the_lock, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(barrier_wait_in_atomic_breaks_it_unless_it_is_the_last,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_who_wait_are_served_when_atomic_is_done, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(large_values_move_into_the_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(undelivered_items_go_back_in_their_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(undelivered_item_is_given_to_who_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_answers_of_the_session_stand_in_front_of_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_long_an_answer_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_taken_and_is_too_long_to_be_told_goes_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(atomic_by_notification_answers_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(references_in_inner_calls_keep_and_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(want_of_memory_loses_no_item, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("methods_atomic", tests, NULL, NULL);
}
