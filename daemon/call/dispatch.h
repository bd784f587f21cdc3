/*
 * dispatch: from a decoded message to a call.
 */
#pragma once

#include "daemon/call/drain.h"

/* Runs one decoded message of a session: a request or a notification. Answers go to the session's
 * output, and the session to the dirty list. Params in the message are normalised in place.
 * `passed`: what came with it besides, or NULL; what is taken of that is marked there. A message
 * that has memory of its own is large, and is run in steps from its beginning.
 * `now`: monotonic, nanoseconds, read after the message had come. */
void service_run(struct service *service, struct session *session, struct message *message,
                 struct passed *passed, uint64_t now);

/* Runs a call that `outer` is made of (its method and params are in the message): as service_run
 * does with a request, but at once, with nothing in between, and never waiting. Its result goes to
 * the batch, or what it was refused with. 0 or the error. */
int call_run_within(const struct call *outer, struct message *message, struct batch *batch);
