/*
 * frees: which ops take up no memory of the engine to speak of.
 *
 * Where Redis is at its maxmemory it refuses the function. What gives something back, or only
 * looks, is to go on all the same: else nobody could make room. It is run by a second function, of
 * the same code, that Redis does not refuse.
 */
#pragma once

#include "daemon/engine/op.h"

/* True if all of the op's parts are such ones. */
bool op_frees(const struct op *op);
