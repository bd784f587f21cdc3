/*
 * queue_time: what time does to the items of a queue: delays, times to live, leases.
 *
 * Tests: tests/unit/objects/test_queue.c.
 */
#include "daemon/objects/queue_private.h"

enum { STEPS_TICK = 64 /* what one item that is due takes */ };

/* An item's time to live is over. */
static void expire(struct queue *queue, struct item *item, struct pace *pace)
{
    queue->expired++;
    if (item_bury(queue, item)) {
        store_compact(queue, pace);
    } else {
        item_leave(queue, item);
        item_free(queue, item);
    }
}

uint64_t queue_due(const struct object *object)
{
    const struct queue *queue = (const struct queue *)object;
    if (!TAILQ_EMPTY(&queue->dead)) {
        return queue->pass_on_at; /* they are to go to the dead letter queue */
    }
    const struct item *item = heap_top(&queue->due);
    return item == NULL ? TIME_NEVER : item->due;
}

void queue_tick(struct object *object, uint64_t now, struct pace *pace)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    while ((item = heap_top(&queue->due)) != NULL && item->due <= now) {
        if (item->state == ITEM_TAKEN) {
            item_give_back(queue, item, "lease", 0, now);
        } else if (item->meta.expires <= now) {
            expire(queue, item, pace);
            queue_tell_size(queue, EVENT_expire);
        } else {
            bool to_head = item->to_head;
            item_leave(queue, item);
            item_enter(queue, item, to_head);
            queue_tell_size(queue, EVENT_ready);
        }
        pace_step(pace, STEPS_TICK);
    }
    queue_changed(queue);
}
