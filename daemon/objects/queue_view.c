/* queue_view: what looks at a queue without changing it, and clearing; see queue.h. */
#include "daemon/objects/queue_private.h"

#include <stdlib.h>

/* What is left of a walk over the items in get order. */
struct walk {
    uint64_t skip;
    uint64_t count;
    bool (*show)(void *data, struct stored value);
    void *data;
};

/* One item; false when the walk is over. */
static bool step(struct walk *walk, struct stored value)
{
    if (walk->skip > 0) {
        walk->skip--;
        return true;
    }
    if (walk->count == 0) {
        return false;
    }
    walk->count--;
    return walk->show(walk->data, value) && walk->count > 0;
}

static bool step_item(struct walk *walk, const struct item *item)
{
    return step(walk, stored_blob(item->value));
}

static bool step_record(struct walk *walk, const struct packed_record *record)
{
    const struct item *item;
    switch (record->tag) {
    case PACKED_BLOB:
        return step(walk, stored_blob(packed_pointer(record)));
    case PACKED_ITEM:
        item = packed_pointer(record);
        return item->state == ITEM_DEAD || step_item(walk, item);
    case PACKED_VALUE:
        break;
    }
    return step(walk, (struct stored){.bytes = record->data});
}

static int by_priority(const void *a, const void *b)
{
    const struct item_meta *x = &(*(const struct item *const *)a)->meta;
    const struct item_meta *y = &(*(const struct item *const *)b)->meta;
    int order = rank_compare(&x->rank, &y->rank);
    return order != 0 ? order : x->seq < y->seq ? -1 : 1;
}

/* The heap is sorted only as far as a get needs: a copy of it is sorted for the walk. */
static int walk_heap(const struct queue *queue, struct walk *walk)
{
    uint32_t len = queue->heap.len;
    if (len == 0) {
        return 0;
    }
    if (walk->skip == 0 && walk->count == 1) {
        (void)step_item(walk, heap_top(&queue->heap));
        return 0;
    }
    struct item **items = malloc(len * sizeof(struct item *));
    if (items == NULL) {
        return ERR_MEMORY;
    }
    memcpy(items, queue->heap.elements, len * sizeof(struct item *));
    qsort(items, len, sizeof(struct item *), by_priority);
    for (uint32_t i = 0; i < len && step_item(walk, items[i]); i++) {
    }
    free(items);
    return 0;
}

int queue_peek(const struct queue *queue, uint64_t start, uint64_t count,
               bool (*show)(void *data, struct stored value), void *data)
{
    struct walk walk = {start, count, show, data};
    if (start >= queue->ready || count == 0) {
        return 0;
    }
    const struct item *item;
    TAILQ_FOREACH (item, &queue->returned, link) {
        if (!step_item(&walk, item)) {
            return 0;
        }
    }
    if (queue->options.order == QUEUE_PRIORITY) {
        return walk_heap(queue, &walk);
    }
    bool from_back = queue->options.order == QUEUE_LIFO;
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(&queue->packed, from_back);
    while (packed_next(&queue->packed, &cursor, from_back, &record) &&
           step_record(&walk, &record)) {
    }
    return 0;
}

/* Frees a delayed item; says true of all others, which have leases or times to live. */
static bool keep_others(void *data, void *element)
{
    struct queue *queue = data;
    struct item *item = element;
    if (item->state != ITEM_DELAYED) {
        return true;
    }
    queue->delayed--;
    item_free(queue, item);
    return false;
}

uint64_t queue_clear(struct queue *queue)
{
    uint64_t removed = queue->ready + queue->delayed;
    while (queue->ready > 0) {
        queue_discard_head(queue);
    }
    if (queue->delayed > 0) {
        heap_filter(&queue->due, keep_others, queue);
    }
    if (removed > 0 && object_is_watched(&queue->object, EVENT_clear)) {
        const union detail count = {.uint = removed};
        object_tell(&queue->object, EVENT_clear, &count);
    }
    queue_changed(queue);
    return removed;
}

static const char *order_name(enum queue_order order)
{
    switch (order) {
    case QUEUE_FIFO:
        return "fifo";
    case QUEUE_LIFO:
        return "lifo";
    case QUEUE_PRIORITY:
        return "priority";
    }
    return "fifo";
}

size_t queue_describe(const struct object *object, struct buffer *out)
{
    const struct queue *queue = (const struct queue *)object;
    const struct queue_options *options = &queue->options;
    pack_key_int(out, "maxsize", options->maxsize);
    pack_key_string(out, "order", order_name(options->order));
    pack_key_bool(out, "joinable", options->joinable);
    pack_key_string(out, "on_disconnect", options->discard ? "discard" : "requeue");
    pack_key_int(out, "lease_ms", options->lease_ms);
    pack_key_int(out, "max_deliveries", options->max_deliveries);
    pack_string(out, "dead_letter");
    if (options->dead_letter.len > 0) {
        pack_str(out, options->dead_letter);
    } else {
        pack_nil(out);
    }
    pack_key_uint(out, "size", queue->ready);
    pack_key_uint(out, "unfinished", queue_unfinished(queue));
    pack_key_uint(out, "taken", queue->tickets.live);
    pack_key_uint(out, "delayed", queue->delayed);
    pack_key_uint(out, "puts", queue->puts);
    pack_key_uint(out, "gets", queue->gets);
    pack_key_uint(out, "dropped", queue->dropped);
    pack_key_uint(out, "expired", queue->expired);
    pack_key_bool(out, "shut_down", queue->shut_down);
    pack_key_bool(out, "drain", queue->drain);
    return 17;
}
