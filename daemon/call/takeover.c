/*
 * takeover: see takeover.h.
 *
 * Tests: tests/unit/call/test_takeover.c; tests/unit/methods/, all of them, with IPCD_TEST_TAKEOVER
 * in the environment.
 */
#include "daemon/call/takeover.h"

#include <stdio.h>

#include "daemon/call/resuming.h"
#include "daemon/call/waiting.h"
#include "daemon/call/watching.h"

/* ---- sessions -------------------------------------------------------------------------------- */

int session_take_over(struct service_loader *loader, struct session *session, struct row *row)
{
    uint64_t last =
        loader->nsessions == 0 ? 0 : loader_session_at(loader, loader->nsessions - 1)->id;
    session->id = row_uint(row);
    session->ncalls = row_uint(row);
    session->since = row_date(row);
    session->killed = row_bool(row);
    session->closing = row_bool(row);
    bool has_client = row_bool(row);
    struct slice client = row_bytes(row);
    if (row->bad || session->id <= last) {
        return ERR_VALUE;
    }
    if (has_client) {
        session->client = strndup((const char *)client.data, client.len);
        if (session->client == NULL) {
            return ERR_MEMORY;
        }
        session_charge_memory(session);
    }
    return loader_append(&loader->sessions, &loader->nsessions, session);
}

static int take_over_watch(struct session *session, struct tie *tie, struct row *row)
{
    struct watcher *watcher = session_watcher(session);
    return watcher == NULL ? ERR_MEMORY : watch_load(watcher, tie, row);
}

static int take_over_tie(struct service_loader *loader, struct row *row)
{
    struct object *object = loader_object(row);
    struct session *session = loader_session(loader, row);
    if (row->bad || session_tie(session, object) != NULL) {
        return ERR_VALUE;
    }
    struct tie *tie = session_tie_make(session, object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    tie->open = row_bool(row);
    object->opens += tie->open;
    uint64_t holding = row_uint(row);
    tie->since = row_date(row);
    int status = row_bool(row) ? take_over_watch(session, tie, row) : 0;
    if (status == 0 && holding > 0) {
        if (object->type->load_claims == NULL || object_is_sealed(object)) {
            return ERR_VALUE;
        }
        tie->holding = holding;
        status = object->type->load_claims(tie, row);
    }
    session_tie_check(tie);
    return status;
}

static struct tie *tie_to(struct session *session, struct object *object)
{
    return session_tie(session, object);
}

static int take_over_events(struct service_loader *loader, struct row *row)
{
    struct session *session = loader_session(loader, row);
    if (session == NULL) {
        return ERR_VALUE;
    }
    struct watcher *watcher = session_watcher(session);
    return watcher == NULL ? ERR_MEMORY : watcher_load(watcher, row, tie_to);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int take_over(struct service_loader *loader, enum state_kind kind, struct row *row)
{
    switch (kind) {
    case STATE_TIE:
        return take_over_tie(loader, row);
    case STATE_CALL:
        return resume_call(loader, row);
    case STATE_WAITS:
        return resume_waits(loader, row);
    case STATE_OUTPUT:
        return resume_output(loader, row);
    case STATE_EVENTS:
        return take_over_events(loader, row);
    default:
        row->rest.len = 0; /* it has been read already */
        return 0;
    }
}

int service_take_over(struct service_loader *loader, enum state_kind kind, struct slice record)
{
    struct row row = service_loader_row(loader, record);
    int status = take_over(loader, kind, &row);
    if (status == ERR_VALUE || (status == 0 && (row.bad || row.rest.len > 0))) {
        (void)snprintf(loader->rows.why, sizeof(loader->rows.why),
                       "a record of kind %d is not what it should be", (int)kind);
        status = ERR_VALUE;
    }
    return status;
}

void service_taken_over(struct service_loader *loader)
{
    struct service *service = loader->service;
    struct registry *registry = &service->registry;
    struct object *object;
    service->accounts.is_loading = false;
    if (service->next_session < loader->next_session) {
        service->next_session = loader->next_session;
    }
    for (uint64_t number = 0; (object = registry_from(registry, number)) != NULL;) {
        number = object->entry.seq + 1;
        object_check_orphan(object); /* what kept it may have been an answer, which is bytes now */
        if (object_due(object) != TIME_NEVER) {
            object_ready(object); /* its timer is to be set */
        }
    }
    for (uint32_t i = 0; i < loader->nsessions; i++) {
        session_dirty(loader_session_at(loader, i));
    }
}

void service_upgraded(struct service *service)
{
    struct session *session;
    TAILQ_FOREACH (session, &service->sessions, link) {
        struct parked *parked;
        for (uint64_t seq = 0; (parked = session_parked_from(session, seq)) != NULL;) {
            seq = parked->of_session.seq + 1;
            if (parked->call.method->id == METHOD_server_upgrade) {
                call_ask(&parked->call);
            }
        }
    }
}
