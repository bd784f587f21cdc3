/*
 * reply: the answer to a call, with memory of its own for what its value points at.
 */
#pragma once

#include "client/ipcclient/value.h"
#include "proto/slice.h"

/* {0}, so that it need not be freed; NULL is allowed. Every function that takes a reply begins with
 * this. */
void reply_clear(struct ipcc_reply *reply);

/* Makes *reply hold a copy of the value. 0, or NO_MEMORY with *reply {0} and no message, since the
 * reply can be another thread's. */
int reply_set(struct ipcc_reply *reply, struct slice raw);
