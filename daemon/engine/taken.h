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

/* An op of that verb and name has been answered, and nobody is there to take it: what it has of
 * items is sent back, uncounted. Nothing is done for other methods than those above. */
void taken_return(struct engine *engine, const char *verb, struct slice name, struct slice result);
