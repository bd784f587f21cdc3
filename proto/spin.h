/*
 * spin: whether it pays to look for input again and again for a moment, before sleeping until it
 * comes.
 *
 * Who sleeps has to be woken, and where two processors are, one that has nothing to do has to be
 * woken first: tens of microseconds for either side of a call. Who looks instead finds what comes
 * at once, and burns a processor meanwhile. So it is done where it pays only. A spin in vain makes
 * the next sleeps go without one, twice as many each time, up to a thousand; who waits for long has
 * next to none then. And a thread that may use one processor alone never spins: whoever is to send
 * something could not run. The daemon and the library use the same.
 *
 * Nothing here looks, or reads a clock: that is the caller's part. One thread uses it at a time.
 *
 *     if (spin_wanted(&spin)) {
 *         spin_begin(&spin, now());
 *         do {
 *             if (look())
 *                 return spin_found(&spin);
 *         } while (spin_goes_on(&spin, now()));
 *     }
 *     sleep();
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SPIN_NS = 50000,   /* how long it pays to spin: about as long as being woken takes */
    SPIN_TRUST = 1000, /* spins until the processors are counted again */
    SPIN_VAIN = 10,    /* 2^10 sleeps without a spin are the most */
};

struct spin {
    uint64_t limit_ns;            /* 0: never */
    unsigned (*processors)(void); /* how many this thread may use; called now and then */
    uint64_t end;                 /* of the one under way */
    unsigned trust;               /* how often `alone` may still be believed */
    unsigned vain;                /* those in vain, of late */
    unsigned skip;                /* sleeps that go without */
    bool alone;                   /* there is one processor */
};

/* Sets it up for spins of this length in nanoseconds; 0: there are none. */
void spin_init(struct spin *spin, uint64_t limit_ns, unsigned (*processors)(void));

/* To be asked before each sleep. */
bool spin_wanted(struct spin *spin);

/* It begins: nanoseconds, monotonic. */
void spin_begin(struct spin *spin, uint64_t now);

/* False: it is time to sleep, and the spin was in vain. */
bool spin_goes_on(struct spin *spin, uint64_t now);

/* Something has come, in time. */
void spin_found(struct spin *spin);

/* For spin_init: asks the system. */
unsigned spin_processors(void);

/* Lets a moment pass between two looks. */
static inline void spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
