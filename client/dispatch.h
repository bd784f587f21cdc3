/*
 * dispatch: each message that came, given to whom it is for: an answer to the slot of its msgid.
 *
 * A message that is not as the protocol has it ends the connection: after it nothing could be
 * trusted.
 */
#pragma once

#include "client/connection.h"

/* Reader, after incoming_receive, with its status and text: deals with all whole messages that have
 * come, or with the end. Lets go of the lock while callbacks run. */
void dispatch_received(struct ipcc *conn, int status, const char *text);
