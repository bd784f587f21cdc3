/*
 * wording: what the daemon says, in the words of the command line.
 *
 * The daemon's sentences name the options of a method, and users and groups by number. Here they
 * become what was typed: "option lease_ms" is --lease, "user 1000" is user ada (1000). What stands
 * in double quotes is left alone, as it is a name or a value.
 */
#pragma once

#include "proto/buffer.h"
#include "tools/ipcctl/command_line/command.h"

/* Appends the sentence. `command` says which options there are; NULL: none, as of a command whose
 * words are the daemon's own. */
void wording_put(struct buffer *out, const struct command *command, const char *sentence);
