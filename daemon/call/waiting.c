/*
 * waiting: calls that are parked: how they get into the lists, how they are asked again, and the
 * one way out of the lists, whatever ends the wait.
 *
 * A parked call is one allocation: the struct, its params, and the bytes of those. It hangs in the
 * session's calls, in the list of waiters of what it waits on, and in the heap of deadlines if it
 * has one. What it waits on (wait.object) is mostly the object that it is a call of (object); a
 * call may move from one to another while it waits. A few wait on several objects at once and stand
 * in as many lists (waits, an allocation of its own).
 */
#include <assert.h>
#include <stdlib.h>

#include "daemon/call/service.h"

enum { NS_PER_MS = 1000000 };

static struct call *call_of_entry(struct ordered_entry *entry)
{
    return (struct call *)((char *)entry - offsetof(struct call, of_session));
}

static bool has_msgid(const struct ordered_entry *entry, const void *key)
{
    const struct call *call = call_of_entry((struct ordered_entry *)(uintptr_t)entry);
    return !call->notification && call->msgid == *(const uint32_t *)key;
}

/* Clients count msgids up, so they spread by themselves; the multiplication mixes the low bits. */
static uint32_t hash_msgid(uint32_t msgid)
{
    return msgid * 2654435769U;
}

struct call *session_call(const struct session *session, uint32_t msgid)
{
    uint32_t position = ordered_find(&session->calls, hash_msgid(msgid), has_msgid, &msgid);
    return position == ORDERED_NONE ? NULL : call_of_entry(session->calls.entries[position]);
}

struct call *session_call_from(const struct session *session, uint64_t seq)
{
    uint32_t position = ordered_from_seq(&session->calls, seq);
    return position == ORDERED_NONE ? NULL : call_of_entry(session->calls.entries[position]);
}

/* Bytes of the params that the method's signature knows. */
static size_t params_size(const struct call *call, unsigned count)
{
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        size += call->params[i].raw.len;
    }
    return size;
}

/* A copy of the call with its params in memory of its own, or NULL. */
static struct call *copy_call(const struct call *call, unsigned count, size_t size)
{
    struct call *copy = malloc(size);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *call;
    (void)origin_ref(copy->origin);
    copy->params = (struct param *)(copy + 1);
    uint8_t *bytes = (uint8_t *)(copy->params + count);
    for (unsigned i = 0; i < count; i++) {
        copy->params[i] = call->params[i];
        size_t len = call->params[i].raw.len;
        if (len > 0) {
            memcpy(bytes, call->params[i].raw.data, len);
        }
        copy->params[i].raw.data = bytes;
        bytes += len;
    }
    return copy;
}

static int admit(struct call *call, size_t size)
{
    struct session *session = call->session;
    struct accounts *accounts = &call->service->accounts;
    uint64_t waiting = session->calls.live;
    int status = accounts_admit(accounts, &waiting, "max_waiting", accounts->limits.max_waiting);
    if (status == 0) {
        status = user_charge(session->user, size);
    }
    if (status == 0) {
        session->charged += size;
    }
    return status;
}

static void discharge(struct session *session, size_t size)
{
    user_release(session->user, size);
    session->charged -= size;
}

static void link_wait(struct wait *wait, struct object *object, unsigned channel)
{
    wait->object = object_ref(object);
    wait->channel = channel;
    TAILQ_INSERT_TAIL(&object->waits[channel], wait, link);
    object->waiting++;
}

static void unlink_wait(struct wait *wait)
{
    struct object *object = wait->object;
    if (object != NULL) {
        TAILQ_REMOVE(&object->waits[wait->channel], wait, link);
        object->waiting--;
        wait->object = NULL;
        object_unref(object);
    }
}

