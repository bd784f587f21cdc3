/* object.watch and unwatch as whole calls: who is told, from when to when, and what is lost. */
#include "daemon/call/watching.h"
#include "daemon/objects/allocation.h"
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

/* A session that watches the queue 'q', which a has made. */
static struct actor *watcher_of(void **state, struct actor *a)
{
    struct actor *watcher = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(watcher, "object.watch", "['q']", "nil");
    actor_forget(watcher);
    return watcher;
}

static void watch_tells_what_was_chosen(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a);
    check(w, "object.watch", "['q', ['get', 'deleted', 'lost']]", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.get", "['q']", "_array");
    check_events(w, "[['q', 'get', _map]]");
    check(w, "object.watch", "['q', ['put']]", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.get", "['q']", "_array");
    check_events(w, "[['q', 'put', _map]]");
    check(w, "object.watch", "['q', []]", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "object.delete", "['q']", "nil");
    check_events(w, "[['q', 'deleted', {}]]");
    actor_leave(w);
    actor_leave(a);
}

static void watch_refuses_events_that_the_type_has_not(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a);
    check(w, "object.watch", "['q', ['put']]", "nil");
    uint32_t refused = actor_send(w, "object.watch", "['q', ['get', 'set']]");
    check_refused(w, refused, "BAD_REQUEST");
    check_error(w, "object.watch", "['q', [1]]", "BAD_REQUEST");
    check_error(w, "object.watch", "['q', ['']]", "BAD_REQUEST");
    check_error(w, "object.watch", "['q', 'put']", "BAD_REQUEST");
    check_error(w, "object.watch", "['nobody']", "NOT_FOUND");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.get", "['q']", "_array");
    check_events(w, "[['q', 'put', _map]]");
    actor_leave(w);
    actor_leave(a);
}

static void watch_tells_its_own_session_behind_the_answer(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "object.watch", "['q']", "nil");
    actor_forget(a);
    check(a, "queue.put", "['q', 1]", "nil");
    assert_int_equal(a->nanswers, 2);
    assert_int_equal(a->answers[0].data.via.array.size, 4);
    check_events(a, "[['q', 'put', {size: 1}]]");
    actor_leave(a);
}

static void watch_is_over_with_unwatch(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a);
    check(w, "object.unwatch", "['q']", "nil");
    check(w, "object.unwatch", "['q']", "nil");
    check_error(w, "object.unwatch", "['nobody']", "NOT_FOUND");
    check(a, "queue.put", "['q', 1]", "nil");
    check_events(w, "[]");
    check(w, "object.watch", "['q']", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check_events(w, "[['q', 'put', {size: 2}]]");
    actor_leave(w);
    actor_leave(a);
}

/* As when the lease in an engine is over. */
static void watch_that_is_lost_says_so_and_ends(void **state)
{
    only_here(*state, "the object is looked for in the registry");
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *w = watcher_of(state, a);
    object_end_watches(registry_find(&stage->service.registry, slice_of_string("q")), EVENT_lost);
    check(a, "queue.put", "['q', 1]", "nil");
    check_events(w, "[['q', 'lost', {count: 1}]]");
    actor_leave(w);
    actor_leave(a);
}

static void watch_does_not_keep_a_scoped_object(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = actor_new(*state, 0);
    check(a, "queue.open", "['s', {lifetime: 'scoped'}]", "_map");
    check(w, "object.watch", "['s']", "nil");
    check(w, "session.describe", "[]", "{open: [], holding: 0, ...}");
    actor_leave(a);
    check_events(w, "[['s', 'deleted', {}]]");
    check_error(w, "object.describe", "['s']", "NOT_FOUND");
    actor_leave(w);
}

static void watch_outlives_close(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a);
    check(w, "queue.open", "['q']", "_map");
    check(w, "object.close", "['q']", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check_events(w, "[['q', 'put', {size: 1}]]");
    actor_leave(w);
    actor_leave(a);
}

