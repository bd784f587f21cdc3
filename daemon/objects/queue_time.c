/*
 * queue_time: what time does to a queue: delays, times to live, leases, pauses.
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
        item_leave(queue, item, pace);
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
    uint64_t due = item == NULL ? TIME_NEVER : item->due;
    return queue->paused && queue->resume_at < due ? queue->resume_at : due;
}

void queue_pause(struct queue *queue, int64_t ms, uint64_t now)
{
    queue->paused = true;
    queue->resume_at = ms < 0 ? TIME_NEVER : time_after(now, ms);
    if (object_is_watched(&queue->object, EVENT_pause)) {
        const union detail details[] = {{.is = ms >= 0}, {.uint = ms < 0 ? 0 : (uint64_t)ms}};
        object_tell(&queue->object, EVENT_pause, details);
    }
    queue_changed(queue);
}

void queue_resume(struct queue *queue)
{
    if (queue->paused) {
        queue->paused = false;
        queue_tell_size(queue, EVENT_resume);
        queue_changed(queue);
    }
}

void queue_tick(struct object *object, uint64_t now, struct pace *pace)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    if (queue->paused && queue->resume_at <= now) {
        queue_resume(queue);
    }
    while ((item = heap_top(&queue->due)) != NULL && item->due <= now) {
        if (item->state == ITEM_TAKEN) {
            item_give_back(queue, item, "lease", 0, now, pace);
        } else if (item->meta.expires <= now) {
            expire(queue, item, pace);
            queue_tell_size(queue, EVENT_expire);
        } else {
            bool to_head = item->to_head;
            item_leave(queue, item, pace);
            item_enter(queue, item, to_head);
            queue_tell_size(queue, EVENT_ready);
        }
        pace_step(pace, STEPS_TICK);
    }
    queue_changed(queue);
}
