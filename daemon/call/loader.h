/*
 * loader: what is needed while a service is made again from what another daemon has written down
 * (takeover.h): its figures and its objects, and to find what was read before.
 */
#pragma once

#include "daemon/call/session.h"
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
 * before its first record then. Nothing is refused for a limit until accounts.is_loading is false
 * again. 0; ERR_VALUE, with a sentence in loader->rows.why; ERR_MEMORY. To be given to
 * service_loader_deinit in any case; if it fails, the service is to be taken down. */
int service_loader_init(struct service_loader *loader, struct service *service,
                        struct state_reader *state, const struct stored_rows *stored,
                        const struct moment *now);
void service_loader_deinit(struct service_loader *loader);

/* A record, to be read. */
struct row service_loader_row(struct service_loader *loader, struct slice record);

/* Appends to an array of `len` elements that doubles when it is full. 0 or ERR_MEMORY. */
int loader_append(void ***elements, uint32_t *len, void *element);
struct session *loader_session_at(const struct service_loader *loader, uint32_t i);

/* What the next number in a row stands for; NULL, and the row is bad: there is none. */
struct session *loader_session(const struct service_loader *loader, struct row *row);
struct object *loader_object(struct row *row);
/* The descriptor of a number, with a reference, or NULL. `data` is the loader. */
struct descriptor *loader_descriptor(void *data, uint64_t number);
