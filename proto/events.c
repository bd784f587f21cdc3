/*
 * events: see events.h.
 *
 * Tests: tests/unit/methods/test_watch_events.c.
 */
#include "proto/events.h"

static const char *const names[EVENT_NAMES] = {
#define EVENT_NAME(name) [EVENT_##name] = #name,
#define EVENT(...)
#include "proto/events.def"
#undef EVENT
#undef EVENT_NAME
};

const char *event_name(enum event_name event)
{
    return names[event];
}

enum event_name event_named(struct slice name)
{
    int event = 0;
    while (event < EVENT_NAMES && !slice_equal(name, slice_of_string(names[event]))) {
        event++;
    }
    return (enum event_name)event;
}
