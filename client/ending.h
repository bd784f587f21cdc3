/*
 * ending: a connection coming down.
 *
 * That is the reader's alone. Everybody else asks for it, which shuts the socket down, so that a
 * reader who waits for input gets the end of the stream.
 */
#pragma once

#include "client/connection.h"

/* Asks for the connection's end; the reader, whoever that is or will be, carries it out. */
void ending_request(struct ipcc *conn, int code, const char *message);

/* Reader: the connection has ended, for the reason asked for or else the one given. All calls in
 * flight fail. Lets go of the lock while callbacks run. */
void ending_run(struct ipcc *conn, int code, const char *message);
