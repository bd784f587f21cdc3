/* waits: see waits.h. */
#include "daemon/objects/waits.h"

#include <stdlib.h>

#include "daemon/objects/registry.h"

enum { BUCKETS_MIN = 16 };

/* The smallest power of two that is not less than n, which is at least 1. */
static uint32_t power_of_two(uint32_t n)
{
    return n == 1 ? 1 : UINT32_C(1) << (32 - __builtin_clz(n - 1));
}

/* The bucket whose waits move when bucket `len` comes into use. */
static uint32_t parent_of(uint32_t len)
{
    return len & (power_of_two(len + 1) / 2 - 1);
}

static uint32_t bucket_of(const struct wait_index *index, uint32_t hash)
{
    uint32_t bucket = hash & (power_of_two(index->len) - 1);
    return bucket < index->len ? bucket : parent_of(bucket);
}

/* At the end of its bucket: the first one's `before` is the last, and the last one's `after` NULL.
 */
static void link_in(struct wait_index *index, struct wait *wait)
{
    struct wait **bucket = &index->buckets[bucket_of(index, wait->hash)];
    wait->after = NULL;
    if (*bucket == NULL) {
        wait->before = wait;
        *bucket = wait;
    } else {
        wait->before = (*bucket)->before;
        wait->before->after = wait;
        (*bucket)->before = wait;
    }
}

static void link_out(struct wait_index *index, struct wait *wait)
{
    struct wait **bucket = &index->buckets[bucket_of(index, wait->hash)];
    if (*bucket == wait) {
        *bucket = wait->after;
    } else {
        wait->before->after = wait->after;
    }
    if (wait->after != NULL) {
        wait->after->before = wait->before;
    } else if (*bucket != NULL) {
        (*bucket)->before = wait->before;
    }
}

/* Takes one bucket more into use and moves what belongs there. */
static void split(struct wait_index *index)
{
    uint32_t parent = parent_of(index->len);
    struct wait *wait = index->buckets[parent];
    index->buckets[parent] = NULL;
    index->buckets[index->len++] = NULL;
    while (wait != NULL) {
        struct wait *next = wait->after;
        link_in(index, wait);
        wait = next;
    }
}

/* Room for the buckets of one wait more; an index that cannot grow any more works on. */
static int make_room(struct object *object)
{
    struct wait_index *index = object->sleeping;
    if (index != NULL && index->count < index->cap) {
        return 0;
    }
    uint32_t cap = index == NULL ? BUCKETS_MIN : index->cap * 2;
    struct wait_index *grown =
        realloc(index, sizeof(*index) + (size_t)cap * sizeof(index->buckets[0]));
    if (grown == NULL) {
        return index == NULL ? ERR_MEMORY : 0;
    }
    if (index == NULL) {
        grown->count = 0;
        grown->len = 1;
        grown->buckets[0] = NULL;
    }
    grown->cap = cap;
    object->sleeping = grown;
    return 0;
}

void wait_enter(struct wait *wait, struct object *object, unsigned channel)
{
    wait->object = object_ref(object);
    wait->channel = channel;
    wait->asleep = false;
    TAILQ_INSERT_TAIL(&object->waits[channel], wait, link);
    object->waiting++;
}

void wait_enter_first(struct wait *wait, struct object *object, unsigned channel)
{
    wait_enter(wait, object, channel);
    TAILQ_REMOVE(&object->waits[channel], wait, link);
    TAILQ_INSERT_HEAD(&object->waits[channel], wait, link);
}

int wait_enter_asleep(struct wait *wait, struct object *object, unsigned channel, uint32_t hash)
{
    if (make_room(object) < 0) {
        wait->object = NULL;
        return ERR_MEMORY;
    }
    struct wait_index *index = object->sleeping;
    if (index->count >= index->len && index->len < index->cap) {
        split(index);
    }
    wait_enter(wait, object, channel);
    wait->hash = hash;
    wait->asleep = true;
    index->count++;
    link_in(index, wait);
    return 0;
}

/* It sleeps no longer; the index goes with the last that does. */
static void wake(struct wait *wait)
{
    struct object *object = wait->object;
    link_out(object->sleeping, wait);
    wait->asleep = false;
    if (--object->sleeping->count == 0) {
        free(object->sleeping);
        object->sleeping = NULL;
    }
}

void wait_leave(struct wait *wait)
{
    struct object *object = wait->object;
    if (object == NULL) {
        return;
    }
    if (wait->asleep) {
        wake(wait);
    }
    if (object->cursor == wait) {
        object->cursor = TAILQ_NEXT(wait, link);
    }
    TAILQ_REMOVE(&object->waits[wait->channel], wait, link);
    object->waiting--;
    wait->object = NULL;
    object_unref(object);
}

void object_ready(struct object *object)
{
    if (!object->is_ready && object->registry != NULL && !object->deleted) {
        object->is_ready = true;
        TAILQ_INSERT_TAIL(&object->registry->ready, object, ready);
    }
}

void object_unready(struct object *object)
{
    if (object->is_ready) {
        object->is_ready = false;
        TAILQ_REMOVE(&object->registry->ready, object, ready);
    }
}

void object_changed_for_all(struct object *object, unsigned channel)
{
    if (!TAILQ_EMPTY(&object->waits[channel])) {
        object->ask_all |= (uint8_t)(1U << channel);
    }
    object_changed(object);
}

/* A wait that slept goes to the end of the next channel, to be asked. */
static void wake_up(struct wait *wait)
{
    struct object *object = wait->object;
    wake(wait);
    TAILQ_REMOVE(&object->waits[wait->channel], wait, link);
    wait->channel++;
    TAILQ_INSERT_TAIL(&object->waits[wait->channel], wait, link);
}

void object_ask_all(struct object *object)
{
    for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
        struct wait *next;
        for (struct wait *wait = TAILQ_FIRST(&object->waits[channel]); wait != NULL; wait = next) {
            next = TAILQ_NEXT(wait, link);
            if (wait->asleep) {
                wake_up(wait);
            }
        }
    }
    object->ask_all = UINT8_MAX;
    object_ready(object);
}

void object_key_added(struct object *object, unsigned channel, uint32_t hash)
{
    if (object->sleeping == NULL) {
        return;
    }
    struct wait *next;
    struct wait *wait = object->sleeping->buckets[bucket_of(object->sleeping, hash)];
    for (; wait != NULL; wait = next) {
        next = wait->after;
        if (wait->hash == hash && wait->channel == channel) {
            wake_up(wait); /* which may free the index, but not with more of them left in it */
            object_ready(object);
        }
    }
}
