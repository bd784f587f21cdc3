/*
 * run_random: runs a fuzz target over random inputs, the same in every run.
 *
 *   random_calls COUNT [FIRST]
 *
 * The number of the input that ends the process is the last one printed; given as FIRST, with a
 * COUNT of 1, it is run alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE_MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The next of a sequence of numbers (splitmix64). */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static void run_input(uint64_t number)
{
    static uint8_t bytes[SIZE_MOST];
    uint64_t state = number << 32;
    size_t len = 64 + mix(&state) % (SIZE_MOST - 64);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)mix(&state);
    }
    (void)printf("%llu\n", (unsigned long long)number);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(bytes, len);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "run_random: give the count of inputs\n");
        return 2;
    }
    uint64_t count = strtoull(argv[1], NULL, 10);
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    for (uint64_t number = first; number < first + count; number++) {
        run_input(number);
    }
    return 0;
}
