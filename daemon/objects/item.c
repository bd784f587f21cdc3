/*
 * item: the states of one item of a queue: how it gets into each, and out; see queue.h.
 *
 * An item cannot be taken out of the middle of the packed store, nor of the sorted run of a queue
 * ordered by priority: when it expires there it becomes a tombstone (state ITEM_DEAD) without a
 * value. That goes when it comes to stand at the head, or when tombstones are half of the store, or
 * of the run, which is then packed anew (queue_store.c).
 *
 * Tests: tests/unit/objects/test_queue.c.
 */
#include "daemon/objects/queue_rows.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

static size_t item_size(const struct queue *queue)
{
    return sizeof(struct item) + (queue->rows == NULL ? 0 : sizeof(struct item_row));
}

/* What an item costs, its value and its rank aside: itself and its places in the heaps and among
 * the tickets, mostly one or two. */
static uint64_t own_cost(const struct queue *queue)
{
    return allocation_cost(item_size(queue)) + 2 * HEAP_ELEMENT_COST;
}

static uint64_t item_cost(const struct queue *queue, const struct item *item)
{
    const struct blob *rank = item->meta.rank.bytes;
    return own_cost(queue) + (item->value == NULL ? 0 : blob_cost(item->value)) +
           (rank == NULL ? 0 : blob_cost(rank));
}

int item_new(struct queue *queue, struct blob *value, const struct item_meta *meta, bool always,
             struct item **out)
{
    struct item *item = value == NULL ? NULL : malloc(item_size(queue));
    if (item == NULL) {
        blob_unref(value);
        return ERR_MEMORY;
    }
    rank_ref(&meta->rank);
    *item = (struct item){.value = value,
                          .meta = *meta,
                          .due = TIME_NEVER,
                          .due_position = HEAP_NONE,
                          .heap_position = HEAP_NONE,
                          .state = ITEM_DEAD};
    if (always) {
        object_charge_always(&queue->object, item_cost(queue, item));
    } else if (object_charge(&queue->object, item_cost(queue, item)) < 0) {
        rank_unref(&item->meta.rank);
        blob_unref(value);
        free(item);
        return ERR_LIMIT;
    }
    if (queue->rows != NULL) {
        *item_row_of(item) = (struct item_row){0};
        item_row_changed(queue, item);
    }
    *out = item;
    return 0;
}

void item_free(struct queue *queue, struct item *item)
{
    if (queue->rows != NULL) {
        item_row_gone(queue, item);
    }
    object_release(&queue->object, item_cost(queue, item));
    rank_unref(&item->meta.rank);
    blob_unref(item->value);
    free(item);
}

void tombstone_free(void *queue, struct item *item)
{
    item_free(queue, item);
}

int item_set_due(struct queue *queue, struct item *item, uint64_t due)
{
    item->due = due;
    if (due == TIME_NEVER) {
        heap_remove(&queue->due, item);
        return 0;
    }
    if (item->due_position != HEAP_NONE) {
        heap_update(&queue->due, item);
        return 0;
    }
    return heap_push(&queue->due, item);
}

/* The place of an item that stands alone in queue->returned: in the middle of all there are. */
static const uint64_t middle_place = UINT64_C(1) << 62;

static void return_item(struct queue *queue, struct item *item)
{
    const struct item *first = TAILQ_FIRST(&queue->returned);
    item->state = ITEM_RETURNED;
    item->place = first == NULL ? middle_place : first->place - 1;
    TAILQ_INSERT_HEAD(&queue->returned, item, link);
}

void item_enter_returned(struct queue *queue, struct item *item)
{
    const struct item *last = TAILQ_LAST(&queue->returned, item_list);
    item->state = ITEM_RETURNED;
    item->place = last == NULL ? middle_place : last->place + 1;
    TAILQ_INSERT_TAIL(&queue->returned, item, link);
    queue->ready++;
}

/* Where an item comes to stand when it becomes ready. In a lifo queue the back is the head. */
static int place(struct queue *queue, struct item *item, bool to_head)
{
    if (queue->options.order == QUEUE_PRIORITY) {
        item->state = ITEM_HEAPED;
        return priority_push(&queue->priority, item);
    }
    if (to_head && queue->options.order == QUEUE_FIFO) {
        return_item(queue, item);
        return 0;
    }
    item->state = ITEM_PACKED;
    item->place = queue->packed.next;
    int status = store_push(queue, PACKED_ITEM, POINTER_SLICE(item), true);
    item->segment = packed_last(&queue->packed);
    return status;
}

void item_enter_first(struct queue *queue, struct item *item)
{
    return_item(queue, item);
    queue->ready++;
}

void item_enter(struct queue *queue, struct item *item, bool to_head)
{
    if (place(queue, item, to_head) < 0) {
        item_enter_first(queue, item);
    } else {
        queue->ready++;
    }
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

void item_leave(struct queue *queue, struct item *item, struct pace *pace)
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
        (void)ordered_remove(&queue->tickets, position, ticket_hash(item->entry.seq), pace);
        if (item->tie != NULL) {
            TAILQ_REMOVE(&item->tie->taken, item, of_tie);
            item->tie->holding--;
            item->tie = NULL;
        }
        break;
    }
    case ITEM_DEAD:
        break;
    }
    item->state = ITEM_DEAD;
    heap_remove(&queue->due, item);
    if (queue->rows != NULL) {
        item_row_changed(queue, item);
    }
}

/* True if the record at the head of the store is the item's. */
static bool is_head_of_store(const struct queue *queue, const struct item *item)
{
    struct packed_record record;
    return store_head(queue, &record) && record.tag == PACKED_ITEM &&
           packed_pointer(&record) == item;
}

void item_make_tombstone(struct queue *queue, struct item *item)
{
    if (queue->rows != NULL) {
        item_row_gone(queue, item);
    }
    object_release(&queue->object, item_cost(queue, item) - own_cost(queue));
    rank_unref(&item->meta.rank);
    blob_unref(item->value);
    item->value = NULL;
    item->state = ITEM_DEAD;
    heap_remove(&queue->due, item);
}

/* Of a ready item that cannot be taken out because it stands in the middle: it becomes a tombstone
 * there. */
bool item_bury(struct queue *queue, struct item *item)
{
    if (item->state == ITEM_PACKED && !is_head_of_store(queue, item)) {
        packed_hide(item->segment);
        queue->tombstones++;
    } else if (item->state == ITEM_HEAPED && priority_is_inside(&queue->priority, item)) {
        queue->priority.tombstones++;
    } else {
        return false;
    }
    item_make_tombstone(queue, item);
    queue->ready--;
    return true;
}
