/* stats: see stats.h. */
#include "tools/ipcbench/stats.h"

#include <math.h>
#include <stdlib.h>

const char *figure_name(enum figure figure)
{
    static const char *const names[FIGURE_COUNT] = {
        [FIGURE_RATE] = "rate",
        [FIGURE_P50] = "p50_us",
        [FIGURE_P99] = "p99_us",
        [FIGURE_P999] = "p999_us",
        [FIGURE_CPU] = "cpu_us",
        [FIGURE_WAIT] = "wait_us",
        [FIGURE_LOAD_CPU] = "load_cpu_us",
        [FIGURE_BYTES] = "bytes",
        [FIGURE_BARE] = "bare_rate",
    };
    return names[figure];
}

struct measurement measurement_none(void)
{
    struct measurement none;
    for (int i = 0; i < FIGURE_COUNT; i++) {
        none.figures[i] = NAN;
    }
    return none;
}

static int compare_samples(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

void stats_sort(uint64_t *samples, size_t count)
{
    if (count > 0) {
        qsort(samples, count, sizeof(samples[0]), compare_samples);
    }
}

double stats_percentile(const uint64_t *sorted, size_t count, double percentile)
{
    if (count == 0) {
        return NAN;
    }
    /* Multiplied before it is divided: 99.9 / 100 is a little too much, and ceil sees it. */
    double rank = ceil(percentile * (double)count / 100.0);
    size_t index = rank < 1.0 ? 0 : (size_t)rank - 1;
    return (double)sorted[index < count ? index : count - 1];
}

static int compare_doubles(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

double stats_median(double *values, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(values[i])) {
            values[kept++] = values[i];
        }
    }
    if (kept == 0) {
        return NAN;
    }
    qsort(values, kept, sizeof(values[0]), compare_doubles);
    size_t middle = kept / 2;
    return kept % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

void measurement_set_latency(struct measurement *measurement, uint64_t *samples, size_t count)
{
    stats_sort(samples, count);
    measurement->figures[FIGURE_P50] = stats_percentile(samples, count, 50.0) / 1000.0;
    measurement->figures[FIGURE_P99] = stats_percentile(samples, count, 99.0) / 1000.0;
    measurement->figures[FIGURE_P999] = stats_percentile(samples, count, 99.9) / 1000.0;
}

struct measurement measurement_median(const struct measurement *runs, size_t count)
{
    struct measurement median;
    size_t used = count < STATS_RUNS_MAX ? count : STATS_RUNS_MAX;
    for (int figure = 0; figure < FIGURE_COUNT; figure++) {
        double values[STATS_RUNS_MAX];
        for (size_t run = 0; run < used; run++) {
            values[run] = runs[run].figures[figure];
        }
        median.figures[figure] = stats_median(values, used);
    }
    return median;
}
