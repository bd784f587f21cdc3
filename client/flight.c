/*
 * flight: the calls in flight, found by their msgid.
 *
 * A slot table: the msgid is the slot's index, so that msgids stay small (one byte on the wire for
 * most programs) and are found without a search. A msgid is free again only when its answer has
 * come or the connection has ended; the daemon never sees one twice at a time.
 *
 * Tests: tests/unit/client/test_async.c.
 */
#include "client/flight.h"

#include "client/clock.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 8, SLOTS_MAX = 1 << 24 };

void flight_init(struct flight *flight)
{
    *flight = (struct flight){.deadline = NEVER};
}

void flight_deinit(struct flight *flight)
{
    free(flight->slots);
    *flight = (struct flight){0};
}

/* Doubles the table; all new slots are free. */
static int grow(struct flight *flight)
{
    uint32_t count = flight->count > 0 ? flight->count * 2 : SLOTS_FIRST;
    if (count > SLOTS_MAX) {
        return -1;
    }
    struct slot *slots = realloc(flight->slots, count * sizeof(*slots));
    if (slots == NULL) {
        return -1;
    }
    for (uint32_t i = flight->count; i < count; i++) {
        slots[i] = (struct slot){.kind = SLOT_FREE, .next = i + 1};
    }
    flight->slots = slots;
    flight->count = count;
    return 0;
}

struct slot *flight_add(struct flight *flight, uint32_t *msgid)
{
    if (flight->free == flight->count && grow(flight) < 0) {
        return NULL;
    }
    struct slot *slot = &flight->slots[flight->free];
    *msgid = flight->free;
    flight->free = slot->next;
    *slot = (struct slot){.kind = SLOT_ABANDONED, .serial = slot->serial + 1, .deadline = NEVER};
    return slot;
}

void flight_remove(struct flight *flight, uint32_t msgid)
{
    struct slot *slot = &flight->slots[msgid];
    *slot = (struct slot){.kind = SLOT_FREE, .serial = slot->serial, .next = flight->free};
    flight->free = msgid;
}

struct slot *flight_find(struct flight *flight, uint32_t msgid)
{
    if (msgid >= flight->count || flight->slots[msgid].kind == SLOT_FREE) {
        return NULL;
    }
    return &flight->slots[msgid];
}

/* Serials begin with 1, so that no id is 0. */
ipcc_call_id flight_id(const struct flight *flight, uint32_t msgid)
{
    return (uint64_t)flight->slots[msgid].serial << 32 | msgid;
}

struct slot *flight_find_id(struct flight *flight, ipcc_call_id id, uint32_t *msgid)
{
    *msgid = (uint32_t)id;
    struct slot *slot = flight_find(flight, *msgid);
    bool found = slot != NULL && slot->kind == SLOT_ASYNC && slot->serial == id >> 32;
    return found ? slot : NULL;
}
