/*
 * random_value: random numbers from a seed, and random MessagePack values made of them.
 *
 * For tests that compare with a plain model or with another decoder, and for fuzzers: the same
 * seed gives the same values on every machine. A struct random is one such sequence; it owns
 * nothing.
 */
#pragma once

#include "proto/buffer.h"

struct random {
    uint64_t state;
};

/* A sequence that depends on the seed alone. */
struct random random_from_seed(uint64_t seed);

/* The next 64 bits of the sequence. */
uint64_t random_next(struct random *random);

/* A number from 0 to bound - 1; bound is not 0. */
uint32_t random_below(struct random *random, uint32_t bound);

/* How a random value is made. All zero: a canonical scalar, and runs of no bytes. */
struct random_shape {
    unsigned max_depth; /* containers within each other at most */
    unsigned max_count; /* elements or pairs of each container at most */
    unsigned max_run;   /* bytes of each str, bin and ext at most */
    bool any_form;      /* not only the shortest headers, float32 too */
};

/* Appends one random value; every kind comes up, and small and border integers often. */
void random_value(struct random *random, const struct random_shape *shape, struct buffer *out);

/* Appends one random scalar that can be compared with others of its kind: an integer, a float (no
 * NaN), a str or a bin, in its shortest form. */
void random_orderable(struct random *random, struct buffer *out);
