/*
 * methods/mutex: acquire, release and break of whatever has a mutex; see mutex.h.
 *
 * Tests: tests/unit/methods/test_lock.c, tests/unit/methods/test_condition.c.
 */
#include "daemon/methods/mutex.h"

#include "daemon/call/dispatch.h"

int read_holder(struct call *call, unsigned i, struct holder *out)
{
    out->session = call->session->id;
    out->owner.kind = KIND_NIL;
    if (!call_given(call, i)) {
        return 0;
    }
    const struct header *header = &call->params[i].header;
    out->owner.kind = header->kind;
    if (header->kind == KIND_INT) {
        out->owner.i = header->i;
    } else if (header->kind == KIND_UINT) {
        out->owner.u = header->u;
    } else if (header->length > OWNER_NAME_MAX) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "%s: param owner must have at most %d bytes, not %u", call->method->name,
                         OWNER_NAME_MAX, (unsigned)header->length);
    } else {
        struct slice name = call_bytes(call, i);
        out->owner.len = (uint8_t)name.len;
        memcpy(out->owner.name, name.data, name.len);
    }
    return 0;
}

int refuse_holder(struct call *call, const struct mutex *mutex, const struct holder *holder)
{
    const char *method = call->method->name;
    const char *name = mutex->object->name;
    const char *of = mutex->object->type->kind == OBJECT_LOCK ? "" : "of "; /* a condition's own */
    if (mutex->depth == 0) {
        return call_fail(call, ERR_NOT_OWNER, "%s: nobody holds the lock %s\"%s\"", method, of,
                         name);
    }
    if (mutex->holder.session == holder->session) {
        return call_fail(call, ERR_NOT_OWNER,
                         "%s: the caller's session holds the lock %s\"%s\", but with another owner",
                         method, of, name);
    }
    return call_fail(call, ERR_NOT_OWNER,
                     "%s: session %llu holds the lock %s\"%s\", not the caller's, which is %llu",
                     method, (unsigned long long)mutex->holder.session, of, name,
                     (unsigned long long)holder->session);
}

/* Answers {depth, abandoned} and takes it. */
static int take(struct call *call, struct mutex *mutex, const struct holder *holder)
{
    struct tie *tie = session_tie_make(call->session, mutex->object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    struct buffer *out = call_result(call);
    pack_map(out, 2);
    pack_key_uint(out, "depth", mutex->depth + 1);
    pack_key_bool(out, "abandoned", mutex->abandoned);
    if (out->failed) {
        session_tie_check(tie);
        return ERR_MEMORY;
    }
    mutex_take(mutex, tie, holder, mutex->depth + 1);
    mutex->abandoned = false;
    return 0;
}

int mutex_call_acquire(struct call *call, struct mutex *mutex)
{
    struct holder holder;
    int status = read_holder(call, 2, &holder);
    if (status < 0) {
        return status;
    }
    /* Whoever holds a recursive lock goes ahead of those who wait for it. */
    bool is_behind =
        !mutex_held_by(mutex, &holder) && call_is_behind_on(call, mutex->object, MUTEX_WAITERS);
    if (is_behind || !mutex_is_open_to(mutex, &holder)) {
        return call_wait_on(call, mutex->object, MUTEX_WAITERS, call_int(call, 1, CALL_FOREVER),
                            ERR_TIMEOUT);
    }
    return take(call, mutex, &holder);
}

/* A mutex has been released; `tie` is what that returned. */
static void released(struct tie *tie)
{
    if (tie != NULL) {
        session_tie_check(tie);
    }
}

void mutex_give_up(struct mutex *mutex, uint64_t levels)
{
    released(mutex_release(mutex, levels));
}

int mutex_call_release(struct call *call, struct mutex *mutex)
{
    struct holder holder;
    int status = read_holder(call, 1, &holder);
    if (status < 0) {
        return status;
    }
    bool may = mutex->options.anyone ? mutex->depth > 0 : mutex_held_by(mutex, &holder);
    if (!may) {
        return refuse_holder(call, mutex, &holder);
    }
    mutex_give_up(mutex, 1);
    return call_answer_int(call, (int64_t)mutex->depth);
}

int mutex_call_break(struct call *call, struct mutex *mutex)
{
    if (mutex->depth == 0) {
        return call_answer_nil(call);
    }
    struct buffer *out = call_result(call);
    size_t at = pack_map_begin(out);
    pack_key_uint(out, "session", mutex->holder.session);
    pack_map_end(out, at, 1 + mutex_describe_claim(mutex, out));
    if (out->failed) {
        return ERR_MEMORY;
    }
    released(mutex_break(mutex));
    return 0;
}
