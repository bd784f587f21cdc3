/* deadline: see deadline.h. */
#include "daemon/objects/deadline.h"

enum { NS_PER_MS = 1000000 };

uint64_t time_after(uint64_t now, int64_t ms)
{
    uint64_t wait;
    uint64_t then;
    if (__builtin_mul_overflow((uint64_t)ms, NS_PER_MS, &wait) ||
        __builtin_add_overflow(now, wait, &then) || then > TIME_LATEST) {
        return TIME_LATEST;
    }
    return then;
}
