/* What those who watch an object are told: each event of each type, its details, and when. */
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

/* Somebody who watches the object 'x' that a has opened. */
static struct actor *watcher_of(void **state, struct actor *a, const char *open, const char *params)
{
    struct actor *watcher = actor_new(*state, 0);
    check(a, open, params, "{name: 'x', ...}");
    check(watcher, "object.watch", "['x']", "nil");
    return watcher;
}

static void events_of_a_queue(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "queue.open", "['x', {maxsize: 2}]");
    check(a, "queue.put", "['x', 1]", "nil");
    check(a, "queue.put_many", "['x', [2, 3, 4], 0]", "1");
    check_error(a, "queue.put", "['x', 5, 0]", "FULL");
    check_events(w, "[['x', 'put', {size: 1}], ['x', 'put', {size: 2}]]");
    check(a, "queue.get", "['x']", "[1, nil, 1]");
    check(a, "queue.peek", "['x']", "[2]");
    check_events(w, "[['x', 'get', {size: 1, ticket: 0}]]");
    check(a, "queue.clear", "['x']", "1");
    check(a, "queue.clear", "['x']", "0");
    check_error(a, "queue.get", "['x', 0]", "EMPTY");
    check_events(w, "[['x', 'clear', {count: 1}]]");
    check(a, "queue.put", "['x', 1]", "nil");
    check(a, "queue.shutdown", "['x', true]", "nil");
    check_events(w, "[['x', 'put', _map], ['x', 'shutdown', {immediate: true}],"
                    " ['x', 'clear', {count: 1}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_getter_that_waits_come_in_the_order_of_the_changes(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "queue.open", "['x']");
    uint32_t get = actor_send(w, "queue.get", "['x']");
    check(a, "queue.put", "['x', 1]", "nil");
    check_answer(w, get, "[1, nil, 1]");
    check_events(w, "[['x', 'put', {size: 1}], ['x', 'get', {size: 0, ticket: 0}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_joinable_queue(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "queue.open", "['x', {joinable: true}]");
    check(a, "queue.put_many", "['x', [1, 2, 3]]", "3");
    check(a, "queue.get_many", "['x', 3]", "_array");
    check(w, "object.watch", "['x']", "nil");
    check_events(w, "[['x', 'put', {size: 1}], ['x', 'put', {size: 2}], ['x', 'put', {size: 3}],"
                    " ['x', 'get', {size: 2, ticket: 1}], ['x', 'get', {size: 1, ticket: 2}],"
                    " ['x', 'get', {size: 0, ticket: 3}]]");
    check(a, "queue.task_done", "['x', 2]", "2");
    check(a, "queue.give_back", "['x', 1]", "nil");
    check_error(a, "queue.give_back", "['x', 1]", "VALUE");
    check_events(w, "[['x', 'done', {unfinished: 2, ticket: 2}],"
                    " ['x', 'give_back', {size: 1, ticket: 1, reason: 'call'}]]");
    actor_vanish(a);
    check_events(w, "[['x', 'give_back', {size: 2, ticket: 3, reason: 'session'}]]");
    actor_leave(w);
}

static void events_of_items_that_are_discarded_with_their_session(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w =
        watcher_of(state, a, "queue.open", "['x', {joinable: true, on_disconnect: 'discard'}]");
    check(a, "queue.put", "['x', 1]", "nil");
    check(a, "queue.get", "['x']", "[1, 1, 1]");
    check_events(w, "[['x', 'put', _map], ['x', 'get', _map]]");
    actor_vanish(a);
    check_events(w, "[['x', 'done', {unfinished: 0, ticket: 1}]]");
    actor_leave(w);
}

static void events_of_an_answer_that_never_left(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "queue.open", "['x']");
    check(a, "queue.put", "['x', 1]", "nil");
    (void)actor_send(b, "queue.get", "['x']");
    actor_vanish(b);
    check_events(w, "[['x', 'put', _map], ['x', 'get', {size: 0, ticket: 0}],"
                    " ['x', 'give_back', {size: 1, ticket: 0, reason: 'unsent'}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_what_time_does_to_a_queue(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "queue.open", "['x', {joinable: true, lease_ms: 50}]");
    check(a, "queue.put", "['x', 1, nil, {delay_ms: 10}]", "nil");
    check(a, "queue.put", "['x', 2, nil, {ttl_ms: 20}]", "nil");
    check_events(w, "[['x', 'put', {size: 0}], ['x', 'put', {size: 1}]]");
    stage_advance(*state, 10);
    check_events(w, "[['x', 'ready', {size: 2}]]");
    stage_advance(*state, 10);
    check_events(w, "[['x', 'expire', {size: 1}]]");
    check(a, "queue.get", "['x']", "[1, 1, 1]");
    stage_advance(*state, 50);
    check_events(w, "[['x', 'get', _map],"
                    " ['x', 'give_back', {size: 1, ticket: 1, reason: 'lease'}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_dead_letters(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['d']", "_map");
    struct actor *w = watcher_of(state, a, "queue.open",
                                 "['x', {joinable: true, max_deliveries: 1, dead_letter: 'd'}]");
    check(w, "object.watch", "['d']", "nil");
    check(a, "queue.put", "['x', 1]", "nil");
    check(a, "queue.get", "['x']", "[1, 1, 1]");
    check(a, "queue.give_back", "['x', 1]", "nil");
    check_events(w, "[['x', 'put', _map], ['x', 'get', _map],"
                    " ['x', 'give_back', {size: 0, ticket: 1, reason: 'call'}],"
                    " ['d', 'put', {size: 1}], ['x', 'dead', {dropped: false}]]");
    check(a, "object.delete", "['d']", "nil");
    check(a, "queue.put", "['x', 1]", "nil");
    check(a, "queue.get", "['x']", "[1, 2, 1]");
    check(a, "queue.give_back", "['x', 2]", "nil");
    check_events(w, "[['d', 'deleted', {}], ['x', 'put', _map], ['x', 'get', _map],"
                    " ['x', 'give_back', _map], ['x', 'dead', {dropped: true}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_dict(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "dict.open", "['x']");
    check(a, "dict.set", "['x', 'a', 1]", "true");
    check(a, "dict.set", "['x', 'a', 2]", "false");
    check(a, "dict.set", "['x', 'a', 'longer than it was']", "false");
    check(a, "dict.update", "['x', {a: 1, b: 2}]", "1");
    check_events(w, "[['x', 'set', {key: 'a'}], ['x', 'set', {key: 'a'}], ['x', 'set', {key: 'a'}],"
                    " ['x', 'set', {key: 'a'}], ['x', 'set', {key: 'b'}]]");
    check(a, "dict.setdefault", "['x', 'a', 2]", "1");
    check(a, "dict.setdefault", "['x', 'c', 2]", "2");
    check(a, "dict.incr", "['x', 'c']", "3");
    check(a, "dict.incr", "['x', [1, nil]]", "1");
    check(a, "dict.cas", "['x', 'c', [3], [4]]", "true");
    check(a, "dict.cas", "['x', 'c', [3], [4]]", "false");
    check(a, "dict.cas", "['x', 'c', [4], []]", "true");
    check_events(w, "[['x', 'set', {key: 'c'}], ['x', 'set', {key: 'c'}],"
                    " ['x', 'set', {key: [1, nil]}], ['x', 'set', {key: 'c'}],"
                    " ['x', 'delete', {key: 'c'}]]");
    check(a, "dict.delete", "['x', 'a']", "nil");
    check_error(a, "dict.delete", "['x', 'a']", "KEY");
    check(a, "dict.pop", "['x', 'b']", "2");
    check(a, "dict.popitem", "['x']", "[[1, nil], 1]");
    check(a, "dict.clear", "['x']", "nil");
    check(a, "dict.set", "['x', 1, 1]", "true");
    check(a, "dict.clear", "['x']", "nil");
    check_events(w, "[['x', 'delete', {key: 'a'}], ['x', 'delete', {key: 'b'}],"
                    " ['x', 'delete', {key: [1, nil]}], ['x', 'set', {key: 1}],"
                    " ['x', 'clear', {count: 1}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_namespace(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "namespace.open", "['x']");
    check(a, "namespace.set", "['x', 'a', 1]", "true");
    check(a, "namespace.delete", "['x', 'a']", "nil");
    check(a, "namespace.update", "['x', {a: 1, b: 2}]", "2");
    check(a, "namespace.clear", "['x']", "nil");
    check_events(w, "[['x', 'set', {key: 'a'}], ['x', 'delete', {key: 'a'}],"
                    " ['x', 'set', {key: 'a'}], ['x', 'set', {key: 'b'}],"
                    " ['x', 'clear', {count: 2}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_list(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "list.open", "['x']");
    check(a, "list.append", "['x', 1]", "1");
    check(a, "list.extend", "['x', [4, 3]]", "3");
    check(a, "list.extend", "['x', []]", "3");
    check(a, "list.insert", "['x', 0, 2]", "nil");
    check(a, "list.set", "['x', -1, 7]", "nil");
    check(a, "list.incr", "['x', 0]", "3");
    check_error(a, "list.set", "['x', 4, 0]", "INDEX");
    check_events(w, "[['x', 'insert', {index: 0, count: 1}], ['x', 'insert', {index: 1, count: 2}],"
                    " ['x', 'insert', {index: 0, count: 1}], ['x', 'set', {index: 3}],"
                    " ['x', 'set', {index: 0}]]");
    check(a, "list.sort", "['x']", "nil");
    check(a, "list.reverse", "['x']", "nil");
    check(a, "list.repeat", "['x', 2]", "nil");
    check(a, "list.repeat", "['x', 1]", "nil");
    check(a, "list.pop", "['x']", "1");
    check(a, "list.delete", "['x', 0]", "nil");
    check(a, "list.remove", "['x', 4]", "nil");
    check_events(w, "[['x', 'sort', {}], ['x', 'reverse', {}],"
                    " ['x', 'insert', {index: 4, count: 4}], ['x', 'delete', {index: 7, count: 1}],"
                    " ['x', 'delete', {index: 0, count: 1}],"
                    " ['x', 'delete', {index: 0, count: 1}]]");
    check(a, "list.set_slice", "['x', 1, 3, nil, [8]]", "nil");
    check(a, "list.set_slice", "['x', 1, 1, nil, [9, 9]]", "nil");
    check(a, "list.set_slice", "['x', 1, 3, nil, []]", "nil");
    check(a, "list.set_slice", "['x', 1, 1, nil, []]", "nil");
    check_error(a, "list.set_slice", "['x', nil, nil, 2, [1]]", "VALUE");
    check(a, "list.delete_slice", "['x', nil, 1]", "nil");
    check(a, "list.delete_slice", "['x', nil, nil, 2]", "nil");
    check(a, "list.clear", "['x']", "nil");
    check(a, "list.clear", "['x']", "nil");
    check_events(w, "[['x', 'set_slice', {index: 1, removed: 2, inserted: 1}],"
                    " ['x', 'insert', {index: 1, count: 2}],"
                    " ['x', 'delete', {index: 1, count: 2}],"
                    " ['x', 'delete', {index: 0, count: 1}],"
                    " ['x', 'set_slice', {index: 0, removed: 2, inserted: 0}],"
                    " ['x', 'clear', {count: 1}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_an_event(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "event.open", "['x']");
    check(a, "event.clear", "['x']", "nil");
    check(a, "event.set", "['x']", "nil");
    check(a, "event.set", "['x']", "nil");
    check(a, "event.clear", "['x']", "nil");
    check_events(w, "[['x', 'set', {}], ['x', 'clear', {}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_lock(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "lock.open", "['x', {recursive: true}]");
    check(a, "lock.acquire", "['x']", "_map");
    check(a, "lock.acquire", "['x']", "_map");
    check(a, "lock.release", "['x']", "1");
    check_error(w, "lock.release", "['x']", "NOT_OWNER");
    uint32_t next = actor_send(w, "lock.acquire", "['x']");
    check_events(w, "[['x', 'acquire', {session: 1, depth: 1}],"
                    " ['x', 'acquire', {session: 1, depth: 2}],"
                    " ['x', 'release', {session: 1, depth: 1, abandoned: false}]]");
    actor_vanish(a);
    check_answer(w, next, "{depth: 1, abandoned: true}");
    check_events(w, "[['x', 'release', {session: 1, depth: 0, abandoned: true}],"
                    " ['x', 'acquire', {session: 2, depth: 1}]]");
    check(w, "lock.break", "['x']", "{session: 2, ...}");
    check_events(w, "[['x', 'release', {session: 2, depth: 0, abandoned: true}]]");
    actor_leave(w);
}

static void events_of_a_lock_that_is_kept(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "lock.open", "['x', {on_disconnect: 'keep'}]");
    check(a, "lock.acquire", "['x']", "_map");
    actor_vanish(a);
    check_events(w, "[['x', 'acquire', _map]]");
    actor_leave(w);
}

static void events_of_a_semaphore(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "semaphore.open", "['x', {value: 3, bounded: true}]");
    check(a, "semaphore.acquire", "['x', nil, 2]", "1");
    check(a, "semaphore.release", "['x']", "2");
    check_error(a, "semaphore.release", "['x', 2]", "VALUE");
    check_events(w, "[['x', 'acquire', {value: 1, count: 2}],"
                    " ['x', 'release', {value: 2, count: 1, abandoned: false}]]");
    actor_vanish(a);
    check_events(w, "[['x', 'release', {value: 3, count: 1, abandoned: true}]]");
    actor_leave(w);
}

/* Releasing what another session holds looks for ties that say nothing any more; one that only
 * watches is not among them. */
static void events_of_permits_that_another_session_gives_back(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "semaphore.open", "['x', {value: 1, bounded: true}]");
    struct actor *b = actor_new(*state, 0);
    check(b, "semaphore.acquire", "['x']", "0");
    check(a, "semaphore.release", "['x']", "1");
    check_events(w, "[['x', 'acquire', _map], ['x', 'release', _map]]");
    actor_leave(b);
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_barrier(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "barrier.open", "['x', {parties: 2}]");
    (void)actor_send(a, "barrier.wait", "['x']");
    check(w, "barrier.wait", "['x']", "1");
    check_events(w, "[['x', 'wait', {waiting: 1}], ['x', 'pass', {parties: 2}]]");
    (void)actor_send(b, "barrier.wait", "['x']");
    actor_vanish(b);
    check_error(w, "barrier.wait", "['x']", "BROKEN");
    check(a, "barrier.abort", "['x']", "nil");
    check(a, "barrier.reset", "['x']", "nil");
    check(a, "barrier.reset", "['x']", "nil");
    check_events(w, "[['x', 'wait', {waiting: 1}], ['x', 'break', {waiting: 1}],"
                    " ['x', 'reset', {waiting: 0}]]");
    actor_leave(w);
    actor_leave(a);
}

static void events_of_a_condition(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a, "condition.open", "['x']");
    check(a, "condition.acquire", "['x']", "_map");
    uint32_t wait = actor_send(a, "condition.wait", "['x']");
    check_events(w, "[['x', 'acquire', {session: 1, depth: 1}], ['x', 'wait', {sleepers: 1}],"
                    " ['x', 'release', {session: 1, depth: 0, abandoned: false}]]");
    check(b, "condition.acquire", "['x']", "_map");
    check(b, "condition.notify", "['x']", "1");
    check(b, "condition.notify", "['x']", "0");
    check(b, "condition.release", "['x']", "0");
    check_answer(a, wait, "true");
    check_events(w, "[['x', 'acquire', {session: 2, depth: 1}], ['x', 'notify', {woken: 1}],"
                    " ['x', 'release', _map], ['x', 'acquire', {session: 1, depth: 1}]]");
    actor_leave(w);
    actor_leave(b);
    actor_leave(a);
}

static void events_of_a_named_lock_of_a_condition_are_the_locks(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "lock.open", "['l']", "_map");
    struct actor *w = watcher_of(state, a, "condition.open", "['x', {lock: 'l'}]");
    check(w, "object.watch", "['l']", "nil");
    check(a, "condition.acquire", "['x']", "_map");
    (void)actor_send(a, "condition.wait", "['x']");
    check_events(w, "[['l', 'acquire', _map], ['x', 'wait', _map], ['l', 'release', _map]]");
    actor_leave(w);
    actor_leave(a);
}

#define EVENTS(test) cmocka_unit_test_setup_teardown(events_of_##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENTS(a_queue),
        EVENTS(a_getter_that_waits_come_in_the_order_of_the_changes),
        EVENTS(a_joinable_queue),
        EVENTS(items_that_are_discarded_with_their_session),
        EVENTS(an_answer_that_never_left),
        EVENTS(what_time_does_to_a_queue),
        EVENTS(dead_letters),
        EVENTS(a_dict),
        EVENTS(a_namespace),
        EVENTS(a_list),
        EVENTS(an_event),
        EVENTS(a_lock),
        EVENTS(a_lock_that_is_kept),
        EVENTS(a_semaphore),
        EVENTS(permits_that_another_session_gives_back),
        EVENTS(a_barrier),
        EVENTS(a_condition),
        EVENTS(a_named_lock_of_a_condition_are_the_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
