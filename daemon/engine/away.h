/*
 * away: one call that the engine does: encoded, checked, sent, sent again where something has
 * changed, answered; or waiting there, and ended by what the engine tells, its deadline, its client
 * or its session's end.
 *
 * It is parked->away of its call, and outlives the call if the engine still has something of it.
 */
#pragma once

#include "daemon/engine/state.h"

enum away_state {
    AWAY_ASKED, /* its op is in a lane */
    AWAY_WAITS, /* the engine has said that it waits */
};

struct listing; /* listing.h */
struct several; /* several.h */

struct away {
    struct ordered_entry entry; /* engine->waits, if is_known */
    SLIST_ENTRY(away) spare;    /* engine->spares */
    struct engine *engine;
    struct call *call; /* parked; NULL: it has been ended, or its session is gone */
    struct lane *lane; /* used */
    enum away_state state;
    struct op op;  /* the call; */
    struct op end; /* wait.cancel or wait.timeout */
    int why;       /* with which it is to be ended: ERR_CANCELLED, ERR_TIMEOUT; 0: it is not */
    bool served;   /* it was answered by way of the outbox */
    bool is_known; /* it is in engine->waits, as the engine has said that it waits */
    unsigned tries;
    bool is_ending;          /* counted in engine->ending: its session is gone, its op is not */
    struct listing *listing; /* of an object.list (listing.h); NULL: it is another method */
    struct several *several; /* of a queue.get_any at several places, which has no op then */
};

/* The functions of struct engine_api; see there. */
int away_begin(struct engine *engine, struct call *call);
void away_cancel(struct call *call, int why);
void away_forget(struct call *call);

/* The one that waits in that lane under that number, or is under way with it; or NULL. */
struct away *away_waiting(const struct engine *engine, const struct lane *lane, uint64_t wait);
/* What the outbox of the lane has for it: it ends, as a rule. */
void away_serve(struct away *away, const struct lane *lane, struct slice reply);
/* It ends, refused with ERR_ENGINE, as what it waited for is lost. */
void away_lose(struct away *away, const char *why);

/* Frees those that have ended and were kept to be used again. */
void away_free_spares(struct engine *engine);
