/*
 * drain: what is done after each call, when time has passed, and when there is time.
 */
#pragma once

#include "daemon/call/deleting.h"

/* Asks the waiters of all objects that are ready until none is, and ends what has to do with
 * deleted ones; then gives the sessions the events that they have been told. To be called after
 * each batch of service_run (which does it itself after each call) and whatever else changes
 * objects. */
void service_drain(struct service *service);

/* Ends what has run out of time at `now`: waits, leases, delays; at most TICK_MOST of them, the
 * rest the next time. */
enum { TICK_MOST = 128 };
void service_tick(struct service *service, uint64_t now);
/* When the next service_tick is due; UINT64_MAX: never. */
uint64_t service_due(const struct service *service);

/* Gives the jobs one turn (JOBS_SLICE_NS), if there are any. */
void service_work(struct service *service);
/* Runs all jobs to their end. */
void service_finish(struct service *service);

/* Every session must have ended: deletes all objects and runs what that starts, to the end. */
void service_clear(struct service *service);
