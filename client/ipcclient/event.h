/*
 * ipcclient/event: events, flags on which any number of callers can wait. Part of ipcclient.h;
 * opening and closing is described in ipcclient/object.h.
 */
#ifndef IPCCLIENT_EVENT_H
#define IPCCLIENT_EVENT_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_event; /* a handle: a name, on a connection */

struct ipcc_event_options {
    struct ipcc_open_options open;
    uint64_t reserved[2];
};

/* A new event is clear. */
int ipcc_event_open(struct ipcc *conn, const char *name, const struct ipcc_event_options *options,
                    struct ipcc_event **event);
int ipcc_event_close(struct ipcc_event *event);
const char *ipcc_event_name(const struct ipcc_event *event);

/* Sets it: all who wait at that moment go on, also if it is cleared right after. */
int ipcc_event_set(struct ipcc_event *event);

int ipcc_event_clear(struct ipcc_event *event);
int ipcc_event_is_set(struct ipcc_event *event, bool *is_set);

/* Waits until it is set. *is_set is false if the time ran out first, which is no error. */
int ipcc_event_wait(struct ipcc_event *event, int64_t timeout_ms, bool *is_set);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_EVENT_H */
