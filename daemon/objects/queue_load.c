/*
 * queue_load: makes a queue of its rows; see queue_rows.h.
 *
 * The rows come in the order of their kinds: the state, so that it is known which records are
 * valid; notes and long values, which are kept until their chunks come; items; and the records,
 * among which the items of the packed store have their places: a chunk of them ends where the next
 * one begins, so each is kept until then. Items of all other places are put there at the end, when
 * all have been read.
 *
 * Tests: tests/unit/objects/test_queue_rows.c and model_queue.c, tests/fuzz/fuzz_rows.c.
 */
#include "daemon/objects/queue_loading.h"

#include <stdlib.h>

static const char what[] = "a queue";
/* Room for one more element of an array, or NULL: there is none, and the array stays. */
static void *grow(void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) {
        return array;
    }
    size_t more = *cap * 2 + 8;
    void *grown = realloc(array, more * size);
    if (grown != NULL) {
        *cap = more;
    }
    return grown;
}

static struct queue_loading *loading_of(struct queue *queue)
{
    if (queue->loading == NULL) {
        queue->loading = calloc(1, sizeof(*queue->loading));
    }
    return queue->loading;
}

void queue_loading_free(struct queue *queue)
{
    struct queue_loading *loading = queue->loading;
    if (loading == NULL) {
        return;
    }
    for (size_t i = 0; i < loading->count; i++) {
        if ((loading->items[i]->state & UNPLACED) != 0) {
            item_free(queue, loading->items[i]);
        }
    }
    for (size_t i = 0; i < loading->nnotes; i++) {
        buffer_deinit(&loading->notes[i].gone);
    }
    for (size_t i = 0; i < loading->nvalues; i++) {
        blob_unref(loading->values[i].blob);
    }
    store_trim(queue); /* where loading has ended early one may be at the head */
    buffer_deinit(&loading->kept);
    free(loading->items);
    free(loading->notes);
    free(loading->values);
    free(loading);
    queue->loading = NULL;
}

/* Notes and values. */

static int load_note(struct queue_loading *loading, uint64_t number, struct row *row)
{
    struct slice gone = row_bytes(row);
    int status = row_close(row, what);
    if (status < 0) {
        return status;
    }
    void *notes =
        grow(loading->notes, loading->nnotes, &loading->notes_cap, sizeof(struct loaded_note));
    if (notes == NULL) {
        return ERR_MEMORY;
    }
    loading->notes = notes;
    struct loaded_note *note = &loading->notes[loading->nnotes];
    *note = (struct loaded_note){.number = number};
    if (buffer_append(&note->gone, gone.data, gone.len) < 0) {
        return ERR_MEMORY;
    }
    loading->nnotes++;
    return 0;
}

static int load_value(struct queue *queue, uint64_t number, struct row *row)
{
    struct queue_loading *loading = queue->loading;
    struct origin origin;
    void *values =
        grow(loading->values, loading->nvalues, &loading->values_cap, sizeof(struct loaded_value));
    if (values == NULL) {
        return ERR_MEMORY;
    }
    loading->values = values;
    struct incoming value = row_value(row, &origin);
    int status = row_close(row, what);
    struct blob *blob = status < 0 ? NULL : blob_new(value);
    row_value_done(&origin);
    if (blob == NULL) {
        return status < 0 ? status : ERR_MEMORY;
    }
    loading->values[loading->nvalues++] = (struct loaded_value){number, blob};
    if (queue->rows != NULL && number >= queue->rows->next_value) {
        queue->rows->next_value = number + 1;
    }
    return 0;
}

