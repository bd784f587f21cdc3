/* The dict's methods, driven as whole calls: each row of the table, its errors, and waiting. */
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

/* A session with the dict 'd' open, {1: 'one', 'two': 2}. */
static struct actor *with_dict(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "dict.open", "['d', {initial: {1: 'one', 'two': 2}}]",
          "{type: 'dict', name: 'd', size: 2, ...}");
    return a;
}

static void dict_open_sets_the_initial_pairs_only_once(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.open", "['d', {initial: {3: 3}}]", "{size: 2, ...}");
    check(a, "dict.open", "['e']", "{size: 0, bytes: 0, ...}");
    check(a, "dict.open", "[nil, {initial: {}}]", "{name: '#1', ...}");
    check_error(a, "dict.open", "['f', {initial: [1]}]", "BAD_REQUEST");
    check_error(a, "dict.open", "['f', {initial: {{}: 1}}]", "TYPE");
    check_error(a, "dict.len", "['f']", "NOT_FOUND");
    check_error(a, "queue.open", "['d']", "WRONG_TYPE");
    actor_leave(a);
}

static void dict_get_returns_the_value_or_the_default(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.get", "['d', 1]", "'one'");
    check(a, "dict.get", "['d', <cd 00 01>]", "'one'");
    check(a, "dict.get", "['d', 3, 'none']", "'none'");
    check(a, "dict.get", "['d', 3, nil]", "nil");
    check_error(a, "dict.get", "['d', 3]", "KEY");
    check_error(a, "dict.get", "['d', 1.0]", "KEY");
    check_error(a, "dict.get", "['d', {}]", "TYPE");
    check_error(a, "dict.get", "['d', [{}]]", "TYPE");
    check_error(a, "dict.get", "['d', nan]", "TYPE");
    check_error(a, "dict.get", "['d', ext(1, 'd')]", "TYPE");
    check_error(a, "dict.get", "['d']", "BAD_REQUEST");
    check_error(a, "dict.get", "['e', 1]", "NOT_FOUND");
    actor_leave(a);
}

/* The sentence of the error that a request got. */
static void check_sentence(struct actor *a, const char *method, const char *params,
                           const char *expected)
{
    check_answer(a, actor_send(a, "object.describe", "['d']"), "_map");
    uint32_t msgid = actor_send(a, method, params);
    actor_read(a);
    const msgpack_object *answer = a->answers[a->nanswers - 1].data.via.array.ptr;
    assert_int_equal(answer[1].via.u64, msgid);
    const msgpack_object *text = &answer[2].via.array.ptr[1];
    if (text->via.str.size != strlen(expected) ||
        memcmp(text->via.str.ptr, expected, strlen(expected)) != 0) {
        fail_msg("the sentence is: %.*s", (int)text->via.str.size, text->via.str.ptr);
    }
}

static void dict_errors_name_the_key(void **state)
{
    struct actor *a = with_dict(state);
    check_sentence(a, "dict.get", "['d', 'three']", "\"d\" has no key \"three\"");
    check_sentence(a, "dict.delete", "['d', [3, b'x']]", "\"d\" has no key [3, b\"x\"]");
    check_sentence(a, "dict.set", "['d', {4: 5}, 1]",
                   "dict.set: {4: 5} cannot be a key: it is a map");
    check_sentence(a, "dict.update", "['d', {1: 1, [{}]: 2}]",
                   "dict.update: [{}] cannot be a key: it is an array that holds a map");
    actor_leave(a);
}

static void dict_set_says_whether_the_key_is_new(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.set", "['d', 3, {x: [1]}]", "true");
    check(a, "dict.set", "['d', 1, nil]", "false");
    check(a, "dict.items", "['d']", "[[1, nil], ['two', 2], [3, {x: [1]}]]");
    check_error(a, "dict.set", "['d', 3]", "BAD_REQUEST");
    check_error(a, "dict.set", "['d', {}, 1]", "TYPE");
    actor_leave(a);
}

static void dict_large_values_come_back_as_sent(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.set", "['d', 'k', 'x'*100000]", "true");
    check(a, "dict.get", "['d', 'k']", "'x'*100000");
    check(a, "dict.set", "['d', 1, 'y'*4096]", "false");
    check(a, "dict.values", "['d']", "['y'*4096, 2, 'x'*100000]");
    check(a, "dict.pop", "['d', 'k']", "'x'*100000");
    check(a, "dict.len", "['d']", "2");
    actor_leave(a);
}

