/*
 * parked: see parked.h.
 *
 * Tests: tests/unit/call/test_waiting.c, tests/unit/call/test_ending.c.
 */
#include "daemon/call/parked.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/bulk.h"

enum { PARAMS_SHORT = 4096 }; /* with the call itself */

static struct parked *parked_of_entry(struct ordered_entry *entry)
{
    return (struct parked *)((char *)entry - offsetof(struct parked, of_session));
}

static bool has_msgid(const struct ordered_entry *entry, const void *key)
{
    const struct parked *parked = parked_of_entry((struct ordered_entry *)(uintptr_t)entry);
    return !parked->call.notification && parked->call.msgid == *(const uint32_t *)key;
}

/* Clients count msgids up, so they spread by themselves; the multiplication mixes the low bits. */
static uint32_t hash_msgid(uint32_t msgid)
{
    return msgid * 2654435769U;
}

struct parked *session_parked(const struct session *session, uint32_t msgid)
{
    uint32_t position = ordered_find(&session->calls, hash_msgid(msgid), has_msgid, &msgid);
    return position == ORDERED_NONE ? NULL : parked_of_entry(session->calls.entries[position]);
}

struct parked *session_parked_from(const struct session *session, uint64_t seq)
{
    uint32_t position = ordered_from_seq(&session->calls, seq);
    return position == ORDERED_NONE ? NULL : parked_of_entry(session->calls.entries[position]);
}

/* Making and freeing. */

/* Bytes of the params that the method's signature knows. */
static size_t params_size(const struct call *call, unsigned count)
{
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        size += call->params[i].raw.len;
    }
    return size;
}

/* Copies the params behind the struct, and there what is in them, unless that stays where it is. */
static void copy_params(struct parked *parked, const struct call *call, unsigned count)
{
    struct param *params = (struct param *)(parked + 1);
    uint8_t *bytes = (uint8_t *)(params + count);
    for (unsigned i = 0; i < count; i++) {
        params[i] = call->params[i];
        size_t len = call->params[i].raw.len;
        if (len > 0 && parked->memory == NULL) {
            memcpy(bytes, call->params[i].raw.data, len);
            params[i].raw.data = bytes;
            bytes += len;
        }
    }
    parked->call.params = params;
}

/* What a call costs that has `size` bytes of its own, with what it may keep besides. */
static size_t cost_of(const struct call *call, size_t size)
{
    return allocation_cost(size) + origin_cost(call->origin) +
           (call->wish.by_key ? 2U : 1U) * HEAP_ELEMENT_COST;
}

/* Charges what the call costs; see parked_new. */
static int charge_call(struct charge *charge, uint64_t cost, bool waits)
{
    if (waits || cost > PARAMS_SHORT) {
        return charge_set(charge, cost);
    }
    charge_set_always(charge, cost);
    return 0;
}

int parked_new(struct call *call, bool waits, struct passed *passed, struct parked **out)
{
    struct session *session = call->session;
    unsigned count = call->service->index.signatures[call->method->id].count;
    bool stays = passed != NULL && passed->memory != NULL;
    size_t size = sizeof(struct parked) + count * sizeof(struct param) +
                  (stays ? 0 : params_size(call, count));
    struct charge charge = {.tally = &session->charged};
    struct parked *parked = NULL;
    uint64_t cost = cost_of(call, size) + (stays ? allocation_cost(passed->size) : 0);
    int status = charge_call(&charge, cost, waits);
    if (status == 0) {
        parked = malloc(size);
        status = parked == NULL ? ERR_MEMORY : 0;
    }
    if (status == 0) {
        *parked = (struct parked){.call = *call,
                                  .since = call->now,
                                  .charge = charge,
                                  .deadline = {.at = UINT64_MAX, .position = HEAP_NONE}};
        status = ordered_append(&session->calls, hash_msgid(call->msgid), &parked->of_session);
    }
    if (status < 0) {
        charge_release(&charge);
        free(call->wish.waits);
        free(parked);
        return status;
    }
    session_charge_memory(session);
    if (stays) {
        parked->memory = passed->memory;
        parked->memory_size = passed->size;
        passed->memory = NULL;
    }
    copy_params(parked, call, count);
    parked->call.parked = parked;
    (void)origin_ref(parked->call.origin);
    if (parked->call.object != NULL) {
        (void)object_ref(parked->call.object);
    }
    *out = parked;
    return 0;
}