static void watch_needs_the_read_bit(void **state)
{
    struct actor *a = actor_new(*state, 10);
    struct actor *b = actor_new(*state, 20);
    check(a, "queue.open", "['q', {mode: 416}]", "_map");
    check_error(b, "object.watch", "['q']", "DENIED");
    check(a, "object.chmod", "['q', 420]", "nil");
    check(b, "object.watch", "['q']", "nil");
    check(a, "object.watch", "['q']", "nil");
    check(a, "object.chmod", "['q', 422]", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "object.chmod", "['q', 416]", "nil");
    check(a, "queue.put", "['q', 1]", "nil");
    check_events(b, "[['q', 'put', {size: 1}], ['q', 'denied', {}]]");
    check_events(a, "[['q', 'put', {size: 1}], ['q', 'put', {size: 2}]]");
    actor_leave(b);
    actor_leave(a);
}

static void watch_leaves_long_keys_out(void **state)
{
    struct actor *a = actor_new(*state, 0);
    char params[1400];
    check(a, "dict.open", "['d']", "_map");
    check(a, "object.watch", "['d']", "nil");
    (void)snprintf(params, sizeof(params), "['d', '%01021d', 1]", 0);
    check(a, "dict.set", params, "true");
    (void)snprintf(params, sizeof(params), "['d', '%01022d', 1]", 0);
    check(a, "dict.set", params, "true");
    check_events(a, "[['d', 'set', {key: _str}], ['d', 'set', {}]]");
    actor_leave(a);
}

/* How much a session has not read, in its output and before it. */
static uint64_t unread(const struct actor *actor)
{
    return output_pending(&actor->session.output) + actor->session.watcher->events.len;
}

static void put_many_times(struct actor *actor, int count)
{
    for (int i = 0; i < count; i++) {
        check(actor, "queue.put", "['q', 1]", "nil");
        actor_forget(actor);
    }
}

/* Has the session's output sent, as net does, until nothing more comes; the count of events. */
static uint64_t read_all(struct actor *actor, uint64_t *lost)
{
    uint64_t events = 0;
    *lost = 0;
    do {
        actor_read(actor);
        for (size_t i = 0; i < actor->nanswers; i++) {
            assert_int_equal(actor->answers[i].data.via.array.size, 3);
            const msgpack_object *params = &actor->answers[i].data.via.array.ptr[2];
            const msgpack_object *event = &params->via.array.ptr[1];
            if (event->via.str.size == 4 && memcmp(event->via.str.ptr, "lost", 4) == 0) {
                assert_int_equal(*lost, 0);
                assert_int_equal(i + 1, actor->nanswers);
                *lost = params->via.array.ptr[2].via.map.ptr[0].val.via.u64;
            } else {
                events++;
            }
        }
        actor_forget(actor);
    } while (session_give_events(&actor->session));
    return events;
}

static void watch_of_a_slow_reader_loses_events_and_tells_how_many(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a);
    stage->service.accounts.limits.max_events = 4096;
    put_many_times(a, 10000);
    assert_true(unread(w) <= 2 * 4096);
    assert_true(unread(w) > 4096);
    uint64_t lost;
    uint64_t events = read_all(w, &lost);
    assert_true(lost > 9000);
    assert_int_equal(events + lost, 10000);
    put_many_times(a, 1);
    check_events(w, "[['q', 'put', {size: 10001}]]");
    actor_leave(w);
    actor_leave(a);
}

/* What is told after a loss must not stand before the word of it, even if it is small enough. */
static void watch_that_lost_an_event_loses_smaller_ones_too(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(*state, 0);
    struct actor *w = actor_new(*state, 0);
    char params[1024];
    (void)snprintf(params, sizeof(params), "['d', '%0700d', 1]", 0);
    stage->service.accounts.limits.max_events = 1024;
    check(a, "dict.open", "['d']", "_map");
    check(w, "object.watch", "['d']", "nil");
    actor_forget(w);
    for (int i = 0; i < 3; i++) {
        check(a, "dict.set", params, i == 0 ? "true" : "false");
    }
    check(a, "dict.clear", "['d']", "nil");
    check_events(w, "[['d', 'set', _map]]");
    assert_true(session_give_events(&w->session));
    check_events(w, "[['d', 'set', _map], ['d', 'lost', {count: 2}]]");
    actor_leave(w);
    actor_leave(a);
}

