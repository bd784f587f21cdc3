/*
 * queue_rows: what a durable queue knows of its rows, and how they are saved; see queue_rows.h.
 *
 * Tests: tests/unit/objects/test_queue_rows.c and model_queue.c.
 */
#include "daemon/objects/queue_rows.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

int queue_rows_new(struct queue *queue)
{
    struct queue_rows *rows = calloc(1, sizeof(*rows));
    if (rows == NULL) {
        return ERR_MEMORY;
    }
    TAILQ_INIT(&rows->unsaved);
    TAILQ_INIT(&rows->touched);
    rows->next_chunk = 1;
    rows->next_value = 1;
    queue->rows = rows;
    return 0;
}

void queue_rows_free(struct queue *queue)
{
    struct queue_rows *rows = queue->rows;
    struct item_chunk *chunk;
    if (rows == NULL) {
        return;
    }
    while ((chunk = TAILQ_FIRST(&rows->touched)) != NULL) {
        item_chunk_dissolve(queue, chunk);
    }
    if (rows->cap > 0) {
        object_release(&queue->object, allocation_cost(rows->cap * sizeof(*rows->chunks)));
    }
    changes_deinit(&rows->values);
    free(rows->chunks);
    free(rows);
    queue->rows = NULL;
}

/* Chunks of items. */

static size_t chunk_size(uint32_t cap)
{
    return sizeof(struct item_chunk) + (cap + (size_t)7) / 8;
}

struct item_chunk *item_chunk_new(struct queue *queue, uint64_t number, uint32_t count)
{
    struct item_chunk *chunk = calloc(1, chunk_size(count));
    if (chunk != NULL) {
        object_charge_always(&queue->object, allocation_cost(chunk_size(count)));
        TAILQ_INIT(&chunk->items);
        chunk->number = number;
        chunk->cap = count;
    }
    return chunk;
}

void item_chunk_touch(struct queue_rows *rows, struct item_chunk *chunk)
{
    if (!chunk->is_touched) {
        chunk->is_touched = true;
        TAILQ_INSERT_TAIL(&rows->touched, chunk, touched);
    }
}

static void set_gone(struct item_chunk *chunk, uint32_t index)
{
    chunk->gone[index / 8] |= (uint8_t)(1U << index % 8);
}

static void leave_list(struct queue_rows *rows, struct item_row *row)
{
    struct item_chunk *chunk = row->chunk;
    if (!row->is_listed) {
        return;
    }
    row->is_listed = false;
    row->chunk = NULL;
    if (chunk == NULL) {
        TAILQ_REMOVE(&rows->unsaved, row, link);
        return;
    }
    TAILQ_REMOVE(&chunk->items, row, link);
    set_gone(chunk, row->index);
    chunk->live--;
    item_chunk_touch(rows, chunk);
}

void item_chunk_skip(struct item_chunk *chunk)
{
    set_gone(chunk, chunk->count++);
}

void item_chunk_add(struct queue_rows *rows, struct item_chunk *chunk, struct item *item)
{
    struct item_row *row = item_row_of(item);
    TAILQ_REMOVE(&rows->unsaved, row, link);
    row->chunk = chunk;
    row->index = chunk->count++;
    chunk->live++;
    TAILQ_INSERT_TAIL(&chunk->items, row, link);
}

static void join_unsaved(struct queue_rows *rows, struct item_row *row)
{
    row->chunk = NULL;
    row->is_listed = true;
    TAILQ_INSERT_TAIL(&rows->unsaved, row, link);
}

void item_row_changed(struct queue *queue, struct item *item)
{
    struct item_row *row = item_row_of(item);
    leave_list(queue->rows, row);
    join_unsaved(queue->rows, row);
}

void item_row_gone(struct queue *queue, struct item *item)
{
    struct item_row *row = item_row_of(item);
    leave_list(queue->rows, row);
    if (row->value != 0 && changes_note(&queue->rows->values, row->value) < 0) {
        queue->object.unsaved |= UNSAVED_ALL;
    }
    row->value = 0;
}

void item_chunk_dissolve(struct queue *queue, struct item_chunk *chunk)
{
    struct queue_rows *rows = queue->rows;
    struct item_row *row;
    if (chunk->is_touched) {
        TAILQ_REMOVE(&rows->touched, chunk, touched);
    }
    while ((row = TAILQ_FIRST(&chunk->items)) != NULL) {
        TAILQ_REMOVE(&chunk->items, row, link);
        join_unsaved(rows, row);
    }
    object_release(&queue->object, allocation_cost(chunk_size(chunk->cap)));
    free(chunk);
}

