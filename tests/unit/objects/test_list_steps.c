/* The long operations of a list in steps: the outcome is that of doing them in one go, every
 * stretch is short, and at each pause the list is sound and has a value in every cell. */
#include "daemon/objects/list.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/steps.h"
#include "tests/unit/objects/world.h"

#include <stdio.h>

enum { VALUES = 10000 };

/* A list and its twin, on which everything is done in one go. */
struct fixture {
    struct world world;
    struct list *list;
    struct list *twin;
    struct buffer values; /* encoded: what both hold at first */
    struct steps steps;
};

static volatile uint64_t seen; /* so that looking at a value is not optimized away */

/* Looks at some hundred values, others each time. */
static void walk(const struct object *object)
{
    const struct list *list = (const struct list *)object;
    uint32_t stride = list_len(list) / 499 + 1;
    for (uint32_t i = (uint32_t)(seen % stride); i < list_len(list); i += stride) {
        struct slice bytes = list_at(list, i).bytes;
        assert_true(bytes.len > 0);
        seen += bytes.data[0];
    }
}

/* Numbers, and strs of which some are too long for a cell. */
static void pack_text(struct buffer *out, uint32_t i)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%s%u", i % 3 == 0 ? "a longer text " : "", i * 7919U % 997);
    pack_string(out, text);
}

static void begin(struct fixture *fixture, bool texts)
{
    *fixture = (struct fixture){0};
    world_init(&fixture->world);
    pack_array(&fixture->values, VALUES);
    for (uint32_t i = 0; i < VALUES; i++) {
        if (texts) {
            pack_text(&fixture->values, i);
        } else {
            pack_uint(&fixture->values, i * 7919U % 997);
        }
    }
    struct incoming values = incoming_plain(buffer_slice(&fixture->values));
    assert_int_equal(list_new(&fixture->world.options, &fixture->list), 0);
    assert_int_equal(list_new(&fixture->world.options, &fixture->twin), 0);
    assert_int_equal(list_extend(fixture->list, values, NULL), 0);
    assert_int_equal(list_extend(fixture->twin, values, NULL), 0);
    steps_init(&fixture->steps, &fixture->list->object, walk);
}

static void pack_list(const struct list *list, struct buffer *out)
{
    for (uint32_t i = 0; i < list_len(list); i++) {
        pack_raw(out, list_at(list, i).bytes);
    }
}

/* The operation has given way at least so often, and not too seldom; the twins are equal. */
static void must_be_equal(struct fixture *fixture, unsigned pauses)
{
    struct buffer one = {0};
    struct buffer other = {0};
    assert_in_range(fixture->steps.pauses, pauses, UINT32_MAX);
    assert_in_range(fixture->steps.longest, 0, PACE_STRETCH + 128);
    pack_list(fixture->list, &one);
    pack_list(fixture->twin, &other);
    assert_bytes(buffer_slice(&one), buffer_slice(&other));
    assert_int_equal(fixture->list->object.bytes, fixture->twin->object.bytes);
    buffer_deinit(&one);
    buffer_deinit(&other);
    steps_init(&fixture->steps, &fixture->list->object, walk);
}

static void end(struct fixture *fixture)
{
    buffer_deinit(&fixture->values);
    object_unref(&fixture->list->object);
    object_unref(&fixture->twin->object);
    world_deinit(&fixture->world);
}

static struct list_range range_of(const struct list *list, int64_t start, int64_t stop,
                                  int64_t step)
{
    struct list_range range;
    assert_int_equal(list_range(list, &start, &stop, &step, &range), 0);
    return range;
}

static void looking_for_a_value(void **state)
{
    for (int texts = 0; texts < 2; texts++) {
        struct fixture fixture;
        begin(&fixture, texts);
        struct pace *pace = &fixture.steps.pace;
        struct slice value = list_at(fixture.list, 995).bytes;
        struct slice absent = VALUE("\xa6"
                                    "absent");
        assert_int_equal(list_count(fixture.list, value, pace),
                         list_count(fixture.list, value, NULL));
        must_be_equal(&fixture, VALUES / PACE_STRETCH);
        assert_int_equal(list_find(fixture.list, absent, 0, INT64_MAX, pace), LIST_NONE);
        must_be_equal(&fixture, VALUES / PACE_STRETCH);
        assert_int_equal(list_find(fixture.list, value, 0, INT64_MAX, pace),
                         list_find(fixture.list, value, 0, INT64_MAX, NULL));
        end(&fixture);
    }
}

