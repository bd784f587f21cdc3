/* The methods of value and array as whole calls: options, limits of the typecodes, indices and
 * slices, and what map hands out to whom. */
#include "tests/support/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/objects/shared.h"

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(stage->service.accounts.bytes, 0);
    assert_int_equal(stage->service.accounts.descriptors, 0);
    stage_free(stage);
    return 0;
}

/* Deletes it, says goodbye. */
static void finish(struct actor *a, const char *name)
{
    char params[64];
    (void)snprintf(params, sizeof(params), "['%s']", name);
    check(a, "object.delete", params, "nil");
    actor_leave(a);
}

static void value_open_shows_and_compares_its_options(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check_error(a, "value.open", "['v']", "BAD_REQUEST");
    check_error(a, "value.open", "['v', {typecode: 'x'}]", "BAD_REQUEST");
    check_error(a, "value.open", "['v', {typecode: ''}]", "BAD_REQUEST");
    check_error(a, "value.open", "['v', {typecode: 'ii'}]", "BAD_REQUEST");
    check_error(a, "value.open", "['v', {typecode: 105}]", "BAD_REQUEST");
    check_error(a, "value.open", "['v', {typecode: 'i', size: 3}]", "BAD_REQUEST");
    check_error(a, "object.describe", "['v']", "NOT_FOUND");
    check(a, "value.open", "['v', {typecode: 'i'}]",
          "{name: 'v', type: 'value', typecode: 'i', itemsize: 4, waiting: 0, ...}");
    check(a, "value.open", "['v']", "{typecode: 'i', ...}");
    check(a, "value.open", "['v', {typecode: 'i', initial: 5}]", "{typecode: 'i', ...}");
    check(a, "value.get", "['v']", "0");
    check_error(a, "value.open", "['v', {typecode: 'I'}]", "MISMATCH");
    check_error(a, "value.open", "['v', {typecode: '!'}]", "BAD_REQUEST");
    check_error(a, "array.open", "['v', {typecode: 'i', size: 1}]", "WRONG_TYPE");
    check_error(a, "array.get", "['v', 0]", "WRONG_TYPE");
    check_error(a, "value.open", "['w', {typecode: 'i', lifetime: 'durable'}]", "BAD_REQUEST");
    finish(a, "v");
}

static void value_begins_with_its_initial_number(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check_error(a, "value.open", "['v', {typecode: 'b', initial: 128}]", "RANGE");
    check_error(a, "value.open", "['v', {typecode: 'b', initial: 1.0}]", "TYPE");
    check_error(a, "value.open", "['v', {typecode: 'b', initial: 'x'}]", "TYPE");
    check_error(a, "value.get", "['v']", "NOT_FOUND");
    check(a, "value.open", "['v', {typecode: 'b', initial: -128}]", "_map");
    check(a, "value.get", "['v']", "-128");
    check(a, "value.open", "['d', {typecode: 'd', initial: 2}]", "_map");
    check(a, "value.get", "['d']", "2.0");
    check(a, "value.open", "['n', {typecode: 'd', initial: nil}]", "_map");
    check(a, "value.get", "['n']", "0.0");
    check(a, "value.open", "['t', {typecode: '?', initial: true}]", "_map");
    check(a, "value.get", "['t']", "true");
    check(a, "value.open", "['z', {typecode: '?', initial: 0}]", "_map");
    check(a, "value.get", "['z']", "false");
    check(a, "object.delete", "['d']", "nil");
    check(a, "object.delete", "['n']", "nil");
    check(a, "object.delete", "['t']", "nil");
    check(a, "object.delete", "['z']", "nil");
    finish(a, "v");
}

