/*
 * engine: objects that live elsewhere, in an engine that several machines share, as the calls see
 * it.
 *
 * A call of such an object is checked as any other up to where its object would be found
 * (lookup.h), and then parked and handed over. The engine ends it (call_take_up, then call_finish)
 * when it has an answer; meanwhile the session's next calls are run. A call that is known to wait
 * there has a deadline like any other (call_waits_away). What the engine does and where it is, is
 * above (daemon/engine/).
 *
 * Tests: tests/unit/call/test_away.c.
 */
#pragma once

#include "daemon/call/parked.h"

struct engine_api {
    /* What this daemon is called there: its sessions are called "HOST:NUMBER". Not owned. */
    const char *host;
    /* True if objects of that name live in the engine. */
    bool (*has)(void *data, struct slice name);
    /* Begins a parked call, whose params fit the method's signature: it is ended later, never
     * within this call. 0; or the error with which it is to be refused: one without a sentence, or
     * one that call_fail has been told. */
    int (*begin)(void *data, struct call *call);
    /* Its client has cancelled it (ERR_CANCELLED), or its deadline has passed (ERR_TIMEOUT): it is
     * to be ended soon, perhaps with a result that was there already. */
    void (*cancel)(void *data, struct call *call, int why);
    /* Its memory goes: it has been answered without the engine, or its session is gone. What it has
     * got in the meantime is to be given back. */
    void (*forget)(void *data, struct call *call);
    /* The session ends; its calls are forgotten next. */
    void (*session_ends)(void *data, struct session *session);
    /* In how many places of the engine the session may have something. */
    size_t (*session_tags)(void *data, const struct session *session);
    /* Packs the engine's figures as pairs, for server.stats; returns how many. */
    size_t (*describe)(void *data, struct buffer *out);
    void *data;
};

/* True if calls of that method on an object of that name go to the engine: there is one, it has
 * objects of that name and kind, and there is no local object of that name. */
bool engine_takes(const struct service *service, const struct method *method, struct slice name);
