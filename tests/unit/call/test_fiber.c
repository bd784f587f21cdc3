/* Functions on stacks of their own. */
#include "daemon/call/fiber.h"
#include "tests/support/scarce.h"
#include "tests/support/unit.h"

#include <string.h>

/* Counts up to `most`, and stops after each. */
struct counter {
    unsigned count;
    unsigned most;
};

static void count_up(struct fiber *fiber, void *data)
{
    struct counter *counter = data;
    while (counter->count < counter->most) {
        counter->count++;
        fiber_yield(fiber);
    }
}

static void fiber_goes_on_where_it_stopped(void **state)
{
    struct counter counter = {.most = 3};
    struct fiber *fiber = fiber_new(count_up, &counter);
    (void)state;
    assert_non_null(fiber);
    assert_int_equal(counter.count, 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_false(fiber_resume(fiber));
        assert_int_equal(counter.count, i);
    }
    assert_true(fiber_resume(fiber));
    fiber_free(fiber);
}

static void function_that_never_stops_returns_at_once(void **state)
{
    struct counter counter = {.most = 0};
    struct fiber *fiber = fiber_new(count_up, &counter);
    (void)state;
    assert_true(fiber_resume(fiber));
    fiber_free(fiber);
}

static void fiber_that_has_not_run_can_be_freed(void **state)
{
    struct counter counter = {.most = 1};
    (void)state;
    fiber_free(fiber_new(count_up, &counter));
    fiber_free(NULL);
    assert_int_equal(counter.count, 0);
}

/* Fills a good part of the stack at each depth, and looks whether it is as it was. */
static unsigned fill(struct fiber *fiber, unsigned depth, unsigned mark)
{
    volatile unsigned char bytes[2048];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(mark + depth);
    }
    unsigned wrong = depth == 0 ? 0 : fill(fiber, depth - 1, mark);
    fiber_yield(fiber);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        wrong += bytes[i] != (unsigned char)(mark + depth);
    }
    return wrong;
}

struct filler {
    unsigned mark;
    unsigned wrong;
};

static void fill_stack(struct fiber *fiber, void *data)
{
    struct filler *filler = data;
    filler->wrong = fill(fiber, 30, filler->mark);
}

static void many_fibers_have_stacks_of_their_own(void **state)
{
    enum { FIBERS = 200 };
    struct filler fillers[FIBERS];
    struct fiber *fibers[FIBERS];
    unsigned left = FIBERS;
    (void)state;
    for (unsigned i = 0; i < FIBERS; i++) {
        fillers[i] = (struct filler){.mark = i, .wrong = 1};
        fibers[i] = fiber_new(fill_stack, &fillers[i]);
        assert_non_null(fibers[i]);
    }
    while (left > 0) {
        for (unsigned i = 0; i < FIBERS; i++) {
            if (fibers[i] != NULL && fiber_resume(fibers[i])) {
                fiber_free(fibers[i]);
                fibers[i] = NULL;
                left--;
            }
        }
    }
    for (unsigned i = 0; i < FIBERS; i++) {
        assert_int_equal(fillers[i].wrong, 0);
    }
}

static void fibers_one_after_the_other_leave_nothing_behind(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) { /* more than the address space of as many stacks */
        struct counter counter = {.most = i % 3};
        struct fiber *fiber = fiber_new(count_up, &counter);
        assert_non_null(fiber);
        while (!fiber_resume(fiber)) {
        }
        fiber_free(fiber);
    }
}

static void want_of_memory_makes_no_fiber(void **state)
{
    (void)state;
    scarce_begin(0);
    assert_null(fiber_new(count_up, NULL));
    assert_true(scarce_end());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fiber_goes_on_where_it_stopped),
        cmocka_unit_test(function_that_never_stops_returns_at_once),
        cmocka_unit_test(fiber_that_has_not_run_can_be_freed),
        cmocka_unit_test(many_fibers_have_stacks_of_their_own),
        cmocka_unit_test(fibers_one_after_the_other_leave_nothing_behind),
        cmocka_unit_test(want_of_memory_makes_no_fiber),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
