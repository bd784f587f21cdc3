/* Renaming an object: who has it keeps it, and only the name is another one. */
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

static void an_object_is_found_by_its_new_name_alone(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['old', {initial: [1, 2]}]", "_map");
    check(a, "object.rename", "['old', 'new']", "nil");
    check(a, "list.slice", "['new']", "[1, 2]");
    check(a, "object.describe", "['new']", "{name: 'new', type: 'list', size: 2, ...}");
    check_error(a, "list.len", "['old']", "NOT_FOUND");
    check(a, "list.open", "['old']", "{name: 'old', size: 0, ...}");
    check(a, "object.list", "[{glob: '*'}]",
          "{objects: [{name: 'new', ...}, {name: 'old', ...}], ...}");
    check(a, "object.rename", "['old', 'x']", "nil");
    check(a, "object.rename", "['new', 'old']", "nil");
    check(a, "list.len", "['old']", "2");
    actor_leave(a);
}

static void a_name_that_is_taken_or_none_is_refused(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['a']", "_map");
    check(a, "dict.open", "['b']", "_map");
    check_fails(a, "object.rename", "['a', 'b']",
                "['EXISTS', 'object.rename: \"b\" is there already']");
    check_error(a, "object.rename", "['a', 'a']", "EXISTS");
    check_error(a, "object.rename", "['none', 'c']", "NOT_FOUND");
    static const char *const wrong[] = {"''",  "'#1'", "'x'*256", "'a\\nb'", "'\\xff'",
                                        "nil", "5",    "b'c'",    "['c']"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char params[64];
        (void)snprintf(params, sizeof(params), "['a', %s]", wrong[i]);
        check_error(a, "object.rename", params, "BAD_REQUEST");
    }
    check_error(a, "object.rename", "['a']", "BAD_REQUEST");
    check(a, "object.rename", "['a', 'x'*255]", "nil");
    check(a, "list.len", "['x'*255]", "0");
    actor_leave(a);
}

static void an_anonymous_object_gets_a_name(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "event.open", "[]", "{name: '#1', lifetime: 'scoped', ...}");
    check(a, "object.rename", "['#1', 'named']", "nil");
    check(a, "object.describe", "['named']", "{lifetime: 'scoped', ...}");
    check(a, "event.open", "[]", "{name: '#2', ...}");
    check(a, "object.close", "['named']", "nil");
    check_error(a, "object.describe", "['named']", "NOT_FOUND");
    actor_leave(a);
}

static void only_the_owner_renames(void **state)
{
    struct actor *root = actor_new(*state, 0);
    struct actor *ann = actor_new(*state, 1001);
    struct actor *bob = actor_new(*state, 1002);
    check(ann, "list.open", "['l', {mode: 511}]", "_map");
    check_error(bob, "object.rename", "['l', 'm']", "DENIED");
    check(ann, "object.rename", "['l', 'm']", "nil");
    check(root, "object.rename", "['m', 'n']", "nil");
    check(bob, "list.len", "['n']", "0");
    actor_leave(root);
    actor_leave(ann);
    actor_leave(bob);
}

static void who_waits_goes_on_waiting_and_who_holds_goes_on_holding(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "lock.open", "['l']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(b, "queue.get", "['q']", "[1, 1, 1]");
    check(b, "lock.acquire", "['l']", "_map");
    uint32_t get = actor_send(b, "queue.get", "['q']");
    uint32_t any = actor_send(b, "queue.get_any", "[['q']]");
    uint32_t late = actor_send(a, "queue.get", "['q', 50]");
    uint32_t acquire = actor_send(a, "lock.acquire", "['l']");
    check(a, "object.rename", "['q', 'r']", "nil");
    check(a, "object.rename", "['l', 'm']", "nil");
    check(a, "session.describe", "[2]",
          "{open: [], holds: [{object: 'r', ...}, {object: 'm', ...}], ...}");
    if (stage->engine == NULL) { /* else by the names that the calls gave */
        check(a, "session.describe", "[2]",
              "{waits: [{object: 'r', ...}, {object: 'r', ...}], ...}");
    }
    check(b, "queue.put_many", "['r', [2, 3]]", "2");
    check_answer(b, get, "[2, 2, 1]");
    check_answer(b, any, "['r', 3, 3, 1]");
    stage_advance(stage, 50);
    check_refused(a, late, "EMPTY");
    check(b, "queue.task_done", "['r', 1]", "2");
    check(b, "lock.release", "['m']", "0");
    check_answer(a, acquire, "{depth: 1, ...}");
    actor_leave(b);
    check(a, "object.describe", "['r']", "{taken: 0, size: 2, ...}");
    actor_leave(a);
}

