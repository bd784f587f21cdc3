/*
 * queue_load_records: fills the packed store of a queue with the records of its rows, and with the
 * items that have their places between them; see queue_rows.h.
 *
 * Tests: tests/unit/objects/test_queue_rows.c and model_queue.c, tests/fuzz/fuzz_rows.c.
 */
#include "daemon/objects/queue_loading.h"

#include <stdlib.h>

static const char what[] = "a queue";

static int by_place(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a;
    const struct item *y = *(struct item *const *)b;
    bool x_packed = (x->state & ~UNPLACED) == ITEM_PACKED;
    bool y_packed = (y->state & ~UNPLACED) == ITEM_PACKED;
    if (x_packed != y_packed) {
        return x_packed ? -1 : 1;
    }
    if (!x_packed) {
        return 0;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The items for the packed store come to stand at the beginning, in their order. */
static void sort(struct queue_loading *loading)
{
    if (!loading->is_sorted && loading->packed > 0) {
        qsort(loading->items, loading->count, sizeof(struct item *), by_place);
    }
    loading->is_sorted = true;
}

static int push_tombstone(struct queue *queue)
{
    static const uint8_t nil[] = {0xc0};
    struct item_meta meta = {.expires = TIME_NEVER};
    struct item *item;
    int status =
        item_new(queue, blob_new(incoming_plain((struct slice){nil, 1})), &meta, true, &item);
    if (status < 0) {
        return status;
    }
    status = store_push(queue, PACKED_ITEM, POINTER_SLICE(item), true);
    if (status < 0) {
        item_free(queue, item);
        return status;
    }
    item_make_tombstone(queue, item);
    item->segment = packed_last(&queue->packed);
    packed_hide(item->segment);
    queue->tombstones++;
    return 0;
}

/* A record without a value: an item's, or one whose item is gone. */
static int load_gap(struct queue *queue, uint64_t number, struct row *row)
{
    struct queue_loading *loading = queue->loading;
    struct item *item = loading->next < loading->packed ? loading->items[loading->next] : NULL;
    row->rest = slice_from(row->rest, 1);
    if (item == NULL || item->place > number) {
        return packed_count(&queue->packed) == 0 ? 0 : push_tombstone(queue);
    }
    if (item->place < number) {
        row->bad = true;
        return 0;
    }
    if (packed_count(&queue->packed) == 0) {
        packed_number(&queue->packed, number);
    }
    int status = heap_reserve(&queue->due);
    status = status < 0 ? status : store_push(queue, PACKED_ITEM, POINTER_SLICE(item), true);
    if (status < 0) {
        return status;
    }
    item->state = ITEM_PACKED;
    item->segment = packed_last(&queue->packed);
    queue->ready++;
    loading->next++;
    return item_set_due(queue, item, item->meta.expires);
}

/* One record; those from number `end` on are not valid any more. */
static int load_record(struct queue *queue, uint64_t number, uint64_t end, struct row *row)
{
    bool is_gap = row->rest.data[0] == 0xc0;
    bool is_valid = number >= queue->loading->marks.first && number < end;
    struct origin origin;
    if (is_valid && packed_count(&queue->packed) > 0 && queue->packed.next != number) {
        row->bad = true; /* one is missing */
        return 0;
    }
    if (is_gap && is_valid) {
        return load_gap(queue, number, row);
    }
    if (is_gap) {
        row->rest = slice_from(row->rest, 1);
        return 0;
    }
    struct incoming value = row_value(row, &origin);
    int status = 0;
    if (is_valid && !row->bad) {
        if (packed_count(&queue->packed) == 0) {
            packed_number(&queue->packed, number);
        }
        status = queue_put_plain(queue, value);
    }
    row_value_done(&origin);
    return status;
}

/* Loads the chunk that has been kept, and of which it is known now where it ends. */
static int load_kept(struct queue *queue, uint64_t end, struct row_reader *reader)
{
    struct queue_loading *loading = queue->loading;
    struct row row = {.rest = buffer_slice(&loading->kept), .reader = reader};
    uint64_t number = loading->kept_first;
    int status = 0;
    if (end > loading->marks.next) {
        end = loading->marks.next;
    }
    for (; !row.bad && row.rest.len > 0 && status == 0; number++) {
        status = load_record(queue, number, end, &row);
    }
    if (status == 0 && queue->rows != NULL && number > loading->kept_first) {
        status = record_chunk_add(queue, loading->kept_first, number);
    }
    loading->kept.len = 0;
    return status < 0 ? status : row_close(&row, what);
}

int queue_load_records(struct queue *queue, uint64_t first, struct row *row)
{
    struct queue_loading *loading = queue->loading;
    sort(loading);
    row->bad = row->bad || queue->options.order == QUEUE_PRIORITY;
    int status = row->bad ? row_close(row, what) : load_kept(queue, first, row->reader);
    loading->kept_first = first;
    if (status == 0 && buffer_append(&loading->kept, row->rest.data, row->rest.len) < 0) {
        status = ERR_MEMORY;
    }
    return status;
}

int queue_load_last_records(struct queue *queue, struct row_reader *reader)
{
    sort(queue->loading);
    return load_kept(queue, UINT64_MAX, reader);
}
