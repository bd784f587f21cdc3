/*
 * queue: the object, putting and shutting down; see queue.h. Getting is in queue_get.c, what can be
 * got without a call in queue_ahead.c, what is taken in queue_taken.c, what time does in
 * queue_time.c, clearing in queue_clear.c, looking in queue_view.c; the states of one item are in
 * item.c, the packed store in queue_store.c.
 *
 * Tests: test_queue.c and model_queue.c in tests/unit/objects/, test_queue*.c in
 * tests/unit/methods/.
 */
#include "daemon/objects/queue_rows.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

enum { STEPS_DEAD = 8 /* what freeing a dead item takes */ };

/* True if what is due goes to the head: a lease that is over, a delay after a give_back. */
static bool goes_to_head(const struct item *item)
{
    return item->state == ITEM_TAKEN || (item->state == ITEM_DELAYED && item->to_head);
}

/* Items that are due at the same time come to stand in their old order: those for the tail in the
 * order of arrival, those for the head the last one first, by the ticket that they had. */
static bool due_before(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    if (x->due != y->due) {
        return x->due < y->due;
    }
    if (goes_to_head(x) != goes_to_head(y)) {
        return goes_to_head(y);
    }
    return goes_to_head(x) ? x->entry.seq > y->entry.seq : x->meta.seq < y->meta.seq;
}

static uint32_t *due_position(void *item)
{
    return &((struct item *)item)->due_position;
}

/* A taken item that is nobody's: the queue has been loaded, and that is all. */
static struct item *oldest_untied(const struct queue *queue)
{
    uint32_t position = ordered_next(&queue->tickets, 0);
    struct item *item =
        position == ORDERED_NONE ? NULL : (struct item *)queue->tickets.entries[position];
    return item == NULL || item->tie != NULL ? NULL : item;
}

static void queue_empty(struct object *object, struct pace *pace)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    queue_loading_free(queue);
    (void)queue_clear(queue, pace);
    while ((item = oldest_untied(queue)) != NULL) {
        item_leave(queue, item, pace);
        item_free(queue, item);
        pace_step(pace, STEPS_DEAD);
    }
    while ((item = queue_next_dead(queue)) != NULL) {
        queue_free_dead(queue, item, true);
        pace_step(pace, STEPS_DEAD);
    }
}

/* What it costs whatever is in it. */
static uint64_t fixed_cost(const struct queue *queue)
{
    size_t rows = queue->rows == NULL ? 0 : allocation_cost(sizeof(*queue->rows));
    return rows + allocation_cost(queue->options.dead_letter.len);
}

static void queue_deinit(struct object *object)
{
    struct queue *queue = queue_of(object);
    object_release(object, queue->packed.cost + fixed_cost(queue));
    queue_rows_free(queue);
    packed_deinit(&queue->packed);
    priority_deinit(&queue->priority);
    heap_deinit(&queue->due);
    ordered_deinit(&queue->tickets, NULL);
    free((void *)(uintptr_t)queue->options.dead_letter.data);
}

static size_t queue_describe_claims(const struct tie *tie, struct buffer *out)
{
    pack_key_uint(out, "tickets", tie->holding);
    return 1;
}

/* An answer with an item of a plain queue never left; `note` is its struct item_meta. */
static void queue_put_back_noted(struct object *object, struct stored value, const void *note)
{
    queue_put_back(queue_of(object), value, note);
}

static void queue_forget_noted(const void *note)
{
    struct item_meta meta = *(const struct item_meta *)note;
    rank_unref(&meta.rank);
}

static uint64_t queue_weight(const struct object *object)
{
    return queue_unfinished((const struct queue *)object);
}

_Static_assert(sizeof(struct item_meta) <= 64, "it fits an output's note");

const struct object_type queue_type = {
    .kind = OBJECT_QUEUE,
    .size = sizeof(struct queue),
    .deinit = queue_deinit,
    .clear = queue_empty,
    .describe = queue_describe,
    .due = queue_due,
    .tick = queue_tick,
    .abandon = queue_abandon,
    .describe_claims = queue_describe_claims,
    .weight = queue_weight,
    .put_back = queue_put_back_noted,
    .forget = queue_forget_noted,
    .refuse_name = queue_refuse_name,
    .pass_on = queue_pass_on_dead,
    .save_options = queue_save_options,
    .make = queue_make,
    .save = queue_save,
    .load = queue_load,
    .loaded = queue_loaded,
    .give_back_untied = queue_give_back_untied,
    .save_claims = queue_save_claims,
    .load_claims = queue_load_claims,
    .save_note = queue_save_note,
    .load_note = queue_load_note,
    .durable = true,
    .settle = queue_settle,
};

static int copy_options(struct queue *queue, const struct queue_options *options)
{
    queue->options = *options;
    struct slice name = options->dead_letter;
    queue->options.dead_letter = (struct slice){0};
    if (name.len > 0) {
        uint8_t *copy = malloc(name.len);
        if (copy == NULL) {
            return ERR_MEMORY;
        }
        memcpy(copy, name.data, name.len);
        queue->options.dead_letter = (struct slice){copy, name.len};
    }
    return 0;
}

