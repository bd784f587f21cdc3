/*
 * atomic: the form of a batch of calls and of its answer, whoever runs them.
 */
#pragma once

#include "daemon/call/call.h"

/* Reads an entry, [method, params], as a message has them. False if it is none. */
bool atomic_read_entry(const struct param *entry, struct message *out, struct pace *pace);

/* Packs the answer of the batch: the `count` results that stand in batch->results, or, with a
 * status below 0, the error in it with these as its detail, that of the call at `index`. */
void atomic_finish(struct call *call, int status, struct batch *batch, uint32_t index,
                   uint32_t count);