static void sorting_and_reversing(void **state)
{
    for (int texts = 0; texts < 2; texts++) {
        for (int reverse = 0; reverse < 2; reverse++) {
            struct fixture fixture;
            begin(&fixture, texts);
            assert_int_equal(list_sort(fixture.list, reverse, &fixture.steps.pace), 0);
            assert_int_equal(list_sort(fixture.twin, reverse, NULL), 0);
            must_be_equal(&fixture, 10 * VALUES / PACE_STRETCH);
            list_reverse(fixture.list, &fixture.steps.pace);
            list_reverse(fixture.twin, NULL);
            must_be_equal(&fixture, VALUES / 2 / PACE_STRETCH);
            end(&fixture);
        }
    }
}

static void sorting_what_has_no_order_changes_nothing(void **state)
{
    struct fixture fixture;
    begin(&fixture, false);
    assert_int_equal(list_insert(fixture.list, VALUES, incoming_plain(VALUE("\xc0")), NULL), 0);
    assert_int_equal(list_insert(fixture.twin, VALUES, incoming_plain(VALUE("\xc0")), NULL), 0);
    assert_int_equal(list_sort(fixture.list, false, &fixture.steps.pace), ERR_TYPE);
    must_be_equal(&fixture, VALUES / PACE_STRETCH - 1);
    end(&fixture);
}

static void repeating(void **state)
{
    static const int64_t times[] = {-1, 1, 2, 7};
    for (int texts = 0; texts < 2; texts++) {
        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
            struct fixture fixture;
            begin(&fixture, texts);
            assert_int_equal(list_repeat(fixture.list, times[i], &fixture.steps.pace), 0);
            assert_int_equal(list_repeat(fixture.twin, times[i], NULL), 0);
            must_be_equal(&fixture, VALUES / PACE_STRETCH);
            end(&fixture);
        }
    }
}

static void repeating_one_value(void **state)
{
    struct fixture fixture;
    begin(&fixture, true);
    struct list_range rest = range_of(fixture.list, 1, VALUES, 1);
    list_delete_range(fixture.list, &rest, NULL);
    list_delete_range(fixture.twin, &rest, NULL);
    assert_int_equal(list_repeat(fixture.list, 100000, &fixture.steps.pace), 0);
    assert_int_equal(list_repeat(fixture.twin, 100000, NULL), 0);
    assert_int_equal(list_len(fixture.list), 100000);
    must_be_equal(&fixture, 100000 / PACE_STRETCH);
    end(&fixture);
}

