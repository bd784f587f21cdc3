/*
 * engine: objects in Redis: an implementation of struct engine_api (daemon/call/engine.h).
 *
 * One for each daemon that has an engine. It knows nothing of the objects: the functions in Redis
 * (daemon/engine/lua/) do. It checks rights, sends calls to where their objects are, waits for
 * those that wait, keeps the lease by which what its sessions hold is theirs, and gives back for
 * daemons that are gone.
 *
 * Everything goes on in the event loop, and nothing blocks. One thread.
 */
#pragma once

#include <event2/event.h>

#include "daemon/call/service.h"
#include "daemon/engine/options.h"

struct engine;

/* Sets service->engine. Its clock is that of the service's jobs. 0; ERR_VALUE with a sentence in
 * *error (the caller's to free): what can never work; ERR_MEMORY. What is in the options is copied,
 * but for `data`. */
int engine_open(struct event_base *base, struct service *service,
                const struct engine_options *options, struct engine **out, char **error);

/* All sessions have ended: runs the event loop until what they left in the engine has been given
 * back and the lease is given up, for so many milliseconds at most. */
void engine_leave(struct engine *engine, unsigned ms);

/* All sessions must have ended. What they left in the engine and engine_leave has not given back is
 * given back by others, when the lease is over. NULL is allowed. */
void engine_close(struct engine *engine);

/* For tests. When something is next to be done by the clock, in its nanoseconds; and what is done
 * then. */
uint64_t engine_due(const struct engine *engine);
void engine_tick(struct engine *engine, uint64_t now);
/* True while something is under way. */
bool engine_is_busy(const struct engine *engine);
/* Is under way until all has been looked at that the engine has told before this call. */
void engine_catch_up(struct engine *engine);
/* How many ops there have been. */
uint64_t engine_ops(const struct engine *engine);
