/*
 * deadline: points of time: how they are reckoned, and what stands in the service's one heap of
 * them, embedded in what it belongs to: a parked call (its timeout) or an object (its next lease,
 * delay or expiry).
 *
 * Time is a monotonic clock in nanoseconds. What never happens has the time TIME_NEVER, which is no
 * point of time: no clock shows it, and time_after does not answer it, however long the wait. So
 * what waits for five hundred years stands in every list in which a shorter wait stands.
 */
#pragma once

#include "daemon/objects/heap.h"

#define TIME_NEVER UINT64_MAX
#define TIME_LATEST (TIME_NEVER - 1)

struct deadline {
    uint64_t at;       /* monotonic, nanoseconds; TIME_NEVER: it is in no heap */
    uint32_t position; /* in the heap */
    bool of_object;    /* else of a call */
};

/* The time `ms` milliseconds (not negative) after `now`; TIME_LATEST if that is later still. */
uint64_t time_after(uint64_t now, int64_t ms);
