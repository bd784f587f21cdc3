/*
 * takeover: a service is made again from what another daemon has written down (handover.h). To
 * those who have a session nothing has happened: what waits stands where it stood, what is held is
 * held, what was answered and not sent will be sent, and time goes on.
 */
#pragma once

#include "daemon/call/parked.h"
#include "daemon/objects/row_form.h"
#include "daemon/objects/saving.h"
#include "daemon/state/state.h"

/* The rows of one object, as they come. */
struct object_rows {
    struct sorted_row {
        struct slice key;
        struct slice value;
    } * rows; /* owned array */
    size_t count;
    size_t cap;
    uint64_t object;
    bool is_sorted; /* by their keys */
};

struct service_loader {
    struct row_reader rows;
    struct service *service;
    struct state_reader *state;
    struct descriptor **descriptors; /* owned array of references */
    uint32_t ndescriptors;
    struct object_rows of_object;
    void **sessions; /* owned array of struct session, by their numbers */
    uint32_t nsessions;
    void **calls; /* owned array of struct parked, in the order in which they were written */
    uint32_t ncalls;
    uint64_t next_session;
};

/* Where the rows of durable objects are, but for their own. */
struct stored_rows {
    /* Loads them: 0; ERR_VALUE with a sentence in reader->why, ERR_MEMORY. NULL: there are none. */
    int (*load)(void *data, struct row_reader *reader);
    void *data;
};

/* Makes the objects and all that is in them, of a service that was just initialised; `state` stands
 * before its first record then. Nothing is refused for a limit until service_taken_over. 0;
 * ERR_VALUE, with a sentence in loader->rows.why; ERR_MEMORY. To be given to service_loader_deinit
 * in any case; if it fails, the service is to be taken down. */
int service_loader_init(struct service_loader *loader, struct service *service,
                        struct state_reader *state, const struct stored_rows *stored,
                        const struct moment *now);
void service_loader_deinit(struct service_loader *loader);

/* A record, to be read. */
struct row service_loader_row(struct service_loader *loader, struct slice record);
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
