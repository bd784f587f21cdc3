/*
 * queue_get: what stands at the head of a queue, and how it is taken or comes back there unsent;
 * see queue.h.
 *
 * Tests: tests/unit/objects/test_queue.c.
 */
#include "daemon/objects/queue_private.h"

void queue_show_item(struct item *item, struct delivery *out)
{
    out->item = item;
    out->value = stored_blob(item->value);
    out->meta = item->meta;
}

void queue_show_record(const struct packed_record *record, struct delivery *out)
{
    switch (record->tag) {
    case PACKED_VALUE:
        out->value = (struct stored){.bytes = record->data};
        break;
    case PACKED_BLOB:
        out->value = stored_blob(packed_pointer(record));
        break;
    case PACKED_ITEM:
        queue_show_item(packed_pointer(record), out);
        break;
    }
}

int queue_head(struct queue *queue, struct delivery *out)
{
    return queue->paused && !queue_is_over(queue) ? ERR_EMPTY : queue_first(queue, out);
}

int queue_first(struct queue *queue, struct delivery *out)
{
    if (queue->ready == 0) {
        return queue_is_over(queue) ? ERR_SHUT_DOWN : ERR_EMPTY;
    }
    out->item = NULL;
    out->ticket = 0;
    out->meta = (struct item_meta){.expires = TIME_NEVER};
    struct packed_record record;
    if (!TAILQ_EMPTY(&queue->returned)) {
        queue_show_item(TAILQ_FIRST(&queue->returned), out);
    } else if (queue->options.order == QUEUE_PRIORITY) {
        queue_show_item(priority_first(&queue->priority), out);
    } else if (store_head(queue, &record)) {
        queue_show_record(&record, out);
    } else {
        object_seal(&queue->object, "its count says that there are items, and there are none");
        return ERR_INTERNAL;
    }
    out->meta.deliveries++;
    return 0;
}

/* The struct item that is at the head; NULL: the head is a value without one, in *record. */
static struct item *head_of_items(const struct queue *queue, struct packed_record *record)
{
    if (!TAILQ_EMPTY(&queue->returned)) {
        return TAILQ_FIRST(&queue->returned);
    }
    if (queue->options.order == QUEUE_PRIORITY) {
        return priority_first(&queue->priority);
    }
    (void)store_head(queue, record);
    return record->tag == PACKED_ITEM ? packed_pointer(record) : NULL;
}

/* The head is a value without a struct item: takes its record out of the store. */
static void drop_record(struct queue *queue, const struct packed_record *record)
{
    struct blob *blob = record->tag == PACKED_BLOB ? packed_pointer(record) : NULL;
    if (blob != NULL) {
        object_release(&queue->object, blob_cost(blob));
        blob_unref(blob);
    }
    queue->ready--;
    store_pop(queue);
}

/* An item has been taken. */
static void tell_get(struct queue *queue, uint64_t ticket)
{
    if (object_is_watched(&queue->object, EVENT_get)) {
        const union detail details[] = {{.uint = queue_size(queue)}, {.uint = ticket}};
        object_tell(&queue->object, EVENT_get, details);
    }
}

void queue_discard_head(struct queue *queue)
{
    struct packed_record record;
    struct item *item = head_of_items(queue, &record);
    if (item == NULL) {
        drop_record(queue, &record);
    } else {
        item_leave(queue, item, NULL);
        item_free(queue, item);
    }
}

void queue_drop_head(struct queue *queue)
{
    queue->gets++;
    queue_discard_head(queue);
    tell_get(queue, 0);
    queue_changed(queue);
}

/* A reference to a blob with the value; NULL for want of memory. */
static struct blob *keep(struct stored value)
{
    return value.blob != NULL ? blob_ref(value.blob) : blob_new(incoming_plain(value.bytes));
}

int queue_head_item(struct queue *queue, const struct delivery *head, struct item **out)
{
    if (head->item != NULL) {
        item_leave(queue, head->item, NULL);
        *out = head->item;
        return 0;
    }
    struct item_meta meta = {.expires = TIME_NEVER, .seq = queue->next_seq};
    int status = item_new(queue, keep(head->value), &meta, true, out);
    if (status == 0) {
        struct packed_record record;
        (void)store_head(queue, &record);
        drop_record(queue, &record);
    }
    return status;
}

uint64_t queue_take_steps(const struct queue *queue)
{
    return ordered_has_room(&queue->tickets) ? 0 : ordered_reserve_steps(&queue->tickets, 1);
}

void queue_take_item(struct queue *queue, struct item *item, struct tie *tie, uint64_t now)
{
    uint32_t hash = ticket_hash(queue->tickets.next_seq);
    (void)ordered_append(&queue->tickets, hash, &item->entry); /* has room */
    item->state = ITEM_TAKEN;
    item->tie = tie;
    item->taken = now;
    item->meta.deliveries++;
    queue->gets++;
    TAILQ_INSERT_TAIL(&tie->taken, item, of_tie);
    tie_claim(tie, 1);
    queue_touch(queue, item, now);
    tell_get(queue, item->entry.seq);
    queue_changed(queue);
}

int queue_take_head(struct queue *queue, struct tie *tie, uint64_t now, struct delivery *out,
                    struct pace *pace)
{
    struct item *item;
    if (heap_reserve(&queue->due) < 0 || ordered_reserve(&queue->tickets, 1, pace) < 0) {
        return ERR_MEMORY;
    }
    int status = queue_head_item(queue, out, &item);
    if (status < 0) {
        return status;
    }
    queue_take_item(queue, item, tie, now);
    queue_show_item(item, out);
    out->ticket = item->entry.seq;
    return 0;
}

int queue_return(struct queue *queue, struct incoming value)
{
    struct item_meta meta = {.expires = TIME_NEVER};
    struct item *item;
    int status = item_new(queue, blob_new(value), &meta, false, &item);
    if (status < 0) {
        return status;
    }
    object_settle(&queue->object, true);
    item_enter_first(queue, item);
    queue->puts++;
    queue_tell_size(queue, EVENT_put);
    queue_changed(queue);
    return 0;
}

void queue_put_back(struct queue *queue, struct stored value, const struct item_meta *meta)
{
    struct item *item;
    struct item_meta before = *meta;
    object_settle(&queue->object, true); /* what follows it is at the head */
    before.deliveries--;                 /* it did not arrive */
    queue->gets--;
    if (item_new(queue, keep(value), &before, true, &item) < 0) {
        queue->dropped++;
        return;
    }
    item_enter(queue, item, true);
    queue_tell_give_back(queue, 0, "unsent");
    queue_changed(queue);
}