static void watch_that_lost_events_tells_so_before_its_end(void **state)
{
    struct stage *stage = *state;
    stage->takes_over = false; /* what is told by and by would be told at once */
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a);
    check(a, "queue.open", "['r']", "_map");
    check(w, "object.watch", "['r']", "nil");
    stage->service.accounts.limits.max_events = 1024;
    put_many_times(a, 100);
    check(a, "object.delete", "['q']", "nil");
    check(a, "object.delete", "['r']", "nil");
    actor_read(w);
    actor_forget(w);
    assert_true(session_give_events(&w->session));
    actor_read(w);
    actor_forget(w);
    assert_true(session_give_events(&w->session));
    check_events(w, "[['q', 'lost', {count: _int}], ['q', 'deleted', {}], ['r', 'deleted', {}]]");
    assert_false(session_give_events(&w->session));
    actor_leave(w);
    actor_leave(a);
}

static void watch_that_is_owed_its_end_goes_with_its_session(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(*state, 0);
    struct actor *w = watcher_of(state, a);
    stage->service.accounts.limits.max_events = 1024;
    put_many_times(a, 100);
    check(a, "object.delete", "['q']", "nil");
    actor_vanish(w);
    actor_leave(a);
}

/* Of a user who is over a limit events are lost, but only as long as that is so. */
static void watch_goes_on_when_its_user_has_room_again(void **state)
{
    struct stage *stage = *state;
    stage->takes_over = false; /* the charge is the test's own */
    struct actor *a = actor_new(stage, 10);
    struct actor *w = actor_new(stage, 20);
    check(a, "queue.open", "['q', {mode: 438}]", "_map");
    check(w, "object.watch", "['q']", "nil");
    actor_read(w);
    actor_forget(w);
    uint64_t most = stage->service.accounts.limits.max_user_bytes;
    uint64_t filled = most - w->session.user->bytes;
    assert_int_equal(user_charge(w->session.user, filled), 0);
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.put", "['q', 2]", "nil");
    check_events(w, "[]");
    user_release(w->session.user, filled);
    check(a, "queue.put", "['q', 3]", "nil");
    check_events(w, "[['q', 'lost', {count: 2}], ['q', 'put', {size: 3}]]");
    actor_leave(w);
    actor_leave(a);
}

static void watch_is_charged_to_the_session_that_watches(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(*state, 10);
    struct actor *w = actor_new(*state, 20);
    check(a, "queue.open", "['q', {mode: 438}]", "_map");
    check(w, "object.watch", "['q']", "nil");
    actor_forget(w);
    uint64_t watches = w->session.user->bytes;
    assert_true(watches > 0);
    assert_int_equal(w->session.charged.bytes, watches);
    stage->service.accounts.limits.max_events = 1024;
    put_many_times(a, 100);
    assert_int_equal(w->session.user->bytes,
                     watches + allocation_cost(w->session.watcher->events.cap));
    assert_true(w->session.watcher->events.len > 900);
    uint64_t lost;
    (void)read_all(w, &lost);
    assert_in_range(w->session.user->bytes, watches,
                    watches + 4096); /* what it keeps for the next */
    check(a, "queue.open", "['r', {mode: 438}]", "_map");
    stage->service.accounts.limits.max_user_bytes = w->session.user->bytes;
    check_error(w, "object.watch", "['r']", "LIMIT");
    actor_leave(w);
    actor_leave(a);
}

#define WATCH(test) cmocka_unit_test_setup_teardown(watch_##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCH(tells_what_was_chosen),
        WATCH(refuses_events_that_the_type_has_not),
        WATCH(tells_its_own_session_behind_the_answer),
        WATCH(is_over_with_unwatch),
        WATCH(that_is_lost_says_so_and_ends),
        WATCH(does_not_keep_a_scoped_object),
        WATCH(outlives_close),
        WATCH(needs_the_read_bit),
        WATCH(leaves_long_keys_out),
        WATCH(of_a_slow_reader_loses_events_and_tells_how_many),
        WATCH(that_lost_an_event_loses_smaller_ones_too),
        WATCH(that_lost_events_tells_so_before_its_end),
        WATCH(that_is_owed_its_end_goes_with_its_session),
        WATCH(is_charged_to_the_session_that_watches),
        WATCH(goes_on_when_its_user_has_room_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
