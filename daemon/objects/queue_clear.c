/*
 * queue_clear: drops what is queued and delayed; see queue.h.
 *
 * Tests: tests/unit/objects/test_queue.c.
 */
#include "daemon/objects/queue_private.h"

enum { STEPS_ITEM = 8 /* what freeing an item takes */ };

/* Of an item that time changes, when the queue is cleared: true if it is taken. A delayed one is
 * freed; a ready one, which has a time to live, leaves the heap of what is due. */
static bool keep_taken(void *data, void *element)
{
    struct queue *queue = data;
    struct item *item = element;
    if (item->state == ITEM_DELAYED) {
        queue->delayed--;
        item_free(queue, item);
        return false;
    }
    return item->state == ITEM_TAKEN;
}

/* Frees the items of a queue ordered by priority, in no order. */
static void clear_priority(struct queue *queue, struct pace *pace)
{
    uint64_t cost = priority_cost(&queue->priority);
    struct item *item;
    while ((item = priority_take_any(&queue->priority)) != NULL) {
        queue->ready -= item->state != ITEM_DEAD;
        item_free(queue, item);
        pace_step(pace, STEPS_ITEM);
    }
    item_recharge_run(queue, cost);
}

uint64_t queue_clear(struct queue *queue, struct pace *pace)
{
    uint64_t removed = queue->ready + queue->delayed;
    if (removed > 0) {
        heap_filter(&queue->due, keep_taken, queue, pace);
        clear_priority(queue, pace);
    }
    struct delivery head;
    while (queue->ready > 0 && queue_first(queue, &head) == 0) {
        queue_discard_head(queue);
        pace_step(pace, STEPS_ITEM);
    }
    (void)object_check(&queue->object, queue->ready + queue->delayed == 0,
                       "it is empty and its counts are not 0");
    if (removed > 0 && object_is_watched(&queue->object, EVENT_clear)) {
        const union detail count = {.uint = removed};
        object_tell(&queue->object, EVENT_clear, &count);
    }
    queue_changed(queue);
    return removed;
}

uint64_t queue_clear_steps(const struct queue *queue)
{
    return (queue->ready + queue->delayed + queue->tombstones) * STEPS_ITEM + queue->due.len;
}
