/*
 * state: what the parts of the engine share. Its layers, each of which knows those below:
 *
 *     engine    put together                   waits    what comes from the engine by itself
 *     lease     the lease, and dead daemons    away     a call, from its params to its answer
 *     lane      to where the objects are       guest    what sessions leave in the engine
 */
#pragma once

#include "daemon/call/engine.h"
#include "daemon/call/waiting.h"
#include "daemon/engine/encode.h"
#include "daemon/engine/lanes.h"
#include "daemon/engine/meta.h"
#include "daemon/engine/options.h"

struct lease;   /* lease.h */
struct reaping; /* reap.h */

struct engine {
    struct engine_api api;
    struct service *service;
    struct engine_options options; /* the strings are owned */
    struct residence residence;
    struct event_base *base;
    struct cluster *cluster;
    struct lanes lanes;
    struct metas metas;
    struct ordered waits;               /* struct away, by their numbers: what is known to wait */
    SLIST_HEAD(away_list, away) spares; /* that have ended, with the memory that they had */
    unsigned nspares;
    uint64_t last_wait;
    struct ordered guests;   /* struct guest, by their sessions */
    struct ordered stays;    /* struct stay, by session and lane */
    unsigned listings;       /* answers of object.list that are being made */
    unsigned ending;         /* ends of sessions that lanes have not been told yet */
    struct object *receipts; /* see taken.h; not a reference; NULL: there are none */
    struct ordered watched;  /* struct watched, by their names */
    uint64_t last_watched;
    bool has_unwatched; /* somebody may have stopped watching */
    struct lane *hosts; /* of what hosts tell each other; used; NULL: not joined yet */
    struct lease *lease;
    LIST_HEAD(inquiry_list, inquiry) inquiries; /* hosts.c: what is asked of other daemons */
    LIST_HEAD(asked_list, asked) asked;         /* hosts.c: what others ask */
    uint64_t last_inquiry;
    struct lane *letters;    /* used: by which they come; NULL: none yet */
    struct reaping *reaping; /* NULL: no dead daemon is given back for */
    struct event timer;
    uint64_t rings;       /* when, at the latest; TIME_NEVER: it is not set */
    unsigned catching_up; /* of engine_catch_up: messages that are to come */
    unsigned confirming;  /* channels that have been asked for */
    bool closing;
};

static inline uint64_t engine_now(const struct engine *engine)
{
    return jobs_now(&engine->service->jobs);
}
