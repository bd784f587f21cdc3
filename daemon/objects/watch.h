/*
 * watch: what a session wants to be told of an object, and what it has been told and not yet been
 * given.
 *
 * An operation that changes an object tells so itself, there where the change is made
 * (object_tell); so whatever makes the change, a call, the time or the end of a session, its event
 * is told, once, and in the order of the changes. Nobody else tells anything.
 *
 * What is told to a session is packed at once, as a notification, into its watcher. From there the
 * layer above takes it over when no answer is being packed (watcher_give). A watcher keeps no more
 * than the limit max_events, in bytes, all of it charged to its user; what would go over that is
 * counted, and the watch is given "lost", with the count, in place of what is missing. The end of a
 * watch is never lost.
 *
 * A watch belongs to a tie. When it is over it may outlive the tie, until its end has been told.
 */
#pragma once

#include "daemon/objects/tie.h"
#include "proto/events.h"

/* A key that is longer than this, encoded, is left out of the detail. */
enum { WATCH_KEY_MAX = 1024 };

TAILQ_HEAD(watcher_list, watcher);

/* All that one session watches with; made when it first watches something. */
struct watcher {
    TAILQ_ENTRY(watcher) link;
    struct session *session;
    struct watcher_list *pending;        /* where it stands while it has events to give */
    struct buffer events;                /* packed and not given, charged */
    TAILQ_HEAD(owing_list, watch) owing; /* watches with losses, or an end, to be told */
    struct tally *charged;               /* who pays: the session's */
    struct charge charge;                /* of itself and the events */
    bool is_told;
    bool shows; /* something that was told and not given is of a durable object */
};

struct watch {
    LIST_ENTRY(watch) of_object;
    TAILQ_ENTRY(watch) owing;
    struct watcher *watcher;
    struct object *object; /* a reference */
    struct tie *tie;       /* NULL when it is over */
    uint64_t lost;         /* events that could not be told */
    uint32_t events;       /* a bit for each that is wanted */
    struct charge charge;
    uint8_t end; /* enum event_name: how it ended; EVENT_NAMES: it has not */
    bool is_owing;
};

/* `charged` is where all that it costs is counted, `pending` where it stands while it has events to
 * give. NULL for want of memory. */
struct watcher *watcher_new(struct session *session, struct tally *charged,
                            struct watcher_list *pending);
/* All watches of ties must be gone; those that are over are freed with it. NULL is allowed. */
void watcher_free(struct watcher *watcher);

/* The tie's session is told those events from now on, instead of those that it was told so far.
 * 0, or ERR_LIMIT, ERR_MEMORY (memory): nothing has changed. */
int watch_set(struct watcher *watcher, struct tie *tie, uint32_t events);
/* No longer, and nothing more is said. */
void watch_free(struct watch *watch);
/* It is over: `end` is the last that is told. */
void watch_end(struct watch *watch, enum event_name end);
/* All watches of an object are over: `end` is the last that each is told. */
void object_end_watches(struct object *object, enum event_name end);

/* For the daemon that takes over: what a watch wants; and the watch again, of a watcher that is
 * there. 0, ERR_VALUE, ERR_MEMORY. */
void watch_save(const struct watch *watch, struct buffer *out);
int watch_load(struct watcher *watcher, struct tie *tie, struct row *row);
/* What it has been told and not been given, and what it is owed; to be taken over when its watches
 * are there. */
void watcher_save(const struct watcher *watcher, struct buffer *out);
int watcher_load(struct watcher *watcher, struct row *row,
                 struct tie *(*tie_to)(struct session *session, struct object *object));

/* The events that a type has, a bit for each; lost, denied and deleted are not among them. */
uint32_t object_type_events(const struct object_type *type);

/* True if somebody wants to know. */
static inline bool object_is_watched(const struct object *object, enum event_name event)
{
    return __builtin_expect((object->watched >> event & 1U) != 0, 0);
}

/* One of the details that events.def names for the event, in that order. */
union detail {
    uint64_t uint;
    bool is; /* bool */
    const char *str;
    struct slice value; /* encoded */
};

/* Tells all who want to know. `details` may be NULL where there are none. Never fails: what cannot
 * be told is lost, and counted. */
void object_tell(struct object *object, enum event_name event, const union detail *details);

/* The same, with the details as the map that they are in a notification. */
void object_tell_packed(struct object *object, enum event_name event, struct slice details);

/* Of an object that lives elsewhere: an unknown number of events may not have been told here. Who
 * watches is told that one was lost. */
void watch_tell_missed(struct watch *watch);

/* Moves what was told to the end of `out`, where `unsent` bytes wait already, if that is little
 * enough. True if anything was moved; the rest is to be asked for when less is unsent. */
bool watcher_give(struct watcher *watcher, struct buffer *out, uint64_t unsent);
