/*
 * stats: percentiles, medians and the figures of one measurement.
 *
 * Pure functions over arrays; no clock, no sockets.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a load can find out. A figure that does not apply is NAN. */
enum figure {
    FIGURE_RATE, /* operations or items per second */
    FIGURE_P50,  /* microseconds, as are all the following */
    FIGURE_P99,
    FIGURE_P999,
    FIGURE_CPU,      /* the server's CPU time per operation or item */
    FIGURE_WAIT,     /* how long it was ready to run and had no processor, per operation */
    FIGURE_LOAD_CPU, /* the load generator's own CPU time */
    FIGURE_BYTES,    /* memory per item, entry or session */
    FIGURE_BARE,     /* messages per second of a bare socket pair, beside those of a pipe */
    FIGURE_COUNT
};

struct measurement {
    double figures[FIGURE_COUNT];
};

/* The name of a figure in --json: "rate", "p50_us", … */
const char *figure_name(enum figure figure);

/* A measurement in which nothing applies yet. */
struct measurement measurement_none(void);

/* Sorts samples in place, smallest first. */
void stats_sort(uint64_t *samples, size_t count);

/*
 * The percentile (0 to 100) of sorted samples by the nearest-rank rule: the smallest sample that
 * at least that share of all does not exceed. NAN without samples.
 */
double stats_percentile(const uint64_t *sorted, size_t count, double percentile);

/* The median; the mean of the middle two of an even number. NANs are left out; NAN if nothing is
 * left. The array is put in order. */
double stats_median(double *values, size_t count);

/* Sets P50, P99 and P999 from samples in nanoseconds, which it sorts. */
void measurement_set_latency(struct measurement *measurement, uint64_t *samples, size_t count);

/* Figure by figure the median of several runs (at most STATS_RUNS_MAX are looked at). */
enum { STATS_RUNS_MAX = 99 };
struct measurement measurement_median(const struct measurement *runs, size_t count);
