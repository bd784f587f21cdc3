/*
 * events: what happens to objects, a line for each event, as long as it goes on.
 */
#pragma once

#include "tools/ipcctl/context.h"

/* Watches the objects that the command line names. STATUS_OK after --count events, when all objects
 * have been deleted, or when a signal ends it; STATUS_TIMEOUT when --timeout is over before. */
enum status events_run(struct context *context);
