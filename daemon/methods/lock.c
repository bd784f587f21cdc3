/* methods/lock: the handlers of lock.*; what a lock does is in daemon/objects/mutex.h. */
#include "daemon/objects/lock.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/mutex.h"
#include "daemon/methods/open.h"

enum { RECURSIVE, ON_DISCONNECT, RELEASE_BY, LOCK_OPTIONS };

static const struct option open_options[LOCK_OPTIONS] = {
    [RECURSIVE] = {"recursive", PARAM_BOOL},
    [ON_DISCONNECT] = {"on_disconnect", PARAM_STR},
    [RELEASE_BY] = {"release_by", PARAM_STR},
};

static int read_on_disconnect(const struct param *given, int standard)
{
    static const char *const words[] = {"release", "keep"};
    return option_word(given, words, 2, standard);
}

static int read_release_by(const struct param *given, int standard)
{
    static const char *const words[] = {"owner", "anyone"};
    return option_word(given, words, 2, standard);
}

static int make_lock(struct call *call, const struct object_options *common,
                     const struct param *given, struct object **out)
{
    int on_disconnect = read_on_disconnect(&given[ON_DISCONNECT], 0);
    int release_by = read_release_by(&given[RELEASE_BY], 0);
    if (on_disconnect < 0) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "lock.open: option on_disconnect must be \"release\" or \"keep\"");
    }
    if (release_by < 0) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "lock.open: option release_by must be \"owner\" or \"anyone\"");
    }
    struct mutex_options options = {
        .recursive = option_bool(&given[RECURSIVE], false),
        .keep = on_disconnect == 1,
        .anyone = release_by == 1,
    };
    struct lock *lock;
    int status = lock_new(common, &options, &lock);
    if (status == 0) {
        *out = &lock->object;
    }
    return status;
}

static const char *lock_differs(const struct object *object, const struct param *given)
{
    const struct mutex_options *is = &((const struct lock *)object)->mutex.options;
    const bool differs[LOCK_OPTIONS] = {
        [RECURSIVE] = option_bool(&given[RECURSIVE], is->recursive) != is->recursive,
        [ON_DISCONNECT] = read_on_disconnect(&given[ON_DISCONNECT], is->keep) != is->keep,
        [RELEASE_BY] = read_release_by(&given[RELEASE_BY], is->anyone) != is->anyone,
    };
    for (int i = 0; i < LOCK_OPTIONS; i++) {
        if (differs[i]) {
            return open_options[i].name;
        }
    }
    return NULL;
}

int method_lock_open(struct call *call)
{
    static const struct open_type type = {
        .type = &lock_type,
        .table = open_options,
        .count = LOCK_OPTIONS,
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
