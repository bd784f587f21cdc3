/*
 * running: a handler is run, and what it has packed is made an answer. The one place where calls
 * enter the objects.
 */
#pragma once

#include "daemon/call/call.h"

/* Finds what the call is about and runs its handler, as call_try; also CALL_HELD_UP if somebody
 * holds what it is about. `in_steps`: the handler is not run yet, but answers CALL_PACED, unless
 * the call names several objects, which a job would not hold. */
int call_begin(struct call *call, bool in_steps);

/* Runs the handler of a call, first try or another one, and packs the answer if it ends. Returns
 * what the handler answered. The caller has set call->out and call->start. */
int call_try(struct call *call);

/* Completes what has been packed of an answer, or refuses with `status`: the answer is in the
 * session's output then, and leaves with it. Returns 0 or the error. */
int call_complete(struct call *call, int status);

/* The commit for which the call's answer, as it stands, has to wait (commits.h); 0: for none. */
uint64_t call_commit(const struct call *call);
