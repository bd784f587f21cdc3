/*
 * deadlines: what a connection does by the clock.
 */
#pragma once

#include "client/connection.h"

/* When the clock next asks for something: connecting, or a guard. NEVER if it does not. */
int64_t deadlines_next(const struct ipcc *conn);

/* Reader: does what is due of connecting: trying again, giving up. */
void deadlines_connect(struct ipcc *conn, int64_t now);

/* Fails asynchronous calls whose guard time has run out. Lets go of the lock for their callbacks.
 */
void deadlines_calls(struct ipcc *conn, int64_t now);
