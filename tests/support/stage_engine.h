/*
 * stage_engine: an engine for a stage, in the Redis that the environment names (its socket:
 * IPCD_TEST_ENGINE; or a URL: IPCD_ENGINE, as with-engine sets it), with a realm and a
 * time of its own.
 */
#pragma once

#include "tests/support/stage.h"

/* NULL if the environment has neither. */
struct stage_engine *stage_engine_new(struct stage *stage);

/* The same as one host of several, whose realm and time the test keeps. */
struct stage_host {
    const char *realm;
    const char *name;
    uint64_t lease_ms;
};
struct stage_engine *stage_engine_join(struct stage *stage, const struct stage_host *host);
/* All sessions must have ended. NULL is allowed. */
void stage_engine_free(struct stage_engine *engine);
/* Runs the event loop until nothing is under way, and all has come that the engine tells. */
void stage_engine_settle(struct stage_engine *engine);
/* When the engine has something to do by the clock of the stage; and that. */
uint64_t stage_engine_due(const struct stage_engine *engine);
void stage_engine_tick(struct stage_engine *engine);
/* From now on the engine's clock is so much ahead of the stage's, as if the stage had been stopped.
 */
void stage_engine_set_ahead(struct stage_engine *engine, uint64_t ms);
