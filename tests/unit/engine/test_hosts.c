/*
 * Several daemons with one engine, time by hand: what one host puts another one gets; what a dead
 * one held comes back; one that was cut off says so.
 */
#include "tests/support/stage_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEASE_MS = 9000 };

struct hosts {
    struct stage *a;
    struct stage *b;
};

static struct stage *host_new(const char *realm, const char *name)
{
    struct stage *stage = stage_new();
    stage_engine_free(stage->engine);
    stage->engine = stage_engine_join(stage, &(struct stage_host){realm, name, LEASE_MS});
    return stage;
}

static int set_up(void **state)
{
    static unsigned last;
    char realm[64];
    struct hosts *hosts = calloc(1, sizeof(*hosts));
    assert_non_null(hosts);
    (void)snprintf(realm, sizeof(realm), "hosts%d-%u", (int)getpid(), ++last);
    hosts->a = host_new(realm, "a");
    hosts->b = host_new(realm, "b");
    *state = hosts;
    return 0;
}

static int tear_down(void **state)
{
    struct hosts *hosts = *state;
    stage_free(hosts->a);
    stage_free(hosts->b);
    free(hosts);
    return 0;
}

/* Both hosts look at what there is for them. */
static void meet(struct hosts *hosts)
{
    stage_engine_settle(hosts->a->engine);
    stage_engine_settle(hosts->b->engine);
}

static void advance(struct hosts *hosts, uint64_t ms)
{
    for (uint64_t step = 0; step < ms; step += 1000) {
        stage_advance(hosts->a, 1000);
        stage_advance(hosts->b, 1000);
    }
}

static void what_one_host_puts_another_one_gets(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *b = actor_new(hosts->b, 0);
    check(a, "dict.open", "['d']", "_map");
    check(a, "dict.set", "['d', 1, 'one']", "true");
    check(b, "dict.get", "['d', 1]", "'one'");
    uint32_t wait = actor_send(b, "dict.wait", "['d', 2]");
    check_waits(b, wait);
    check(a, "dict.set", "['d', 2, 'two']", "true");
    meet(hosts);
    check_answer(b, wait, "'two'");
    actor_leave(a);
    actor_leave(b);
}

static void a_lock_is_held_once_by_all_hosts(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *b = actor_new(hosts->b, 0);
    check(a, "lock.open", "['l']", "_map");
    check(a, "lock.acquire", "['l']", "{depth: 1, abandoned: false}");
    check_error(b, "lock.acquire", "['l', 0]", "TIMEOUT");
    uint32_t wait = actor_send(b, "lock.acquire", "['l', 5000]");
    check_waits(b, wait);
    check(a, "lock.release", "['l']", "0");
    meet(hosts);
    check_answer(b, wait, "{depth: 1, abandoned: false}");
    actor_leave(b);
    check(a, "lock.locked", "['l']", "false");
    actor_leave(a);
}

static void a_session_that_ends_gives_back_to_other_hosts(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *b = actor_new(hosts->b, 0);
    check(a, "lock.open", "['l']", "_map");
    check(a, "lock.acquire", "['l']", "_map");
    uint32_t wait = actor_send(b, "lock.acquire", "['l']");
    actor_leave(a);
    meet(hosts);
    check_answer(b, wait, "{depth: 1, abandoned: true}");
    actor_leave(b);
}

static void what_a_dead_host_held_comes_back_when_its_lease_is_over(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *b = actor_new(hosts->b, 0);
    check(a, "lock.open", "['l']", "_map");
    check(a, "lock.acquire", "['l']", "_map");
    uint32_t wait = actor_send(b, "lock.acquire", "['l']");
    stage_advance(hosts->b, LEASE_MS - 1); /* nothing runs on the other one */
    check_waits(b, wait);
    stage_advance(hosts->b, LEASE_MS);
    check_answer(b, wait, "{depth: 1, abandoned: true}");
    actor_leave(b);
    stage_advance(hosts->a, 2 * LEASE_MS);
    actor_leave(a);
}

static void a_host_that_was_cut_off_tells_each_session_once(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *idle = actor_new(hosts->a, 0);
    check(a, "lock.open", "['l']", "_map");
    check(a, "lock.acquire", "['l']", "_map");
    uint32_t wait = actor_send(a, "lock.acquire", "['l', nil, 'other']");
    stage_advance(hosts->b, 2 * LEASE_MS);
    hosts->a->now += 2 * LEASE_MS * UINT64_C(1000000); /* it was stopped, and goes on */
    stage_advance(hosts->a, 1);
    check_fails(a, "lock.locked", "['l']", "['ENGINE', _str, {done: false}]");
    stage_expect_failure(a, wait, "['ENGINE', _str, {done: false}]", __FILE__, __LINE__);
    check(idle, "lock.locked", "['l']", "false");
    check(a, "lock.acquire", "['l', 0]", "{depth: 1, abandoned: true}");
    actor_leave(a);
    actor_leave(idle);
}

/* The daemon thinks that its lease holds, and the engine knows that it does not. */
static void what_comes_after_the_lease_is_not_done(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *b = actor_new(hosts->b, 0);
    check(a, "queue.open", "['q']", "_map");
    stage_engine_set_ahead(hosts->a->engine, LEASE_MS + 1);
    check_fails(a, "queue.put", "['q', 1]", "['ENGINE', _str, {done: false}]");
    check(b, "queue.qsize", "['q']", "0");
    check_fails(a, "queue.put", "['q', 1]", "['ENGINE', _str, {done: false}]"); /* it is told */
    check(a, "queue.put", "['q', 2]", "nil");
    check(b, "queue.get", "['q']", "[2, nil, 1]");
    actor_leave(a);
    actor_leave(b);
}

