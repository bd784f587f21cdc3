/*
 * meaning: what the figures of an object mean for those who use it, in sentences: for somebody who
 * asks why it is stuck.
 */
#pragma once

#include "client/ipcclient.h"
#include "proto/buffer.h"
#include "tools/ipcctl/context.h"

/* Appends a line for each sentence, indented; nothing if there is nothing to say. `description`
 * with claims. */
void meaning_put(struct context *context, struct buffer *out, const struct ipcc_value *description);
