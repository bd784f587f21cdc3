/*
 * together: atomic, a batch of calls whose objects have one tag, as one op with a part for each.
 *
 * A call that cannot even be begun (its params, its rights) fails when those before it have been
 * run: so the op has the parts up to that, and the error is made when it has been answered.
 */
#pragma once

#include "daemon/engine/state.h"

/* Makes the op of an atomic call, whose entries have the right form. *leaves: it may leave
 * something of its session. 0; ERR_MEMORY; or the call's refusal: nothing is to be run. */
int together_prepare(struct engine *engine, struct call *call, struct op *op, bool *leaves);

/* The name by which the op finds its lane. */
struct slice together_name(const struct op *op);

/* True if the replies say that rights were not checked by what is true, and nothing has been run.
 * The op is ready to be sent again then; or has no parts, as not even the first call may be. */
bool together_must_ask_again(struct engine *engine, struct call *call, struct op *op,
                             const struct outcome *outcome);

/* Packs the answer of the call, of an op that was run or has no parts; returns the error or 0. */
int together_answer(struct engine *engine, struct call *call, struct lane *lane,
                    const struct op *op, const struct outcome *outcome);
