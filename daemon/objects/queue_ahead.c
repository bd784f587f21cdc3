/*
 * queue_ahead: items at the head of a queue that one session may take without a call.
 *
 * They are reserved: the session is told their values with an answer to its get, and takes one
 * after the other by counting in its page (ahead_page.h). Until the queue learns of it they stand
 * where they stood, charged and counted; and it learns of it, and ends the reservation if need be,
 * before anybody else does anything with the queue or looks at it (object_settle). What was not
 * taken by then are items as all others: nobody has waited for them, and nobody can tell that they
 * were reserved.
 *
 * So that this is exact, it is done only where what is taken changes nothing for others who are not
 * there: nobody waits for room, nobody watches, and time changes nothing. Items that are put at the
 * tail make no difference, and are no reason to look. The first `count` of a queue of order fifo
 * are the reserved ones; those of a joinable queue are struct items in queue->returned already, and
 * their tickets are the next ones, as nobody else takes any.
 *
 * How many it makes sense to reserve is learned: more as long as all are taken, fewer or none for a
 * while if others come before that, since then it was work for nothing.
 *
 * Tests: tests/unit/methods/test_queue_ahead.c, tests/system/test_client_ahead.c.
 */
#include "daemon/objects/queue_private.h"

enum {
    RESERVED_FIRST = 4,
    RESERVED_MOST = 128,
    VALUE_MOST = 1024,  /* bytes of one */
    BYTES_MOST = 16384, /* and of all */
    PAUSE_FIRST = 32,
    PAUSE_MOST = 1024,
    TICKET_STEPS = 2048, /* that making room for tickets may take */
};

/* Whether anything of the queue can be reserved now. */
static bool is_simple(const struct queue *queue)
{
    const struct object *object = &queue->object;
    const struct queue_options *options = &queue->options;
    return options->order == QUEUE_FIFO && options->lease_ms == 0 && options->max_deliveries == 0 &&
           !queue->shut_down && !queue->paused && queue->due.len == 0 && object->watched == 0 &&
           object->hold == NULL && object->reserved == NULL && !object->deleted &&
           object->lifetime != LIFETIME_DURABLE && TAILQ_EMPTY(&object->waits[QUEUE_PUTTERS]);
}

/* Whether an item can be one of those that are reserved; *bytes is how much those before it have.
 */
static bool fits(const struct delivery *item, uint64_t *bytes)
{
    const struct blob *blob = item->value.blob;
    *bytes += item->value.bytes.len;
    return item->value.bytes.len <= VALUE_MOST && *bytes <= BYTES_MOST &&
           item->meta.expires == TIME_NEVER && (blob == NULL || blob->attachments == NULL);
}

static void show_item(struct item *item, struct delivery *out)
{
    queue_show_item(item, out);
    out->ticket = 0;
}

static void show_record(const struct packed_record *record, struct delivery *out)
{
    *out = (struct delivery){.meta = {.expires = TIME_NEVER}};
    queue_show_record(record, out);
}

/* An item that has expired in the middle: it has no value to be shown. */
static bool is_tombstone(const struct packed_record *record)
{
    return record->tag == PACKED_ITEM &&
           ((const struct item *)packed_pointer(record))->state == ITEM_DEAD;
}

/* The item at the head of the packed store goes to the end of queue->returned. ERR_MEMORY. */
static int unpack_head(struct queue *queue, struct delivery *head)
{
    struct item *item = head->item;
    int status = 0;
    if (item != NULL) {
        item_leave(queue, item, NULL);
    } else {
        status = queue_head_item(queue, head, &item);
    }
    if (status == 0) {
        item_enter_returned(queue, item);
    }
    return status;
}

/* Those in the packed store that can be reserved, `most` at the most; of a joinable queue they are
 * struct items then. */
static uint32_t reserve_packed(struct queue *queue, uint32_t most, uint64_t bytes)
{
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(&queue->packed, false);
    struct delivery item;
    uint32_t count = 0;
    while (count < most) {
        bool more = queue->options.joinable ? store_head(queue, &record)
                                            : packed_next(&queue->packed, &cursor, false, &record);
        if (!more || is_tombstone(&record)) {
            break;
        }
        show_record(&record, &item);
        if (!fits(&item, &bytes) || (queue->options.joinable && unpack_head(queue, &item) < 0)) {
            break;
        }
        count++;
    }
    return count;
}

/* How many of the first items can be reserved, `most` at the most. */
static uint32_t reserve_items(struct queue *queue, uint32_t most)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    struct item *item;
    TAILQ_FOREACH (item, &queue->returned, link) {
        struct delivery shown;
        show_item(item, &shown);
        if (count == most || !fits(&shown, &bytes)) {
            return count;
        }
        count++;
    }
    return count + reserve_packed(queue, most - count, bytes);
}

/* Makes room for the tickets of `count` items, so that they can be taken without asking for memory;
 * or of fewer, if that would take long. How many. */
