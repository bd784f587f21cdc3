/* methods/semaphore: the handlers of semaphore.*; the operations are in
 * daemon/objects/semaphore.h. */
#include "daemon/objects/semaphore.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"

static int make_semaphore(struct call *call, const struct object_options *common,
                          const struct param *given, struct object **out)
{
    bool bounded = option_bool(&given[OPTION_semaphore_open_bounded], false);
    struct semaphore_options options = {
        .initial = option_int(&given[OPTION_semaphore_open_value], 1),
        .bounded = bounded,
        .keep = option_word(&given[OPTION_semaphore_open_on_disconnect], !bounded) == 1,
    };
    struct semaphore *semaphore;
    int status = semaphore_new(common, &options, &semaphore);
    if (status == 0) {
        *out = &semaphore->object;
    }
    return status;
}

static void semaphore_differs(const struct object *object, const struct param *given, bool *differs)
{
    const struct semaphore_options *is = &((const struct semaphore *)object)->options;
    differs[OPTION_semaphore_open_value] =
        option_int(&given[OPTION_semaphore_open_value], is->initial) != is->initial;
    differs[OPTION_semaphore_open_bounded] =
        option_bool(&given[OPTION_semaphore_open_bounded], is->bounded) != is->bounded;
    differs[OPTION_semaphore_open_on_disconnect] =
        option_word(&given[OPTION_semaphore_open_on_disconnect], is->keep) != is->keep;
}

int method_semaphore_open(struct call *call)
{
    static const struct open_type type = {
        .type = &semaphore_type,
        .make = make_semaphore,
        .differs = semaphore_differs,
    };
    return open_object(call, &type);
}

/* The number of permits in param `i`, 1 or more. */
static int read_n(struct call *call, unsigned i, int64_t *n)
{
    *n = call_int(call, i, 1);
    if (*n > 0) {
        return 0;
    }
    return call_fail(call, ERR_VALUE, "%s: param n must be 1 or more, not 0", call->method->name);
}

/* Answers the value that is left and takes n permits, which are there. */
static int take(struct call *call, struct semaphore *semaphore, int64_t n)
{
    struct tie *tie = session_tie_make(call->session, call->object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    int status = call_answer_int(call, semaphore->value - n);
    if (call->out->bytes.failed) {
        session_tie_check(tie);
        return ERR_MEMORY;
    }
    semaphore_acquire(semaphore, tie, n);
    return status;
}

int method_semaphore_acquire(struct call *call)
{
    struct semaphore *semaphore = semaphore_of(call->object);
    int64_t n;
    int status = read_n(call, 2, &n);
    if (status < 0) {
        return status;
    }
    if (semaphore->options.bounded && n > semaphore->options.initial) {
        return call_fail(
            call, ERR_VALUE,
            "semaphore.acquire: \"%s\" never has more than %lld permits, and %lld were "
            "asked for",
            call->object->name, (long long)semaphore->options.initial, (long long)n);
    }
    if (n > semaphore->value || call_is_behind(call, SEMAPHORE_WAITERS)) {
        return call_wait(call, SEMAPHORE_WAITERS, 1, ERR_TIMEOUT);
    }
    return take(call, semaphore, n);
}

static int refuse_release(struct call *call, const struct semaphore *semaphore, int64_t n,
                          int error)
{
    if (error == ERR_RANGE) {
        return call_fail(call, error, "semaphore.release: %lld more permits are more than an int64",
                         (long long)n);
    }
    return call_fail(
        call, error,
        "semaphore.release: \"%s\" was released too many times: it is bounded, and has "
        "%lld of %lld permits",
        call->object->name, (long long)semaphore->value, (long long)semaphore->options.initial);
}

int method_semaphore_release(struct call *call)
{
    struct semaphore *semaphore = semaphore_of(call->object);
    int64_t n;
    int status = read_n(call, 1, &n);
    if (status < 0) {
        return status;
    }
    struct tie *tie = session_tie(call->session, call->object);
    status = semaphore_release(semaphore, tie, n);
    if (status < 0) {
        return refuse_release(call, semaphore, n, status);
    }
    if (tie != NULL) {
        session_tie_check(tie);
    }
    while (status == SEMAPHORE_IDLE_TIES && (tie = semaphore_idle_tie(semaphore)) != NULL) {
        session_tie_check(tie);
    }
    return call_answer_int(call, semaphore->value);
}

int method_semaphore_value(struct call *call)
{
    return call_answer_int(call, semaphore_of(call->object)->value);
}
