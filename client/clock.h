/*
 * clock: deadlines, in milliseconds of CLOCK_MONOTONIC.
 */
#pragma once

#include <stdint.h>

/* No deadline. */
#define NEVER INT64_MAX

int64_t clock_ms(void);

/* The same clock in nanoseconds. */
uint64_t clock_ns(void);

/* `ms` from now, NEVER for IPCC_FOREVER or what would overflow. */
int64_t deadline_in(int64_t ms);

/* What poll(2) takes for a wait until then: -1 for NEVER, 0 for what is over. */
int clock_timeout(int64_t deadline);
