/*
 * waits: those who wait on an object, and how a change of the object reaches them.
 *
 * An object has a list of waits for each channel, first come first. Every operation that changes
 * what somebody may wait for ends with object_changed, or one of the two below it, there where the
 * change is made; so no caller can forget it. The object then joins its registry's list of ready
 * objects, and the layer above (daemon/call/waiting.h) asks the waits of each channel in order,
 * until one of them must go on waiting: what it costs follows from how many are served.
 *
 * Two kinds of waits would not be found in that way:
 *  - one that waits for a key of its own. It sleeps on one channel and is found by the hash of its
 *    key when that is added (object_key_added), which moves it to the next channel, to be asked;
 *  - one that may stay where others have to be told (on a queue that is shut down). The operation
 *    that brings this about says so: object_changed_for_all.
 */
#pragma once

#include "daemon/objects/object.h"

struct call; /* daemon/call/call.h */

/* One entry in an object's lists. */
struct wait {
    TAILQ_ENTRY(wait) link;
    struct call *call;
    struct object *object; /* a reference; NULL: it is in no list */
    struct wait *before;   /* its neighbours in the index by key */
    struct wait *after;
    unsigned channel;
    uint32_t hash; /* of the key that it waits for */
    bool asleep;   /* it is in the index, and is not asked until its key is added */
};

/* The waits that sleep, by the hash of their keys: buckets of linked lists, one more bucket for
 * each wait more (linear hashing), so that no single wait pays for the growth of the whole. */
struct wait_index {
    uint32_t count; /* waits in it */
    uint32_t len;   /* buckets in use */
    uint32_t cap;
    struct wait *buckets[];
};

/* Puts a wait that is in no list at the end of a channel, and takes it out again. */
void wait_enter(struct wait *wait, struct object *object, unsigned channel);
/* Puts it before all others: it was the first already. */
void wait_enter_first(struct wait *wait, struct object *object, unsigned channel);
void wait_leave(struct wait *wait); /* nothing if it is in no list */

/* Puts a wait for a key to sleep on a channel. 0, or ERR_MEMORY: it is in no list. */
int wait_enter_asleep(struct wait *wait, struct object *object, unsigned channel, uint32_t hash);

/* All waits of the channel are to be asked once, also those behind one that stays. */
void object_changed_for_all(struct object *object, unsigned channel);
/* All waits are to be asked once, whatever they wait for, those that sleep too. */
void object_ask_all(struct object *object);
/* A key has been added: those who sleep on the channel until then wake up. */
void object_key_added(struct object *object, unsigned channel, uint32_t hash);

/* Puts the object on its registry's ready list, whatever has changed. */
void object_ready(struct object *object);
/* The object has changed: its waits are to be asked and its timer is to be looked at. Nothing
 * happens where neither can matter. */
static inline void object_changed(struct object *object)
{
    const struct object_type *type = object->type;
    if (object->waiting > 0 || (type->due != NULL && type->due(object) != object->deadline.at)) {
        object_ready(object);
    }
}
/* Takes it off. */
void object_unready(struct object *object);
