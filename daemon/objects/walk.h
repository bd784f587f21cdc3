/*
 * walk: going from value to value in a run of them, with a pace.
 *
 * To go on behind a value means to scan it if it is a container, however large that is.
 */
#pragma once

#include "daemon/objects/pace.h"
#include "proto/message.h"

/* As value_next, of what nobody changes or frees meanwhile. */
struct param walk_next(struct slice *rest, struct pace *pace);