/* Puts the call into the lists; into each only once. */
static void link_waits(struct call *call)
{
    unsigned count;
    struct wait *waits = call_waits(call, &count);
    for (unsigned i = 0; i < count; i++) {
        struct wait *wait = &waits[i];
        struct wait *last = TAILQ_LAST(&wait->object->waits[wait->channel], wait_list);
        wait->call = call;
        if (last != NULL && last->call == call) {
            wait->object = NULL;
        } else {
            link_wait(wait, wait->object, wait->channel);
        }
    }
}

static void unlink_waits(struct call *call)
{
    unsigned count;
    struct wait *waits = call_waits(call, &count);
    for (unsigned i = 0; i < count; i++) {
        unlink_wait(&waits[i]);
    }
}

int call_move(struct call *call, struct object *object, unsigned channel)
{
    unlink_wait(&call->wait);
    link_wait(&call->wait, object, channel);
    heap_remove(&call->service->deadlines, &call->deadline);
    call->timeout_ms = CALL_FOREVER;
    call->timed_out = false;
    object_ready(call->service, object);
    return CALL_WAIT;
}

static int link_call(struct call *call)
{
    struct service *service = call->service;
    int status = heap_reserve(&service->deadlines);
    if (status == 0) {
        status = ordered_append(&call->session->calls, hash_msgid(call->msgid), &call->of_session);
    }
    if (status < 0) {
        return status;
    }
    if (call->deadline.at != UINT64_MAX) {
        (void)heap_push(&service->deadlines, &call->deadline);
    }
    if (call->object != NULL) {
        (void)object_ref(call->object);
    }
    link_waits(call);
    service->waiting++;
    return 0;
}

/* The one way out: takes a parked call out of every list and frees it. */
static void unpark(struct call *call)
{
    struct session *session = call->session;
    struct object *object = call->object;
    unlink_waits(call);
    call->service->waiting--;
    heap_remove(&call->service->deadlines, &call->deadline);
    uint32_t position = ordered_from_seq(&session->calls, call->of_session.seq);
    (void)ordered_remove(&session->calls, position, hash_msgid(call->msgid));
    discharge(session, call->charge);
    origin_unref(call->origin);
    free(call->waits);
    free(call);
    object_unref(object);
}

/* A parked call goes without what it waited for: its object may have to be told. */
static void tell_left(struct call *call)
{
    struct object *object = call->object;
    if (object != NULL && object->type->left != NULL && !object->deleted) {
        object->type->left(object, call->progress);
        object_ready(call->service, object);
    }
}

/* Runs the handler of a parked call again, asked by one of the places where it waits. True if it
 * has left that one: the call is finished and gone, or waits elsewhere now. */
static bool retry(struct wait *wait)
{
    struct call *call = wait->call;
    const struct object *object = wait->object;
    unsigned channel = wait->channel;
    call->asked = wait;
    call->service->retries++;
    call->now = call->service->now;
    call->out = &call->session->output;
    call->start = output_mark(call->out);
    int status = call_try(call);
    if (status == CALL_WAIT) {
        return wait->object != object || wait->channel != channel;
    }
    if (status < 0) {
        tell_left(call);
    }
    unpark(call);
    return true;
}

/* When a call that begins to wait now has waited for its timeout. */
static uint64_t deadline_of(const struct call *call)
{
    uint64_t at;
    if (call->timeout_ms < 0 ||
        __builtin_mul_overflow((uint64_t)call->timeout_ms, NS_PER_MS, &at) ||
        __builtin_add_overflow(call->now, at, &at)) {
        return UINT64_MAX;
    }
    return at;
}

/* The same as call_park, of a call whose price has been paid. */
static int park(const struct call *call, unsigned count, size_t size, size_t charge)
{
    struct call *copy = copy_call(call, count, size);
    if (copy == NULL) {
        return ERR_MEMORY;
    }
    copy->parked = true;
    copy->charge = charge;
    copy->since = call->now;
    copy->deadline = (struct deadline){.at = deadline_of(call), .place = HEAP_NONE};
    int status = link_call(copy);
    if (status < 0) {
        origin_unref(copy->origin);
        free(copy);
    } else if (copy->again) {
        (void)retry(&copy->wait);
    }
    return status;
}

