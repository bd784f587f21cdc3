/*
 * notification: telling the program of what the daemon sends by itself.
 */
#pragma once

#include "client/connection.h"

/* Reader: gives a notification to the function for events, or to that for all others, without the
 * lock meanwhile; and wakes who waits for events. */
void notification_take(struct ipcc *conn, const struct ipcc_value *method,
                       const struct ipcc_value *params);
