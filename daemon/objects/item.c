/*
 * item: the states of one item of a queue, and what time does to it; see queue.h.
 *
 * An item in the packed store cannot be taken out of the middle: when it expires there it becomes
 * a tombstone (state ITEM_DEAD) without a value, which goes when it comes to stand at an end, or
 * when tombstones are half of the store and the store is packed anew.
 */
#include "daemon/objects/queue_private.h"

#include <stdlib.h>

enum { NS_PER_MS = 1000000, TOMBSTONES_MIN = 64 };

/* What the memory of an item costs, its value aside. */
enum { ITEM_COST = sizeof(struct item) + 16 };

uint64_t time_after(uint64_t now, int64_t ms)
{
    uint64_t wait;
    uint64_t then;
    if (__builtin_mul_overflow((uint64_t)ms, NS_PER_MS, &wait) ||
        __builtin_add_overflow(now, wait, &then)) {
        return UINT64_MAX;
    }
    return then;
}

static uint64_t item_cost(const struct item *item)
{
    const struct blob *rank = item->meta.rank.bytes;
    return ITEM_COST + blob_cost(item->value) + (rank == NULL ? 0 : blob_cost(rank));
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
                          .due = UINT64_MAX,
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
    if (due == UINT64_MAX) {
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
        free(packed_pointer(&record));
        queue->tombstones--;
        pop_one(queue);
    }
}

void store_pop(struct queue *queue)
{
    pop_one(queue);
    trim(queue);
}

/* Packs the store anew without its tombstones, when they are many. */
static void compact(struct queue *queue)
{
    if (queue->tombstones < TOMBSTONES_MIN || queue->tombstones < queue->packed.count / 2) {
        return;
    }
    struct packed packed;
    struct packed_record record;
    packed_init(&packed, queue->packed.both_ends);
    struct packed_cursor cursor = packed_begin(&queue->packed, false);
    while (packed_next(&queue->packed, &cursor, false, &record)) {
        if (!is_tombstone(&record) && packed_push(&packed, record.tag, record.data) < 0) {
            packed_deinit(&packed);
            return; /* the tombstones stay for now */
        }
    }
    cursor = packed_begin(&queue->packed, false);
    while (packed_next(&queue->packed, &cursor, false, &record)) {
        if (is_tombstone(&record)) {
            free(packed_pointer(&record));
        }
    }
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
        return heap_push(&queue->heap, item);
    }
    if (to_head && queue->options.order == QUEUE_FIFO) {
        item->state = ITEM_RETURNED;
        TAILQ_INSERT_HEAD(&queue->returned, item, link);
        return 0;
    }
    item->state = ITEM_PACKED;
    return store_push(queue, PACKED_ITEM, POINTER_SLICE(item), true);
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

static void leave_store(struct queue *queue, struct item *item)
{
    struct packed_record record;
    if (store_head(queue, &record) && record.tag == PACKED_ITEM &&
        packed_pointer(&record) == item) {
        store_pop(queue);
    }
}

void item_leave(struct queue *queue, struct item *item)
{
    switch ((enum item_state)item->state) {
    case ITEM_DELAYED:
        queue->delayed--;
        break;
    case ITEM_PACKED:
        leave_store(queue, item);
        queue->ready--;
        break;
    case ITEM_RETURNED:
        TAILQ_REMOVE(&queue->returned, item, link);
        queue->ready--;
        break;
    case ITEM_HEAPED:
        heap_remove(&queue->heap, item);
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

/* A ready item's time to live is over. In the middle of the store it leaves a tombstone. */
static void expire(struct queue *queue, struct item *item)
{
    queue->expired++;
    struct packed_record record;
    bool in_middle =
        item->state == ITEM_PACKED && !(store_head(queue, &record) && record.tag == PACKED_ITEM &&
                                        packed_pointer(&record) == item);
    if (!in_middle) {
        item_leave(queue, item);
        item_free(queue, item);
        return;
    }
    item->state = ITEM_DEAD;
    heap_remove(&queue->due, item);
    queue->ready--;
    queue->tombstones++;
    object_release(&queue->object, item_cost(item));
    rank_unref(&item->meta.rank);
    blob_unref(item->value);
    item->value = NULL;
    compact(queue);
}

uint64_t queue_due(const struct object *object)
{
    const struct queue *queue = (const struct queue *)object;
    if (!TAILQ_EMPTY(&queue->dead)) {
        return queue->pass_on_at; /* they are to go to the dead letter queue */
    }
    const struct item *item = heap_top(&queue->due);
    return item == NULL ? UINT64_MAX : item->due;
}

bool queue_tick(struct object *object, uint64_t now, struct pace *pace)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    bool changed = false;
    while ((item = heap_top(&queue->due)) != NULL && item->due <= now) {
        changed = true;
        if (item->state == ITEM_TAKEN) {
            item_give_back(queue, item, "lease", 0, now);
        } else if (item->meta.expires <= now) {
            expire(queue, item);
            queue_tell_size(queue, EVENT_expire);
        } else {
            bool to_head = item->to_head;
            item_leave(queue, item);
            item_enter(queue, item, to_head);
            queue_tell_size(queue, EVENT_ready);
        }
    }
    queue_changed(queue);
    return changed;
}
