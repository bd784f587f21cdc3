/* queue: the operations; see queue.h. The states of an item are in item.c. */
#include "daemon/objects/queue_private.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

/* What freeing an item takes, and giving one back, in steps. */
enum { STEPS_ITEM = 8, STEPS_TAKEN = 48 };

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

static uint32_t *due_place(void *item)
{
    return &((struct item *)item)->due_place;
}

static void queue_empty(struct object *object, struct pace *pace)
{
    struct queue *queue = queue_of(object);
    (void)queue_clear(queue, pace);
    struct item *item;
    while ((item = queue_next_dead(queue)) != NULL) {
        queue_free_dead(queue, item, true);
        pace_step(pace, STEPS_ITEM);
    }
}

static void queue_deinit(struct object *object)
{
    struct queue *queue = queue_of(object);
    object_release(object, queue->packed.cost + allocation_cost(queue->options.dead_letter.len));
    packed_deinit(&queue->packed);
    priority_deinit(&queue->priority);
    heap_deinit(&queue->due);
    ordered_deinit(&queue->tickets, NULL);
    free((void *)(uintptr_t)queue->options.dead_letter.data);
}

/* A session ends: the items it took go back in their old order, or count as done. */
static void queue_abandon(struct object *object, struct tie *tie, uint64_t now, struct pace *pace)
{
    struct queue *queue = queue_of(object);
    struct item *item;
    while ((item = TAILQ_LAST(&tie->taken, item_list)) != NULL &&
           object_check(object, item->tie == tie && item->state == ITEM_TAKEN,
                        "an item of a session is not taken by it")) {
        if (queue->options.discard) {
            (void)queue_done(queue, item);
        } else {
            item_give_back(queue, item, "session", 0, now);
        }
        pace_step(pace, STEPS_TAKEN);
    }
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
    .name = "queue",
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
    .pass_on = queue_pass_on_dead,
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
    if (status == 0) {
        status = object_init(&queue->object, &queue_type, common);
    }
    if (status == 0) {
        object_charge_always(&queue->object, allocation_cost(options->dead_letter.len));
    }
    if (status < 0) {
        free((void *)(uintptr_t)queue->options.dead_letter.data);
        free(queue);
        return status;
    }
    packed_init(&queue->packed, options->order == QUEUE_LIFO);
    priority_init(&queue->priority);
    queue->due.before = due_before;
    queue->due.place = due_place;
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
static int put_plain(struct queue *queue, struct incoming value)
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

static int put_item(struct queue *queue, struct incoming value, const struct put_options *options,
                    uint64_t now)
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
    if (queue_is_full(queue)) {
        return ERR_FULL;
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
    int status = plain ? put_plain(queue, value) : put_item(queue, value, options, now);
    if (status == 0) {
        queue->puts++;
        queue_tell_size(queue, EVENT_put);
        queue_changed(queue);
    }
    return status;
}

static void show_item(struct item *item, struct delivery *out)
{
    out->item = item;
    out->value = stored_blob(item->value);
    out->meta = item->meta;
}

static void show_record(const struct packed_record *record, struct delivery *out)
{
    switch (record->tag) {
    case PACKED_VALUE:
        out->value = (struct stored){.bytes = record->data};
        break;
    case PACKED_BLOB:
        out->value = stored_blob(packed_pointer(record));
        break;
    case PACKED_ITEM:
        show_item(packed_pointer(record), out);
        break;
    }
}

int queue_head(struct queue *queue, struct delivery *out)
{
    if (queue->ready == 0) {
        return queue_is_over(queue) ? ERR_SHUT_DOWN : ERR_EMPTY;
    }
    out->item = NULL;
    out->ticket = 0;
    out->meta = (struct item_meta){.expires = TIME_NEVER};
    struct packed_record record;
    if (!TAILQ_EMPTY(&queue->returned)) {
        show_item(TAILQ_FIRST(&queue->returned), out);
    } else if (queue->options.order == QUEUE_PRIORITY) {
        show_item(priority_first(&queue->priority), out);
    } else if (store_head(queue, &record)) {
        show_record(&record, out);
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
        const union detail details[] = {{.uint = queue->ready}, {.uint = ticket}};
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
        item_leave(queue, item);
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

uint32_t ticket_hash(uint64_t ticket)
{
    return (uint32_t)(ticket * 0x9e3779b97f4a7c15U >> 32);
}

/* A reference to a blob with the value; NULL for want of memory. */
static struct blob *keep(struct stored value)
{
    return value.blob != NULL ? blob_ref(value.blob) : blob_new(incoming_plain(value.bytes));
}

/* Makes a struct item of the head if it is none yet, standing in no place. */
static int head_item(struct queue *queue, const struct delivery *head, struct item **out)
{
    if (head->item != NULL) {
        item_leave(queue, head->item);
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

int queue_take_head(struct queue *queue, struct tie *tie, uint64_t now, struct delivery *out)
{
    struct item *item;
    if (heap_reserve(&queue->due) < 0 || ordered_reserve(&queue->tickets, 1, NULL) < 0) {
        return ERR_MEMORY;
    }
    int status = head_item(queue, out, &item);
    if (status < 0) {
        return status;
    }
    uint32_t hash = ticket_hash(queue->tickets.next_seq);
    (void)ordered_append(&queue->tickets, hash, &item->entry); /* has room */
    item->state = ITEM_TAKEN;
    item->tie = tie;
    item->meta.deliveries++;
    queue->gets++;
    TAILQ_INSERT_TAIL(&tie->taken, item, of_tie);
    tie_claim(tie, 1);
    queue_touch(queue, item, now);
    out->item = item;
    out->value = stored_blob(item->value);
    out->meta = item->meta;
    out->ticket = item->entry.seq;
    tell_get(queue, out->ticket);
    queue_changed(queue);
    return 0;
}

static void tell_give_back(struct queue *queue, uint64_t ticket, const char *reason)
{
    if (object_is_watched(&queue->object, EVENT_give_back)) {
        const union detail details[] = {{.uint = queue->ready}, {.uint = ticket}, {.str = reason}};
        object_tell(&queue->object, EVENT_give_back, details);
    }
}

void queue_put_back(struct queue *queue, struct stored value, const struct item_meta *meta)
{
    struct item *item;
    struct item_meta before = *meta;
    before.deliveries--; /* it did not arrive */
    queue->gets--;
    if (item_new(queue, keep(value), &before, true, &item) < 0) {
        queue->dropped++;
        return;
    }
    item_enter(queue, item, true);
    tell_give_back(queue, 0, "unsent");
    queue_changed(queue);
}

static bool is_ticket(const struct ordered_entry *entry, const void *key)
{
    return entry->seq == *(const uint64_t *)key;
}

struct item *queue_ticket(const struct queue *queue, uint64_t ticket)
{
    uint32_t position = ordered_find(&queue->tickets, ticket_hash(ticket), is_ticket, &ticket);
    return position == ORDERED_NONE ? NULL : (struct item *)queue->tickets.entries[position];
}

struct item *queue_oldest_taken(const struct queue *queue, const struct tie *tie)
{
    if (tie != NULL && !TAILQ_EMPTY(&tie->taken)) {
        return TAILQ_FIRST(&tie->taken);
    }
    if (queue->options.lease_ms > 0) {
        return NULL; /* what others have taken comes back by itself */
    }
    uint32_t position = ordered_next(&queue->tickets, 0);
    return position == ORDERED_NONE ? NULL : (struct item *)queue->tickets.entries[position];
}

uint64_t queue_done(struct queue *queue, struct item *item)
{
    uint64_t ticket = item->entry.seq;
    item_leave(queue, item);
    item_free(queue, item);
    uint64_t unfinished = queue_unfinished(queue);
    if (object_is_watched(&queue->object, EVENT_done)) {
        const union detail details[] = {{.uint = unfinished}, {.uint = ticket}};
        object_tell(&queue->object, EVENT_done, details);
    }
    queue_changed(queue);
    return unfinished;
}

/* The item, which stands in no place, goes where one that comes back belongs. */
static void come_back(struct queue *queue, struct item *item, int64_t delay_ms, uint64_t now)
{
    if (item->meta.expires <= now) {
        queue->expired++;
        item_free(queue, item);
    } else if (queue->options.max_deliveries > 0 &&
               item->meta.deliveries >= (uint64_t)queue->options.max_deliveries) {
        TAILQ_INSERT_TAIL(&queue->dead, item, link);
    } else if (delay_ms > 0 && heap_reserve(&queue->due) == 0) {
        uint64_t expires = item->meta.expires;
        item->state = ITEM_DELAYED;
        item->to_head = true;
        item->ready = time_after(now, delay_ms);
        queue->delayed++;
        (void)item_set_due(queue, item, item->ready < expires ? item->ready : expires);
    } else {
        item_enter(queue, item, true);
    }
}

void item_give_back(struct queue *queue, struct item *item, const char *reason, int64_t delay_ms,
                    uint64_t now)
{
    uint64_t ticket = item->entry.seq;
    bool expired = item->meta.expires <= now;
    item_leave(queue, item);
    come_back(queue, item, delay_ms, now);
    tell_give_back(queue, ticket, reason);
    if (expired) {
        queue_tell_size(queue, EVENT_expire);
    }
    queue_changed(queue);
}

void queue_give_back(struct queue *queue, struct item *item, int64_t delay_ms, uint64_t now)
{
    item_give_back(queue, item, "call", delay_ms, now);
}

void queue_touch(struct queue *queue, struct item *item, uint64_t now)
{
    uint64_t lease = TIME_NEVER;
    if (queue->options.lease_ms > 0) {
        lease = time_after(now, queue->options.lease_ms);
    }
    (void)item_set_due(queue, item, lease); /* the heap has room: reserved when it was taken */
    queue_changed(queue);
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

struct item *queue_next_dead(struct queue *queue)
{
    struct item *item = TAILQ_FIRST(&queue->dead);
    if (item != NULL) {
        TAILQ_REMOVE(&queue->dead, item, link);
    }
    return item;
}

int queue_receive_dead(struct queue *queue, const struct item *dead)
{
    if (queue->shut_down) {
        return ERR_SHUT_DOWN;
    }
    struct item_meta meta = {
        .rank = dead->meta.rank, .seq = queue->next_seq, .expires = TIME_NEVER};
    struct item *item;
    bool first = queue->ready + queue->delayed == 0;
    int status = item_new(queue, blob_ref(dead->value), &meta, false, &item);
    if (status == 0) {
        if (first) {
            queue->rank_kind = meta.rank.kind;
        }
        queue->next_seq++;
        item_enter(queue, item, false);
        queue_tell_size(queue, EVENT_put);
        queue_changed(queue);
    }
    return status;
}

void queue_free_dead(struct queue *queue, struct item *item, bool dropped)
{
    queue->dropped += dropped;
    item_free(queue, item);
    if (object_is_watched(&queue->object, EVENT_dead)) {
        const union detail detail = {.is = dropped};
        object_tell(&queue->object, EVENT_dead, &detail);
    }
    queue_changed(queue);
}
