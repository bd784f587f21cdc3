/*
 * queue_load: makes a queue of its rows; see queue_rows.h.
 *
 * The rows come in the order of their kinds: the state, so that it is known which records are
 * valid; notes and long values, which are kept until their chunks come; items; and the records,
 * among which the items of the packed store have their places: a chunk of them ends where the next
 * one begins, so each is kept until then. Items of all other places are put there at the end, when
 * all have been read.
 *
 * Tests: tests/unit/objects/test_rows.c and model_queue.c, tests/fuzz/fuzz_rows.c.
 */
#include "daemon/objects/queue_rows.h"

#include <stdlib.h>

static const char what[] = "a queue";

/* In the state of an item that has been read and stands in no place yet, with the state that it
 * will have. */
enum { UNPLACED = 0x80 };

struct loaded_note {
    uint64_t number; /* of the chunk */
    struct buffer gone;
};

struct loaded_value {
    uint64_t number;
    struct blob *blob; /* a reference; NULL: an item has it */
};

struct queue_loading {
    struct queue_marks marks;
    bool has_state;
    bool is_sorted;      /* the items for the packed store are at the beginning */
    struct item **items; /* owned array of all that have been read */
    size_t count;
    size_t cap;
    size_t packed;      /* items for the packed store, in the order of their places */
    size_t next;        /* the one whose record comes next */
    struct buffer kept; /* a chunk of records, until it is known where the next one begins */
    uint64_t kept_first;
    struct loaded_note *notes;
    size_t nnotes;
    size_t notes_cap;
    struct loaded_value *values;
    size_t nvalues;
    size_t values_cap;
};

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
        chunk = item_chunk_new(number, count);
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

/* Records. */

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
        status = record_chunk_add(queue->rows, loading->kept_first, number);
    }
    loading->kept.len = 0;
    return status < 0 ? status : row_close(&row, what);
}

static int load_records(struct queue *queue, uint64_t first, struct row *row)
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
        return load_records(queue, number, &row);
    default:
        row.bad = true;
        return row_close(&row, what);
    }
}

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
        item->state = ITEM_RETURNED;
        TAILQ_INSERT_TAIL(&queue->returned, item, link);
        queue->ready++;
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

static int place_all(struct queue *queue, bool *bad)
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
    sort(loading);
    int status = load_kept(queue, UINT64_MAX, reader);
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
    status = bad ? 0 : place_all(queue, &bad);
    if (status == 0 && bad) {
        row.bad = true;
        return row_close(&row, what);
    }
    if (status == 0) {
        store_trim(queue);
        queue->tickets.next_seq = marks->next_ticket;
        if (queue->rows != NULL) {
            queue->rows->saved = packed->next;
            queue->rows->saved_at = packed_end(packed);
        }
        queue_loading_free(queue);
    }
    return status;
}
