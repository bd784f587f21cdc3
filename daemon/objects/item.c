/*
 * item: the states of one item of a queue, and what time does to it; see queue.h.
 *
 * An item cannot be taken out of the middle of the packed store, nor of the sorted run of a queue
 * ordered by priority: when it expires there it becomes a tombstone (state ITEM_DEAD) without a
 * value. That goes when it comes to stand at the head, or when tombstones are half of the store, or
 * of the run, which is then packed anew.
 */
#include "daemon/objects/queue_private.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

enum { TOMBSTONES_MIN = 64, STEPS_TICK = 64 /* what one item that is due takes */ };

/* What an item costs, its value and its rank aside: itself and its places in the heaps and among
 * the tickets, mostly one or two. */
static uint64_t own_cost(void)
{
    return allocation_cost(sizeof(struct item)) + 2 * HEAP_ELEMENT_COST;
}

static uint64_t item_cost(const struct item *item)
{
    const struct blob *rank = item->meta.rank.bytes;
    return own_cost() + (item->value == NULL ? 0 : blob_cost(item->value)) +
           (rank == NULL ? 0 : blob_cost(rank));
}

int item_new(struct queue *queue, struct blob *value, const struct item_meta *meta, bool always,
             struct item **out)
{
    struct item *item = value == NULL ? NULL : malloc(sizeof(*item));
    if (item == NULL) {
        blob_unref(value);
        return ERR_MEMORY;
    }
    rank_ref(&meta->rank);
    *item = (struct item){.value = value,
                          .meta = *meta,
                          .due = TIME_NEVER,
                          .due_place = HEAP_NONE,
                          .heap_place = HEAP_NONE,
                          .state = ITEM_DEAD};
    if (always) {
        object_charge_always(&queue->object, item_cost(item));
    } else if (object_charge(&queue->object, item_cost(item)) < 0) {
        rank_unref(&item->meta.rank);
        blob_unref(value);
        free(item);
        return ERR_LIMIT;
    }
    *out = item;
    return 0;
}

void item_free(struct queue *queue, struct item *item)
{
    object_release(&queue->object, item_cost(item));
    rank_unref(&item->meta.rank);
    blob_unref(item->value);
    free(item);
}

int item_set_due(struct queue *queue, struct item *item, uint64_t due)
{
    item->due = due;
    if (due == TIME_NEVER) {
        heap_remove(&queue->due, item);
        return 0;
    }
    if (item->due_place != HEAP_NONE) {
        heap_update(&queue->due, item);
        return 0;
    }
    return heap_push(&queue->due, item);
}

int store_push(struct queue *queue, enum packed_tag tag, struct slice data, bool always)
{
    uint64_t cost = packed_push_cost(&queue->packed, data.len);
    if (cost > 0 && always) {
        object_charge_always(&queue->object, cost);
    } else if (cost > 0 && object_charge(&queue->object, cost) < 0) {
        return ERR_LIMIT;
    }
    int status = packed_push(&queue->packed, tag, data);
    if (status < 0) {
        object_release(&queue->object, cost);
    }
    return status;
}

bool store_head(const struct queue *queue, struct packed_record *out)
{
    return queue->options.order == QUEUE_LIFO ? packed_back(&queue->packed, out)
                                              : packed_front(&queue->packed, out);
}

static void pop_one(struct queue *queue)
{
    uint64_t before = queue->packed.cost;
    if (queue->options.order == QUEUE_LIFO) {
        packed_pop_back(&queue->packed);
    } else {
        packed_pop_front(&queue->packed);
    }
    if (queue->packed.cost != before) {
        object_release(&queue->object, before - queue->packed.cost);
    }
}

static bool is_tombstone(const struct packed_record *record)
{
    return record->tag == PACKED_ITEM &&
           ((const struct item *)packed_pointer(record))->state == ITEM_DEAD;
}

/* Removes tombstones that stand at the head. */
static void trim(struct queue *queue)
{
    struct packed_record record;
    while (queue->tombstones > 0 && store_head(queue, &record) && is_tombstone(&record)) {
        struct item *item = packed_pointer(&record);
        packed_show(item->segment);
        tombstone_free(queue, item);
        queue->tombstones--;
        pop_one(queue);
    }
}

void store_pop(struct queue *queue)
{
    pop_one(queue);
    trim(queue);
}

/* Moves what is no tombstone into another store. 0 or ERR_MEMORY. */
static int copy_store(const struct queue *queue, struct packed *out, struct pace *pace)
{
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(&queue->packed, false);
    int status = 0;
    while (status == 0 && packed_next(&queue->packed, &cursor, false, &record)) {
        if (!is_tombstone(&record)) {
            status = packed_push(out, record.tag, record.data);
        }
        pace_step(pace, 1 + record.data.len / PACE_STEP_BYTES);
    }
    return status;
}

/* The items of a store that is about to be replaced: tombstones are freed, and all others, which
 * have been copied, learn their new segments. */
static void leave_old_store(struct queue *queue, const struct packed *copy, struct pace *pace)
{
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(&queue->packed, false);
    while (packed_next(&queue->packed, &cursor, false, &record)) {
        if (is_tombstone(&record)) {
            tombstone_free(queue, packed_pointer(&record));
        }
        pace_step(pace, 1);
    }
    cursor = packed_begin(copy, false);
    while (packed_next(copy, &cursor, false, &record)) {
        if (record.tag == PACKED_ITEM) {
            struct item *item = packed_pointer(&record);
            item->segment = packed_segment_of(&cursor);
        }
        pace_step(pace, 1);
    }
}

