/*
 * clock: see clock.h.
 *
 * Tests: tests/unit/client/test_sync.c.
 */
#include "client/clock.h"

#include <limits.h>
#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int64_t deadline_in(int64_t ms)
{
    int64_t deadline;
    if (ms < 0 || __builtin_add_overflow(clock_ms(), ms, &deadline) ||
        __builtin_add_overflow(deadline, 1, &deadline)) {
        return NEVER;
    }
    /* One more for the part of a millisecond that has passed already. */
    return deadline;
}

int clock_timeout(int64_t deadline)
{
    if (deadline == NEVER) {
        return -1;
    }
    int64_t left = deadline - clock_ms();
    return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}
