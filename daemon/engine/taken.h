/*
 * taken: items that plain queues in the engine have given away, on their way to a session: if the
 * answer never leaves, each goes back to the head of its queue (daemon/call/output.h, "notes").
 */
#pragma once

#include "daemon/engine/state.h"

/* True if the results of the method have items. */
bool taken_is_given_by(const struct call *call);

/* Packs the result of such a method, which is a value, and notes its items. 0; or ERR_MEMORY: what
 * has been noted goes back with the answer that is given up, and the rest is sent back at once. */
int taken_answer(struct engine *engine, struct call *call, struct lane *lane, struct slice result);
