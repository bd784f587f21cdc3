/*
 * deleting: objects that go.
 *
 * From the moment of its deletion an object is found by nobody. What still has to do with it ends a
 * little later, when the call that deleted it has been answered (service_end_deleted, which the
 * drain calls), or in steps if that is much: who watches it and who waits on it is told, claims
 * end, and the contents are freed.
 */
#pragma once

#include "daemon/call/waiting.h"

/* Takes an object out of the registry. With a pace all that has to do with it is ended before this
 * returns; without one, that is noted for the drain. */
void service_delete(struct service *service, struct object *object, struct pace *pace);

static inline bool service_has_leaving(const struct service *service)
{
    return !TAILQ_EMPTY(&service->registry.leaving);
}

/* Deletes objects that nobody keeps and ends what has to do with deleted objects, as far as it is
 * to be done at once; the rest becomes a job. True if anything was done. */
bool service_end_deleted(struct service *service);