static void dict_update_sets_all_or_none(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.update", "['d', {1: 'uno', 3: 'tres', 4: nil}]", "2");
    check(a, "dict.copy", "['d']", "{1: 'uno', 'two': 2, 3: 'tres', 4: nil}");
    check(a, "dict.update", "['d', {}]", "0");
    check_error(a, "dict.update", "['d', {5: 1, [nan, {}]: 2}]", "TYPE");
    check(a, "dict.len", "['d']", "4");
    check_error(a, "dict.update", "['d', [[1, 2]]]", "BAD_REQUEST");
    actor_leave(a);
}

static void dict_setdefault_sets_only_a_missing_key(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.setdefault", "['d', 1, 'other']", "'one'");
    check(a, "dict.setdefault", "['d', 3, 'three']", "'three'");
    check(a, "dict.setdefault", "['d', 4]", "nil");
    check(a, "dict.items", "['d']", "[[1, 'one'], ['two', 2], [3, 'three'], [4, nil]]");
    check_error(a, "dict.setdefault", "['d', {}]", "TYPE");
    actor_leave(a);
}

static void dict_delete_and_pop_take_a_key_away(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.delete", "['d', 1]", "nil");
    check_error(a, "dict.delete", "['d', 1]", "KEY");
    check(a, "dict.pop", "['d', 'two']", "2");
    check_error(a, "dict.pop", "['d', 'two']", "KEY");
    check(a, "dict.pop", "['d', 'two', 'gone']", "'gone'");
    check(a, "dict.pop", "['d', 'two', nil]", "nil");
    check_error(a, "dict.pop", "['d', []]", "KEY");
    check_error(a, "dict.pop", "['d', {}]", "TYPE");
    actor_leave(a);
}

static void dict_popitem_takes_the_last_pair(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.set", "['d', 1, 'uno']", "false");
    check(a, "dict.popitem", "['d']", "['two', 2]");
    check(a, "dict.popitem", "['d']", "[1, 'uno']");
    check_error(a, "dict.popitem", "['d']", "KEY");
    actor_leave(a);
}

static void dict_tells_what_is_in_it(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.contains", "['d', 'two']", "true");
    check(a, "dict.contains", "['d', b'two']", "false");
    check_error(a, "dict.contains", "['d', {}]", "TYPE");
    check(a, "dict.len", "['d']", "2");
    check(a, "dict.keys", "['d']", "[1, 'two']");
    check(a, "dict.values", "['d']", "['one', 2]");
    check(a, "dict.items", "['d']", "[[1, 'one'], ['two', 2]]");
    check(a, "dict.copy", "['d']", "{1: 'one', 'two': 2}");
    check(a, "dict.clear", "['d']", "nil");
    check(a, "dict.keys", "['d']", "[]");
    check(a, "dict.copy", "['d']", "{}");
    check(a, "object.describe", "['d']", "{size: 0, bytes: 0, waiting: 0, ...}");
    actor_leave(a);
}

static void dict_scan_goes_on_where_it_stopped(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.update", "['d', {3: 3, 4: 4, 5: 5}]", "3");
    check(a, "dict.scan", "['d', 0, 2]", "{cursor: 3, items: [[1, 'one'], ['two', 2]]}");
    check(a, "dict.delete", "['d', 3]", "nil");
    check(a, "dict.delete", "['d', 1]", "nil");
    check(a, "dict.scan", "['d', 3, 1]", "{cursor: 5, items: [[4, 4]]}");
    check(a, "dict.set", "['d', 1, 'again']", "true");
    check(a, "dict.scan", "['d', 5, nil]", "{cursor: 0, items: [[5, 5], [1, 'again']]}");
    check(a, "dict.scan", "['d', 99]", "{cursor: 0, items: []}");
    check(a, "dict.scan", "['d', 0, 0]", "{cursor: 2, items: []}");
    check_error(a, "dict.scan", "['d', -1]", "BAD_REQUEST");
    check_error(a, "dict.scan", "['d']", "BAD_REQUEST");
    actor_leave(a);
}