static void who_watches_is_told_whatever_was_asked_for(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "object.watch", "['q', ['get']]", "nil");
    check(a, "object.rename", "['q', 'r']", "nil");
    check_error(a, "object.rename", "['r', 'r']", "EXISTS");
    check(a, "queue.put", "['r', 1]", "nil");
    check(a, "queue.get", "['r']", "[1, nil, 1]");
    check(a, "object.watch", "['r', ['renamed', 'put']]", "nil");
    check(a, "object.rename", "['r', 's']", "nil");
    check(a, "object.delete", "['s']", "nil");
    check_events(a, "[['q', 'renamed', {name: 'r'}], ['r', 'get', {size: 0, ticket: 0}],"
                    " ['r', 'renamed', {name: 's'}], ['s', 'deleted', {}]]");
    check(a, "pipe.open", "['p']", "_map"); /* which has no events of its own */
    check(a, "object.watch", "['p']", "nil");
    check(a, "object.rename", "['p', 'o']", "nil");
    check(a, "object.unwatch", "['o']", "nil");
    check(a, "object.rename", "['o', 'p']", "nil");
    check_events(a, "[['p', 'renamed', {name: 'o'}]]");
    actor_leave(a);
}

static void an_object_that_values_refer_to_keeps_its_name(void **state)
{
    only_here(*state, "references are bytes in an engine");
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "dict.open", "['d']", "_map");
    check(a, "dict.set", "['d', 1, ext(1, 'q')]", "true");
    check(a, "dict.set", "['d', 2, [ext(1, 'q'), ext(1, 'q')]]", "true");
    check_fails(a, "object.rename", "['q', 'r']",
                "['VALUE', 'object.rename: stored values name \"q\" (3 times), and would name "
                "nothing then; take them out first']");
    check(a, "dict.clear", "['d']", "nil");
    check(a, "object.rename", "['q', 'r']", "nil");
    check(a, "dict.set", "['d', 1, ext(1, 'q')]", "true"); /* which names nothing */
    check(a, "object.rename", "['r', 'q']", "nil");
    actor_leave(a);
}

static void a_condition_goes_on_with_its_lock(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.open", "['l', {lifetime: 'scoped'}]", "_map");
    check(a, "condition.open", "['c', {lock: 'l'}]", "{lock: 'l', ...}");
    check(a, "condition.acquire", "['c']", "_map");
    uint32_t wait = actor_send(a, "condition.wait", "['c']");
    check(b, "object.rename", "['l', 'm']", "nil");
    check(b, "object.rename", "['c', 'd']", "nil");
    check(b, "condition.open", "['d', {lock: 'm'}]", "{name: 'd', lock: 'm', ...}");
    check_error(b, "condition.open", "['d', {lock: 'l'}]", "MISMATCH");
    check(b, "lock.acquire", "['m']", "_map");
    check(b, "condition.notify", "['d']", "1");
    check(b, "lock.release", "['m']", "0");
    check_answer(a, wait, "true");
    check(a, "object.close", "['m']", "nil");
    check(a, "object.describe", "['m']", "{type: 'lock', ...}"); /* the condition keeps it */
    check(a, "object.delete", "['d']", "nil");
    check_error(a, "object.describe", "['m']", "NOT_FOUND");
    actor_leave(a);
    actor_leave(b);
}

