/*
 * takeover: a service is made again from what another daemon has written down (handover.h). To
 * those who have a session nothing has happened: what waits stands where it stood, what is held is
 * held, what was answered and not sent will be sent, and time goes on.
 */
#pragma once

#include "daemon/call/parked.h"
#include "daemon/objects/takeover.h"

struct service_loader {
    struct loader loader;
    struct service *service;
    void **sessions; /* owned array of struct session, by their numbers */
    uint32_t nsessions;
    void **calls; /* owned array of struct parked, in the order in which they were written */
    uint32_t ncalls;
    uint64_t next_object; /* numbers that go on */
    uint64_t next_session;
};

/* Reads the descriptors. The service has just been initialised, and its limits are lifted. 0;
 * ERR_VALUE, ERR_MEMORY. To be given to service_loader_deinit in any case. */
int service_loader_init(struct service_loader *loader, struct service *service,
                        struct state_reader *state);
void service_loader_deinit(struct service_loader *loader);

/* One record, of any kind but STATE_DAEMON, STATE_CONNECTION and STATE_DESCRIPTOR. 0; or ERR_VALUE,
 * ERR_MEMORY: the service is to be taken down again. */
int service_take_over(struct service_loader *loader, enum state_kind kind, struct fields *fields);
/* Of a record of kind STATE_CONNECTION: the first fields, of a session that was just initialised.
 */
int session_take_over(struct service_loader *loader, struct session *session,
                      struct fields *fields);
/* All records have been read: what is due goes on from here. */
void service_taken_over(struct service_loader *loader);
