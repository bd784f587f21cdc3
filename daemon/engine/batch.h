/*
 * batch: ops of a lane as one FCALL, and what becomes of it.
 *
 * A batch whose connection was lost is sent once more as it was, with its number, by which the
 * function knows it; until the oldest of its ops has no time left.
 */
#pragma once

#include "daemon/engine/lane.h"

/* True if there is something to be sent, none is under way and nothing is in the way. */
bool batch_can_begin(const struct lane *lane);
/* Sends the first ops of the queue; none is under way. */
void batch_begin(struct lane *lane);

/* An op of a list ends; all of a list do, but for what is submitted meanwhile. */
void batch_end_op(struct op_list *list, struct op *op, const struct outcome *outcome);
void batch_fail(struct op_list *list, enum op_fate fate, const char *why);
