/*
 * interrupt: a signal handler ends the waits of a connection.
 */
#pragma once

#include "client/connection.h"

/* INTERRUPTED, with the message of a wait that is not begun. */
int interrupt_refuse(void);

/* Cancels one wait in flight: if it has nothing to show at the daemon it ends as INTERRUPTED. */
void interrupt_call(struct ipcc *conn, uint32_t msgid);

/* Reader, when interrupt_fd is readable: cancels all waits in flight. */
void interrupt_waits(struct ipcc *conn);
