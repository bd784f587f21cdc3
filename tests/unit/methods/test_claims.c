/* Who waits on an object and who holds it, as object.describe and session.describe tell it. */
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

static void object_describe_lists_the_waits_in_the_order_of_service(void **state)
{
    only_here(*state, "the engine knows no msgids");
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(b, "server.hello", "[{client: 'worker'}]", "_map");
    check(a, "lock.open", "['l']", "_map");
    check(a, "object.describe", "['l', true]", "{waits: [], holds: [], ...}");
    check(a, "lock.acquire", "['l']", "_map");
    (void)actor_send(b, "lock.acquire", "['l', 5000]");
    stage_advance(*state, 20);
    (void)actor_send(a, "lock.acquire", "['l', nil, 7]");
    (void)actor_send(b, "lock.acquire", "['l']");
    check(a, "object.describe", "['l', true]",
          "{waiting: 3, waits: ["
          "{session: 2, pid: _int, uid: 0, client: 'worker', method: 'lock.acquire', msgid: 2,"
          " since_ms: 20, timeout_ms: 5000},"
          "{session: 1, pid: _int, uid: 0, client: nil, method: 'lock.acquire', msgid: 4,"
          " since_ms: 0, timeout_ms: nil},"
          "{session: 2, msgid: 3, ...}], ...}");
    actor_leave(a);
    actor_leave(b);
}

static void object_describe_lists_each_kind_of_wait(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "condition.open", "['c']", "_map");
    check(a, "condition.acquire", "['c']", "_map");
    (void)actor_send(a, "condition.wait", "['c']");
    check(a, "condition.acquire", "['c', 0, 1]", "_map");
    (void)actor_send(a, "condition.acquire", "['c', nil, 2]");
    check(a, "object.describe", "['c', true]",
          "{waits: [{method: 'condition.acquire', ...}, {method: 'condition.wait', ...}],"
          " holds: [{session: 1, owner: 1, depth: 1, ...}], ...}");
    actor_leave(a);
}

static void object_describe_lists_who_holds_and_since_when(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    struct actor *c = actor_new(*state, 0);
    check(a, "semaphore.open", "['s', {value: 5}]", "_map");
    check(b, "semaphore.open", "['s']", "_map");
    check(c, "semaphore.acquire", "['s', 0, 3]", "2");
    check(a, "semaphore.acquire", "['s', 0]", "1");
    check(a, "object.describe", "['s', true]",
          "{waits: [], holds: ["
          "{session: 1, pid: _int, uid: 0, client: nil, since: _ext, permits: 1},"
          "{session: 3, pid: _int, uid: 0, client: nil, since: _ext, permits: 3}], ...}");
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
}

static void object_describe_without_claims_is_the_description_alone(void **state)
{
    only_here(*state, "the description says where it lives, too");
    struct actor *a = actor_new(*state, 0);
    check(a, "event.open", "['e']", "_map");
    (void)actor_send(a, "event.wait", "['e']");
    check(a, "object.describe", "['e']",
          "{name: 'e', type: 'event', owner: 0, group: _int, mode: 432, lifetime: 'daemon',"
          " created: _ext, waiting: 1, bytes: _int, overhead: _int, set: false}");
    check(a, "object.describe", "['e', false]", "{name: 'e', bytes: _int, set: false, ...}");
    check_error(a, "object.describe", "['e', 1]", "BAD_REQUEST");
    actor_leave(a);
}

static void lock_that_is_held_says_since_when(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "lock.open", "['l', {on_disconnect: 'keep'}]", "{held_since: nil, ...}");
    check(a, "lock.acquire", "['l']", "_map");
    check(b, "object.describe", "['l', true]",
          "{held_since: _ext, holds: [{session: 1, ...}], ...}");
    actor_leave(a);
    check(b, "object.describe", "['l', true]",
          "{held_since: _ext, holder: {session: 1, owner: nil}, holds: [], ...}");
    check(b, "lock.break", "['l']", "_map");
    check(b, "object.describe", "['l', true]", "{held_since: nil, holder: nil, ...}");
    actor_leave(b);
}

/* What the answer of object.describe costs is bounded; `waiting` tells how many there are. */
static void object_describe_lists_a_thousand_waits_at_most(void **state)
{
    only_here(*state, "the engine knows no msgids");
    enum { WAITS = 1500 };
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "event.open", "['e']", "_map");
    for (int i = 0; i < WAITS; i++) {
        (void)actor_send(b, "event.wait", "['e']");
    }
    check(a, "object.describe", "['e', true]",
          "{waiting: 1500, waits: [{msgid: 1, ...}, {msgid: 2, ...}, ...], ...}");
    uint32_t msgid = actor_send(a, "object.describe", "['e', true]");
    actor_read(a);
    size_t last = a->nanswers - 1;
    const msgpack_object *answer = &a->answers[last].data;
    assert_int_equal(answer->via.array.ptr[1].via.u64, msgid);
    const msgpack_object_map *map = &answer->via.array.ptr[3].via.map;
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object_str *key = &map->ptr[i].key.via.str;
        if (key->size == 5 && memcmp(key->ptr, "waits", 5) == 0) {
            assert_int_equal(map->ptr[i].val.via.array.size, 1000);
        }
    }
    actor_leave(b);
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(object_describe_lists_the_waits_in_the_order_of_service),
        TEST(object_describe_lists_each_kind_of_wait),
        TEST(object_describe_lists_who_holds_and_since_when),
        TEST(object_describe_without_claims_is_the_description_alone),
        TEST(lock_that_is_held_says_since_when),
        TEST(object_describe_lists_a_thousand_waits_at_most),
    };
    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