int call_park(struct call *call)
{
    unsigned count = call->service->index.signatures[call->method->id].count;
    size_t size = sizeof(*call) + count * sizeof(struct param) + params_size(call, count);
    size_t charge = size + call->nwaits * sizeof(*call->waits);
    int status = admit(call, charge);
    if (status == 0) {
        status = park(call, count, size, charge);
        if (status < 0) {
            discharge(call->session, charge);
        }
    }
    if (status < 0) {
        free(call->waits);
    }
    return status;
}

void call_cancel(struct call *call, int error, const char *text)
{
    call->service->figures[call->method->id].errors++;
    if (!call->notification) {
        struct session *session = call->session;
        message_error(&session->output.bytes, call->msgid, error, text, (struct slice){0});
        session_dirty(session);
    }
    call_drop(call);
}

/* A call is about to leave what it waits on: those behind it may be able to go on then. */
static void serve_rest(struct call *call)
{
    unsigned count;
    struct wait *waits = call_waits(call, &count);
    for (unsigned i = 0; i < count; i++) {
        if (waits[i].object != NULL && !waits[i].object->deleted) {
            object_ready(call->service, waits[i].object);
        }
    }
}

void call_drop(struct call *call)
{
    serve_rest(call);
    tell_left(call);
    unpark(call);
}

/* Asks the waiters of one channel in order. True if one of them has left it. */
static bool serve_channel(struct object *object, unsigned channel)
{
    bool independent = ((unsigned)object->independent >> channel & 1U) != 0;
    bool served = false;
    struct wait *next;
    for (struct wait *wait = TAILQ_FIRST(&object->waits[channel]); wait != NULL; wait = next) {
        next = TAILQ_NEXT(wait, link);
        if (retry(wait)) {
            served = true;
        } else if (!independent) {
            break;
        }
    }
    return served;
}

static void set_timer(struct service *service, struct object *object)
{
    if (object->type->due == NULL) {
        return;
    }
    uint64_t at = object->type->due(object);
    if (at == object->deadline.at) {
        return;
    }
    object->deadline.at = at;
    if (at == UINT64_MAX) {
        heap_remove(&service->deadlines, &object->deadline);
    } else if (object->deadline.place != HEAP_NONE) {
        heap_update(&service->deadlines, &object->deadline);
    } else if (heap_push(&service->deadlines, &object->deadline) < 0) {
        object->deadline.at = UINT64_MAX; /* no memory: the next change of the object tries again */
    }
}

void object_serve(struct service *service, struct object *object)
{
    bool served = object->waiting > 0;
    while (served) {
        served = false;
        for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
            if (!TAILQ_EMPTY(&object->waits[channel])) {
                served |= serve_channel(object, channel);
            }
        }
    }
    if (object->type->kind == OBJECT_QUEUE) {
        dead_letters(service, (struct queue *)object);
    }
    if (!object->deleted) {
        set_timer(service, object);
    }
}

static void time_out(struct call *call)
{
    unsigned count;
    serve_rest(call);
    call->timed_out = true;
    bool left = retry(call_waits(call, &count));
    assert(left);
    (void)left;
}

/* One deadline that has passed. */
static void expire(struct service *service, struct deadline *deadline)
{
    if (!deadline->of_object) {
        time_out((struct call *)((char *)deadline - offsetof(struct call, deadline)));
        return;
    }
    struct object *object = (struct object *)((char *)deadline - offsetof(struct object, deadline));
    object_tick(object, service->now, NULL);
    object_ready(service, object);
}

void service_tick(struct service *service, uint64_t now)
{
    service->now = now;
    struct deadline *deadline;
    while ((deadline = heap_top(&service->deadlines)) != NULL && deadline->at <= now) {
        expire(service, deadline);
        service_drain(service);
    }
}

uint64_t service_due(const struct service *service)
{
    const struct deadline *deadline = heap_top(&service->deadlines);
    return deadline == NULL ? UINT64_MAX : deadline->at;
}
