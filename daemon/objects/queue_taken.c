/*
 * queue_taken: the items of a joinable queue that are taken: done, given back, left; see queue.h.
 *
 * Tests: tests/unit/objects/test_queue.c.
 */
#include "daemon/objects/queue_private.h"

enum {
    STEPS_TAKEN = 48, /* what giving an item back takes, in steps */
    STEPS_SHOW = 16,  /* what showing one takes, besides its bytes */
};

uint32_t ticket_hash(uint64_t ticket)
{
    return (uint32_t)(ticket * 0x9e3779b97f4a7c15U >> 32);
}

static bool is_ticket(const struct ordered_entry *entry, const void *key)
{
    return entry->seq == *(const uint64_t *)key;
}

struct item *queue_ticket(const struct queue *queue, uint64_t ticket)
{
    uint32_t position = ordered_find(&queue->tickets, ticket_hash(ticket), is_ticket, &ticket);
    return position == ORDERED_NONE ? NULL : (struct item *)queue->tickets.entries[position];
}

struct item *queue_oldest_taken(const struct queue *queue, const struct tie *tie)
{
    if (tie != NULL && !TAILQ_EMPTY(&tie->taken)) {
        return TAILQ_FIRST(&tie->taken);
    }
    if (queue->options.lease_ms > 0) {
        return NULL; /* what others have taken comes back by itself */
    }
    uint32_t position = ordered_next(&queue->tickets, 0);
    return position == ORDERED_NONE ? NULL : (struct item *)queue->tickets.entries[position];
}

uint64_t queue_leave_steps(const struct queue *queue)
{
    return ordered_remove_steps(&queue->tickets, 0);
}

uint64_t queue_done(struct queue *queue, struct item *item, struct pace *pace)
{
    uint64_t ticket = item->entry.seq;
    item_leave(queue, item, pace);
    item_free(queue, item);
    uint64_t unfinished = queue_unfinished(queue);
    if (object_is_watched(&queue->object, EVENT_done)) {
        const union detail details[] = {{.uint = unfinished}, {.uint = ticket}};
        object_tell(&queue->object, EVENT_done, details);
    }
    queue_changed(queue);
    return unfinished;
}

void queue_tell_give_back(struct queue *queue, uint64_t ticket, const char *reason)
{
    if (object_is_watched(&queue->object, EVENT_give_back)) {
        const union detail details[] = {
            {.uint = queue_size(queue)}, {.uint = ticket}, {.str = reason}};
        object_tell(&queue->object, EVENT_give_back, details);
    }
}

/* The item, which stands in no place, goes where one that comes back belongs. */
static void come_back(struct queue *queue, struct item *item, int64_t delay_ms, uint64_t now)
{
    if (item->meta.expires <= now) {
        queue->expired++;
        item_free(queue, item);
    } else if (queue->options.max_deliveries > 0 &&
               item->meta.deliveries >= (uint64_t)queue->options.max_deliveries) {
        TAILQ_INSERT_TAIL(&queue->dead, item, link);
    } else if (delay_ms > 0 && heap_reserve(&queue->due) == 0) {
        uint64_t expires = item->meta.expires;
        item->state = ITEM_DELAYED;
        item->to_head = true;
        item->ready = time_after(now, delay_ms);
        queue->delayed++;
        (void)item_set_due(queue, item, item->ready < expires ? item->ready : expires);
    } else {
        item_enter(queue, item, true);
    }
}

void item_give_back(struct queue *queue, struct item *item, const char *reason, int64_t delay_ms,
                    uint64_t now, struct pace *pace)
{
    uint64_t ticket = item->entry.seq;
    bool expired = item->meta.expires <= now;
    item_leave(queue, item, pace);
    come_back(queue, item, delay_ms, now);
    queue_tell_give_back(queue, ticket, reason);
    if (expired) {
        queue_tell_size(queue, EVENT_expire);
    }
    queue_changed(queue);
}

void queue_uncount(struct queue *queue, struct item *item)
{
    item->meta.deliveries--;
    queue->gets--;
}

void queue_give_back(struct queue *queue, struct item *item, int64_t delay_ms, uint64_t now,
                     struct pace *pace)
{
    item_give_back(queue, item, "call", delay_ms, now, pace);
}

void queue_touch(struct queue *queue, struct item *item, uint64_t now)
{
    uint64_t lease = TIME_NEVER;
    if (queue->options.lease_ms > 0) {
        lease = time_after(now, queue->options.lease_ms);
    }
    (void)item_set_due(queue, item, lease); /* the heap has room: reserved when it was taken */
    object_changed(&queue->object);         /* there is nothing to be saved */
}

void queue_taken(const struct queue *queue, uint64_t start, uint64_t count,
                 bool (*show)(void *data, const struct item *item), void *data, struct pace *pace)
{
    const struct ordered *tickets = &queue->tickets;
    if (start >= tickets->live || count == 0) {
        return;
    }
    uint32_t position = ordered_next(tickets, 0);
    for (; start > 0; start--) {
        position = ordered_next(tickets, position + 1);
        pace_step(pace, 1);
    }
    while (position != ORDERED_NONE) {
        const struct item *item = (const struct item *)tickets->entries[position];
        if (!show(data, item) || --count == 0) {
            return;
        }
        pace_step(pace, STEPS_SHOW + stored_blob(item->value).bytes.len / PACE_STEP_BYTES);
        position = ordered_next(tickets, position + 1);
    }
}

uint64_t queue_taken_steps(const struct queue *queue, uint64_t start, uint64_t count)
{
    uint64_t taken = queue->tickets.live;
    if (start >= taken) {
        return 0;
    }
    return start + (taken - start < count ? taken - start : count) * STEPS_SHOW;
}

uint64_t queue_lease(const struct queue *queue, const struct item *item)
{
    return queue->options.lease_ms > 0 ? item->due : TIME_NEVER;
}

/* A session ends: the items it took go back in their old order, or count as done. */
void queue_abandon(struct object *object, struct tie *tie, uint64_t now, struct pace *pace)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    while ((item = TAILQ_LAST(&tie->taken, item_list)) != NULL &&
           object_check(object, item->tie == tie && item->state == ITEM_TAKEN,
                        "an item of a session is not taken by it")) {
        if (queue->options.discard) {
            (void)queue_done(queue, item, pace);
        } else {
            item_give_back(queue, item, "session", 0, now, pace);
        }
        pace_step(pace, STEPS_TAKEN);
    }
}

void queue_give_back_untied(struct object *object, uint64_t now)
{
    struct queue *queue = queue_of(object);
    struct item_list untied = TAILQ_HEAD_INITIALIZER(untied);
    struct item *item;
    uint32_t position = ordered_next(&queue->tickets, 0);
    for (; position != ORDERED_NONE; position = ordered_next(&queue->tickets, position + 1)) {
        item = (struct item *)queue->tickets.entries[position];
        if (item->tie == NULL) {
            TAILQ_INSERT_HEAD(&untied, item, link);
        }
    }
    while ((item = TAILQ_FIRST(&untied)) != NULL) {
        TAILQ_REMOVE(&untied, item, link);
        item_give_back(queue, item, "session", 0, now, NULL);
    }
}

bool queue_tie(struct queue *queue, uint64_t ticket, struct tie *tie)
{
    struct item *item = queue_ticket(queue, ticket);
    if (item == NULL || item->tie != NULL) {
        return false;
    }
    item->tie = tie;
    TAILQ_INSERT_TAIL(&tie->taken, item, of_tie);
    tie_claim(tie, 1);
    return true;
}
