/*
 * ipcclient/watch: being told what happens to objects. Part of ipcclient.h.
 */
#ifndef IPCCLIENT_WATCH_H
#define IPCCLIENT_WATCH_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

/*
 * What has happened to an object that this session watches. All of it ends with the callback.
 * ipcprotocol(7) has the events of each type and what their details are. Four are for every type,
 * whatever was asked for: "deleted" (the object is gone, and the watch with it), "denied" (the same
 * for the right to read it), "renamed" (`detail` has its new name, by which what follows is told),
 * and "lost", for a program that reads more slowly than things happen: `detail` says how many
 * events (count) it was not told.
 */
struct ipcc_watch_event {
    const char *object;              /* its name */
    const char *event;               /* "put", "set", … */
    const struct ipcc_value *detail; /* a map; see ipcc_map_get */
};

/* Told of each event. Where it runs and what it may do: as ipcc_done_fn. */
typedef void ipcc_watch_event_fn(struct ipcc *conn, const struct ipcc_watch_event *event,
                                 void *data);

/* Sets who is told of events, in place of whoever was; NULL for nobody: then they go to the
 * function of ipcc_on_notification, if there is one, as any notification. To be set before the
 * first ipcc_object_watch. Does not block. */
int ipcc_on_watch_event(struct ipcc *conn, ipcc_watch_event_fn *told, void *data);

/* This session is told of events of the object from now on: of those named in `events`, an array
 * that ends with NULL, or of all if it is NULL. Watching again changes which. Needs the right to
 * read. When the connection is lost, so are its watches: a program that connects again watches
 * again, and looks at what it has missed. BAD_REQUEST: the type has no such event. */
int ipcc_object_watch(struct ipcc *conn, const char *name, const char *const *events);

/* No longer; nothing happens if it is not watched. Events that were on their way still come. */
int ipcc_object_unwatch(struct ipcc *conn, const char *name);

/* For programs without an event loop: waits until an event (or another notification) has come and
 * its callback has run; it may be several. They come just as well while the program waits in
 * another call, so what the callback notes down is to be looked at before waiting. (With an event
 * loop ipcc_process is enough.) IPCC_ERR_TIMEOUT: none came in timeout_ms, which this library
 * measures itself. IPCC_ERR_LOST: the connection is lost, or not made; it is not made again for
 * this. */
int ipcc_wait_watch_event(struct ipcc *conn, int64_t timeout_ms);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_WATCH_H */
