/*
 * lease: by which what the sessions of this daemon hold in the engine is theirs.
 *
 * The daemon joins, and gets an epoch of its own; it renews the lease every third of its time. By
 * its own clock it reckons from when it asked, so that it gives up before the engine does. Once it
 * is lost (the time is over, or the engine says so) everything that sessions had there is: they are
 * told, and the daemon joins anew, with another epoch. With each renewal it may be given daemons
 * that are dead, to give back for them (reap.h).
 */
#pragma once

#include "daemon/engine/state.h"

/* Joins. 0 or ERR_MEMORY. */
int lease_begin(struct engine *engine);
/* What others are told at once, so that nobody waits for its end, as far as that is possible. */
void lease_end(struct engine *engine);

/* Gives the lease up: nothing of this daemon's is left. And whether that has been answered. */
void lease_leave(struct engine *engine);
bool lease_is_given_up(const struct engine *engine);

/* A batch was refused as the lease is over. For lanes_listener. */
void lease_fenced(void *data);

/* As lanes_due and lanes_tick. */
uint64_t lease_due(const struct engine *engine);
void lease_tick(struct engine *engine, uint64_t now);
/* True while there is no lease, or an answer is missing. */
bool lease_is_busy(const struct engine *engine);