/* Chunks of records. */

int record_chunk_add(struct queue *queue, uint64_t first, uint64_t end)
{
    struct queue_rows *rows = queue->rows;
    if (rows->end == rows->cap && rows->begin > rows->cap / 2) {
        memmove(rows->chunks, rows->chunks + rows->begin,
                (rows->end - rows->begin) * sizeof(*rows->chunks));
        rows->end -= rows->begin;
        rows->begin = 0;
    }
    if (rows->end == rows->cap) {
        size_t cap = rows->cap + rows->cap / 2 + 8;
        struct record_chunk *chunks = realloc(rows->chunks, cap * sizeof(*chunks));
        if (chunks == NULL) {
            return ERR_MEMORY;
        }
        object_charge_always(&queue->object, allocation_cost(cap * sizeof(*chunks)));
        object_release(&queue->object, allocation_cost(rows->cap * sizeof(*chunks)));
        rows->chunks = chunks;
        rows->cap = cap;
    }
    rows->chunks[rows->end++] = (struct record_chunk){first, end};
    return 0;
}

/* All items. */

static int each_packed(const struct queue *queue, int (*show)(void *data, struct item *item),
                       void *data)
{
    struct packed_record record;
    struct packed_cursor cursor = packed_begin(&queue->packed, false);
    int status = 0;
    while (status == 0 && packed_next(&queue->packed, &cursor, false, &record)) {
        if (record.tag == PACKED_ITEM) {
            struct item *item = packed_pointer(&record);
            status = item->state == ITEM_DEAD ? 0 : show(data, item);
        }
    }
    return status;
}

static int each_of_priority(const struct priority *priority,
                            int (*show)(void *data, struct item *item), void *data)
{
    int status = 0;
    for (uint32_t i = 0; i < priority->heap.len && status == 0; i++) {
        status = show(data, priority->heap.elements[i]);
    }
    for (uint32_t i = priority->begin; i < priority->end && status == 0; i++) {
        struct item *item = priority->run[i];
        status = item->state == ITEM_DEAD ? 0 : show(data, item);
    }
    return status;
}

static int each_delayed(const struct heap *due, int (*show)(void *data, struct item *item),
                        void *data)
{
    int status = 0;
    for (uint32_t i = 0; i < due->len && status == 0; i++) {
        struct item *item = due->elements[i];
        status = item->state == ITEM_DELAYED ? show(data, item) : 0;
    }
    return status;
}

static int each_taken(const struct ordered *tickets, int (*show)(void *data, struct item *item),
                      void *data)
{
    int status = 0;
    uint32_t position = ordered_next(tickets, 0);
    while (position != ORDERED_NONE && status == 0) {
        status = show(data, (struct item *)tickets->entries[position]);
        position = ordered_next(tickets, position + 1);
    }
    return status;
}

int queue_each_item(const struct queue *queue, int (*show)(void *data, struct item *item),
                    void *data)
{
    struct item *item;
    int status = each_packed(queue, show, data);
    TAILQ_FOREACH (item, &queue->returned, link) {
        status = status == 0 ? show(data, item) : status;
    }
    TAILQ_FOREACH (item, &queue->dead, link) {
        status = status == 0 ? show(data, item) : status;
    }
    status = status == 0 ? each_of_priority(&queue->priority, show, data) : status;
    status = status == 0 ? each_delayed(&queue->due, show, data) : status;
    return status == 0 ? each_taken(&queue->tickets, show, data) : status;
}

static int forget_item(void *data, struct item *item)
{
    struct queue *queue = data;
    struct item_row *row = item_row_of(item);
    row->value = 0;
    if (row->chunk != NULL) {
        item_chunk_dissolve(queue, row->chunk);
    }
    return 0;
}

void queue_rows_forget(struct queue *queue)
{
    struct queue_rows *rows = queue->rows;
    struct item_chunk *chunk;
    (void)queue_each_item(queue, forget_item, queue);
    while ((chunk = TAILQ_FIRST(&rows->touched)) != NULL) {
        item_chunk_dissolve(queue, chunk); /* of which nothing is left */
    }
    changes_deinit(&rows->values);
    rows->begin = 0;
    rows->end = 0;
    rows->saved = queue->packed.first;
    rows->next_chunk = 1;
    rows->next_value = 1;
}