static void dict_incr_adds_atomically(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.incr", "['d', 'two']", "3");
    check(a, "dict.incr", "['d', 'two', -5]", "-2");
    check(a, "dict.incr", "['d', 'two', 0.5]", "-1.5");
    check(a, "dict.incr", "['d', 'new']", "1");
    check(a, "dict.incr", "['d', 'other', nil, 10]", "11");
    check(a, "dict.incr", "['d', 'third', 2, 1.5]", "3.5");
    check_error(a, "dict.incr", "['d', 1]", "TYPE");
    check_error(a, "dict.incr", "['d', 'two', 'x']", "BAD_REQUEST");
    check_error(a, "dict.incr", "['d', {}]", "TYPE");
    check(a, "dict.set", "['d', 'max', 18446744073709551615]", "true");
    check_error(a, "dict.incr", "['d', 'max']", "RANGE");
    check(a, "dict.get", "['d', 'max']", "18446744073709551615");
    actor_leave(a);
}

static void dict_cas_acts_only_on_what_is_expected(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.cas", "['d', 1, ['one'], ['uno']]", "true");
    check(a, "dict.cas", "['d', 1, ['one'], ['due']]", "false");
    check(a, "dict.get", "['d', 1]", "'uno'");
    check(a, "dict.cas", "['d', 3, [], [[1, 2]]]", "true");
    check(a, "dict.cas", "['d', 3, [], [4]]", "false");
    check(a, "dict.cas", "['d', 3, [[1, <cd 00 02>]], []]", "true");
    check(a, "dict.cas", "['d', 3, [nil], []]", "false");
    check(a, "dict.cas", "['d', 3, [], []]", "true");
    check(a, "dict.keys", "['d']", "[1, 'two']");
    check_error(a, "dict.cas", "['d', 1, [1, 2], []]", "BAD_REQUEST");
    check_error(a, "dict.cas", "['d', 1, [], [1, 2]]", "BAD_REQUEST");
    check_error(a, "dict.cas", "['d', 1, nil, []]", "BAD_REQUEST");
    check_error(a, "dict.cas", "['d', {}, [], []]", "TYPE");
    actor_leave(a);
}

static void dict_wait_answers_at_once_if_the_key_is_there(void **state)
{
    struct actor *a = with_dict(state);
    check(a, "dict.wait", "['d', 1]", "'one'");
    check_error(a, "dict.wait", "['d', 3, 0]", "TIMEOUT");
    check_error(a, "dict.wait", "['d', {}, 0]", "TYPE");
    check_error(a, "dict.wait", "['d', 3, -1]", "BAD_REQUEST");
    actor_leave(a);
}

/* Each way in which a key can come wakes those who wait for it, and only those. */
static void dict_wait_is_ended_by_every_way_to_set_a_key(void **state)
{
    static const char *const ways[][3] = {
        {"dict.set", "['d', 'k', 7]", "true"},
        {"dict.update", "['d', {'j': 1, 'k': 7}]", "2"},
        {"dict.setdefault", "['d', 'k', 7]", "7"},
        {"dict.incr", "['d', 'k', 3, 4]", "7"},
        {"dict.cas", "['d', 'k', [], [7]]", "true"},
    };
    struct actor *a = with_dict(state);
    struct actor *b = actor_new(*state, 0);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        uint32_t other = actor_send(b, "dict.wait", "['d', 'other', 1000]");
        uint32_t first = actor_send(b, "dict.wait", "['d', 'k']");
        uint32_t second = actor_send(a, "dict.wait", "['d', 'k', 1000]");
        check_waits(b, first);
        check(a, "object.describe", "['d']", "{waiting: 3, ...}");
        check(a, ways[i][0], ways[i][1], ways[i][2]);
        check_answer(b, first, "7");
        check_answer(a, second, "7");
        check_waits(b, other);
        check(a, "dict.delete", "['d', 'k']", "nil");
        check(a, "dict.pop", "['d', 'j', nil]", "_");
        stage_advance(*state, 1000);
        check_refused(b, other, "TIMEOUT");
    }
    actor_leave(a);
    actor_leave(b);
}

static void dict_wait_is_ended_by_time_cancel_and_deletion(void **state)
{
    struct actor *a = with_dict(state);
    uint32_t timed = actor_send(a, "dict.wait", "['d', 3, 50]");
    uint32_t cancelled = actor_send(a, "dict.wait", "['d', 3]");
    uint32_t deleted = actor_send(a, "dict.wait", "['d', [1, 'long key of the waiting call']]");
    stage_advance(*state, 49);
    check_waits(a, timed);
    stage_advance(*state, 1);
    check_refused(a, timed, "TIMEOUT");
    actor_notify(a, "cancel", "[3]");
    check_refused(a, cancelled, "CANCELLED");
    check(a, "object.delete", "['d']", "nil");
    check_refused(a, deleted, "DELETED");
    actor_leave(a);
}