static void a_dead_letter_queue_is_whoever_has_the_name(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['dead']", "_map");
    check(a, "queue.open",
          "['q', {joinable: true, lease_ms: 10, max_deliveries: 1, dead_letter: 'dead'}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2]]", "2");
    check(a, "object.rename", "['dead', 'dead.old']", "nil");
    check(a, "object.describe", "['q']", "{dead_letter: 'dead', ...}");
    check(a, "queue.open", "['dead']", "_map");
    check(a, "queue.get", "['q']", "[1, 1, 1]");
    check(a, "object.rename", "['q', 'r']", "nil");
    stage_advance(stage, 10);
    check(a, "queue.get", "['dead', 0]", "[1, nil, 1]");
    check(a, "queue.qsize", "['dead.old']", "0");
    actor_leave(a);
}

static void no_circle_of_dead_letter_queues_is_closed_by_a_name(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['a', {joinable: true, dead_letter: 'b'}]", "_map");
    check(a, "queue.open", "['c', {joinable: true, dead_letter: 'a'}]", "_map");
    check_fails(a, "object.rename", "['a', 'b']",
                "['VALUE', 'object.rename: with the name \"b\" it would be its own dead letter "
                "queue']");
    check_fails(
        a, "object.rename", "['c', 'b']",
        "['VALUE', 'object.rename: with the name \"b\" its dead items would come back to it "
        "by way of other queues']");
    check(a, "list.open", "['l']", "_map");
    check(a, "object.rename", "['l', 'b']", "nil");
    actor_leave(a);
}

static void a_longer_name_is_charged(void **state)
{
    only_here(*state, "an engine has no quotas");
    struct stage *stage = *state;
    struct actor *ann = actor_new(stage, 1001);
    check(ann, "list.open", "['l']", "_map");
    stage->service.accounts.limits.max_user_bytes = ann->session.user->bytes;
    check_error(ann, "object.rename", "['l', 'x'*255]", "LIMIT");
    check(ann, "list.len", "['l']", "0");
    check(ann, "object.rename", "['l', 'm']", "nil");
    stage->service.accounts.limits.max_user_bytes += 1000;
    check(ann, "object.rename", "['m', 'x'*255]", "nil");
    check(ann, "object.rename", "['x'*255, 'y']", "nil");
    actor_leave(ann);
}

static void a_batch_goes_on_with_the_new_name(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['l']", "_map");
    check(a, "atomic",
          "[[['object.rename', ['l', 'm']], ['list.append', ['m', 1]], ['list.open', ['l']],"
          "  ['object.rename', ['l', 'n']]]]",
          "[nil, 1, _map, nil]");
    check_fails(a, "atomic", "[[['object.rename', ['m', 'l']], ['list.len', ['m']]]]",
                "['NOT_FOUND', _str, {index: 1, results: [nil]}]");
    check(a, "list.len", "['l']", "1");
    actor_leave(a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_object_is_found_by_its_new_name_alone),
        TEST(a_name_that_is_taken_or_none_is_refused),
        TEST(an_anonymous_object_gets_a_name),
        TEST(only_the_owner_renames),
        TEST(who_waits_goes_on_waiting_and_who_holds_goes_on_holding),
        TEST(who_watches_is_told_whatever_was_asked_for),
        TEST(an_object_that_values_refer_to_keeps_its_name),
        TEST(a_condition_goes_on_with_its_lock),
        TEST(a_dead_letter_queue_is_whoever_has_the_name),
        TEST(no_circle_of_dead_letter_queues_is_closed_by_a_name),
        TEST(a_longer_name_is_charged),
        TEST(a_batch_goes_on_with_the_new_name),
    };
    return cmocka_run_group_tests_name("rename", tests, NULL, NULL);
}
