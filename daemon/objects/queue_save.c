/*
 * queue_save: puts the rows of a queue; see queue_rows.h.
 *
 * Tests: tests/unit/objects/test_queue_rows.c and model_queue.c.
 */
#include "daemon/objects/queue_rows.h"

#include <stdlib.h>

struct saving {
    struct queue *queue;
    const struct row_writer *out;
    const struct moment *now;
    struct buffer buffer; /* the chunk that is being packed */
    struct buffer other;  /* any other row */
    uint32_t count;       /* in the chunk */
    size_t array;         /* where the header of a chunk of items stands */
    uint64_t number;      /* the chunk's, or that of its first record */
};

static int put_row(const struct saving *saving, enum queue_row what, uint64_t number,
                   const struct buffer *value)
{
    struct row_key key;
    return row_put(saving->out, row_key(&key, (uint8_t)what, number), value);
}

static int remove_row(const struct saving *saving, enum queue_row what, uint64_t number)
{
    struct row_key key;
    return saving->out->remove(saving->out->data, row_key(&key, (uint8_t)what, number));
}

static int save_state(struct saving *saving)
{
    queue_pack_state(saving->queue, saving->now, &saving->other);
    return put_row(saving, ROW_STATE, 0, &saving->other);
}

/* Items. */

/* True if the chunk is to be put before the next one is added. */
static bool is_full(const struct saving *saving)
{
    return saving->count == CHUNK_ITEMS || saving->buffer.len >= CHUNK_BYTES;
}

static int put_note(struct saving *saving, const struct item_chunk *chunk)
{
    row_begin(&saving->other);
    pack_bin(&saving->other, (struct slice){chunk->gone, (chunk->count + (size_t)7) / 8});
    return put_row(saving, ROW_NOTE, chunk->number, &saving->other);
}

/* A chunk has lost items. If more than half of them are gone, so is the chunk. */
static int save_touched(struct saving *saving, struct item_chunk *chunk)
{
    struct queue_rows *rows = saving->queue->rows;
    int status = 0;
    if (chunk->live > 0 && chunk->live * 2 >= chunk->count) {
        status = put_note(saving, chunk);
        if (status == 0) {
            chunk->has_note = true;
            chunk->is_touched = false;
            TAILQ_REMOVE(&rows->touched, chunk, touched);
        }
        return status;
    }
    status = remove_row(saving, ROW_ITEMS, chunk->number);
    if (status == 0 && chunk->has_note) {
        status = remove_row(saving, ROW_NOTE, chunk->number);
    }
    if (status == 0) {
        item_chunk_dissolve(saving->queue, chunk);
    }
    return status;
}

static int save_gone_values(struct saving *saving)
{
    struct changes *values = &saving->queue->rows->values;
    int status = 0;
    changes_sort(values);
    for (size_t i = 0; i < values->len && status == 0; i++) {
        status = remove_row(saving, ROW_VALUE, values->numbers[i]);
    }
    changes_deinit(values);
    return status;
}

/* A long value that has no row yet gets one. */
static int save_value(struct saving *saving, struct item *item)
{
    struct item_row *row = item_row_of(item);
    if (row->value != 0 || item->value->len < VALUE_ALONE) {
        return 0;
    }
    row_begin(&saving->other);
    row_pack_value(&saving->other, stored_blob(item->value), saving->out);
    row->value = saving->queue->rows->next_value++;
    return put_row(saving, ROW_VALUE, row->value, &saving->other);
}

static void begin_items(struct saving *saving)
{
    saving->count = 0;
    row_begin(&saving->buffer);
    saving->array = pack_array_begin(&saving->buffer);
}

static int put_items(struct saving *saving, uint64_t number)
{
    if (!saving->buffer.failed) {
        pack_array_end(&saving->buffer, saving->array, saving->count);
    }
    return put_row(saving, ROW_ITEMS, number, &saving->buffer);
}

/* Puts the items that are not saved, as many as make a chunk. */
static int save_chunk(struct saving *saving)
{
    struct queue_rows *rows = saving->queue->rows;
    struct item_row *row;
    int status = 0;
    begin_items(saving);
    TAILQ_FOREACH (row, &rows->unsaved, link) {
        if (is_full(saving) || status < 0) {
            break;
        }
        struct item *item = item_of_row(row);
        status = save_value(saving, item);
        item_pack(item, row->value, saving->now, saving->out, &saving->buffer);
        saving->count++;
    }
    struct item_chunk *chunk =
        status < 0 ? NULL : item_chunk_new(saving->queue, rows->next_chunk, saving->count);
    if (chunk == NULL) {
        return ERR_MEMORY;
    }
    status = put_items(saving, rows->next_chunk++);
    for (uint32_t i = 0; i < saving->count; i++) {
        item_chunk_add(rows, chunk, item_of_row(TAILQ_FIRST(&rows->unsaved)));
    }
    return status;
}

static int save_items(struct saving *saving)
{
    struct queue_rows *rows = saving->queue->rows;
    struct item_chunk *chunk;
    int status = 0;
    while (status == 0 && (chunk = TAILQ_FIRST(&rows->touched)) != NULL) {
        status = save_touched(saving, chunk);
    }
    status = status < 0 ? status : save_gone_values(saving);
    while (status == 0 && !TAILQ_EMPTY(&rows->unsaved)) {
        status = save_chunk(saving);
    }
    return status;
}

