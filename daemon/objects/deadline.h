/*
 * deadline: a point of time in the service's one heap of deadlines, embedded in what it belongs
 * to: a parked call (its timeout) or an object (its next lease, delay or expiry).
 */
#pragma once

#include "daemon/objects/heap.h"

struct deadline {
    uint64_t at; /* monotonic, nanoseconds */
    uint32_t place;
    bool of_object; /* else of a call */
};
