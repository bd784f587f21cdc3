/*
 * queue_store: the packed store of a queue, with what it costs its owner, and without tombstones
 * (item.c) at its head or too many in it.
 *
 * Tests: tests/unit/objects/test_queue.c.
 */
#include "daemon/objects/queue_rows.h"

enum { TOMBSTONES_MIN = 64 };

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

void store_pop_one(struct queue *queue)
{
    uint64_t before = queue->packed.cost;
    if (queue->options.order == QUEUE_LIFO) {
        packed_pop_back(&queue->packed);
        if (queue->rows != NULL && queue->rows->saved > queue->packed.next) {
            queue->rows->saved = queue->packed.next;
        }
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

void store_trim(struct queue *queue)
{
    struct packed_record record;
    while (queue->tombstones > 0 && store_head(queue, &record) && is_tombstone(&record)) {
        struct item *item = packed_pointer(&record);
        packed_show(item->segment);
        tombstone_free(queue, item);
        queue->tombstones--;
        store_pop_one(queue);
    }
}

void store_pop(struct queue *queue)
{
    store_pop_one(queue);
    store_trim(queue);
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
    for (uint64_t number = copy->first; packed_next(copy, &cursor, false, &record); number++) {
        if (record.tag == PACKED_ITEM) {
            struct item *item = packed_pointer(&record);
            item->segment = packed_segment_of(&cursor);
            item->place = number;
            if (queue->rows != NULL) {
                item_row_changed(queue, item);
            }
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
void store_compact(struct queue *queue, struct pace *pace)
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
    packed_number(&packed, queue->packed.next); /* no number means another record than it did */
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