static void value_is_set_and_added_to_within_its_type(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "value.open", "['v', {typecode: 'H'}]", "_map");
    check(a, "value.set", "['v', 65535]", "nil");
    check_error(a, "value.set", "['v', 65536]", "RANGE");
    check_error(a, "value.set", "['v', -1]", "RANGE");
    check_error(a, "value.set", "['v', 1.0]", "TYPE");
    check(a, "value.set", "['v', true]", "nil"); /* as Python counts */
    check(a, "value.get", "['v']", "1");
    check(a, "value.set", "['v', 65535]", "nil");
    check_error(a, "value.set", "['v', nil]", "TYPE");
    check_error(a, "value.set", "['v']", "BAD_REQUEST");
    check(a, "value.get", "['v']", "65535");
    check_error(a, "value.add", "['v', 1]", "RANGE");
    check_error(a, "value.add", "['v', 0.5]", "TYPE");
    check_error(a, "value.add", "['v', '1']", "TYPE");
    check(a, "value.get", "['v']", "65535");
    check(a, "value.add", "['v', -65535]", "0");
    check(a, "value.add", "['v', 7]", "7");
    finish(a, "v");
}

static void numbers_come_back_as_integers_floats_and_booleans(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "value.open", "['Q', {typecode: 'Q', initial: 18446744073709551615}]", "_map");
    check(a, "value.get", "['Q']", "18446744073709551615");
    check(a, "value.add", "['Q', -9223372036854775807]", "9223372036854775808");
    check(a, "value.open", "['f', {typecode: 'f', initial: 0.1}]", "_map");
    check(a, "value.get", "['f']", "0.10000000149011612");
    check_error(a, "value.set", "['f', 1e39]", "RANGE");
    check(a, "value.set", "['f', inf]", "nil");
    check(a, "value.get", "['f']", "inf");
    check(a, "value.open", "['b', {typecode: '?'}]", "_map");
    check(a, "value.set", "['b', true]", "nil");
    check(a, "value.get", "['b']", "true");
    check(a, "value.set", "['b', 0.0]", "nil");
    check(a, "value.get", "['b']", "false");
    check(a, "value.set", "['b', 2]", "nil");
    check(a, "value.get", "['b']", "true");
    check_error(a, "value.set", "['b', 'x']", "TYPE");
    check_error(a, "value.add", "['b', 1]", "TYPE");
    check(a, "object.delete", "['Q']", "nil");
    check(a, "object.delete", "['f']", "nil");
    finish(a, "b");
}

static void array_open_takes_a_size_or_numbers(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check_error(a, "array.open", "['a', {typecode: 'd'}]", "BAD_REQUEST");
    check_error(a, "array.open", "['a', {size: 3}]", "BAD_REQUEST");
    check_error(a, "array.open", "['a', {typecode: 'd', size: -1}]", "BAD_REQUEST");
    check_error(a, "array.open", "['a', {typecode: 'd', size: 2, initial: [1]}]", "BAD_REQUEST");
    check_error(a, "array.open", "['a', {typecode: 'i', initial: [1, 2.0]}]", "TYPE");
    check_error(a, "array.open", "['a', {typecode: 'B', initial: [1, 256]}]", "RANGE");
    check_error(a, "object.describe", "['a']", "NOT_FOUND");
    check(a, "array.open", "['a', {typecode: 'd', size: 3}]",
          "{type: 'array', typecode: 'd', itemsize: 8, size: 3, ...}");
    check(a, "array.slice", "['a']", "[0.0, 0.0, 0.0]");
    check(a, "array.open", "['a', {size: 3}]", "_map");
    check_error(a, "array.open", "['a', {size: 4}]", "MISMATCH");
    check_error(a, "array.open", "['a', {typecode: 'f'}]", "MISMATCH");
    check(a, "array.open", "['i', {typecode: 'i', initial: [3, -1, 4], size: 3}]",
          "{size: 3, ...}");
    check(a, "array.slice", "['i']", "[3, -1, 4]");
    check(a, "array.open", "['n', {typecode: 'i', size: 0}]", "{size: 0, ...}");
    check(a, "array.slice", "['n']", "[]");
    check_error(a, "array.get", "['n', 0]", "INDEX");
    check(a, "object.delete", "['i']", "nil");
    check(a, "object.delete", "['n']", "nil");
    finish(a, "a");
}

