/*
 * events: the names of the events of object.watch, from events.def.
 */
#pragma once

#include "proto/slice.h"

enum event_name {
#define EVENT_NAME(name) EVENT_##name,
#define EVENT(...)
#include "proto/events.def"
#undef EVENT
#undef EVENT_NAME
    EVENT_NAMES
};

/* The name as a string constant. */
const char *event_name(enum event_name event);

/* The event of that name, or EVENT_NAMES. */
enum event_name event_named(struct slice name);