/* Records. */

/* Removes the chunks that are beyond the marks: wholly before the first record there is, or after
 * the last one that was saved and is there still. One at the end of which more than half has gone
 * is removed too, and what is left of it saved again. */
static int save_marks(struct saving *saving)
{
    const struct packed *packed = &saving->queue->packed;
    struct queue_rows *rows = saving->queue->rows;
    int status = 0;
    while (status == 0 && rows->begin < rows->end &&
           rows->chunks[rows->begin].end <= packed->first) {
        status = remove_row(saving, ROW_RECORDS, rows->chunks[rows->begin].first);
        rows->begin += status == 0;
    }
    while (status == 0 && rows->begin < rows->end) {
        const struct record_chunk *last = &rows->chunks[rows->end - 1];
        bool is_beyond = last->first >= rows->saved;
        bool is_poor =
            rows->saved < last->end && rows->saved - last->first < (last->end - last->first) / 2;
        if (!is_beyond && !is_poor) {
            break;
        }
        rows->saved = last->first < rows->saved ? last->first : rows->saved;
        status = remove_row(saving, ROW_RECORDS, last->first);
        rows->end -= status == 0;
    }
    return status;
}

static int put_records(struct saving *saving, uint64_t end)
{
    return put_row(saving, ROW_RECORDS, saving->number, &saving->buffer);
}

static int put_known_records(struct saving *saving, uint64_t end)
{
    int status = put_records(saving, end);
    return status < 0 ? status : record_chunk_add(saving->queue, saving->number, end);
}

static void pack_record(struct saving *saving, const struct packed_record *record)
{
    switch (record->tag) {
    case PACKED_VALUE:
        row_pack_value(&saving->buffer, (struct stored){.bytes = record->data}, saving->out);
        break;
    case PACKED_BLOB:
        row_pack_value(&saving->buffer, stored_blob(packed_pointer(record)), saving->out);
        break;
    case PACKED_ITEM:
        pack_nil(&saving->buffer); /* it has its own way */
        break;
    }
}

/* Where the records from a number on begin: the first there is, or the first that is not saved. */
static struct packed_cursor begin_at(const struct queue *queue, uint64_t from)
{
    if (from == queue->packed.first) {
        return packed_begin(&queue->packed, false);
    }
    return queue->options.order == QUEUE_LIFO ? packed_find(&queue->packed, from)
                                              : queue->rows->saved_at;
}

/* Puts the records from a number on. */
static int save_records(struct saving *saving, uint64_t from,
                        int (*put)(struct saving *saving, uint64_t end))
{
    const struct packed *packed = &saving->queue->packed;
    struct packed_record record;
    int status = 0;
    struct packed_cursor cursor = begin_at(saving->queue, from);
    saving->count = 0;
    for (uint64_t number = from; number < packed->next && status == 0; number++) {
        if (saving->count == 0) {
            saving->number = number;
            row_begin(&saving->buffer);
        }
        (void)packed_next(packed, &cursor, false, &record);
        pack_record(saving, &record);
        saving->count++;
        if (is_full(saving)) {
            status = put(saving, number + 1);
            saving->count = 0;
        }
    }
    return status == 0 && saving->count > 0 ? put(saving, packed->next) : status;
}

static int save_new_records(struct saving *saving)
{
    const struct packed *packed = &saving->queue->packed;
    struct queue_rows *rows = saving->queue->rows;
    int status = save_marks(saving);
    if (status == 0) {
        uint64_t from = rows->saved > packed->first ? rows->saved : packed->first;
        status = save_records(saving, from, put_known_records);
    }
    if (status == 0) {
        rows->saved = packed->next;
        rows->saved_at = packed_end(packed);
    }
    return status;
}

static int save_changed(struct saving *saving)
{
    if ((saving->queue->object.unsaved & UNSAVED_ALL) != 0) {
        queue_rows_forget(saving->queue);
    }
    int status = save_items(saving);
    status = status < 0 ? status : save_new_records(saving);
    return status < 0 ? status : save_state(saving);
}

/* All rows, of which nothing is noted. */

static int put_all_items(struct saving *saving)
{
    int status = put_items(saving, ++saving->number);
    begin_items(saving);
    return status;
}

static int save_each(void *data, struct item *item)
{
    struct saving *saving = data;
    int status = is_full(saving) ? put_all_items(saving) : 0;
    item_pack(item, 0, saving->now, saving->out, &saving->buffer);
    saving->count++;
    return status;
}

static int save_all(struct saving *saving)
{
    begin_items(saving);
    int status = queue_each_item(saving->queue, save_each, saving);
    if (status == 0 && saving->count > 0) {
        status = put_all_items(saving);
    }
    if (status == 0) {
        status = save_records(saving, saving->queue->packed.first, put_records);
    }
    return status < 0 ? status : save_state(saving);
}

int queue_save(struct object *object, enum rows which, const struct row_writer *out,
               const struct moment *now)
{
    struct saving saving = {.queue = queue_of(object), .out = out, .now = now};
    int status = which == ROWS_ALL ? save_all(&saving) : save_changed(&saving);
    buffer_deinit(&saving.buffer);
    buffer_deinit(&saving.other);
    return status;
}