static void array_items_are_found_from_both_ends(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "array.open", "['a', {typecode: 'h', initial: [10, 11, 12]}]", "_map");
    check(a, "array.len", "['a']", "3");
    check(a, "array.get", "['a', 0]", "10");
    check(a, "array.get", "['a', -1]", "12");
    check(a, "array.get", "['a', -3]", "10");
    check_error(a, "array.get", "['a', 3]", "INDEX");
    check_error(a, "array.get", "['a', -4]", "INDEX");
    check_error(a, "array.get", "['a', -9223372036854775808]", "INDEX");
    check_error(a, "array.get", "['a', 9223372036854775807]", "INDEX");
    check_error(a, "array.get", "['a']", "BAD_REQUEST");
    check(a, "array.set", "['a', -2, -32768]", "nil");
    check_error(a, "array.set", "['a', 3, 0]", "INDEX");
    check_error(a, "array.set", "['a', 1, 32768]", "RANGE");
    check_error(a, "array.set", "['a', 1, 0.0]", "TYPE");
    check(a, "array.add", "['a', 1, 32767]", "-1");
    check_error(a, "array.add", "['a', -4, 1]", "INDEX");
    check_error(a, "array.add", "['a', 2, 32767]", "RANGE");
    check(a, "array.slice", "['a']", "[10, -1, 12]");
    finish(a, "a");
}

static void array_slices_follow_python(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "array.open", "['a', {typecode: 'i', initial: [0, 1, 2, 3, 4]}]", "_map");
    check(a, "array.slice", "['a', 1, 3]", "[1, 2]");
    check(a, "array.slice", "['a', -2]", "[3, 4]");
    check(a, "array.slice", "['a', nil, -3]", "[0, 1]");
    check(a, "array.slice", "['a', -100, 100]", "[0, 1, 2, 3, 4]");
    check(a, "array.slice", "['a', 3, 1]", "[]");
    check(a, "array.slice", "['a', 5]", "[]");
    check(a, "array.slice", "['a', -9223372036854775808, 9223372036854775807]", "[0, 1, 2, 3, 4]");
    check_error(a, "array.slice", "['a', 0, 1, 1]", "BAD_REQUEST");
    finish(a, "a");
}

static void array_set_slice_sets_all_or_nothing(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "array.open", "['a', {typecode: 'i', size: 4}]", "_map");
    check(a, "array.set_slice", "['a', 1, [1, 2]]", "nil");
    check(a, "array.set_slice", "['a', -1, [9]]", "nil");
    check(a, "array.slice", "['a']", "[0, 1, 2, 9]");
    check(a, "array.set_slice", "['a', 0, []]", "nil");
    check(a, "array.set_slice", "['a', 100, []]", "nil");
    check_error(a, "array.set_slice", "['a', 3, [5, 5]]", "VALUE");
    check_error(a, "array.set_slice", "['a', 4, [5]]", "VALUE");
    check_error(a, "array.set_slice", "['a', -5, [5]]", "VALUE");
    check_error(a, "array.set_slice", "['a', -9223372036854775808, [5]]", "VALUE");
    check_error(a, "array.set_slice", "['a', 9223372036854775807, [5]]", "VALUE");
    check_error(a, "array.set_slice", "['a', 0, [5, 6.0]]", "TYPE");
    check_error(a, "array.set_slice", "['a', 0, [5, 2147483648]]", "RANGE");
    check_error(a, "array.set_slice", "['a', nil, [5]]", "BAD_REQUEST");
    check_error(a, "array.set_slice", "['a', 0, 5]", "BAD_REQUEST");
    check(a, "array.slice", "['a']", "[0, 1, 2, 9]");
    check(a, "array.set_slice", "['a', 0, [4, 3, 2, 1]]", "nil");
    check(a, "array.slice", "['a']", "[4, 3, 2, 1]");
    finish(a, "a");
}