int queue_new(const struct object_options *common, const struct queue_options *options,
              struct queue **out)
{
    struct queue *queue = calloc(1, sizeof(*queue));
    if (queue == NULL) {
        return ERR_MEMORY;
    }
    int status = copy_options(queue, options);
    if (status == 0 && common->lifetime == LIFETIME_DURABLE) {
        status = queue_rows_new(queue);
    }
    if (status == 0) {
        status = object_init(&queue->object, &queue_type, common);
    }
    if (status == 0) {
        object_charge_always(&queue->object, fixed_cost(queue));
    }
    if (status < 0) {
        queue_rows_free(queue);
        free((void *)(uintptr_t)queue->options.dead_letter.data);
        free(queue);
        return status;
    }
    packed_init(&queue->packed, options->order == QUEUE_LIFO);
    priority_init(&queue->priority);
    queue->due.before = due_before;
    queue->due.position = due_position;
    ordered_init(&queue->tickets);
    TAILQ_INIT(&queue->returned);
    TAILQ_INIT(&queue->dead);
    *out = queue;
    return 0;
}

bool queue_is_full(const struct queue *queue)
{
    return queue->options.maxsize > 0 &&
           queue->ready + queue->delayed >= (uint64_t)queue->options.maxsize;
}

uint64_t queue_room(const struct queue *queue)
{
    if (queue->options.maxsize <= 0) {
        return UINT64_MAX;
    }
    return queue_is_full(queue) ? 0
                                : (uint64_t)queue->options.maxsize - queue->ready - queue->delayed;
}

uint64_t queue_unfinished(const struct queue *queue)
{
    return queue->ready + queue->delayed + queue->tickets.live;
}

/* Takes over the reference, also when it fails. */
static int push_blob(struct queue *queue, struct blob *blob)
{
    int status = object_charge(&queue->object, blob_cost(blob));
    if (status == 0) {
        status = store_push(queue, PACKED_BLOB, POINTER_SLICE(blob), false);
        if (status < 0) {
            object_release(&queue->object, blob_cost(blob));
        }
    }
    if (status < 0) {
        blob_unref(blob);
    }
    return status;
}

/* A value with nothing to remember: packed as it is, or as a blob if it must be one. */
__attribute__((always_inline)) static inline int put_plain(struct queue *queue,
                                                           struct incoming value)
{
    struct blob *blob = NULL;
    int status = 0;
    if (value.origin != NULL || value.bytes.len >= BLOB_MIN) {
        status = blob_if_needed(value, &blob);
    }
    if (status < 0) {
        return status;
    }
    if (blob == NULL) {
        status = store_push(queue, PACKED_VALUE, value.bytes, false);
    } else {
        status = push_blob(queue, blob);
    }
    if (status == 0) {
        queue->ready++;
    }
    return status;
}

int queue_put_plain(struct queue *queue, struct incoming value)
{
    return put_plain(queue, value);
}

/* A value with something to remember. Apart, so that the put of one without stays small. */
__attribute__((noinline)) static int put_item(struct queue *queue, struct incoming value,
                                              const struct put_options *options, uint64_t now)
{
    struct item_meta meta = {.rank = options->rank, .expires = TIME_NEVER};
    if (options->ttl_ms > 0) {
        meta.expires = time_after(now, options->ttl_ms);
    }
    struct item *item;
    int status = item_new(queue, blob_new(value), &meta, false, &item);
    if (status == 0 && (heap_reserve(&queue->due) < 0 || priority_reserve(&queue->priority) < 0)) {
        item_free(queue, item);
        status = ERR_MEMORY;
    }
    if (status < 0) {
        return status;
    }
    item->meta.seq = queue->next_seq++;
    if (options->delay_ms == 0) {
        item_enter(queue, item, false);
        return 0;
    }
    item->state = ITEM_DELAYED;
    item->ready = time_after(now, options->delay_ms);
    queue->delayed++;
    return item_set_due(queue, item, item->ready < meta.expires ? item->ready : meta.expires);
}

int queue_put(struct queue *queue, struct incoming value, const struct put_options *options,
              uint64_t now)
{
    if (queue->shut_down) {
        return ERR_SHUT_DOWN;
    }
    if (__builtin_expect(queue_is_full(queue), 0)) {
        object_settle(&queue->object, true); /* there may be room, and who waits for it is woken */
        if (queue_is_full(queue)) {
            return ERR_FULL;
        }
    }
    static const struct put_options none = {0};
    if (options == NULL) {
        options = &none;
    }
    bool ranked = queue->options.order == QUEUE_PRIORITY;
    if (ranked && options->rank.kind != queue->rank_kind) {
        if (queue->ready + queue->delayed > 0) {
            return ERR_TYPE;
        }
        queue->rank_kind = options->rank.kind;
    }
    bool plain =
        queue->options.order != QUEUE_PRIORITY && options->delay_ms == 0 && options->ttl_ms == 0;
    if (__builtin_expect(!plain, 0)) {
        object_settle(&queue->object, true); /* time may bring it to the head */
    }
    int status = plain ? put_plain(queue, value) : put_item(queue, value, options, now);
    if (__builtin_expect(status == ERR_LIMIT && queue->object.reserved != NULL, 0)) {
        object_settle(&queue->object, true); /* what is taken is not stored any more */
        status = queue_put_plain(queue, value);
    }
    if (status == 0) {
        queue->puts++;
        queue_tell_size(queue, EVENT_put);
        queue_changed(queue);
    }
    return status;
}

void queue_shutdown(struct queue *queue, bool immediate, bool drain, struct pace *pace)
{
    queue->shut_down = true;
    queue->drain = drain;
    if (object_is_watched(&queue->object, EVENT_shutdown)) {
        const union detail detail = {.is = immediate};
        object_tell(&queue->object, EVENT_shutdown, &detail);
    }
    if (immediate) {
        (void)queue_clear(queue, pace);
    }
    queue_changed(queue);
}
