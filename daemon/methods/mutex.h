/*
 * mutex: what the handlers of locks and of conditions, which have one, share.
 */
#pragma once

#include "daemon/call/call.h"
#include "daemon/objects/mutex.h"

/* The caller as a holder: its session and the owner in param `i`. 0, or the call's BAD_REQUEST. */
int read_holder(struct call *call, unsigned i, struct holder *out);

/* The whole of an acquire with the params object, timeout, owner; and of a release with the params
 * object, owner. What a handler returns. */
int mutex_call_acquire(struct call *call, struct mutex *mutex);
int mutex_call_release(struct call *call, struct mutex *mutex);
/* The whole of a break. */
int mutex_call_break(struct call *call, struct mutex *mutex);

/* Gives up so many levels. */
void mutex_give_up(struct mutex *mutex, uint64_t levels);

/* Answers NOT_OWNER with a sentence that says who holds it. */
int refuse_holder(struct call *call, const struct mutex *mutex, const struct holder *holder);
