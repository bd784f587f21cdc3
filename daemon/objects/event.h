/*
 * event: a flag that is set or clear, and a count of how often it was set (as Python's Event).
 *
 * The count lets a waiter see that the event was set while it waited, even if it has been cleared
 * again since: a set wakes everybody who waits at that moment.
 */
#pragma once

#include "daemon/objects/watch.h"

/* The channel that calls wait on. */
enum { EVENT_WAITERS };

struct event {
    struct object object;
    uint64_t sets; /* how often it has gone from clear to set */
    bool set;
};

extern const struct object_type event_type;

static inline struct event *event_of(struct object *object)
{
    return (struct event *)object;
}

/* A new event, clear, with one reference. 0, or ERR_MEMORY for want of memory. */
int event_object_new(const struct object_options *common, struct event **out);

/* True if that changed something. */
bool event_object_set(struct event *event);
void event_object_clear(struct event *event);
