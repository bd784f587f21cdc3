/*
 * mailbox: the channel of a lane, by which the engine tells this daemon what it has for it there
 * (waits.h).
 */
#pragma once

#include "daemon/engine/state.h"

/* The lane's channel is listened to from now on. */
void mailbox_open(struct engine *engine, struct lane *lane);
/* No longer; `data` is the engine. For lanes_listener. */
void mailbox_close(void *data, struct lane *lane);
