/*
 * request: calls on their way out: each takes a slot among those in flight.
 */
#pragma once

#include "client/connection.h"

/* Checks a request as a program gives it. ARGUMENT. */
int request_check(const struct ipcc_request *request);

/* Appends a request to what waits to be sent and takes a slot for it. ARGUMENT (a value),
 * TOO_LARGE, NO_MEMORY, SYSTEM. */
int request_add(struct ipcc *conn, const struct ipcc_request *request, struct slot **slot,
                uint32_t *msgid);

/* Asks the daemon to end the call's wait. */
void request_cancel(struct ipcc *conn, uint32_t msgid);

/* Sends what waits, as far as the socket takes it. */
void request_send(struct ipcc *conn);
