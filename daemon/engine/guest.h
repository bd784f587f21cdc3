/*
 * guest: what the engine knows of a session: in which lanes it may have left something that is to
 * be given back when it ends.
 */
#pragma once

#include "daemon/engine/state.h"

/* A session that has done something in a lane. */
struct stay {
    struct ordered_entry entry; /* engine->stays */
    LIST_ENTRY(stay) link;      /* of its guest */
    uint64_t session;
    struct lane *lane; /* used */
};

struct guest {
    struct ordered_entry entry; /* engine->guests */
    uint64_t session;
    LIST_HEAD(stay_list, stay) stays;
    size_t nstays;
    const char *lost; /* why what it had is gone, to be told with its next call; a static text; NULL
                         if it is not */
};

/* The session does something in the lane, with ops that are submitted next: the engine is told who
 * it is, the first time. 0 or ERR_MEMORY. */
int guest_stays(struct engine *engine, const struct session *session, struct lane *lane);

/* In how many lanes the session has done something. */
size_t guest_lanes(const struct engine *engine, uint64_t session);

/* Calls `see` for each lane in which the session has done something. */
void guest_each_lane(const struct engine *engine, uint64_t session,
                     void (*see)(void *data, struct lane *lane), void *data);

/* The session ends: its lanes are told. */
void guest_leaves(struct engine *engine, uint64_t session);

/* All that sessions had in the engine is gone: each is told once. */
void guests_lose(struct engine *engine, const char *why);

/* What the session is to be told, once; NULL if nothing. */
const char *guest_take_loss(struct engine *engine, uint64_t session);

/* Frees all. */
void guests_deinit(struct engine *engine);
