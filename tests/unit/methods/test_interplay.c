/* What one concern of the daemon means for another, as whole calls: batches, watches, waits on
 * several objects, descriptors, and sessions that end. */
#include "tests/support/scarce.h"
#include "tests/support/stage.h"

#include <unistd.h>

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

/* Runs a request with so many descriptors; returns its msgid. */
static uint32_t send_with(struct actor *actor, unsigned count, const char *method,
                          const char *params)
{
    struct buffer request;
    struct message message;
    int fds[DESCRIPTORS_PER_MESSAGE];
    struct passed passed = {.count = count, .fds = fds};
    for (unsigned i = 0; i < count; i++) {
        fds[i] = dup(STDERR_FILENO);
    }
    actor_pack(&request, method, params);
    assert_int_equal(
        message_decode(request.data, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
    message.msgid = ++actor->last_msgid;
    service_run(&actor->stage->service, &actor->session, &message, &passed, actor->stage->now);
    stage_finish(actor->stage);
    buffer_deinit(&request);
    for (unsigned i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    return actor->last_msgid;
}

static const char sixteen[] =
    "[ext(2, '\\x00'), ext(2, '\\x01'), ext(2, '\\x02'), ext(2, '\\x03'), ext(2, '\\x04'), "
    "ext(2, '\\x05'), ext(2, '\\x06'), ext(2, '\\x07'), ext(2, '\\x08'), ext(2, '\\x09'), "
    "ext(2, '\\x0a'), ext(2, '\\x0b'), ext(2, '\\x0c'), ext(2, '\\x0d'), ext(2, '\\x0e'), "
    "ext(2, '\\x0f')]";

/* A session with the dict 'd', whose key 'all' has as many descriptors as an answer can carry, and
 * the pipe 'p'. */
static struct actor *with_sixteen(void **state)
{
    struct actor *a = actor_new(*state, 0);
    char params[1024];
    check(a, "dict.open", "['d']", "_map");
    check(a, "pipe.open", "['p']", "_map");
    (void)snprintf(params, sizeof(params), "['d', 'all', %s]", sixteen);
    check_answer(a, send_with(a, 16, "dict.set", params), "true");
    return a;
}

static void end_that_has_no_room_in_the_answer_is_free(void **state)
{
    only_here(*state, "descriptors stay here");
    struct actor *a = with_sixteen(state);
    char error[1024];
    check(a, "queue.open", "['q']", "_map");
    (void)snprintf(error, sizeof(error), "['TOO_LARGE', _str, {index: 1, results: [%s]}]", sixteen);
    check_fails(a, "atomic", "[[['dict.get', ['d', 'all']], ['pipe.connect', ['p']]]]", error);
    check(a, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
    (void)snprintf(error, sizeof(error),
                   "['TOO_LARGE', _str, {index: 2, results: [[ext(2, '\\x00'), 0], nil]}]");
    check_fails(a, "atomic",
                "[[['pipe.connect', ['p', 0]], ['server.ping', []], ['dict.pop', ['d', 'all']]]]",
                error);
    check(a, "dict.contains", "['d', 'all']", "true");
    check(a, "object.describe", "['p']", "{ends: ['closed', 'free'], ...}");
    actor_leave(a);
}

static void batch_that_nobody_reads_leaves_its_ends_free(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    (void)actor_send(
        b, "atomic",
        "[[['pipe.connect', ['p']], ['pipe.connect', ['p']], ['pipe.connect', ['p']]]]");
    check(a, "object.describe", "['p']", "{ends: ['taken', 'taken'], ...}");
    actor_vanish(b);
    check(a, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
    actor_notify(a, "atomic", "[[['pipe.connect', ['p']], ['pipe.connect', ['p']]]]");
    check(a, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
    (void)actor_send(a, "atomic",
                     "[[['pipe.connect', ['p', 1]], ['object.delete', ['p']], "
                     "['pipe.open', ['p']], ['pipe.connect', ['p', 1]]]]");
    check_answer(a, a->last_msgid, "[[ext(2, '\\x00'), 1], nil, _map, [ext(2, '\\x01'), 1]]");
    check(a, "object.describe", "['p']", "{ends: ['free', 'closed'], ...}");
    actor_leave(a);
}

static void setdefault_that_is_refused_sets_nothing(void **state)
{
    only_here(*state, "descriptors stay here");
    struct actor *a = with_sixteen(state);
    check(a, "namespace.open", "['n']", "_map");
    check(a, "object.watch", "['n']", "nil");
    actor_forget(a);
    uint32_t batch = send_with(a, 1, "atomic",
                               "[[['dict.get', ['d', 'all']], "
                               "['namespace.setdefault', ['n', 'k', ext(2, '\\x00')]]]]");
    check_refused(a, batch, "TOO_LARGE");
    check_events(a, "[]");
    check(a, "namespace.len", "['n']", "0");
    batch = send_with(a, 1, "namespace.setdefault", "['n', 'k', ext(2, '\\x00')]");
    check_answer(a, batch, "ext(2, '\\x00')");
    check(a, "namespace.setdefault", "['n', 'l', 'x'*5000]", "'x'*5000");
    check(a, "namespace.setdefault", "['n', 'm']", "nil");
    check(a, "namespace.setdefault", "['n', 'l', 5]", "'x'*5000");
    check_events(a,
                 "[['n', 'set', {key: 'k'}], ['n', 'set', {key: 'l'}], ['n', 'set', {key: 'm'}]]");
    actor_leave(a);
}

/* Runs a request in which the allocation after the next n fails. True if one did. */
static bool run_scarce(struct actor *actor, unsigned n, const char *method, const char *params)
{
    struct buffer request;
    struct message message;
    actor_pack(&request, method, params);
    assert_int_equal(
        message_decode(request.data, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
    message.msgid = ++actor->last_msgid;
    scarce_begin(n);
    service_run(&actor->stage->service, &actor->session, &message, NULL, actor->stage->now);
    stage_finish(actor->stage);
    bool failed = scarce_end();
    buffer_deinit(&request);
    return failed;
}

static void setdefault_without_memory_sets_nothing(void **state)
{
    only_here(*state, "the memory is elsewhere");
    struct actor *a = actor_new(*state, 0);
    check(a, "dict.open", "['d']", "_map");
    for (unsigned n = 0;; n++) {
        struct actor *b = actor_new(*state, 0);
        bool failed = run_scarce(b, n, "dict.setdefault", "['d', 'k', 'x'*9000]");
        check(a, "dict.len", "['d']", failed ? "0" : "1");
        actor_vanish(b);
        actor_forget(a);
        if (!failed) {
            break;
        }
    }
    actor_leave(a);
}

static void batch_is_told_in_order_behind_its_answer(void **state)
{
    only_here(*state, "watches begin when the batch is over there");
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "dict.open", "['d']", "_map");
    check(b, "object.watch", "['q']", "nil");
    check(b, "object.watch", "['d']", "nil");
    uint32_t get = actor_send(b, "queue.get", "['q']");
    check(a, "atomic",
          "[[['object.watch', ['q']], ['queue.put', ['q', 1]], ['dict.set', ['d', 1, 2]], "
          "['object.watch', ['d']], ['queue.put', ['q', 2]], ['dict.clear', ['d']], "
          "['object.unwatch', ['d']], ['dict.set', ['d', 3, 4]]]]",
          "[nil, nil, true, nil, nil, nil, nil, true]");
    assert_int_equal(a->answers[a->nanswers - 1].data.via.array.size, 3);
    assert_int_equal(a->answers[a->nanswers - 5].data.via.array.size, 4);
    check_events(a,
                 "[['q', 'put', {size: 1}], ['q', 'put', {size: 2}], ['d', 'clear', {count: 1}], "
                 "['q', 'get', {size: 1, ticket: 0}]]");
    check_answer(b, get, "[1, nil, 1]");
    check_events(b, "[['q', 'put', {size: 1}], ['d', 'set', {key: 1}], ['q', 'put', {size: 2}], "
                    "['d', 'clear', {count: 1}], ['d', 'set', {key: 3}], "
                    "['q', 'get', {size: 1, ticket: 0}]]");
    actor_leave(a);
    actor_leave(b);
}

static void batch_that_ends_what_others_wait_for(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {lifetime: 'scoped'}]", "_map");
    check(a, "queue.open", "['r']", "_map");
    check(a, "lock.open", "['k']", "_map");
    check(a, "condition.open", "['c', {lock: 'k'}]", "_map");
    check(b, "object.watch", "['q']", "nil");
    check(b, "condition.acquire", "['c']", "_map");
    uint32_t sleeper = actor_send(b, "condition.wait", "['c']");
    uint32_t own = actor_send(a, "queue.get_any", "[['r', 'q']]");
    uint32_t others = actor_send(b, "queue.get_any", "[['q', 'r']]");
    uint32_t last = actor_send(b, "queue.get", "['r']");
    check(a, "atomic",
          "[[['queue.put', ['q', 1]], ['queue.put', ['r', 2]], ['object.close', ['q']], "
          "['condition.acquire', ['c']], ['condition.notify', ['c']], ['object.delete', ['k']]]]",
          "[nil, nil, nil, _map, 1, nil]");
    check_refused(a, own, "DELETED");
    check_refused(b, others, "DELETED");
    check_refused(b, sleeper, "DELETED");
    check_answer(b, last, "[2, nil, 1]");
    check_events(b, "[['q', 'put', {size: 1}], ['q', 'deleted', {}]]");
    actor_leave(a);
    actor_leave(b);
}

/* A session's own waits that its call ends are answered, even if the call itself is not. */
static void waits_that_end_are_answered_whatever_becomes_of_the_call(void **state)
{
    only_here(*state, "the memory is elsewhere");
    static const char *const ends[][2] = {
        {"object.delete", "['e']"},
        {"object.close", "['e']"},
        {"atomic", "[[['object.delete', ['e']]]]"},
        {"atomic", "[[['object.close', ['e']], ['event.set', ['e']]]]"},
    };
    struct actor *a = actor_new(*state, 0);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        check(a, "event.open", "['e', {lifetime: 'scoped'}]", "_map");
        uint32_t wait = actor_send(a, "event.wait", "['e']");
        actor_notify(a, ends[i][0], ends[i][1]);
        check_refused(a, wait, "DELETED");
        bool failed = true;
        for (unsigned n = 0; failed; n++) {
            check(a, "event.open", "['e', {lifetime: 'scoped'}]", "_map");
            wait = actor_send(a, "event.wait", "['e']");
            actor_read(a);
            output_deinit(&a->session.output);
            failed = run_scarce(a, n, ends[i][0], ends[i][1]);
            bool lost = a->session.output.bytes.failed; /* net ends the session then */
            if (registry_find(&a->session.service->registry, slice_of_string("e")) != NULL) {
                check_waits(a, wait);
                check(a, "object.delete", "['e']", "nil");
            } else if (!lost) {
                check_refused(a, wait, "DELETED");
            }
            actor_read(a);
            actor_forget(a);
        }
    }
    actor_leave(a);
}

static void batch_that_ends_its_own_session_is_run_to_its_end(void **state)
{
    only_here(*state, "session.kill is of here, and no part of a batch there");
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    char params[160];
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    (void)snprintf(params, sizeof(params),
                   "[[['queue.get', ['q']], ['session.kill', [%llu]], ['queue.get', ['q']], "
                   "['list.get', ['none', 0]]]]",
                   (unsigned long long)b->session.id);
    (void)actor_send(b, "atomic", params);
    assert_true(b->session.killed);
    actor_vanish(b);
    check(a, "queue.peek", "['q', 0, 9]", "[1, 2, 3]");
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(end_that_has_no_room_in_the_answer_is_free, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(batch_that_nobody_reads_leaves_its_ends_free, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(setdefault_that_is_refused_sets_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(setdefault_without_memory_sets_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(batch_is_told_in_order_behind_its_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(batch_that_ends_what_others_wait_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_that_end_are_answered_whatever_becomes_of_the_call,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(batch_that_ends_its_own_session_is_run_to_its_end, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("methods_interplay", tests, NULL, NULL);
}
