/*
 * hint: what can be done about a call that failed: another name that may have been meant, another
 * daemon that has it, a command that helps.
 */
#pragma once

#include "tools/ipcctl/context.h"
#include "proto/buffer.h"

/* Appends what there is to say behind the daemon's `message`, which the call that failed with
 * `error` was answered with; nothing if there is nothing to say. It may ask the daemon, and is
 * brief about it: one call, and one of another daemon. */
void hint_put(struct buffer *out, struct context *context, int error, const char *message);
