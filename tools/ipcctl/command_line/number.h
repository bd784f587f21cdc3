/*
 * number: numbers of the command line: decimal, nothing before or behind them.
 */
#pragma once

#include "proto/buffer.h"

enum number_fault {
    NUMBER_FINE,
    NUMBER_MALFORMED,    /* it is none */
    NUMBER_OUT_OF_RANGE, /* it is one, but too large or too small */
};

/* An integer from `least` to `most`, which include 0; base 8 or 10. *number is set if it is fine.
 */
enum number_fault number_integer(const char *word, int base, int64_t least, int64_t most,
                                 int64_t *number);

/* A length of time, possibly with a fraction, and a unit: ms (or none), s, m, h, d. *milliseconds
 * is set, rounded to the nearest, if it is fine: at most NUMBER_TIME_MOST. */
enum number_fault number_time(const char *word, int64_t *milliseconds);

/* The most that number_time takes, some 30,000 years; in messages it is 11574074 days. */
#define NUMBER_TIME_MOST INT64_C(1000000000000000)

/* Any number: appends its encoding if it is fine. With a point or an exponent it is a float, which
 * must be finite; else an integer from -2^63 to 2^64 - 1. */
enum number_fault number_pack(const char *word, struct buffer *out);
