/* Tests of proto/buffer. */
#include "proto/buffer.h"

#include "tests/support/unit.h"

static void buffer_starts_empty_and_owns_nothing(void **state)
{
    struct buffer buffer = {0};
    assert_int_equal(buffer_slice(&buffer).len, 0);
    assert_int_equal(buffer_append(&buffer, NULL, 0), 0);
    assert_null(buffer.data);
    buffer_deinit(&buffer);
}

static void buffer_append_keeps_what_is_there_while_it_grows(void **state)
{
    struct buffer buffer = {0};
    for (unsigned i = 0; i < 100000; i++) {
        assert_int_equal(buffer_append(&buffer, &i, sizeof(i)), 0);
    }
    assert_int_equal(buffer.len, 100000 * sizeof(unsigned));
    for (unsigned i = 0; i < 100000; i++) {
        assert_memory_equal(buffer.data + i * sizeof(i), &i, sizeof(i));
    }
    buffer_deinit(&buffer);
}

static void buffer_reserve_makes_room_that_append_uses(void **state)
{
    struct buffer buffer = {0};
    assert_int_equal(buffer_reserve(&buffer, 5000), 0);
    assert_true(buffer.cap >= 5000);
    const uint8_t *before = buffer.data;
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(buffer_append(&buffer, "x", 1), 0);
    }
    assert_ptr_equal(buffer.data, before);
    assert_int_equal(buffer_reserve(&buffer, 0), 0);
    assert_ptr_equal(buffer.data, before);
    buffer_deinit(&buffer);
}

static void buffer_failure_is_latched_and_keeps_the_bytes(void **state)
{
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abc", 3), 0);
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), -1); /* 3 + SIZE_MAX overflows */
    assert_true(buffer.failed);
    assert_int_equal(buffer_append(&buffer, "d", 1), -1);
    assert_int_equal(buffer_append(&buffer, "", 0), -1);
    assert_int_equal(buffer.len, 3);
    assert_memory_equal(buffer.data, "abc", 3);
    buffer_deinit(&buffer);
    assert_false(buffer.failed);
    assert_int_equal(buffer_append(&buffer, "d", 1), 0);
    buffer_deinit(&buffer);
}

static void buffer_reserve_of_more_than_there_is_fails(void **state)
{
    struct buffer buffer = {0};
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX - 1), -1);
    assert_true(buffer.failed);
    assert_null(buffer.data);
    buffer_deinit(&buffer);
}

static void buffer_consume_moves_the_rest_to_the_front(void **state)
{
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abcdef", 6), 0);
    buffer_consume(&buffer, 0);
    assert_int_equal(buffer.len, 6);
    buffer_consume(&buffer, 2);
    assert_int_equal(buffer.len, 4);
    assert_memory_equal(buffer.data, "cdef", 4);
    buffer_consume(&buffer, 4);
    assert_int_equal(buffer.len, 0);
    buffer_deinit(&buffer);
}

static void buffer_consume_of_more_than_all_leaves_nothing(void **state)
{
    struct buffer buffer = {0};
    buffer_consume(&buffer, 7);
    assert_int_equal(buffer.len, 0);
    assert_int_equal(buffer_append(&buffer, "ab", 2), 0);
    buffer_consume(&buffer, 3);
    assert_int_equal(buffer.len, 0);
    buffer_deinit(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_starts_empty_and_owns_nothing),
        cmocka_unit_test(buffer_append_keeps_what_is_there_while_it_grows),
        cmocka_unit_test(buffer_reserve_makes_room_that_append_uses),
        cmocka_unit_test(buffer_failure_is_latched_and_keeps_the_bytes),
        cmocka_unit_test(buffer_reserve_of_more_than_there_is_fails),
        cmocka_unit_test(buffer_consume_moves_the_rest_to_the_front),
        cmocka_unit_test(buffer_consume_of_more_than_all_leaves_nothing),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
