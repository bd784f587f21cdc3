/*
 * help: what ipcctl says about itself, made from the command table.
 */
#pragma once

#include "tools/ipcctl/context.h"

/* Prints the list of commands, or the help of the context's command if it has one. */
enum status help_print(struct context *context);
