/*
 * reap: giving back for daemons that are dead: what their sessions held, and answers that nobody
 * has taken. One dead daemon at a time; whatever does not work is done again when the lease's
 * renewal names it again.
 */
#pragma once

#include "daemon/engine/state.h"

struct reaping;

/* The dead daemons of a renewal: [[host, epoch, until]…]. */
void reap_given(struct engine *engine, struct slice packed);
/* Nothing more is done. */
void reap_forget(struct engine *engine);
/* True while something is under way. */
bool reap_is_busy(const struct engine *engine);