/* What is charged for its memory alone. */
static uint64_t bytes_of(const struct stage *stage, const char *name)
{
    return registry_find(&stage->service.registry, slice_of_string(name))->bytes -
           descriptor_cost();
}

static void memory_is_charged_to_the_owner_in_pages(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    stage->service.accounts.limits.max_user_bytes = 1 << 20;
    check(a, "array.open", "['a', {typecode: 'B', size: 4032}]", "_map");
    assert_int_equal(bytes_of(stage, "a"), 4096);
    check(a, "array.open", "['b', {typecode: 'B', size: 4033}]", "_map");
    assert_int_equal(bytes_of(stage, "b"), 8192);
    check_error(a, "array.open", "['c', {typecode: 'd', size: 131072}]", "LIMIT");
    check_error(a, "array.open", "['c', {typecode: 'd', size: 9223372036854775807}]", "LIMIT");
    check_error(a, "array.open", "['c', {typecode: 'd', size: 2305843009213693952}]", "LIMIT");
    check_error(a, "array.open", "['c', {typecode: 'B', size: 9223372036854775807}]", "LIMIT");
    check(a, "object.delete", "['b']", "nil");
    check(a, "array.open", "['c', {typecode: 'd', size: 100000}]", "_map");
    check(a, "object.delete", "['c']", "nil");
    finish(a, "a");
}

static void descriptors_are_counted(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    struct actor *reader = actor_new(stage, 2000);
    stage->service.accounts.limits.max_user_descriptors = 2;
    check(a, "value.open", "['v', {typecode: 'i', mode: 436}]", "_map"); /* 0664 */
    check(a, "value.open", "['w', {typecode: 'i'}]", "_map");
    check_error(a, "value.open", "['x', {typecode: 'i'}]", "LIMIT");
    check_error(a, "object.describe", "['x']", "NOT_FOUND");
    check(a, "value.map", "['v']", "[ext(2, '\\x00'), _map]"); /* it is the one that is there */
    stage->service.accounts.limits.max_user_descriptors = 0;
    check_error(reader, "value.map", "['v']", "LIMIT"); /* one more, and it is the reader's */
    stage->service.accounts.limits.max_user_descriptors = 1;
    check(reader, "value.map", "['v']", "[ext(2, '\\x00'), _map]");
    check(a, "object.delete", "['w']", "nil");
    actor_leave(reader);
    finish(a, "v");
}

/* Asks for the memory, and returns a duplicate of the descriptor that is on its way. */
static int map_fd(struct actor *actor, const char *method, const char *params)
{
    uint32_t msgid = actor_send(actor, method, params);
    const struct output *output = &actor->session.output;
    assert_int_equal(output->npassing, 1);
    assert_int_equal(output->passing[0].count, 1);
    int fd = dup(output->passing[0].descriptors[0]->fd);
    assert_true(fd >= 0);
    check_answer(actor, msgid, "[ext(2, '\\x00'), _map]");
    return fd;
}

static void map_describes_the_layout(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    check(a, "array.open", "['a', {typecode: 'h', initial: [1, 2, -3]}]", "_map");
    check(a, "array.map", "['a']",
          "[ext(2, '\\x00'), {typecode: 'h', itemsize: 2, count: 3, offset: 64, size: 4096, "
          "writable: true, lock: {kind: 'pthread_mutex', offset: 0, size: _int}}]");
    int fd = map_fd(a, "array.map", "['a']");
    uint8_t *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    (void)close(fd);
    short items[3];
    memcpy(items, memory + 64, sizeof(items));
    assert_int_equal(items[0], 1);
    assert_int_equal(items[2], -3);
    items[1] = 77;
    memcpy(memory + 64, items, sizeof(items));
    check(a, "array.get", "['a', 1]", "77");
    check(a, "array.add", "['a', 1, 1]", "78");
    memcpy(items, memory + 64, sizeof(items));
    assert_int_equal(items[1], 78);
    finish(a, "a");
    memory[64] = 5; /* it lives on */
    assert_int_equal(munmap(memory, 4096), 0);
}

