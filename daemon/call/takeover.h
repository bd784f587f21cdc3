/*
 * takeover: a service is made again from what another daemon has written down (handover.h). To
 * those who have a session nothing has happened: what waits stands where it stood, what is held is
 * held, what was answered and not sent will be sent, and time goes on.
 */
#pragma once

#include "daemon/call/loader.h"

/* One record after the other, but for those of kind STATE_DAEMON and STATE_CONNECTION. 0; or
 * ERR_VALUE, ERR_MEMORY as above. */
int service_take_over(struct service_loader *loader, enum state_kind kind, struct slice record);
/* Of a record of kind STATE_CONNECTION: what is behind that of the layer above, of a session that
 * was just initialised. */
int session_take_over(struct service_loader *loader, struct session *session, struct row *row);
/* Answers the calls of server.upgrade that wait: another daemon has taken over, or could not
 * (service->upgrader.failure). */
void service_upgraded(struct service *service);

/* All records have been read: what is due goes on from here. */
void service_taken_over(struct service_loader *loader);