/* The note of a chunk, or NULL. */
static const struct loaded_note *note_of(const struct queue_loading *loading, uint64_t number)
{
    size_t low = 0;
    size_t high = loading->nnotes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (loading->notes[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is = low < loading->nnotes && loading->notes[low].number == number;
    return is ? &loading->notes[low] : NULL;
}

/* The value of a row of its own, with the reference that was kept; NULL: there is none. */
static struct blob *take_value(struct queue_loading *loading, uint64_t number)
{
    size_t low = 0;
    size_t high = loading->nvalues;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (loading->values[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct blob *blob = NULL;
    if (low < loading->nvalues && loading->values[low].number == number) {
        blob = loading->values[low].blob;
        loading->values[low].blob = NULL;
    }
    return blob;
}

/* Items. */

/* Whether an item can be in that state in the queue. */
static bool is_possible(const struct queue *queue, const struct item_form *form)
{
    switch (form->state) {
    case ITEM_DELAYED:
    case FORM_TO_HEAD:
        return form->at != TIME_NEVER;
    case ITEM_PACKED:
        return queue->options.order != QUEUE_PRIORITY;
    case ITEM_HEAPED:
        return queue->options.order == QUEUE_PRIORITY;
    case ITEM_TAKEN:
        return queue->options.joinable && form->where > 0 && form->at != TIME_NEVER;
    default:
        return true;
    }
}

/* Keeps what the item needs to get to its place. */
static void prepare(struct item *item, const struct item_form *form)
{
    item->to_head = form->state == FORM_TO_HEAD;
    item->state = (uint8_t)(item->to_head ? ITEM_DELAYED : form->state) | UNPLACED;
    if (form->state == ITEM_PACKED || form->state == ITEM_RETURNED) {
        item->place = form->where;
    } else {
        item->entry.seq = form->where;
        item->ready = form->at;
    }
    item->due = form->lease;
}

static int make_item(struct queue *queue, const struct item_form *form, struct row *row,
                     struct item **out)
{
    struct queue_loading *loading = queue->loading;
    void *items = grow(loading->items, loading->count, &loading->cap, sizeof(struct item *));
    if (items == NULL) {
        return ERR_MEMORY;
    }
    loading->items = items;
    struct blob *blob;
    if (form->value_row == 0) {
        blob = blob_new(form->value);
    } else {
        blob = take_value(loading, form->value_row);
        row->bad = row->bad || blob == NULL;
    }
    if (row->bad) {
        blob_unref(blob);
        return ERR_VALUE;
    }
    int status = item_new(queue, blob, &form->meta, true, out);
    if (status == 0) {
        prepare(*out, form);
        loading->items[loading->count++] = *out;
        loading->packed += form->state == ITEM_PACKED;
    }
    return status;
}

/* The next item of a chunk, which is left out if it is gone. */
static int load_item(struct queue *queue, struct item_chunk *chunk, bool is_gone, struct row *row)
{
    struct item_form form;
    struct origin origin;
    struct item *item;
    int status = 0;
    (void)row_array(row);
    item_read(row, &origin, &form);
    row->bad = row->bad || !is_possible(queue, &form);
    if (!row->bad && !is_gone) {
        status = make_item(queue, &form, row, &item);
    }
    if (status == 0 && chunk != NULL && !row->bad) {
        if (is_gone) {
            item_chunk_skip(chunk);
        } else {
            item_row_of(item)->value = form.value_row;
            item_chunk_add(queue->rows, chunk, item);
        }
    }
    rank_unref(&form.meta.rank);
    row_value_done(&origin);
    return status == ERR_VALUE ? 0 : status; /* it is bad */
}

static bool bit_of(const struct loaded_note *note, uint32_t i)
{
    return note != NULL && i / 8 < note->gone.len && (note->gone.data[i / 8] >> i % 8 & 1) != 0;
}

static int load_items(struct queue *queue, uint64_t number, struct row *row)
{
    const struct loaded_note *note = note_of(queue->loading, number);
    struct item_chunk *chunk = NULL;
    uint32_t count = row_array(row);
    row->bad = row->bad || count > CHUNK_ITEMS || queue->loading->is_sorted;
    if (queue->rows != NULL && !row->bad) {
        chunk = item_chunk_new(queue, number, count);
        if (chunk == NULL) {
            return ERR_MEMORY;
        }
        chunk->has_note = note != NULL;
        queue->rows->next_chunk = number + 1;
    }
    int status = 0;
    for (uint32_t i = 0; i < count && !row->bad && status == 0; i++) {
        status = load_item(queue, chunk, bit_of(note, i), row);
    }
    if (chunk != NULL && chunk->live == 0) {
        item_chunk_touch(queue->rows, chunk); /* to be removed */
    }
    return status < 0 ? status : row_close(row, what);
}

/* All of it. */

int queue_load(struct object *object, struct slice key, struct slice value,
               struct row_reader *reader)
{
    struct queue *queue = queue_of(object);
    struct queue_loading *loading = loading_of(queue);
    struct row row;
    uint64_t number;
    if (loading == NULL) {
        return ERR_MEMORY;
    }
    if (!row_open(&row, value, reader, what)) {
        return ERR_VALUE;
    }
    bool has_number = row_key_number(key, &number) && number <= INT64_MAX;
    switch (has_number && (loading->has_state || key.data[0] == ROW_STATE) ? key.data[0] : 0) {
    case ROW_STATE:
        loading->has_state = true;
        queue_read_state(&row, queue, &loading->marks);
        return row_close(&row, what);
    case ROW_NOTE:
        return load_note(loading, number, &row);
    case ROW_VALUE:
        return load_value(queue, number, &row);
    case ROW_ITEMS:
        return load_items(queue, number, &row);
    case ROW_RECORDS:
        return queue_load_records(queue, number, &row);
    default:
        row.bad = true;
        return row_close(&row, what);
    }
}

int queue_loaded(struct object *object, struct row_reader *reader)
{
    struct queue *queue = queue_of(object);
    struct queue_loading *loading = loading_of(queue);
    struct row row = {.reader = reader};
    if (loading == NULL) {
        return ERR_MEMORY;
    }
    struct packed *packed = &queue->packed;
    const struct queue_marks *marks = &loading->marks;
    int status = queue_load_last_records(queue, reader);
    if (status < 0) {
        return status;
    }
    bool bad = !loading->has_state || loading->next < loading->packed;
    for (size_t i = 0; i < loading->nvalues; i++) {
        bad = bad || loading->values[i].blob != NULL;
    }
    if (packed_count(packed) == 0) {
        packed_number(packed, marks->next);
    }
    bad = bad || packed->next != marks->next;
    status = bad ? 0 : queue_load_places(queue, &bad);
    if (status == 0 && bad) {
        row.bad = true;
        return row_close(&row, what);
    }
    if (status == 0) {
        queue->tickets.next_seq = marks->next_ticket;
        if (queue->rows != NULL) {
            queue->rows->saved = packed->next;
            queue->rows->saved_at = packed_end(packed);
        }
        queue_loading_free(queue);
    }
    return status;
}
