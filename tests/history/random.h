/*
 * random: numbers that a seed repeats (SplitMix64). Each process of each round has a generator of
 * its own, so that what one of them chooses does not depend on how fast the others are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The generator of one process of one round. */
static inline struct random random_of(uint64_t seed, uint64_t round, uint64_t process)
{
    struct random random = {seed};
    random.state = random_next(&random) ^ round;
    random.state = random_next(&random) ^ process;
    return random;
}

/* A number from `low` to `high`, both included. */
static inline int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    return low + (int64_t)(random_next(random) % (uint64_t)(high - low + 1));
}

/* True in `part` of `whole` cases. */
static inline bool random_chance(struct random *random, unsigned part, unsigned whole)
{
    return random_next(random) % whole < part;
}
