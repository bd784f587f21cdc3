/* methods/lock: the handlers of lock.*; what a lock does is in daemon/objects/mutex.h. */
#include "daemon/objects/lock.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/mutex.h"
#include "daemon/methods/open.h"

static int make_lock(struct call *call, const struct object_options *common,
                     const struct param *given, struct object **out)
{
    struct mutex_options options = {
        .recursive = option_bool(&given[OPTION_lock_open_recursive], false),
        .keep = option_word(&given[OPTION_lock_open_on_disconnect], 0) == 1,
        .anyone = option_word(&given[OPTION_lock_open_release_by], 0) == 1,
    };
    struct lock *lock;
    int status = lock_new(common, &options, &lock);
    if (status == 0) {
        *out = &lock->object;
    }
    return status;
}

static void lock_differs(const struct object *object, const struct param *given, bool *differs)
{
    const struct mutex_options *is = &((const struct lock *)object)->mutex.options;
    differs[OPTION_lock_open_recursive] =
        option_bool(&given[OPTION_lock_open_recursive], is->recursive) != is->recursive;
    differs[OPTION_lock_open_on_disconnect] =
        option_word(&given[OPTION_lock_open_on_disconnect], is->keep) != is->keep;
    differs[OPTION_lock_open_release_by] =
        option_word(&given[OPTION_lock_open_release_by], is->anyone) != is->anyone;
}

int method_lock_open(struct call *call)
{
    static const struct open_type type = {
        .type = &lock_type,
        .make = make_lock,
        .differs = lock_differs,
    };
    return open_object(call, &type);
}

int method_lock_acquire(struct call *call)
{
    return mutex_call_acquire(call, &lock_of(call->object)->mutex);
}

int method_lock_release(struct call *call)
{
    return mutex_call_release(call, &lock_of(call->object)->mutex);
}

int method_lock_break(struct call *call)
{
    return mutex_call_break(call, &lock_of(call->object)->mutex);
}

int method_lock_locked(struct call *call)
{
    return call_answer_bool(call, lock_of(call->object)->mutex.depth > 0);
}
