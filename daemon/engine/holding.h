/*
 * holding: what a session of this daemon's has of objects in the engine: asked in each lane in
 * which it has done something, for session.describe.
 */
#pragma once

#include "daemon/engine/state.h"
#include "daemon/methods/session_description.h"

struct holding_op; /* one question */
LIST_HEAD(holding_ops, holding_op);

struct holding {
    struct buffer open;       /* owned: names, packed one behind the other, */
    struct buffer holds;      /* owned: and what is held, a map each; */
    struct session_more more; /* both, as a description takes them */
    struct holding_ops ops;   /* that are to be answered */
    void (*done)(struct holding *holding);
};

/* Asks; holding->done, which the caller has set, is called when all have answered, or failed, never
 * within this call. 0; or ERR_MEMORY, and it is not called. To be deinited then. */
int holding_ask(struct engine *engine, uint64_t session, struct holding *holding);

/* What has not been answered is not waited for any more. */
void holding_deinit(struct holding *holding);
