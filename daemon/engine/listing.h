/*
 * listing: the part of object.list that is in the engine: the names are looked for on each primary
 * (SCAN), and each object is described by an op in its lane.
 *
 * A cursor says where in the engine: OBJECT_CURSOR_AWAY, the primary, how many names of the batch
 * at that place have been used, and the place in Redis' own words. An object that is there
 * throughout is listed at least once.
 */
#pragma once

#include "daemon/engine/state.h"

struct listing;

/* Begins the answer of an object.list that is away. When it is packed, or the call is refused with
 * a status below 0, `done` is told, later; the call is taken up then. 0; or the call's refusal; or
 * ERR_MEMORY. */
int listing_begin(struct engine *engine, struct call *call, void (*done)(void *data, int status),
                  void *data, struct listing **out);
/* Nobody is there to be told any more. */
void listing_stop(struct listing *listing);
