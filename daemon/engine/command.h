/* command: a command as Redis reads it, an array of bulk strings. */
#pragma once

#include "proto/buffer.h"

/* Appends it; want of memory is latched in the buffer. */
void command_print(struct buffer *out, size_t argc, const struct slice *argv);
