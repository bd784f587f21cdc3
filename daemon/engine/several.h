/*
 * several: a queue.get_any whose queues are at several places of a cluster, where nothing is one
 * step. What it gets in the end is one item, or none:
 *
 *  1. Whether they are there and the caller may get from them is asked at all places at once.
 *  2. Each place is asked, in the order of the names, for an item that is there.
 *  3. It waits at each, one after the other, all under one number. Whatever serves it first ends
 * it.
 *
 * What another place had for it by then goes back to the head of its queue, uncounted. Queues that
 * are shut down are waited on too, while others are not, as what was taken from them may come back.
 */
#pragma once

#include "daemon/engine/state.h"

struct several;

struct several_listener {
    /* It waits at all places; `limit` is what stands behind the "~" of a reply. */
    void (*waits)(void *data, struct slice limit);
    /* The call has been taken up and its answer packed, or it is refused with a status below 0; the
     * struct several is gone. */
    void (*done)(void *data, int status);
    void *data;
};

/* True if the call is such a one. */
bool several_is_needed(const struct engine *engine, const struct call *call);

/* Begins it. `wait`: the number under which it waits. The listener is told later. 0; the call's
 * refusal; or ERR_MEMORY. */
int several_begin(struct engine *engine, struct call *call, uint64_t wait,
                  const struct several_listener *listener, struct several **out);

/* What the outbox of a lane has for it; may end it. */
void several_serve(struct several *several, const struct lane *lane, struct slice reply);

/* Nobody is there to be told any more: it waits nowhere from now on, and what it still gets goes
 * back (engine->ending). The struct several is gone. */
void several_stop(struct several *several);
