/*
 * resuming: calls that waited in the daemon before this one wait again where they stood, and what
 * was answered and not sent is to be sent.
 */
#pragma once

#include "daemon/call/loader.h"

/* Each of a record of that kind (STATE_CALL, STATE_WAITS, STATE_OUTPUT), in this order: 0;
 * ERR_VALUE, or the row is bad; ERR_MEMORY. */
int resume_call(struct service_loader *loader, struct row *row);
int resume_waits(struct service_loader *loader, struct row *row);
int resume_output(struct service_loader *loader, struct row *row);