static void map_gives_what_the_caller_may(void **state)
{
    struct stage *stage = *state;
    struct actor *owner = actor_new(stage, 1000);
    struct actor *reader = actor_new(stage, 2000);
    check(owner, "value.open", "['v', {typecode: 'i', mode: 436}]", "_map"); /* 0664 */
    check(reader, "value.map", "['v']", "[ext(2, '\\x00'), {writable: false, ...}]");
    int fd = map_fd(reader, "value.map", "['v']");
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    (void)close(fd);
    fd = map_fd(owner, "value.map", "['v']");
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    assert_int_equal(fcntl(fd, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(errno, EPERM);
    (void)close(fd);
    check_error(reader, "value.set", "['v', 1]", "DENIED");
    check_error(reader, "value.add", "['v', 1]", "DENIED");
    check(reader, "value.get", "['v']", "0");
    check(owner, "object.chmod", "['v', 384]", "nil"); /* 0600 */
    check_error(reader, "value.map", "['v']", "DENIED");
    check_error(reader, "value.get", "['v']", "DENIED");
    actor_leave(reader);
    finish(owner, "v");
}

static void map_as_a_notification_leaves_nothing(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    struct actor *reader = actor_new(stage, 2000);
    check(a, "value.open", "['v', {typecode: 'i', mode: 436}]", "_map");
    actor_notify(reader, "value.map", "['v']");
    assert_int_equal(stage->service.accounts.descriptors, 1);
    actor_leave(reader);
    finish(a, "v");
}

static void answer_on_its_way_keeps_the_memory_of_a_deleted_value(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    check(a, "value.open", "['v', {typecode: 'i'}]", "_map");
    uint32_t map = actor_send(a, "value.map", "['v']");
    (void)actor_send(a, "object.delete", "['v']");
    assert_int_equal(stage->service.accounts.descriptors, 1);
    assert_true(fcntl(a->session.output.passing[0].descriptors[0]->fd, F_GETFD) >= 0);
    check_answer(a, map, "[ext(2, '\\x00'), _map]");
    assert_int_equal(stage->service.accounts.descriptors, 0);
    actor_leave(a);
}

static void scoped_memory_goes_with_its_last_session(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    struct actor *b = actor_new(stage, 1000);
    check(a, "array.open", "[nil, {typecode: 'd', size: 1000}]", "{name: '#1', ...}");
    check(b, "array.open", "['#1']", "{size: 1000, ...}");
    actor_vanish(a);
    check(b, "array.len", "['#1']", "1000");
    actor_vanish(b);
    assert_int_equal(stage->service.accounts.objects, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(value_open_shows_and_compares_its_options),
        TEST(value_begins_with_its_initial_number),
        TEST(value_is_set_and_added_to_within_its_type),
        TEST(numbers_come_back_as_integers_floats_and_booleans),
        TEST(array_open_takes_a_size_or_numbers),
        TEST(array_items_are_found_from_both_ends),
        TEST(array_slices_follow_python),
        TEST(array_set_slice_sets_all_or_nothing),
        TEST(memory_is_charged_to_the_owner_in_pages),
        TEST(descriptors_are_counted),
        TEST(map_describes_the_layout),
        TEST(map_gives_what_the_caller_may),
        TEST(map_as_a_notification_leaves_nothing),
        TEST(answer_on_its_way_keeps_the_memory_of_a_deleted_value),
        TEST(scoped_memory_goes_with_its_last_session),
    };
    return cmocka_run_group_tests_name("value and array", tests, NULL, NULL);
}
