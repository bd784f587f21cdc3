/*
 * spin: see spin.h.
 *
 * Tests: tests/unit/proto/test_spin.c.
 */
#include "proto/spin.h"

#include <sched.h>

void spin_init(struct spin *spin, uint64_t limit_ns, unsigned (*processors)(void))
{
    *spin = (struct spin){.limit_ns = limit_ns, .processors = processors};
}

bool spin_wanted(struct spin *spin)
{
    if (spin->limit_ns == 0) {
        return false;
    }
    if (spin->skip > 0) {
        spin->skip--;
        return false;
    }
    if (spin->trust == 0) {
        spin->trust = SPIN_TRUST;
        spin->alone = spin->processors() < 2;
    }
    spin->trust--;
    return !spin->alone;
}

void spin_begin(struct spin *spin, uint64_t now)
{
    if (__builtin_add_overflow(now, spin->limit_ns, &spin->end)) {
        spin->end = UINT64_MAX;
    }
}

bool spin_goes_on(struct spin *spin, uint64_t now)
{
    if (now < spin->end) {
        return true;
    }
    spin->vain += spin->vain < SPIN_VAIN ? 1 : 0;
    spin->skip = (1U << spin->vain) - 1;
    return false;
}

void spin_found(struct spin *spin)
{
    spin->vain /= 2;
}

unsigned spin_processors(void)
{
    cpu_set_t set;
    /* It fails where there are more than the set has room for. */
    return sched_getaffinity(0, sizeof(set), &set) < 0 ? CPU_SETSIZE : (unsigned)CPU_COUNT(&set);
}
