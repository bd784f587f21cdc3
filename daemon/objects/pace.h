/*
 * pace: lets a long operation give way to others in the middle.
 *
 * An operation that looks at, moves or frees many values takes a pace, and says after each stretch
 * how many steps it has done (pace_step). When that is enough for now, the pace calls `pause`,
 * which may run something else before it returns. NULL is allowed everywhere: the operation is done
 * in one go, as short ones and those in unit tests are.
 *
 * While an operation gives way its object is held (daemon/call/): no other operation of that object
 * begins, and nobody else changes it or frees it. It must be sound in memory, since it may be
 * described, but its figures need not be those of before or after. Pointers into anything else
 * (other objects, the session, the input) may not be kept across a step.
 *
 * A step is what comparing, copying or freeing one short value costs, or 64 bytes moved: some ten
 * nanoseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_LONG = 8192,     /* an operation of more steps than that needs a pace */
    PACE_STRETCH = 1024,  /* an operation says what it has done at least this often, in steps */
    PACE_STEP_BYTES = 64, /* bytes moved that count as one step */
};

struct pace {
    int64_t left;                     /* steps that may be done before pause is called */
    void (*pause)(struct pace *pace); /* sets `left` anew */
};

/* So many steps have been done. */
static inline void pace_step(struct pace *pace, size_t steps)
{
    if (pace != NULL) {
        pace->left -= (int64_t)steps;
        if (__builtin_expect(pace->left < 0, 0)) {
            pace->pause(pace);
        }
    }
}

/* So many bytes have been moved. */
static inline void pace_bytes(struct pace *pace, size_t bytes)
{
    pace_step(pace, bytes / PACE_STEP_BYTES);
}

/* The i-th of many short values has been dealt with, one step each: every PACE_STRETCH of them are
 * said together. */
static inline void pace_each(struct pace *pace, size_t i)
{
    if (__builtin_expect(i % PACE_STRETCH == PACE_STRETCH - 1, 0)) {
        pace_step(pace, PACE_STRETCH);
    }
}