void parked_free(struct parked *parked)
{
    struct session *session = parked->call.session;
    struct object *object = parked->call.object;
    parked_leave(parked);
    uint32_t position = ordered_from_seq(&session->calls, parked->of_session.seq);
    (void)ordered_remove(&session->calls, position, hash_msgid(parked->call.msgid), NULL);
    charge_release(&parked->charge);
    session_charge_memory(session);
    origin_unref(parked->call.origin);
    free(parked->call.wish.waits);
    free(parked->waits);
    free(parked->memory);
    free(parked);
    object_unref(object);
}

void parked_forget(struct parked *parked, struct pace *pace)
{
    bulk_free(parked->memory, parked->memory_size, pace);
    parked->memory = NULL;
}

/* Where it stands. */

static void count_away(struct session *session, bool was, bool is)
{
    if (is && !was) {
        session->away++;
        if (session->away >= SESSION_AWAY_HIGH) {
            session->service->credit = -1; /* whoever runs its requests stops and looks */
        }
    } else if (was && !is) {
        session->away--;
        if (session->away == 0 || session->away == SESSION_AWAY_LOW) {
            session_dirty(session); /* it may end, or be read from again */
        }
    }
}

static void set_state(struct parked *parked, enum parked_state state)
{
    struct session *session = parked->call.session;
    bool was = parked->state == PARKED_HELD_UP || parked->state == PARKED_RUNS;
    bool is = state == PARKED_HELD_UP || state == PARKED_RUNS;
    bool waits = state == PARKED_WAITS || state == PARKED_WAITS_AWAY;
    bool waited = parked->state == PARKED_WAITS || parked->state == PARKED_WAITS_AWAY;
    parked->call.service->waiting += waits;
    parked->call.service->waiting -= waited;
    count_away(session, parked->state == PARKED_AWAY, state == PARKED_AWAY);
    parked->state = state;
    if (is && !was) {
        session->unfinished++;
        if (session->unfinished >= SESSION_UNFINISHED_HIGH) {
            session->service->credit = -1; /* whoever runs its requests stops and looks */
        }
    } else if (was && !is) {
        session->unfinished--;
        if (session->unfinished == 0 || session->unfinished == SESSION_UNFINISHED_LOW) {
            session_dirty(session); /* it may end, or be read from again */
        }
    }
}

/* When it has waited for its timeout, from when it came; UINT64_MAX: never. */
static uint64_t deadline_of(const struct parked *parked)
{
    int64_t timeout_ms = parked->call.wish.timeout_ms;
    return timeout_ms < 0 ? TIME_NEVER : time_after(parked->since, timeout_ms);
}

/* May it wait? 0, or ERR_LIMIT. One that has waited already may. */
static int admit(const struct parked *parked)
{
    const struct session *session = parked->call.session;
    /* It is one of the first, or, if a job has done a part of it, of the others. */
    uint64_t waiting =
        session->calls.live - session->unfinished - (parked->state == PARKED_NOWHERE);
    if (parked->call.waited) {
        return 0;
    }
    return accounts_admit(&session->service->accounts, waiting, LIMIT_max_waiting);
}

/* Takes over the places where its handler has said that it waits, if they are several. */
static int take_waits(struct parked *parked)
{
    struct wish *wish = &parked->call.wish;
    if (wish->waits == NULL) {
        return 0;
    }
    uint64_t bytes = parked->charge.bytes + allocation_cost(wish->count * sizeof(struct wait));
    int status = charge_set(&parked->charge, bytes);
    if (status == 0) {
        parked->waits = wish->waits;
        parked->nwaits = wish->count;
        wish->waits = NULL;
    }
    return status;
}

/* Puts it into the lists of several objects, into each only once. */
static void enter_all(struct parked *parked)
{
    for (unsigned i = 0; i < parked->nwaits; i++) {
        struct wait *wait = &parked->waits[i];
        struct object *object = wait->object;
        const struct wait *last = TAILQ_LAST(&object->waits[wait->channel], wait_list);
        wait->call = &parked->call;
        if (last != NULL && last->call == wait->call) {
            wait->object = NULL;
        } else {
            wait_enter(wait, object, wait->channel);
        }
    }
}

