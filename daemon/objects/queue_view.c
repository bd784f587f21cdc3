/*
 * queue_view: what looks at a queue without changing it; see queue.h.
 *
 * Tests: tests/unit/objects/test_queue.c.
 */
#include "daemon/objects/queue_private.h"

enum {
    STEPS_SHOW = 4,   /* what showing a value takes, besides its bytes */
    STEPS_SORT = 64,  /* what taking one more out of the heap takes */
    SORT_BLOCK = 1024 /* how many items of a heap are sorted out before they are shown */
};

enum { NS_PER_MS = 1000000 };

/* What is left of a walk over the items in get order. */
struct walk {
    uint64_t skip;
    uint64_t count; /* at least 1 while it goes on */
    bool (*show)(void *data, struct stored value);
    void *data;
    struct pace *pace;
};

/* One item; false when the walk is over. */
static bool step(struct walk *walk, struct stored value)
{
    if (walk->skip > 0) {
        walk->skip--;
        pace_step(walk->pace, 1);
        return true;
    }
    walk->count--;
    bool more = walk->show(walk->data, value) && walk->count > 0;
    pace_step(walk->pace, STEPS_SHOW + value.bytes.len / PACE_STEP_BYTES);
    return more;
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

/* The items in the store; whole segments of it are skipped at once. */
static void walk_packed(const struct queue *queue, struct walk *walk)
{
    bool from_back = queue->options.order == QUEUE_LIFO;
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(&queue->packed, from_back);
    packed_skip(&queue->packed, &cursor, from_back, &walk->skip, walk->pace);
    while (packed_next(&queue->packed, &cursor, from_back, &record) && step_record(walk, &record)) {
    }
}

/* The items of a queue ordered by priority: those that are to be shown, and those before them, are
 * brought into order a block at a time. */
static int walk_priority(struct queue *queue, struct walk *walk)
{
    struct priority *priority = &queue->priority;
    if (walk->skip == 0 && walk->count == 1) {
        (void)step_item(walk, priority_first(priority));
        return 0;
    }
    uint64_t cost = priority_cost(priority);
    priority_clean(priority, tombstone_free, queue, walk->pace);
    uint64_t position = walk->skip;
    uint64_t sorted = 0;
    int status = 0;
    walk->skip = 0;
    for (bool more = true; more; position++) {
        if (position >= sorted) {
            uint64_t block = walk->count < SORT_BLOCK ? walk->count : SORT_BLOCK;
            status = priority_sort(priority, position + block, walk->pace);
            sorted = position + block;
        }
        more = status == 0 && position < priority_run(priority) &&
               step_item(walk, priority_at(priority, position));
    }
    item_recharge_run(queue, cost);
    return status;
}

/* Ready items that are not in `returned`. */
static uint64_t stored(const struct queue *queue)
{
    const struct priority *priority = &queue->priority;
    return packed_count(&queue->packed) - queue->tombstones + priority->heap.len +
           priority_run(priority) - priority->tombstones;
}

int queue_peek(struct queue *queue, uint64_t start, uint64_t count,
               bool (*show)(void *data, struct stored value), void *data, struct pace *pace)
{
    struct walk walk = {start, count, show, data, pace};
    if (start >= queue->ready || count == 0) {
        return 0;
    }
    uint64_t returned = queue->ready - stored(queue);
    const struct item *item;
    if (start >= returned) {
        walk.skip -= returned;
    } else {
        TAILQ_FOREACH (item, &queue->returned, link) {
            if (!step_item(&walk, item)) {
                return 0;
            }
        }
    }
    if (stored(queue) == 0) {
        return 0;
    }
    if (queue->options.order == QUEUE_PRIORITY) {
        return walk_priority(queue, &walk);
    }
    walk_packed(queue, &walk);
    return 0;
}

uint64_t queue_peek_steps(const struct queue *queue, uint64_t start, uint64_t count)
{
    if (start >= queue->ready || count == 0) {
        return 0;
    }
    uint64_t shown = queue->ready - start < count ? queue->ready - start : count;
    uint64_t returned = queue->ready - stored(queue);
    uint64_t passed = start < returned ? start : 0;
    uint64_t sorted = 0;
    if (queue->options.order == QUEUE_PRIORITY && start + shown > 1) {
        uint32_t heap = queue->priority.heap.len;
        sorted = start + shown < heap ? start + shown : heap;
        passed += queue->priority.tombstones > 0 ? priority_run(&queue->priority) : 0;
    }
    return passed + shown * STEPS_SHOW + sorted * STEPS_SORT;
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

/* False, true, or how many milliseconds more. */
static void pack_paused(const struct queue *queue, struct buffer *out, uint64_t now)
{
    uint64_t left = queue->resume_at > now ? queue->resume_at - now : 0;
    pack_string(out, "paused");
    if (queue->paused && queue->resume_at != TIME_NEVER) {
        pack_uint(out, left / NS_PER_MS + (left % NS_PER_MS > 0));
    } else {
        pack_bool(out, queue->paused);
    }
}

size_t queue_describe(const struct object *object, struct buffer *out, uint64_t now)
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
    pack_key_uint(out, "size", queue_size(queue));
    pack_key_uint(out, "queued", queue->ready);
    pack_key_uint(out, "unfinished", queue_unfinished(queue));
    pack_key_uint(out, "taken", queue->tickets.live);
    pack_key_uint(out, "delayed", queue->delayed);
    pack_key_uint(out, "puts", queue->puts);
    pack_key_uint(out, "gets", queue->gets);
    pack_key_uint(out, "dropped", queue->dropped);
    pack_key_uint(out, "expired", queue->expired);
    pack_key_bool(out, "shut_down", queue->shut_down);
    pack_key_bool(out, "drain", queue->drain);
    pack_paused(queue, out, now);
    return 19;
}