static uint32_t reserve_tickets(struct queue *queue, uint32_t count)
{
    if (!queue->options.joinable) {
        return count;
    }
    while (count > 0 && ordered_reserve_steps(&queue->tickets, count) > TICKET_STEPS) {
        count /= 2;
    }
    return ordered_reserve(&queue->tickets, count, NULL) == 0 ? count : 0;
}

uint32_t queue_reserve(struct queue *queue, struct tie *tie, struct ahead_page *page, uint64_t most,
                       uint64_t now, unsigned *slot, uint32_t *generation)
{
    struct ahead *ahead = &queue->ahead;
    if (queue->ready == 0 || most == 0 || !is_simple(queue)) {
        return 0;
    }
    if (ahead->pause > 0) {
        ahead->pause--;
        return 0;
    }
    ahead->most = ahead->most == 0 ? RESERVED_FIRST : ahead->most;
    uint32_t count = reserve_items(queue, most < ahead->most ? (uint32_t)most : ahead->most);
    count = reserve_tickets(queue, count);
    int used = count > 0 ? ahead_page_use(page, &queue->object) : -1;
    if (used < 0) {
        return 0;
    }
    ahead->page = page;
    ahead->slot = (unsigned)used;
    ahead->count = count;
    ahead->taken = 0;
    ahead->since = now;
    queue->object.reserved = tie;
    *slot = ahead->slot;
    *generation = page->generations[used];
    return count;
}

void queue_show_reserved(const struct queue *queue,
                         void (*show)(void *data, const struct delivery *item), void *data)
{
    struct delivery shown;
    struct item *item;
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(&queue->packed, false);
    uint32_t left = queue->ahead.count;
    uint64_t ticket = queue->options.joinable ? queue->tickets.next_seq : 0;
    TAILQ_FOREACH (item, &queue->returned, link) {
        if (left == 0) {
            return;
        }
        show_item(item, &shown);
        shown.meta.deliveries++;
        shown.ticket = ticket > 0 ? ticket++ : 0;
        show(data, &shown);
        left--;
    }
    for (; left > 0 && packed_next(&queue->packed, &cursor, false, &record); left--) {
        show_record(&record, &shown);
        shown.meta.deliveries++;
        show(data, &shown);
    }
}

/* The session has taken the item at the head: of a joinable queue it has it now. There is room for
 * its ticket, unless there is no memory at all: the room may have been given back meanwhile. Then
 * the item counts as dropped, and its number as used. */
static void take_one(struct queue *queue, struct tie *tie)
{
    if (!queue->options.joinable) {
        queue_drop_head(queue);
        return;
    }
    struct item *item = TAILQ_FIRST(&queue->returned);
    item_leave(queue, item, NULL);
    if (ordered_reserve(&queue->tickets, 1, NULL) == 0) {
        queue_take_item(queue, item, tie, queue->ahead.since);
        return;
    }
    queue->tickets.next_seq++;
    queue->gets++;
    queue->dropped++;
    item_free(queue, item);
    queue_changed(queue);
}

/* A reservation is over: what the next one is to be. */
static void learn(struct ahead *ahead)
{
    if (ahead->taken == ahead->count) {
        ahead->most = ahead->count < RESERVED_MOST / 2 ? ahead->count * 2 : RESERVED_MOST;
        ahead->next_pause = PAUSE_FIRST;
    } else if (ahead->taken >= ahead->count / 2) {
        ahead->most = ahead->taken > RESERVED_FIRST ? ahead->taken : RESERVED_FIRST;
    } else {
        ahead->most = RESERVED_FIRST;
        ahead->pause = ahead->next_pause > 0 ? ahead->next_pause : PAUSE_FIRST;
        ahead->next_pause = ahead->pause < PAUSE_MOST ? ahead->pause * 2 : PAUSE_MOST;
    }
}

/* Whether the first `count` items are there. */
static bool are_there(struct queue *queue, uint32_t count)
{
    return object_check(&queue->object,
                        queue->ready >= count &&
                            (!queue->options.joinable || !TAILQ_EMPTY(&queue->returned)),
                        "items of it are reserved, and there are none");
}

void queue_settle(struct object *object, bool whole)
{
    struct queue *queue = queue_of(object);
    struct ahead *ahead = &queue->ahead;
    struct tie *tie = object->reserved;
    whole = whole || object_is_sealed(object);
    uint32_t taken = whole ? ahead_page_end(ahead->page, ahead->slot, ahead->count)
                           : ahead_page_taken(ahead->page, ahead->slot, ahead->count);
    if (whole) {
        object->reserved = NULL;
    }
    while (ahead->taken < taken && !object_is_sealed(object) && are_there(queue, 1)) {
        take_one(queue, tie);
        ahead->taken++;
    }
    if (whole) {
        ahead->page = NULL;
        learn(ahead);
    }
}
