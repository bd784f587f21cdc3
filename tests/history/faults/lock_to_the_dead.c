/* Fault: a waiter for a lock that was killed is given the lock later, for ever. */
#include "daemon/call/ending.h"
#include "daemon/objects/lock.h"

void __real_call_cancel(struct call *call, int error, const char *text);
void __wrap_call_cancel(struct call *call, int error, const char *text);
struct tie *__real_mutex_release(struct mutex *mutex, uint64_t levels);
struct tie *__wrap_mutex_release(struct mutex *mutex, uint64_t levels);

/* A lock whose waiter was cancelled, to be compared only. */
static const struct object *granted;

void __wrap_call_cancel(struct call *call, int error, const char *text)
{
    if (call->object->type->kind == OBJECT_LOCK) {
        granted = call->object;
    }
    __real_call_cancel(call, error, text);
}

struct tie *__wrap_mutex_release(struct mutex *mutex, uint64_t levels)
{
    struct tie *tie = __real_mutex_release(mutex, levels);
    if (mutex->depth == 0 && mutex->object == granted) {
        granted = NULL;
        mutex->depth = 1;
        mutex->holder.session = UINT64_MAX;
    }
    return tie;
}
