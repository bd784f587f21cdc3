/*
 * methods/condition: the handlers of condition.*; the operations are in
 * daemon/objects/condition.h, the acquiring and releasing in daemon/methods/mutex.h.
 *
 * Whoever uses a condition whose lock has a name uses that lock, and needs the right to.
 */
#include "daemon/objects/condition.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/mutex.h"
#include "daemon/methods/open.h"

/* Refuses who has no right to the lock that has a name. */
static int check_lock(struct call *call, const struct object *lock)
{
    if (access_granted(&call->session->credentials, call->service->accounts.self, lock->uid,
                       lock->gid, lock->mode, ACCESS_WRITE)) {
        return 0;
    }
    return call_fail(call, ERR_DENIED, "%s needs the write bit on \"%s\", the lock, too",
                     call->method->name, lock->name);
}

static int find_lock(struct call *call, const struct param *given, struct lock **out)
{
    *out = NULL;
    if (!option_given(given)) {
        return 0;
    }
    struct slice name = option_str(given);
    struct object *object = registry_find(&call->service->registry, name);
    int shown = name.len < OBJECT_NAME_MAX ? (int)name.len : OBJECT_NAME_MAX;
    if (object == NULL) {
        return call_fail(
            call, ERR_NOT_FOUND,
            "condition.open: there is no object \"%.*s\"; option lock must be the name "
            "of a lock",
            shown, (const char *)name.data);
    }
    if (object_is_sealed(object)) {
        return call_refuse_sealed(call, object);
    }
    if (object->type->kind != OBJECT_LOCK) {
        return call_fail(
            call, ERR_WRONG_TYPE,
            "condition.open: \"%.*s\" is %s %s; option lock must be the name of a lock", shown,
            (const char *)name.data, type_article(object_type_name(object)),
            object_type_name(object));
    }
    *out = lock_of(object);
    return check_lock(call, object);
}

static int make_condition(struct call *call, const struct object_options *common,
                          const struct param *given, struct object **out)
{
    struct lock *lock;
    struct condition *condition;
    int status = find_lock(call, &given[OPTION_condition_open_lock], &lock);
    if (status == 0) {
        status = condition_new(common, lock, &condition);
    }
    if (status == 0) {
        *out = &condition->object;
    }
    return status;
}

static void condition_differs(const struct object *object, const struct param *given, bool *differs)
{
    const struct object *lock = ((const struct condition *)object)->lock;
    const struct param *name = &given[OPTION_condition_open_lock];
    differs[OPTION_condition_open_lock] =
        option_given(name) && (lock == NULL || !slice_equal(option_str(name), object_name(lock)));
}

static int condition_may_open(struct call *call, const struct object *object)
{
    const struct condition *condition = (const struct condition *)object;
    bool asked = condition->lock != NULL && !condition->orphaned;
    return asked ? check_lock(call, condition->lock) : 0;
}

int method_condition_open(struct call *call)
{
    static const struct open_type type = {
        .type = &condition_type,
        .make = make_condition,
        .differs = condition_differs,
        .may_open = condition_may_open,
    };
    return open_object(call, &type);
}

/* The condition's mutex, if the caller may use it. */
static int find_mutex(struct call *call, struct mutex **out)
{
    const struct condition *condition = condition_of(call->object);
    const struct object *lock = condition->lock;
    *out = condition->mutex;
    if (condition->orphaned || (lock != NULL && lock->deleted)) {
        return call_fail(call, ERR_NOT_FOUND,
                         "%s: the lock \"%s\" of the condition \"%s\" has been deleted",
                         call->method->name, lock->name, call->object->name);
    }
    return lock == NULL ? 0 : check_lock(call, lock);
}

/* Finds the condition's mutex as find_mutex does, and refuses if the caller, with the owner in
 * param `i`, does not hold it. */
static int find_held_mutex(struct call *call, unsigned i, struct mutex **out)
{
    struct holder holder;
    int status = find_mutex(call, out);
    if (status == 0) {
        status = read_holder(call, i, &holder);
    }
    if (status == 0 && !mutex_held_by(*out, &holder)) {
        status = refuse_holder(call, *out, &holder);
    }
    return status;
}

int method_condition_acquire(struct call *call)
{
    struct mutex *mutex;
    int status = call->waited ? 0 : find_mutex(call, &mutex);
    return status < 0 ? status : mutex_call_acquire(call, condition_of(call->object)->mutex);
}

int method_condition_release(struct call *call)
{
    struct mutex *mutex;
    int status = find_mutex(call, &mutex);
    return status < 0 ? status : mutex_call_release(call, mutex);
}

/* Goes to sleep: in two steps, so that the mutex is given up only when the call is parked. */
static int fall_asleep(struct call *call, struct condition *condition)
{
    struct mutex *mutex = condition->mutex;
    if (call->waited) {
        call->progress = condition_note(CONDITION_ASLEEP, mutex->depth);
        condition_sleep(condition);
        mutex_give_up(mutex, mutex->depth);
        return CALL_WAIT;
    }
    int status = find_held_mutex(call, 2, &mutex);
    if (status < 0) {
        return status;
    }
    int64_t timeout = call_int(call, 1, CALL_FOREVER);
    status = call_wait_again(call, CONDITION_SLEEPERS, timeout, ERR_TIMEOUT);
    return status == ERR_TIMEOUT ? call_answer_bool(call, false) : status;
}

/* Goes from sleeping to the queue of the mutex, if it is time. */
static int wake_up(struct call *call, struct condition *condition)
{
    enum condition_state state = CONDITION_NOTIFIED;
    if (!condition_wake(condition)) {
        if (!call->timed_out) {
            return CALL_WAIT;
        }
        condition_expire(condition);
        state = CONDITION_EXPIRED;
    }
    call->progress = condition_note(state, condition_depth(call->progress));
    return call_move(call, condition->mutex->object, MUTEX_WAITERS);
}

/* Holds the mutex again as it did before, if it is free. */
static int resume(struct call *call, struct mutex *mutex)
{
    if (mutex->depth > 0) {
        return CALL_WAIT;
    }
    struct holder holder;
    int status = read_holder(call, 2, &holder);
    struct tie *tie = status < 0 ? NULL : session_tie_make(call->session, mutex->object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    status = call_answer_bool(call, condition_state(call->progress) == CONDITION_NOTIFIED);
    if (call->out->bytes.failed) {
        session_tie_check(tie);
        return ERR_MEMORY;
    }
    mutex_take(mutex, tie, &holder, condition_depth(call->progress));
    return status;
}

int method_condition_wait(struct call *call)
{
    struct condition *condition = condition_of(call->object);
    switch (condition_state(call->progress)) {
    case CONDITION_AWAKE:
        return fall_asleep(call, condition);
    case CONDITION_ASLEEP:
        return wake_up(call, condition);
    case CONDITION_NOTIFIED:
    case CONDITION_EXPIRED:
        break;
    }
    return resume(call, condition->mutex);
}

static int notify(struct call *call, uint64_t n, unsigned owner)
{
    struct mutex *mutex;
    int status = find_held_mutex(call, owner, &mutex);
    if (status < 0) {
        return status;
    }
    uint64_t woken = condition_notify(condition_of(call->object), n);
    return call_answer_int(call, (int64_t)woken);
}

int method_condition_notify(struct call *call)
{
    return notify(call, (uint64_t)call_int(call, 1, 1), 2);
}

int method_condition_notify_all(struct call *call)
{
    return notify(call, UINT64_MAX, 1);
}
