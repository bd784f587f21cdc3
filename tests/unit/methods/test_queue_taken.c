/* What is taken from a joinable queue: looking at it, and giving it back as if it had not been. */
#include "tests/support/stage.h"

#include <time.h>

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

static void queue_taken_tells_who_has_what_and_for_how_long(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 1001);
    check(b, "server.hello", "[{client: 'worker'}]", "_map");
    check(a, "queue.open", "['q', {joinable: true, lease_ms: 1000, mode: 511}]", "_map");
    check(a, "queue.taken", "['q']", "[]");
    check(a, "queue.put_many", "['q', ['x', 'y', 'z']]", "3");
    check(b, "queue.get", "['q']", "['x', 1, 1]");
    stage_advance(stage, 400);
    check(a, "queue.get", "['q']", "['y', 2, 1]");
    check(a, "queue.taken", "['q']",
          "[{ticket: 1, value: 'x', deliveries: 1, session: 2, pid: _int, uid: 1001,"
          "  client: 'worker', since: _ext, lease_ms: 600},"
          " {ticket: 2, value: 'y', deliveries: 1, session: 1, pid: _int, uid: 0, client: nil,"
          "  since: _ext, lease_ms: 1000}]");
    check(b, "queue.touch", "['q', 1]", "nil");
    stage_advance(stage, 999);
    check(a, "queue.taken", "['q']",
          "[{ticket: 1, lease_ms: 1, ...}, {ticket: 2, lease_ms: 1, ...}]");
    stage_advance(stage, 1);
    check(a, "queue.taken", "['q']", "[]");
    check(a, "queue.get", "['q']", "['x', 3, 2]");
    check(a, "queue.taken", "['q']", "[{ticket: 3, deliveries: 2, ...}]");
    check(a, "queue.task_done", "['q', 3]", "2");
    check(a, "queue.taken", "['q']", "[]");
    actor_leave(a);
    actor_leave(b);
}

/* The member `since` of an item that queue.taken tells of: milliseconds, wall clock. */
static uint64_t since_of(const msgpack_object *item)
{
    for (uint32_t i = 0; i < item->via.map.size; i++) {
        const msgpack_object_kv *pair = &item->via.map.ptr[i];
        if (pair->key.via.str.size == 5 && memcmp(pair->key.via.str.ptr, "since", 5) == 0) {
            uint64_t packed = 0; /* a timestamp of 64 bits: 30 of nanoseconds, 34 of seconds */
            assert_int_equal(pair->val.via.ext.size, 8);
            for (int byte = 0; byte < 8; byte++) {
                packed = packed << 8 | (uint8_t)pair->val.via.ext.ptr[byte];
            }
            return (packed & 0x3ffffffff) * 1000 + (packed >> 34) / 1000000;
        }
    }
    fail_msg("there is no since");
    return 0;
}

static void queue_taken_tells_since_when(void **state)
{
    only_here(*state, "it goes by the clock of the wall");
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2]]", "2");
    check(a, "queue.get", "['q']", "[1, 1, 1]");
    stage_advance(stage, 5400);
    check(a, "queue.get", "['q']", "[2, 2, 1]");
    stage_advance(stage, 3600000);
    uint64_t before = (uint64_t)time(NULL) * 1000;
    uint32_t taken = actor_send(a, "queue.taken", "['q']");
    actor_read(a);
    const msgpack_object *answer = &a->answers[a->nanswers - 1].data;
    assert_int_equal(answer->via.array.ptr[1].via.u64, taken);
    const msgpack_object_array *items = &answer->via.array.ptr[3].via.array;
    assert_int_equal(items->size, 2);
    assert_true(since_of(&items->ptr[1]) >= before - 3600000);
    /* time(2) may be a tick behind the clock that the daemon reads, at the end of a second too. */
    assert_true(since_of(&items->ptr[1]) <= ((uint64_t)time(NULL) + 2) * 1000 - 3600000);
    assert_true(since_of(&items->ptr[1]) - since_of(&items->ptr[0]) >= 5400);
    actor_leave(a);
}

static void queue_taken_without_leases_tells_none(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put", "['q', nil]", "nil");
    check(a, "queue.get", "['q']", "[nil, 1, 1]");
    check(a, "queue.taken", "['q']", "[{ticket: 1, value: nil, lease_ms: nil, ...}]");
    actor_leave(a);
}

