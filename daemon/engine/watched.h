/*
 * watched: objects in the engine that sessions of this daemon watch.
 *
 * The engine tells this daemon of all events of such an object; which sessions are told, and of
 * which events, is decided here. For that there is a stand-in, a struct object of its type that is
 * in no registry and has nothing but those who watch it (daemon/objects/watch.h).
 */
#pragma once

#include "daemon/engine/state.h"

/* What the events of a type are known by; the struct of an object that has nothing. */
const struct object_type *watched_type(const char *name);

/* The call is object.watch, or object.unwatch, of an object that the engine has, and has been told
 * that: the rest is done here. `meta` is what is remembered of it, NULL if nothing is. 0, with the
 * answer packed; or the call's refusal. */
int watched_answer(struct engine *engine, struct call *call, const struct meta *meta,
                   struct lane *lane);

/* True if somebody else watches the object, so that its events are still wanted when the caller
 * does not watch it any more. */
bool watched_by_others(const struct engine *engine, const struct call *call);

/* ["e", name, event, details] and ["m", name, meta]; the elements behind the first. */
void watched_event(struct engine *engine, struct slice rest, uint32_t left);
void watched_meta(struct engine *engine, struct slice rest, uint32_t left);

/* The lane's channel was interrupted, or watched (by one call of a batch) before it was there:
 * events of objects there may have been missed, and all who watch them are told so. */
void watched_missed(struct engine *engine, const struct lane *lane);

/* The events of objects that nobody watches any more are not wanted. */
void watched_sweep(struct engine *engine);

/* All watches are over: the lease is lost, and events have been missed. */
void watched_lose(struct engine *engine);
