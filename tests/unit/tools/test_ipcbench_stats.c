/* Tests of ipcbench's stats. */
#include "tools/ipcbench/stats.h"

#include "tests/support/unit.h"

#include <math.h>

static void percentile_is_the_nearest_rank(void **state)
{
    const uint64_t samples[] = {10, 20, 30, 40, 50};
    assert_true(stats_percentile(samples, 5, 0.0) == 10.0);
    assert_true(stats_percentile(samples, 5, 20.0) == 10.0);
    assert_true(stats_percentile(samples, 5, 20.1) == 20.0);
    assert_true(stats_percentile(samples, 5, 50.0) == 30.0);
    assert_true(stats_percentile(samples, 5, 99.9) == 50.0);
    assert_true(stats_percentile(samples, 5, 100.0) == 50.0);
}

static void percentile_of_one_sample_is_that_sample(void **state)
{
    const uint64_t sample = 7;
    assert_true(stats_percentile(&sample, 1, 50.0) == 7.0);
    assert_true(stats_percentile(&sample, 1, 99.9) == 7.0);
}

static void percentile_without_samples_is_not_a_number(void **state)
{
    assert_true(isnan(stats_percentile(NULL, 0, 50.0)));
}

static void sort_orders_samples_beyond_32_bits(void **state)
{
    uint64_t samples[] = {5000000000, 3, 4294967296, 0};
    stats_sort(samples, 4);
    assert_true(samples[0] == 0 && samples[1] == 3);
    assert_true(samples[2] == 4294967296 && samples[3] == 5000000000);
    stats_sort(NULL, 0);
}

static void median_is_the_middle_or_the_mean_of_the_middle_two(void **state)
{
    double odd[] = {3.0, 1.0, 2.0};
    double even[] = {4.0, 1.0, 3.0, 2.0};
    assert_true(stats_median(odd, 3) == 2.0);
    assert_true(stats_median(even, 4) == 2.5);
}

static void median_leaves_out_what_was_not_measured(void **state)
{
    double some[] = {NAN, 5.0, NAN, 1.0, 9.0};
    double none[] = {NAN, NAN};
    assert_true(stats_median(some, 5) == 5.0);
    assert_true(isnan(stats_median(none, 2)));
    assert_true(isnan(stats_median(none, 0)));
}

static void latency_is_given_in_microseconds(void **state)
{
    struct measurement measurement = measurement_none();
    uint64_t samples[1000];
    for (size_t i = 0; i < 1000; i++) {
        samples[i] = (1000 - i) * 1000; /* 1 to 1000 µs, backwards */
    }
    measurement_set_latency(&measurement, samples, 1000);
    assert_true(measurement.figures[FIGURE_P50] == 500.0);
    assert_true(measurement.figures[FIGURE_P99] == 990.0);
    assert_true(measurement.figures[FIGURE_P999] == 999.0);
    assert_true(isnan(measurement.figures[FIGURE_RATE]));
}

static void measurement_median_is_taken_figure_by_figure(void **state)
{
    struct measurement runs[3] = {measurement_none(), measurement_none(), measurement_none()};
    const double rates[] = {30.0, 10.0, 20.0};
    const double times[] = {1.0, 3.0, 2.0};
    for (size_t i = 0; i < 3; i++) {
        runs[i].figures[FIGURE_RATE] = rates[i];
        runs[i].figures[FIGURE_CPU] = times[i];
    }
    struct measurement median = measurement_median(runs, 3);
    assert_true(median.figures[FIGURE_RATE] == 20.0);
    assert_true(median.figures[FIGURE_CPU] == 2.0);
    assert_true(isnan(median.figures[FIGURE_BYTES]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentile_is_the_nearest_rank),
        cmocka_unit_test(percentile_of_one_sample_is_that_sample),
        cmocka_unit_test(percentile_without_samples_is_not_a_number),
        cmocka_unit_test(sort_orders_samples_beyond_32_bits),
        cmocka_unit_test(median_is_the_middle_or_the_mean_of_the_middle_two),
        cmocka_unit_test(median_leaves_out_what_was_not_measured),
        cmocka_unit_test(latency_is_given_in_microseconds),
        cmocka_unit_test(measurement_median_is_taken_figure_by_figure),
    };
    return cmocka_run_group_tests_name("ipcbench stats", tests, NULL, NULL);
}
