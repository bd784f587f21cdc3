/*
 * queue_load_places: puts the items of a queue that has been read where they belong; see
 * queue_rows.h.
 *
 * Tests: tests/unit/objects/test_queue_rows.c and model_queue.c, tests/fuzz/fuzz_rows.c.
 */
#include "daemon/objects/queue_loading.h"

#include <stdlib.h>

static uint64_t where_is(const struct item *item)
{
    return item->state == (ITEM_RETURNED | UNPLACED) ? item->place : item->entry.seq;
}

static int by_where(const void *a, const void *b)
{
    uint64_t x = where_is(*(struct item *const *)a);
    uint64_t y = where_is(*(struct item *const *)b);
    return x < y ? -1 : x > y;
}

/* Puts an item that is to stand where its own time or rank says. */
static int place_by_itself(struct queue *queue, struct item *item)
{
    int status = heap_reserve(&queue->due);
    status = status < 0 ? status : priority_reserve(&queue->priority);
    if (status < 0) {
        return status;
    }
    switch (item->state & ~UNPLACED) {
    case ITEM_DELAYED:
        item->state = ITEM_DELAYED;
        queue->delayed++;
        return item_set_due(queue, item,
                            item->ready < item->meta.expires ? item->ready : item->meta.expires);
    case ITEM_HEAPED:
        item->state = ITEM_HEAPED;
        queue->ready++;
        (void)priority_push(&queue->priority, item);
        return item_set_due(queue, item, item->meta.expires);
    case ITEM_DEAD:
        item->state = ITEM_DEAD;
        TAILQ_INSERT_TAIL(&queue->dead, item, link);
        return 0;
    default:
        return 0;
    }
}

/* Puts an item that is to stand behind those that came before it. */
static int place_in_order(struct queue *queue, struct item *item, bool *bad)
{
    int status = heap_reserve(&queue->due);
    status = status < 0 ? status : ordered_reserve(&queue->tickets, 1, NULL);
    if (status < 0) {
        return status;
    }
    if (item->state == (ITEM_RETURNED | UNPLACED)) {
        uint64_t place = item->place;
        item_enter_returned(queue, item);
        item->place = place; /* as its row says */
        return item_set_due(queue, item, item->meta.expires);
    }
    uint64_t ticket = item->entry.seq;
    if (ticket < queue->tickets.next_seq || ticket >= queue->loading->marks.next_ticket) {
        *bad = true;
        return 0;
    }
    queue->tickets.next_seq = ticket;
    item->state = ITEM_TAKEN;
    (void)ordered_append(&queue->tickets, ticket_hash(ticket), &item->entry); /* there is room */
    return item_set_due(queue, item, item->due);
}

int queue_load_places(struct queue *queue, bool *bad)
{
    struct queue_loading *loading = queue->loading;
    int status = 0;
    for (size_t i = 0; i < loading->count && status == 0; i++) {
        if ((loading->items[i]->state & UNPLACED) != 0) {
            status = place_by_itself(queue, loading->items[i]);
        }
    }
    size_t left = 0;
    for (size_t i = 0; i < loading->count; i++) {
        if ((loading->items[i]->state & UNPLACED) != 0) {
            loading->items[left++] = loading->items[i];
        }
    }
    loading->count = left;
    if (left > 1) {
        qsort(loading->items, left, sizeof(struct item *), by_where);
    }
    for (size_t i = 0; i < left && status == 0 && !*bad; i++) {
        status = place_in_order(queue, loading->items[i], bad);
    }
    return status;
}