static void dict_over_its_users_bytes_is_a_limit_and_changes_nothing(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    stage->service.accounts.limits.max_user_bytes = 60000;
    check(a, "dict.open", "['d', {initial: {1: 'one'}}]", "_map");
    check_error(a, "dict.set", "['d', 2, 'x'*70000]", "LIMIT");
    check_error(a, "dict.set", "['d', 1, 'x'*70000]", "LIMIT");
    check_error(a, "dict.update", "['d', {2: 2, 3: 'x'*70000}]", "LIMIT");
    check_error(a, "dict.setdefault", "['d', 2, 'x'*70000]", "LIMIT");
    check_error(a, "dict.cas", "['d', 1, ['one'], ['x'*70000]]", "LIMIT");
    check_error(a, "dict.open", "['e', {initial: {1: 'x'*70000}}]", "LIMIT");
    check_error(a, "object.describe", "['e']", "NOT_FOUND");
    check(a, "dict.copy", "['d']", "{1: 'one'}");
    check(a, "object.delete", "['d']", "nil");
    actor_leave(a);
    assert_int_equal(stage->service.accounts.bytes, 0);
}

static void dict_answers_over_the_limit_are_too_large_and_scan_goes_in_parts(void **state)
{
    struct stage *stage = *state;
    struct actor *a = with_dict(state);
    check(a, "dict.update", "['d', {3: 'x'*60000, 4: 'y'*60000, 5: 'z'*60000}]", "3");
    stage->service.accounts.limits.max_output = 100000;
    stage->service.accounts.limits.max_message = 50000;
    check_error(a, "dict.copy", "['d']", "TOO_LARGE");
    check_error(a, "dict.items", "['d']", "TOO_LARGE");
    check_error(a, "dict.values", "['d']", "TOO_LARGE");
    check(a, "dict.keys", "['d']", "[1, 'two', 3, 4, 5]");
    check(a, "dict.scan", "['d', 2]", "{cursor: 4, items: [['two', 2], [3, 'x'*60000]]}");
    check(a, "dict.scan", "['d', 4]", "{cursor: 5, items: [[4, 'y'*60000]]}");
    actor_leave(a);
}

static void dict_reading_needs_the_read_bit_and_writing_the_write_bit(void **state)
{
    struct actor *owner = actor_new(*state, 1000);
    struct actor *other = actor_new(*state, 1001);
    check(owner, "dict.open", "['d', {mode: 420, initial: {1: 1}}]", "_map"); /* 0644 */
    check(other, "dict.get", "['d', 1]", "1");
    check_error(other, "dict.set", "['d', 1, 2]", "DENIED");
    check_error(other, "dict.pop", "['d', 1]", "DENIED");
    check(owner, "object.chmod", "['d', 384]", "nil"); /* 0600 */
    check_error(other, "dict.get", "['d', 1]", "DENIED");
    actor_leave(owner);
    actor_leave(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dict_open_sets_the_initial_pairs_only_once),
        TEST(dict_get_returns_the_value_or_the_default),
        TEST(dict_errors_name_the_key),
        TEST(dict_set_says_whether_the_key_is_new),
        TEST(dict_large_values_come_back_as_sent),
        TEST(dict_update_sets_all_or_none),
        TEST(dict_setdefault_sets_only_a_missing_key),
        TEST(dict_delete_and_pop_take_a_key_away),
        TEST(dict_popitem_takes_the_last_pair),
        TEST(dict_tells_what_is_in_it),
        TEST(dict_scan_goes_on_where_it_stopped),
        TEST(dict_incr_adds_atomically),
        TEST(dict_cas_acts_only_on_what_is_expected),
        TEST(dict_wait_answers_at_once_if_the_key_is_there),
        TEST(dict_wait_is_ended_by_every_way_to_set_a_key),
        TEST(dict_wait_is_ended_by_time_cancel_and_deletion),
        TEST(dict_over_its_users_bytes_is_a_limit_and_changes_nothing),
        TEST(dict_answers_over_the_limit_are_too_large_and_scan_goes_in_parts),
        TEST(dict_reading_needs_the_read_bit_and_writing_the_write_bit),
    };
    return cmocka_run_group_tests_name("methods of dict", tests, NULL, NULL);
}
