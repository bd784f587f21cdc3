/* When it is looked for input before sleeping: proto/spin.h. */
#include "proto/spin.h"

#include "tests/support/unit.h"

enum { LIMIT = 50000 };

static unsigned one(void)
{
    return 1;
}

static unsigned two(void)
{
    return 2;
}

static struct spin spin_of(unsigned (*processors)(void))
{
    struct spin spin;
    spin_init(&spin, LIMIT, processors);
    return spin;
}

/* A sleep before which there may be a spin in vain; whether there was one. */
static bool sleep_in_vain(struct spin *spin)
{
    bool begun = spin_wanted(spin);
    if (begun) {
        spin_begin(spin, 0);
        assert_false(spin_goes_on(spin, LIMIT));
    }
    return begun;
}

/* How many sleeps go by before the next spin, which is in vain, too. */
static unsigned sleeps_until_spin(struct spin *spin)
{
    unsigned sleeps = 0;
    while (!sleep_in_vain(spin)) {
        sleeps++;
    }
    return sleeps;
}

static void it_goes_on_until_its_time_is_over(void **state)
{
    struct spin spin = spin_of(two);
    assert_true(spin_wanted(&spin));
    spin_begin(&spin, 1000);
    assert_true(spin_goes_on(&spin, 1000));
    assert_true(spin_goes_on(&spin, 1000 + LIMIT - 1));
    assert_false(spin_goes_on(&spin, 1000 + LIMIT));
}

static void while_something_comes_each_sleep_is_spared(void **state)
{
    struct spin spin = spin_of(two);
    for (int i = 0; i < 5000; i++) {
        assert_true(spin_wanted(&spin));
        spin_found(&spin);
    }
}

static void what_is_in_vain_is_tried_ever_more_rarely(void **state)
{
    struct spin spin = spin_of(two);
    unsigned most = 1U << SPIN_VAIN;
    for (unsigned sleeps = 1; sleeps < most; sleeps *= 2) {
        assert_int_equal(sleeps_until_spin(&spin), sleeps - 1);
    }
    assert_int_equal(sleeps_until_spin(&spin), most - 1);
    assert_int_equal(sleeps_until_spin(&spin), most - 1);
}

static void what_is_found_makes_it_be_tried_more_often(void **state)
{
    struct spin spin = spin_of(two);
    for (int i = 0; i < 100; i++) {
        (void)sleeps_until_spin(&spin);
    }
    for (unsigned vain = SPIN_VAIN; vain > 0; vain /= 2) {
        while (!spin_wanted(&spin)) {
        }
        spin_found(&spin);
    }
    assert_true(sleep_in_vain(&spin));
    assert_int_equal(sleeps_until_spin(&spin), 1);
}

static void one_processor_is_not_kept_from_the_other_side(void **state)
{
    struct spin spin = spin_of(one);
    for (int i = 0; i < 5000; i++) {
        assert_false(spin_wanted(&spin));
    }
}

static void the_processors_are_counted_again(void **state)
{
    struct spin spin = spin_of(one);
    assert_false(spin_wanted(&spin));
    spin.processors = two;
    int sleeps = 1;
    while (!spin_wanted(&spin)) {
        sleeps++;
    }
    assert_int_equal(sleeps, SPIN_TRUST);
    spin.processors = one;
    int spins = 1;
    spin_found(&spin);
    while (spin_wanted(&spin)) {
        spin_found(&spin);
        spins++;
    }
    assert_int_equal(spins, SPIN_TRUST);
}

static void without_a_length_there_are_none(void **state)
{
    struct spin spin;
    spin_init(&spin, 0, NULL);
    assert_false(spin_wanted(&spin));
}

static void it_ends_with_the_clock(void **state)
{
    struct spin spin = spin_of(two);
    assert_true(spin_wanted(&spin));
    spin_begin(&spin, UINT64_MAX - 1);
    assert_true(spin_goes_on(&spin, UINT64_MAX - 1));
    assert_false(spin_goes_on(&spin, UINT64_MAX));
}

static void this_thread_has_processors(void **state)
{
    assert_true(spin_processors() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_until_its_time_is_over),
        cmocka_unit_test(while_something_comes_each_sleep_is_spared),
        cmocka_unit_test(what_is_in_vain_is_tried_ever_more_rarely),
        cmocka_unit_test(what_is_found_makes_it_be_tried_more_often),
        cmocka_unit_test(one_processor_is_not_kept_from_the_other_side),
        cmocka_unit_test(the_processors_are_counted_again),
        cmocka_unit_test(without_a_length_there_are_none),
        cmocka_unit_test(it_ends_with_the_clock),
        cmocka_unit_test(this_thread_has_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
