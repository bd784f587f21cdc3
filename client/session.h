/*
 * session: a connection going up: connecting, the greeting, and what the daemon said in it.
 */
#pragma once

#include "client/connection.h"

/* Sees to it that the connection is up or about to be, if it may. LOST, CONNECT, SYSTEM, NO_MEMORY.
 * `waiter`, or NULL, waits for the greeting if one is sent now. */
int session_start(struct ipcc *conn, struct waiter *waiter);

/* Takes the result of server.hello. PROTOCOL, NO_MEMORY, with a message in `text`. */
int session_greeted(struct ipcc *conn, struct slice result, char *text);

/* Reader, or whoever has just started it: the session is over, and the link is down. The calls in
 * flight are left. */
void session_forget(struct ipcc *conn);
