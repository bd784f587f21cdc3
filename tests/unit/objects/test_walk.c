/* From value to value with a pace: as without one, in short stretches. */
#include "daemon/objects/walk.h"
#include "tests/support/random_value.h"
#include "tests/unit/objects/steps.h"
#include "tests/unit/objects/world.h"

enum { MANY = 100000 };

static void must_walk_alike(struct slice bytes, struct steps *steps)
{
    struct slice one = bytes;
    struct slice other = bytes;
    while (one.len > 0) {
        struct param a = walk_next(&one, &steps->pace);
        struct param b = value_next(&other);
        assert_ptr_equal(a.raw.data, b.raw.data);
        assert_int_equal(a.raw.len, b.raw.len);
        assert_int_equal(a.header.kind, b.header.kind);
        assert_int_equal(a.header.size, b.header.size);
        assert_int_equal(one.len, other.len);
    }
    assert_in_range(steps->longest, 0, PACE_STRETCH);
}

static void values_of_any_kind(void **state)
{
    static const struct random_shape shape = {3, 20, 500, true};
    struct random random = random_from_seed(4);
    for (unsigned i = 0; i < 50; i++) {
        struct steps steps;
        struct buffer bytes = {0};
        steps_init(&steps, NULL, NULL);
        for (unsigned n = 0; n < 20; n++) {
            random_value(&random, &shape, &bytes);
        }
        must_walk_alike(buffer_slice(&bytes), &steps);
        buffer_deinit(&bytes);
    }
}

static void a_large_container_gives_way(void **state)
{
    struct steps steps;
    struct buffer bytes = {0};
    steps_init(&steps, NULL, NULL);
    pack_array(&bytes, 2);
    for (unsigned n = 0; n < 2; n++) {
        pack_array(&bytes, MANY);
        for (unsigned i = 0; i < MANY; i++) {
            pack_nil(&bytes);
        }
    }
    must_walk_alike(buffer_slice(&bytes), &steps);
    assert_in_range(steps.pauses, 2 * MANY / 8 / PACE_STRETCH, UINT32_MAX);
    buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_any_kind),
        cmocka_unit_test(a_large_container_gives_way),
    };
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
