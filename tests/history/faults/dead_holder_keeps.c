/* Fault: a lock whose holder was killed stays locked. */
#include "daemon/objects/mutex.h"

void __real_mutex_abandon(struct mutex *mutex, struct tie *tie);
void __wrap_mutex_abandon(struct mutex *mutex, struct tie *tie);

void __wrap_mutex_abandon(struct mutex *mutex, struct tie *tie)
{
    bool keep = mutex->options.keep;
    mutex->options.keep = true;
    __real_mutex_abandon(mutex, tie);
    mutex->options.keep = keep;
}