static void queue_taken_shows_a_part(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', [nil]*150]", "150");
    check(a, "queue.get_many", "['q', 150]", "_array");
    check(a, "queue.task_done", "['q', 2]", "149");
    check(a, "queue.taken", "['q', 0, 2]", "[{ticket: 1, ...}, {ticket: 3, ...}]");
    check(a, "queue.taken", "['q', 99]", "[{ticket: 101, ...}, {ticket: 102, ...}, ...]");
    check(a, "queue.taken", "['q', 148, 5]", "[{ticket: 150, ...}]");
    check(a, "queue.taken", "['q', 149]", "[]");
    check(a, "queue.taken", "['q', nil, 0]", "[]");
    check(a, "queue.taken", "['q', 147, 9223372036854775807]",
          "[{ticket: 149, ...}, {ticket: 150, ...}]");
    check(a, "queue.taken", "['q', 9223372036854775807, 9223372036854775807]", "[]");
    check_error(a, "queue.taken", "['q', 9223372036854775808]", "BAD_REQUEST");
    check_error(a, "queue.taken", "['q', 0, 18446744073709551615]", "BAD_REQUEST");
    check_error(a, "queue.taken", "['q', -1]", "BAD_REQUEST");
    actor_leave(a);
}

static void queue_taken_ends_when_the_answer_is_long(void **state)
{
    only_here(*state, "max_message is not known there");
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    stage->service.accounts.limits.max_message = 100000;
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    for (int i = 0; i < 3; i++) {
        check(a, "queue.put", "['q', 'x'*60000]", "nil");
        check(a, "queue.get", "['q']", "['x'*60000, _int, 1]");
    }
    check(a, "queue.taken", "['q']", "[{ticket: 1, ...}, {ticket: 2, ...}]");
    check(a, "queue.taken", "['q', 2]", "[{ticket: 3, ...}]");
    actor_leave(a);
}

static void queue_taken_needs_the_read_bit_and_a_joinable_queue(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 1001);
    check(a, "queue.open", "['q', {joinable: true, mode: 384}]", "_map");
    check_error(b, "queue.taken", "['q']", "DENIED");
    check(a, "object.chmod", "['q', 388]", "nil"); /* 0604 */
    check(b, "queue.taken", "['q']", "[]");
    check(a, "queue.open", "['plain']", "_map");
    check_error(a, "queue.taken", "['plain']", "WRONG_TYPE");
    check_error(a, "queue.taken", "['none']", "NOT_FOUND");
    actor_leave(a);
    actor_leave(b);
}

static void an_item_given_back_uncounted_is_as_it_was(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true, max_deliveries: 2}]", "_map");
    check(a, "queue.put_many", "['q', ['x', 'y']]", "2");
    for (int i = 0; i < 3; i++) {
        check(a, "queue.get", "['q']", "['x', _int, 1]");
        char params[64];
        (void)snprintf(params, sizeof(params), "['q', %d, nil, {uncounted: true}]", i + 1);
        check(a, "queue.give_back", params, "nil");
    }
    check(a, "object.describe", "['q']", "{gets: 0, dropped: 0, size: 2, ...}");
    check(a, "queue.get", "['q']", "['x', 4, 1]");
    check(a, "queue.give_back", "['q', 4, 0, {uncounted: false}]", "nil");
    check(a, "queue.get", "['q']", "['x', 5, 2]");
    check(a, "queue.give_back", "['q', 5, 10, {uncounted: true}]", "nil");
    check(a, "queue.get", "['q']", "['y', 6, 1]");
    stage_advance(*state, 10);
    check(a, "queue.get", "['q']", "['x', 7, 2]");
    check(a, "queue.give_back", "['q', 7, 0, {}]", "nil");
    check(a, "object.describe", "['q']", "{dropped: 1, taken: 1, ...}");
    actor_leave(a);
}

static void items_given_back_uncounted_the_last_one_first_stand_as_they_stood(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check(a, "queue.get_many", "['q', 2]", "[[1, 1, 1], [2, 2, 1]]");
    check(a, "queue.give_back", "['q', 2, 0, {uncounted: true}]", "nil");
    check(a, "queue.give_back", "['q', 1, 0, {uncounted: true}]", "nil");
    check(a, "queue.get_many", "['q', 3]", "[[1, 3, 1], [2, 4, 1], [3, 5, 1]]");
    actor_leave(a);
}

static void give_back_takes_no_other_options(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.get", "['q']", "[1, 1, 1]");
    check_error(a, "queue.give_back", "['q', 1, 0, {counted: true}]", "BAD_REQUEST");
    check_error(a, "queue.give_back", "['q', 1, 0, {uncounted: 1}]", "BAD_REQUEST");
    check_error(a, "queue.give_back", "['q', 9, 0, {uncounted: true}]", "VALUE");
    check(a, "queue.taken", "['q']", "[{ticket: 1, deliveries: 1, ...}]");
    actor_leave(a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(queue_taken_tells_who_has_what_and_for_how_long),
        TEST(queue_taken_tells_since_when),
        TEST(queue_taken_without_leases_tells_none),
        TEST(queue_taken_shows_a_part),
        TEST(queue_taken_ends_when_the_answer_is_long),
        TEST(queue_taken_needs_the_read_bit_and_a_joinable_queue),
        TEST(an_item_given_back_uncounted_is_as_it_was),
        TEST(items_given_back_uncounted_the_last_one_first_stand_as_they_stood),
        TEST(give_back_takes_no_other_options),
    };
    return cmocka_run_group_tests_name("queue_taken", tests, NULL, NULL);
}
