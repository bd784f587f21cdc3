/* Fault: now and then permits that were acquired can be had a second time. */
#include "daemon/objects/semaphore.h"

void __real_semaphore_acquire(struct semaphore *semaphore, struct tie *tie, int64_t n);
void __wrap_semaphore_acquire(struct semaphore *semaphore, struct tie *tie, int64_t n);

void __wrap_semaphore_acquire(struct semaphore *semaphore, struct tie *tie, int64_t n)
{
    static unsigned count;
    __real_semaphore_acquire(semaphore, tie, n);
    if (++count % 16 == 0) {
        semaphore->value += n;
    }
}
