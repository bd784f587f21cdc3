/* Fault: now and then a lock is given to whoever asks, though somebody holds it. */
#include "daemon/objects/mutex.h"

bool __real_mutex_is_open_to(const struct mutex *mutex, const struct holder *holder);
bool __wrap_mutex_is_open_to(const struct mutex *mutex, const struct holder *holder);
void __real_mutex_take(struct mutex *mutex, struct tie *tie, const struct holder *holder,
                       uint64_t depth);
void __wrap_mutex_take(struct mutex *mutex, struct tie *tie, const struct holder *holder,
                       uint64_t depth);

bool __wrap_mutex_is_open_to(const struct mutex *mutex, const struct holder *holder)
{
    static unsigned count;
    return __real_mutex_is_open_to(mutex, holder) || ++count % 8 == 0;
}

/* The second one gets it from the first, who is not told. */
void __wrap_mutex_take(struct mutex *mutex, struct tie *tie, const struct holder *holder,
                       uint64_t depth)
{
    if (mutex->depth > 0 && mutex->tie != NULL && mutex->tie != tie) {
        mutex->tie->holding = 0;
        mutex->depth = 0;
    }
    __real_mutex_take(mutex, tie, holder, depth);
}
