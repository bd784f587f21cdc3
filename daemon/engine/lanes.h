/*
 * lanes: all lanes together: when they send, and what time does to them.
 */
#pragma once

#include "daemon/engine/lane.h"

/* 0 or ERR_MEMORY. */
int lanes_init(struct lanes *lanes, struct event_base *base, struct cluster *cluster,
               const struct lanes_options *options, const struct lanes_listener *listener);
/* All ops must be gone (lanes_fail). */
void lanes_deinit(struct lanes *lanes);

/* From now on that holds; all batches that are sent have it. */
void lanes_set_tenure(struct lanes *lanes, const struct tenure *tenure);
/* All ops end: those that have been sent as OP_UNKNOWN, the others as OP_NOT_DONE. */
void lanes_fail(struct lanes *lanes, const char *why);

/* When lanes_tick is next to be called: monotonic, nanoseconds; TIME_NEVER. And what is done then:
 * what is due, what has stood in a lane for too long. */
uint64_t lanes_due(const struct lanes *lanes);
void lanes_tick(struct lanes *lanes, uint64_t now);
/* True if ops are under way or about to be sent. */
bool lanes_are_busy(const struct lanes *lanes);