int parked_wait(struct parked *parked)
{
    struct call *call = &parked->call;
    const struct wish *wish = &call->wish;
    int status = admit(parked);
    if (status == 0) {
        status = heap_reserve(&call->service->deadlines);
    }
    if (status == 0) {
        status = take_waits(parked);
    }
    parked->wait.call = call;
    if (status == 0 && parked->waits != NULL) {
        enter_all(parked);
    } else if (status == 0 && wish->by_key) {
        status = wait_enter_asleep(&parked->wait, wish->object, wish->channel, wish->hash);
    } else if (status == 0 && call->waited) {
        wait_enter_first(&parked->wait, wish->object, wish->channel); /* it was the first */
    } else if (status == 0 && wish->object != NULL) { /* else it is asked by whoever knows when */
        wait_enter(&parked->wait, wish->object, wish->channel);
    }
    if (status < 0) {
        return status;
    }
    call->waited = true;
    parked->deadline.at = deadline_of(parked);
    if (parked->deadline.at != TIME_NEVER) {
        (void)heap_push(&call->service->deadlines, &parked->deadline); /* has room */
    }
    set_state(parked, PARKED_WAITS);
    return 0;
}

void parked_hold_up(struct parked *parked, struct object *object,
                    void (*enter)(struct visitor *visitor))
{
    parked->visitor.enter = enter;
    visitor_stand(&parked->visitor, object);
    set_state(parked, PARKED_HELD_UP);
}

void parked_run(struct parked *parked)
{
    set_state(parked, PARKED_RUNS);
}

int parked_go_away(struct parked *parked)
{
    struct call *call = &parked->call;
    int status = (call->method->flags & METHOD_WAITS) != 0 ? admit(parked) : 0;
    if (status == 0) {
        set_state(parked, PARKED_AWAY);
    }
    return status;
}

int parked_wait_away(struct parked *parked, uint64_t deadline)
{
    parked->deadline.at = deadline;
    if (deadline != TIME_NEVER &&
        heap_push(&parked->call.service->deadlines, &parked->deadline) < 0) {
        return ERR_MEMORY;
    }
    set_state(parked, PARKED_WAITS_AWAY);
    return 0;
}

void parked_leave(struct parked *parked)
{
    unsigned count;
    struct wait *waits = parked_waits(parked, &count);
    for (unsigned i = 0; parked->state == PARKED_WAITS && i < count; i++) {
        wait_leave(&waits[i]);
    }
    visitor_leave(&parked->visitor);
    heap_remove(&parked->call.service->deadlines, &parked->deadline);
    set_state(parked, PARKED_NOWHERE);
}

struct wait *parked_waits(struct parked *parked, unsigned *count)
{
    *count = parked->waits == NULL ? 1 : parked->nwaits;
    return parked->waits == NULL ? &parked->wait : parked->waits;
}

/* For the daemon that takes over. */

int parked_take_over(struct call *call, const struct parked_past *past, struct parked **out)
{
    struct ordered *calls = &call->session->calls;
    struct parked *parked;
    if (past->seq < calls->next_seq) {
        return ERR_VALUE;
    }
    calls->next_seq = past->seq;
    int status = heap_reserve(&call->service->deadlines);
    status = status < 0 ? status : parked_new(call, true, NULL, &parked);
    if (status < 0) {
        return status;
    }
    parked->since = past->since;
    parked->wait.call = &parked->call;
    if (past->nwaits > 0) {
        parked->call.wish.count = past->nwaits;
        parked->call.wish.waits = calloc(past->nwaits, sizeof(struct wait));
        status = parked->call.wish.waits == NULL ? ERR_MEMORY : take_waits(parked);
    }
    if (status < 0) {
        parked_free(parked);
        return status;
    }
    for (unsigned i = 0; i < parked->nwaits; i++) {
        parked->waits[i].call = &parked->call;
    }
    parked->call.waited = true;
    parked->deadline.at = past->deadline;
    if (past->deadline != TIME_NEVER) {
        (void)heap_push(&call->service->deadlines, &parked->deadline); /* has room */
    }
    set_state(parked, PARKED_WAITS);
    *out = parked;
    return 0;
}

int parked_take_place(struct parked *parked, uint64_t i, struct object *object, unsigned channel,
                      bool asleep, uint32_t hash)
{
    unsigned count;
    struct wait *waits = parked_waits(parked, &count);
    if (i >= count || waits[i].object != NULL || channel >= OBJECT_CHANNELS) {
        return ERR_VALUE;
    }
    if (parked->waits == NULL) {
        parked->call.wish.object = object;
    }
    if (asleep) {
        return wait_enter_asleep(&waits[i], object, channel, hash);
    }
    wait_enter(&waits[i], object, channel);
    return 0;
}
