/* The array under the list: room at both ends and in the middle, memory, values in cells. */
#include "daemon/objects/cells.h"
#include "proto/error.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/world.h"

static void put(struct cells *cells, uint32_t index, uint8_t number)
{
    size_t expected = cells_cost_after(cells, index, 1);
    union cell cell;
    assert_int_equal(cell_init(&cell, incoming_plain((struct slice){&number, 1})), 0);
    assert_int_equal(cells_open(cells, index, &cell, 1, NULL), 0);
    assert_int_equal(cells_cost(cells), expected);
}

static uint8_t number_at(const struct cells *cells, uint32_t index)
{
    struct stored value = cell_value(cells_at(cells, index));
    assert_int_equal(value.bytes.len, 1);
    return value.bytes.data[0];
}

static void short_values_stand_in_the_cell_and_long_ones_in_a_blob(void **state)
{
    static const uint8_t bytes[] = {0xa9, 'l', 'o', 'n', 'g', 'v', 'a', 'l', 'u', 'e'};
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        union cell cell;
        struct slice value = {bytes, len};
        scarce_begin(0);
        int status = cell_init(&cell, incoming_plain(value));
        assert_int_equal(scarce_end(), len > CELL_INLINE_MAX);
        assert_int_equal(status, len > CELL_INLINE_MAX ? ERR_MEMORY : 0);
        assert_int_equal(cell_init(&cell, incoming_plain(value)), 0);
        union cell copy = cell_copy(cell);
        assert_int_equal(cell_cost(&cell), len > CELL_INLINE_MAX ? blob_cost(copy.blob) : 0);
        cell_deinit(cell);
        assert_bytes(cell_value(&copy).bytes, value);
        assert_int_equal(cell_value(&copy).blob != NULL, len > CELL_INLINE_MAX);
        cell_deinit(copy);
    }
}

static void both_ends_grow_in_turns(void **state)
{
    struct cells cells = {0};
    for (uint32_t i = 0; i < 100; i++) {
        put(&cells, 0, (uint8_t)(99 - i));
        put(&cells, cells.len, (uint8_t)(100 + i));
    }
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(number_at(&cells, i), i);
    }
    cells_deinit(&cells, NULL);
    assert_int_equal(cells_cost(&cells), 0);
}

/* How many bytes a run of operations moves cannot be seen from outside; that the array is placed
 * anew only now and then can. */
static void growing_at_either_end_moves_the_array_seldom(void **state)
{
    for (int pattern = 0; pattern < 3; pattern++) {
        struct cells cells = {0};
        unsigned moves = 0;
        for (uint32_t i = 0; i < 20000; i++) {
            bool front = pattern == 0 || (pattern == 1 && i % 2 == 0);
            uint32_t start = cells.start;
            uint32_t cap = cells.cap;
            put(&cells, front ? 0 : cells.len, 1);
            moves += cap != cells.cap || start - cells.start != front;
        }
        assert_true(moves < 250);
        cells_deinit(&cells, NULL);
    }
}

static void first_in_first_out_takes_constant_memory(void **state)
{
    struct cells cells = {0};
    unsigned moves = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t start = cells.start;
        put(&cells, cells.len, (uint8_t)(i % 100));
        moves += cells.start != start;
        if (i >= 100) {
            assert_int_equal(number_at(&cells, 0), i % 100);
            cells_close(&cells, 0, 1, NULL);
        }
        assert_true(cells.cap < 200);
    }
    assert_true(moves < 100000 / 10);
    cells_deinit(&cells, NULL);
}

static void closing_gives_memory_back(void **state)
{
    struct cells cells = {0};
    for (uint32_t i = 0; i < 10000; i++) {
        put(&cells, cells.len, (uint8_t)(i % 128));
    }
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t at = i % 3 == 0 ? 0 : i % 3 == 1 ? cells.len / 2 : cells.len - 1;
        cells_close(&cells, at, 1, NULL);
        assert_true(cells.cap <= 3 * cells.len + 20);
    }
    assert_int_equal(cells.len, 0);
    cells_deinit(&cells, NULL);
}

static void a_range_is_opened_and_closed_in_the_middle(void **state)
{
    for (uint32_t at = 0; at <= 20; at++) {
        struct cells cells = {0};
        for (uint32_t i = 0; i < 20; i++) {
            put(&cells, i, (uint8_t)i);
        }
        union cell values[50];
        for (uint32_t i = 0; i < 50; i++) {
            assert_int_equal(cell_init(&values[i], incoming_plain(VALUE("\x63"))), 0);
        }
        assert_int_equal(cells_open(&cells, at, values, 50, NULL), 0);
        assert_int_equal(cells.len, 70);
        for (uint32_t i = 0; i < 70; i++) {
            assert_int_equal(number_at(&cells, i), i < at ? i : i < at + 50 ? 99 : i - 50);
        }
        cells_close(&cells, at, 50, NULL);
        for (uint32_t i = 0; i < 20; i++) {
            assert_int_equal(number_at(&cells, i), i);
        }
        cells_deinit(&cells, NULL);
    }
}

static void want_of_memory_changes_nothing(void **state)
{
    struct cells cells = {0};
    for (uint32_t i = 0; i < 50; i++) {
        put(&cells, i, (uint8_t)i);
    }
    const union cell values[100] = {0};
    scarce_begin(0);
    assert_int_equal(cells_open(&cells, 10, values, 100, NULL), ERR_MEMORY);
    assert_true(scarce_end());
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(number_at(&cells, i), i);
    }
    for (uint32_t i = 0; i < 50; i++) { /* the smaller array cannot be had */
        scarce_begin(0);
        assert_int_equal(number_at(&cells, 0), i);
        cells_close(&cells, 0, 1, NULL);
        (void)scarce_end();
    }
    cells_deinit(&cells, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_values_stand_in_the_cell_and_long_ones_in_a_blob),
        cmocka_unit_test(both_ends_grow_in_turns),
        cmocka_unit_test(growing_at_either_end_moves_the_array_seldom),
        cmocka_unit_test(first_in_first_out_takes_constant_memory),
        cmocka_unit_test(closing_gives_memory_back),
        cmocka_unit_test(a_range_is_opened_and_closed_in_the_middle),
        cmocka_unit_test(want_of_memory_changes_nothing),
    };
    return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
