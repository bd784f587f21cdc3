/*
 * callback: running a program's functions, without the lock and noted for the thread.
 */
#pragma once

#include "client/connection.h"

/* Around a callback: let go of the lock and note it, and back. */
void callback_enter(struct ipcc *conn, struct callback *frame);
void callback_leave(struct ipcc *conn, const struct callback *frame);

/* Calls the callback of a call that is done, without the lock meanwhile. */
void callback_run(struct ipcc *conn, const struct slot *slot, int status,
                  const struct ipcc_reply *reply);