static void inserting_and_removing_in_the_middle(void **state)
{
    struct fixture fixture;
    begin(&fixture, true);
    struct list_range most = range_of(fixture.list, 0, VALUES, 1);
    struct incoming values = incoming_plain(buffer_slice(&fixture.values));
    for (int i = 0; i < 5; i++) { /* until the shorter side has some */
        most = range_of(fixture.list, 0, 0, 1);
        assert_int_equal(list_set_range(fixture.list, &most, values, NULL), 0);
        assert_int_equal(list_set_range(fixture.twin, &most, values, NULL), 0);
    }
    uint32_t middle = list_len(fixture.list) / 2;
    struct incoming value = incoming_plain(VALUE("\xa9"
                                                 "long text"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(list_insert(fixture.list, middle, value, &fixture.steps.pace), 0);
        assert_int_equal(list_insert(fixture.twin, middle, value, NULL), 0);
        must_be_equal(&fixture, 3 * VALUES / 8 / PACE_STRETCH);
        list_delete(fixture.list, middle + 1, &fixture.steps.pace);
        list_delete(fixture.twin, middle + 1, NULL);
        must_be_equal(&fixture, 3 * VALUES / 8 / PACE_STRETCH);
    }
    end(&fixture);
}

/* Sets and deletes slices of all kinds, in a list that has grown enough to move much. */
static void setting_and_deleting_slices(void **state)
{
    static const int64_t bounds[][3] = {
        {0, 0, 1},       {5, 5, 1},           {0, VALUES, 1},          {5, VALUES - 5, 1},
        {0, VALUES, 2},  {VALUES, -1, -1},    {VALUES / 2, VALUES, 1}, {0, 30 * VALUES, 1},
        {VALUES, 0, -3}, {1, 25 * VALUES, 7}, {100, 7 * VALUES, 1}};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        struct fixture fixture;
        begin(&fixture, true);
        struct incoming values = incoming_plain(buffer_slice(&fixture.values));
        struct list_range range = range_of(fixture.list, bounds[i][0], bounds[i][1], bounds[i][2]);
        assert_int_equal(list_repeat(fixture.list, 20, NULL), 0);
        assert_int_equal(list_repeat(fixture.twin, 20, NULL), 0);
        int status = list_set_range(fixture.list, &range, values, &fixture.steps.pace);
        assert_int_equal(list_set_range(fixture.twin, &range, values, NULL), status);
        must_be_equal(&fixture, VALUES / PACE_STRETCH);
        range = range_of(fixture.list, bounds[i][0], bounds[i][1], bounds[i][2]);
        list_delete_range(fixture.list, &range, &fixture.steps.pace);
        list_delete_range(fixture.twin, &range, NULL);
        must_be_equal(&fixture, range.count / PACE_STRETCH);
        end(&fixture);
    }
}

static void a_slice_that_is_refused_changes_nothing(void **state)
{
    for (unsigned n = 0;; n += 499) {
        struct fixture fixture;
        begin(&fixture, true);
        struct list_range range = range_of(fixture.list, 100, 200, 1);
        struct incoming values = incoming_plain(buffer_slice(&fixture.values));
        steps_init(&fixture.steps, NULL, NULL); /* looking takes memory too */
        scarce_begin(n);
        int status = list_set_range(fixture.list, &range, values, &fixture.steps.pace);
        if (!scarce_end()) {
            assert_int_equal(status, 0);
            assert_int_equal(list_set_range(fixture.twin, &range, values, NULL), 0);
            must_be_equal(&fixture, 1);
            end(&fixture);
            break;
        }
        assert_int_equal(status, ERR_MEMORY);
        must_be_equal(&fixture, 0);
        end(&fixture);
    }
    struct fixture fixture;
    begin(&fixture, true);
    struct list_range range = range_of(fixture.list, 100, 200, 1);
    struct incoming values = incoming_plain(buffer_slice(&fixture.values));
    world_limit(&fixture.world, 1000);
    assert_int_equal(list_set_range(fixture.list, &range, values, &fixture.steps.pace), ERR_LIMIT);
    must_be_equal(&fixture, 1);
    assert_int_equal(list_repeat(fixture.list, 2, &fixture.steps.pace), ERR_LIMIT);
    must_be_equal(&fixture, 1);
    end(&fixture);
}

/* Values of any size are freed in short stretches. */
static void clearing(void **state)
{
    for (int texts = 0; texts < 2; texts++) {
        struct fixture fixture;
        begin(&fixture, texts);
        list_clear(fixture.list, &fixture.steps.pace);
        list_clear(fixture.twin, NULL);
        must_be_equal(&fixture, VALUES / PACE_STRETCH);
        end(&fixture);
    }
}

