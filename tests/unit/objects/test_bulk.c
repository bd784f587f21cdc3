/* Large pieces of memory: what has been moved is what memmove would have moved, in short stretches,
 * and what is kept of a block stays when the rest is given back. */
#include "daemon/objects/bulk.h"
#include "tests/unit/objects/steps.h"
#include "tests/unit/objects/world.h"

#include <stdlib.h>

enum { BYTES = 1000003, LARGE = 9 * 1024 * 1024 };

static uint8_t *numbers(size_t bytes)
{
    uint8_t *block = malloc(bytes);
    assert_non_null(block);
    for (size_t i = 0; i < bytes; i++) {
        block[i] = (uint8_t)(i * 31 + (i >> 8));
    }
    return block;
}

static void moving_is_that_of_memmove_in_either_direction(void **state)
{
    static const size_t places[][2] = {{0, 1}, {1, 0},         {0, 70000},    {70000, 0},
                                       {5, 5}, {0, BYTES / 2}, {BYTES / 2, 3}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t to = places[i][0];
        size_t from = places[i][1];
        size_t most = BYTES - (to > from ? to : from);
        size_t lengths[] = {0, 1, 65536, 65537, most};
        for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
            struct steps steps;
            size_t len = lengths[j] < most ? lengths[j] : most;
            uint8_t *one = numbers(BYTES);
            uint8_t *other = numbers(BYTES);
            steps_init(&steps, NULL, NULL);
            bulk_move(one + to, one + from, len, &steps.pace);
            memmove(other + to, other + from, len);
            assert_memory_equal(one, other, BYTES);
            assert_in_range(steps.longest, 0, PACE_STRETCH);
            assert_int_equal(steps.count + (size_t)-steps.pace.left, len / PACE_STEP_BYTES);
            free(one);
            free(other);
        }
    }
}

static void what_is_kept_of_a_block_stays(void **state)
{
    static const size_t kept[] = {0, 1, 4095, 4096, 4097, 100000, LARGE - 1, LARGE};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        struct steps steps;
        uint8_t *block = numbers(LARGE);
        uint8_t *same = numbers(LARGE);
        steps_init(&steps, NULL, NULL);
        bulk_give_back(block, kept[i], LARGE, &steps.pace);
        assert_memory_equal(block, same, kept[i]);
        assert_in_range(steps.longest, 0, PACE_STRETCH);
        assert_int_equal(steps.pauses > 0, kept[i] <= 100000);
        bulk_free(block, LARGE, &steps.pace);
        free(same);
    }
}

static void a_small_block_is_freed_in_one_go(void **state)
{
    struct steps steps;
    steps_init(&steps, NULL, NULL);
    bulk_free(malloc(BYTES), BYTES, &steps.pace);
    bulk_free(NULL, 0, &steps.pace);
    bulk_free(malloc(LARGE), LARGE, NULL);
    assert_int_equal(steps.pauses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moving_is_that_of_memmove_in_either_direction),
        cmocka_unit_test(what_is_kept_of_a_block_stays),
        cmocka_unit_test(a_small_block_is_freed_in_one_go),
    };
    return cmocka_run_group_tests_name("bulk", tests, NULL, NULL);
}