/* A wait that is to be ended when it is lost already. */
static void wait_that_is_lost_says_so_whatever_ends_it(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    check(a, "queue.open", "['q']", "_map");
    uint32_t late = actor_send(a, "queue.get", "['q', 500]");
    uint32_t cancelled = actor_send(a, "queue.get", "['q']");
    char params[24];
    (void)snprintf(params, sizeof(params), "[%u]", cancelled);
    stage_engine_set_ahead(hosts->a->engine, LEASE_MS + 1);
    actor_notify(a, "cancel", params);
    stage_advance(hosts->a, 500);
    stage_expect_failure(a, late, "['ENGINE', _str, {done: false}]", __FILE__, __LINE__);
    stage_expect_failure(a, cancelled, "['ENGINE', _str, {done: false}]", __FILE__, __LINE__);
    actor_leave(a);
}

static void a_watch_that_begins_in_a_batch_may_have_missed_something(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *other = actor_new(hosts->a, 0);
    check(a, "queue.open", "['q']", "_map");
    check(other, "object.watch", "['q']", "nil");
    check(a, "atomic", "[[['object.watch', ['q']], ['queue.qsize', ['q']]]]", "[nil, 0]");
    check_events(a, "[['q', 'lost', {count: 1}]]");
    check_events(other, "[]");
    check(other, "queue.put", "['q', 1]", "nil");
    check_events(a, "[['q', 'put', {size: 1}]]");
    check_events(other, "[['q', 'put', {size: 1}]]");
    actor_leave(a);
    actor_leave(other);
}

static void a_lease_that_is_renewed_lasts(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *b = actor_new(hosts->b, 0);
    check(a, "lock.open", "['l']", "_map");
    check(a, "lock.acquire", "['l']", "_map");
    advance(hosts, 5 * LEASE_MS);
    check(b, "lock.locked", "['l']", "true");
    check(a, "lock.release", "['l']", "0");
    actor_leave(a);
    actor_leave(b);
}

static void objects_of_the_engine_are_listed_with_where_they_live(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    struct actor *b = actor_new(hosts->b, 0);
    check(a, "dict.open", "['d']", "_map");
    check(a, "lock.open", "['l']", "_map");
    check(b, "event.open", "[nil]", "{name: '#1', ...}"); /* that lives there alone */
    check(b, "object.list", "[{type: 'lock'}]",
          "{objects: [{name: 'l', engine: {kind: 'redis', host: _str}, ...}], cursor: 0}");
    check(b, "object.list", "[{glob: '?'}]", "{objects: [_map, _map], cursor: 0}");
    check(b, "object.list", "[]", "{objects: [{name: '#1', ...}], cursor: 4611686018427387904}");
    check(b, "object.list", "[{cursor: 4611686018427387904}]",
          "{objects: [_map, _map], cursor: 0}");
    check(b, "object.list", "[{limit: 1}]",
          "{objects: [{name: '#1', ...}], cursor: 4611686018427387904}");
    check(b, "object.list", "[{waiting: true}]", "{objects: [], cursor: 0}");
    actor_leave(a);
    actor_leave(b);
}

static void what_a_cursor_of_a_list_leaves_out_follows(void **state)
{
    struct hosts *hosts = *state;
    struct actor *a = actor_new(hosts->a, 0);
    for (int i = 0; i < 100; i++) {
        char params[32];
        (void)snprintf(params, sizeof(params), "['e%d']", i);
        check(a, "event.open", params, "_map");
    }
    uint64_t cursor = 0;
    unsigned found = 0;
    do {
        char params[64];
        (void)snprintf(params, sizeof(params), "[{limit: 7, cursor: %llu}]",
                       (unsigned long long)cursor);
        actor_read(a);
        actor_forget(a);
        (void)actor_send(a, "object.list", params);
        actor_read(a);
        const msgpack_object_map *page = &a->answers[0].data.via.array.ptr[3].via.map;
        assert_in_range(page->ptr[0].val.via.array.size, 0, 7);
        found += page->ptr[0].val.via.array.size;
        cursor = page->ptr[1].val.via.u64;
    } while (cursor != 0);
    assert_int_equal(found, 100);
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_one_host_puts_another_one_gets),
        TEST(a_lock_is_held_once_by_all_hosts),
        TEST(a_session_that_ends_gives_back_to_other_hosts),
        TEST(what_a_dead_host_held_comes_back_when_its_lease_is_over),
        TEST(a_host_that_was_cut_off_tells_each_session_once),
        TEST(what_comes_after_the_lease_is_not_done),
        TEST(wait_that_is_lost_says_so_whatever_ends_it),
        TEST(a_watch_that_begins_in_a_batch_may_have_missed_something),
        TEST(a_lease_that_is_renewed_lasts),
        TEST(objects_of_the_engine_are_listed_with_where_they_live),
        TEST(what_a_cursor_of_a_list_leaves_out_follows),
    };
    return cmocka_run_group_tests_name("hosts of an engine", tests, NULL, NULL);
}
