/*
 * call: blocking calls.
 */
#pragma once

#include "client/connection.h"

/* Runs a call and waits for its answer, as ipcc_call_request, for a request that has been
 * checked. INTERRUPTED besides. */
int call_run(struct ipcc *conn, const struct ipcc_request *request, enum call_wait wait,
             struct ipcc_reply *reply);