/* The estimate is what calls are told apart by: it may be too high, never too low. */
static void no_operation_takes_more_steps_than_were_foreseen(void **state)
{
    for (int texts = 0; texts < 2; texts++) {
        struct fixture fixture;
        begin(&fixture, texts);
        struct list *list = fixture.list;
        struct steps *steps = &fixture.steps;
        struct incoming values = incoming_plain(buffer_slice(&fixture.values));
        assert_int_equal(list_repeat(list, 2, NULL), 0);
        struct slice value = list_at(list, 5).bytes;

        uint64_t foreseen = list_compare_steps(list, value);
        (void)list_count(list, value, &steps->pace);
        assert_in_range(steps->count, 2 * VALUES - PACE_STRETCH, foreseen);

        steps_init(steps, &list->object, walk);
        foreseen = list_sort_steps(list);
        assert_int_equal(list_sort(list, true, &steps->pace), 0);
        assert_in_range(steps->count, 1, foreseen);

        steps_init(steps, &list->object, walk);
        foreseen = list_repeat_steps(list, 5);
        assert_int_equal(list_repeat(list, 5, &steps->pace), 0);
        assert_in_range(steps->count, 1, foreseen);

        steps_init(steps, &list->object, walk);
        struct list_range range = range_of(list, 1000, 3000, 1);
        foreseen = list_set_range_steps(list, &range, values.bytes);
        assert_int_equal(list_set_range(list, &range, values, &steps->pace), 0);
        assert_in_range(steps->count, 1, foreseen);

        steps_init(steps, &list->object, walk);
        range = range_of(list, 2000, 8 * VALUES, 1);
        foreseen = list_delete_range_steps(list, &range);
        list_delete_range(list, &range, &steps->pace);
        assert_in_range(steps->count, 1, foreseen);

        steps_init(steps, &list->object, walk);
        range = range_of(list, VALUES, 50, -3);
        foreseen = list_delete_range_steps(list, &range);
        list_delete_range(list, &range, &steps->pace);
        assert_in_range(steps->count, 1, foreseen);

        steps_init(steps, &list->object, walk);
        foreseen = list_clear_steps(list);
        list_clear(list, &steps->pace);
        assert_in_range(steps->count, 1, foreseen);
        end(&fixture);
    }
}

/* What moves is foreseen for one value too, and nothing where nothing moves. */
static void one_value_moves_no_more_than_was_foreseen(void **state)
{
    struct fixture fixture;
    begin(&fixture, false);
    struct list *list = fixture.list;
    struct steps *steps = &fixture.steps;
    assert_int_equal(list_repeat(list, 20, NULL), 0);
    for (uint32_t i = 0; list_len(list) > 1000; i++) {
        uint32_t len = list_len(list);
        uint32_t position = i % 4 == 0 ? 0 : i % 4 == 1 ? len / 2 : len - 1;
        steps_init(steps, &list->object, NULL);
        uint64_t foreseen = list_delete_steps(list, position);
        list_delete(list, position, &steps->pace);
        assert_in_range(steps->count, 0, foreseen > 0 ? foreseen : PACE_LONG);
        if (i % 10 == 0) {
            position = list_len(list) * (i / 10 % 3) / 2;
            steps_init(steps, &list->object, NULL);
            foreseen = list_insert_steps(list, position);
            assert_int_equal(
                list_insert(list, position, incoming_plain(VALUE("\x01")), &steps->pace), 0);
            assert_in_range(steps->count, 0, foreseen > 0 ? foreseen : PACE_LONG);
        }
        if (len % 500 == 0) {
            struct list_range range = range_of(list, 0, len / 100, 1);
            list_delete_range(list, &range, NULL);
        }
    }
    list_clear(list, NULL);
    list_clear(fixture.twin, NULL);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_for_a_value),
        cmocka_unit_test(sorting_and_reversing),
        cmocka_unit_test(sorting_what_has_no_order_changes_nothing),
        cmocka_unit_test(repeating),
        cmocka_unit_test(repeating_one_value),
        cmocka_unit_test(inserting_and_removing_in_the_middle),
        cmocka_unit_test(setting_and_deleting_slices),
        cmocka_unit_test(a_slice_that_is_refused_changes_nothing),
        cmocka_unit_test(clearing),
        cmocka_unit_test(no_operation_takes_more_steps_than_were_foreseen),
        cmocka_unit_test(one_value_moves_no_more_than_was_foreseen),
    };
    return cmocka_run_group_tests_name("list_steps", tests, NULL, NULL);
}