/* True if tombstones are so many among `all` that they are worth a walk over all. */
static bool are_many(uint64_t tombstones, uint64_t all)
{
    return tombstones >= TOMBSTONES_MIN && tombstones >= all / 2;
}

/* Packs the store anew without its tombstones, or cleans the run, when they are many. For want of
 * memory they stay for now. */
static void compact(struct queue *queue, struct pace *pace)
{
    const struct priority *priority = &queue->priority;
    if (are_many(priority->tombstones, priority_run(priority))) {
        uint64_t before = priority_cost(priority);
        priority_clean(&queue->priority, tombstone_free, queue, pace);
        item_recharge_run(queue, before);
    }
    if (!are_many(queue->tombstones, packed_count(&queue->packed))) {
        return;
    }
    struct packed packed;
    packed_init(&packed, queue->packed.both_ends);
    if (copy_store(queue, &packed, pace) < 0) {
        packed_deinit(&packed);
        return;
    }
    leave_old_store(queue, &packed, pace);
    object_charge_always(&queue->object, packed.cost);
    object_release(&queue->object, queue->packed.cost);
    packed_take_over(&queue->packed, &packed);
    queue->tombstones = 0;
}

/* Where an item comes to stand when it becomes ready. In a lifo queue the back is the head. */
static int place(struct queue *queue, struct item *item, bool to_head)
{
    if (queue->options.order == QUEUE_PRIORITY) {
        item->state = ITEM_HEAPED;
        return priority_push(&queue->priority, item);
    }
    if (to_head && queue->options.order == QUEUE_FIFO) {
        item->state = ITEM_RETURNED;
        TAILQ_INSERT_HEAD(&queue->returned, item, link);
        return 0;
    }
    item->state = ITEM_PACKED;
    int status = store_push(queue, PACKED_ITEM, POINTER_SLICE(item), true);
    item->segment = packed_last(&queue->packed);
    return status;
}

void item_enter(struct queue *queue, struct item *item, bool to_head)
{
    if (place(queue, item, to_head) < 0) {
        item->state = ITEM_RETURNED;
        TAILQ_INSERT_HEAD(&queue->returned, item, link);
    }
    queue->ready++;
    (void)item_set_due(queue, item, item->meta.expires);
}

void item_recharge_run(struct queue *queue, uint64_t before)
{
    uint64_t after = priority_cost(&queue->priority);
    if (__builtin_expect(after > before, 0)) {
        object_charge_always(&queue->object, after - before);
    } else if (__builtin_expect(after < before, 0)) {
        object_release(&queue->object, before - after);
    }
}

/* Takes a ready item out of queue->priority. */
static void leave_priority(struct queue *queue, struct item *item)
{
    uint64_t before = priority_cost(&queue->priority);
    priority_remove(&queue->priority, item, tombstone_free, queue);
    item_recharge_run(queue, before);
}

/* True if the record at the head of the store is the item's. */
static bool is_head_of_store(const struct queue *queue, const struct item *item)
{
    struct packed_record record;
    return store_head(queue, &record) && record.tag == PACKED_ITEM &&
           packed_pointer(&record) == item;
}

void tombstone_free(void *queue, struct item *item)
{
    item_free(queue, item);
}

void item_leave(struct queue *queue, struct item *item)
{
    switch ((enum item_state)item->state) {
    case ITEM_DELAYED:
        queue->delayed--;
        break;
    case ITEM_PACKED:
        store_pop(queue);
        queue->ready--;
        break;
    case ITEM_RETURNED:
        TAILQ_REMOVE(&queue->returned, item, link);
        queue->ready--;
        break;
    case ITEM_HEAPED:
        leave_priority(queue, item);
        queue->ready--;
        break;
    case ITEM_TAKEN: {
        uint32_t position = ordered_from_seq(&queue->tickets, item->entry.seq);
        (void)ordered_remove(&queue->tickets, position, ticket_hash(item->entry.seq), NULL);
        TAILQ_REMOVE(&item->tie->taken, item, of_tie);
        item->tie->holding--;
        item->tie = NULL;
        break;
    }
    case ITEM_DEAD:
        break;
    }
    item->state = ITEM_DEAD;
    heap_remove(&queue->due, item);
}

/* Of a ready item that cannot be taken out because it stands in the middle: it becomes a tombstone
 * there. */
static bool bury(struct queue *queue, struct item *item)
{
    if (item->state == ITEM_PACKED && !is_head_of_store(queue, item)) {
        packed_hide(item->segment);
        queue->tombstones++;
    } else if (item->state == ITEM_HEAPED && priority_is_inside(&queue->priority, item)) {
        queue->priority.tombstones++;
    } else {
        return false;
    }
    object_release(&queue->object, item_cost(item) - own_cost());
    rank_unref(&item->meta.rank);
    blob_unref(item->value);
    item->value = NULL;
    item->state = ITEM_DEAD;
    heap_remove(&queue->due, item);
    queue->ready--;
    return true;
}

/* An item's time to live is over. */
static void expire(struct queue *queue, struct item *item, struct pace *pace)
{
    queue->expired++;
    if (bury(queue, item)) {
        compact(queue, pace);
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
