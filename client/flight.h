/*
 * flight: the calls in flight, found by their msgid. What a slot says of who waits is for others to
 * act on; here it is only kept.
 */
#pragma once

#include "client/ipcclient/async.h"

/* Whether a call waits at the daemon, which ipcc_interrupt ends. */
enum call_wait {
    CALL_NEVER_WAITS,
    CALL_WAITS,    /* while the connection is interrupted it is not sent */
    CALL_MAY_WAIT, /* … it is sent and cancelled: done if that can be done without waiting */
};

enum slot_kind {
    SLOT_FREE,
    SLOT_BLOCKING,  /* a thread waits for it */
    SLOT_ASYNC,     /* a callback does */
    SLOT_ABANDONED, /* nobody does any more; its msgid is not free before the answer came */
};

struct waiter;

/* A call in flight. Its index is its msgid. */
struct slot {
    enum slot_kind kind;
    enum call_wait wait;
    bool greeting;    /* it is the server.hello of the connection */
    bool interrupted; /* it has been cancelled for ipcc_interrupt */
    uint32_t serial;  /* tells the calls apart that use the slot one after the other */
    uint32_t epoch;   /* the connection that it went out on */
    uint32_t next;    /* of the free ones */
    int unpassed;     /* not 0: it went out without its descriptors, for this errno */
    int64_t deadline;
    struct waiter *waiter;
    ipcc_done_fn *done;
    void *data;
};

struct flight {
    struct slot *slots;
    uint32_t count;   /* of slots */
    uint32_t free;    /* the first free one; count if there is none */
    int64_t deadline; /* no asynchronous call's deadline is earlier; may be too early */
};

void flight_init(struct flight *flight);
void flight_deinit(struct flight *flight);

/* Takes a slot, zeroed but for its serial. NULL: no memory. Valid until the next flight_add. */
struct slot *flight_add(struct flight *flight, uint32_t *msgid);
void flight_remove(struct flight *flight, uint32_t msgid);

/* The slot in use under that msgid, or NULL. */
struct slot *flight_find(struct flight *flight, uint32_t msgid);

/* The name of an asynchronous call, and back; NULL when it is not in flight any more. */
ipcc_call_id flight_id(const struct flight *flight, uint32_t msgid);
struct slot *flight_find_id(struct flight *flight, ipcc_call_id id, uint32_t *msgid);
