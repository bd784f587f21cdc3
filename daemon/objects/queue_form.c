/*
 * queue_form: what stands in the rows of a queue; see queue_rows.h.
 *
 * Tests: tests/unit/objects/test_queue_rows.c and model_queue.c, tests/fuzz/fuzz_rows.c.
 */
#include "daemon/objects/queue_rows.h"

static const char *const order_names[] = {"fifo", "lifo", "priority"};

enum { ORDERS = sizeof(order_names) / sizeof(order_names[0]) };

/* Options. */

void queue_save_options(const struct object *object, struct buffer *out)
{
    const struct queue_options *options = &((const struct queue *)object)->options;
    pack_int(out, options->maxsize);
    pack_string(out, order_names[options->order]);
    pack_bool(out, options->joinable);
    pack_bool(out, options->discard);
    pack_int(out, options->lease_ms);
    pack_int(out, options->max_deliveries);
    pack_str(out, options->dead_letter);
}

int queue_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct queue *queue;
    struct queue_options options = {.maxsize = row_int(row)};
    struct slice order = row_bytes(row);
    unsigned i = 0;
    while (i < ORDERS && !slice_equal(order, slice_of_string(order_names[i]))) {
        i++;
    }
    options.order = (enum queue_order)(i % ORDERS);
    options.joinable = row_bool(row);
    options.discard = row_bool(row);
    options.lease_ms = row_int(row);
    options.max_deliveries = row_int(row);
    options.dead_letter = row_bytes(row);
    row->bad = row->bad || i == ORDERS || options.dead_letter.len > OBJECT_NAME_MAX;
    int status = row_close(row, "a queue");
    status = status < 0 ? status : queue_new(common, &options, &queue);
    if (status == 0) {
        *out = &queue->object;
    }
    return status;
}

/* The state. */

void queue_pack_state(const struct queue *queue, const struct moment *now, struct buffer *buffer)
{
    row_begin(buffer);
    pack_uint(buffer, queue->packed.first);
    pack_uint(buffer, queue->packed.next);
    pack_uint(buffer, queue->tickets.next_seq);
    pack_uint(buffer, queue->next_seq);
    pack_uint(buffer, queue->rank_kind);
    pack_uint(buffer, queue->puts);
    pack_uint(buffer, queue->gets);
    pack_uint(buffer, queue->dropped);
    pack_uint(buffer, queue->expired);
    pack_bool(buffer, queue->shut_down);
    pack_bool(buffer, queue->drain);
    pack_bool(buffer, queue->paused);
    row_pack_time(buffer, queue->paused ? queue->resume_at : TIME_NEVER, now);
}

void queue_read_state(struct row *row, struct queue *queue, struct queue_marks *marks)
{
    marks->first = row_uint(row);
    marks->next = row_uint(row);
    marks->next_ticket = row_uint(row);
    queue->next_seq = row_uint(row);
    uint64_t rank_kind = row_uint(row);
    queue->puts = row_uint(row);
    queue->gets = row_uint(row);
    queue->dropped = row_uint(row);
    queue->expired = row_uint(row);
    queue->shut_down = row_bool(row);
    queue->drain = row_bool(row);
    queue->paused = row_bool(row);
    queue->resume_at = row_time(row);
    row->bad = row->bad || marks->first > marks->next || marks->next > INT64_MAX ||
               marks->next_ticket == 0 || marks->next_ticket > INT64_MAX || rank_kind > RANK_BIN;
    queue->rank_kind = (uint8_t)(row->bad ? RANK_NUMBER : rank_kind);
}

/* Items. */

/* A number as the shortest that is equal: an integer, if it is one. */
static void pack_rank(struct buffer *buffer, const struct rank *rank)
{
    long double number = rank->number;
    if (rank->bytes != NULL) {
        struct slice bytes = {rank->bytes->data, rank->bytes->len};
        if (rank->kind == RANK_STR) {
            pack_str(buffer, bytes);
        } else {
            pack_bin(buffer, bytes);
        }
    } else if (number >= 0 && number < 0x1p64L && number == (long double)(uint64_t)number) {
        pack_uint(buffer, (uint64_t)number);
    } else if (number < 0 && number >= -0x1p63L && number == (long double)(int64_t)number) {
        pack_int(buffer, (int64_t)number);
    } else {
        pack_double(buffer, (double)number);
    }
}

static uint64_t where_is(const struct item *item)
{
    return item->state == ITEM_PACKED || item->state == ITEM_RETURNED ? item->place
                                                                      : item->entry.seq;
}

void item_pack(const struct item *item, uint64_t value_row, const struct moment *now,
               const struct row_writer *out, struct buffer *buffer)
{
    bool has_time = item->state == ITEM_DELAYED || item->state == ITEM_TAKEN;
    bool to_head = item->state == ITEM_DELAYED && item->to_head;
    size_t of_value = value_row != 0 ? 0 : row_value_count(stored_blob(item->value));
    pack_array(buffer, 9 + of_value);
    pack_uint(buffer, to_head ? FORM_TO_HEAD : item->state);
    pack_uint(buffer, where_is(item));
    row_pack_time(buffer, has_time ? item->ready : TIME_NEVER, now);
    row_pack_time(buffer, item->state == ITEM_TAKEN ? item->due : TIME_NEVER, now);
    row_pack_time(buffer, item->meta.expires, now);
    pack_uint(buffer, item->meta.deliveries);
    pack_uint(buffer, item->meta.seq);
    pack_rank(buffer, &item->meta.rank);
    pack_uint(buffer, value_row);
    if (value_row == 0) {
        row_pack_value(buffer, stored_blob(item->value), out);
    }
}

void item_read(struct row *row, struct origin *origin, struct item_form *out)
{
    *origin = (struct origin){0};
    *out = (struct item_form){0};
    uint64_t state = row_uint(row);
    out->where = row_uint(row);
    out->at = row_time(row);
    out->lease = row_time(row);
    out->meta.expires = row_time(row);
    out->meta.deliveries = row_uint(row);
    out->meta.seq = row_uint(row);
    struct slice rank = row_raw(row);
    int status = row->bad ? ERR_TYPE : rank_of(rank, &out->meta.rank);
    row->no_memory = row->no_memory || status == ERR_MEMORY;
    row->bad = row->bad || status < 0 || state >= FORM_STATES;
    out->state = (uint8_t)state;
    out->value_row = row_uint(row);
    if (out->value_row == 0) {
        out->value = row_value(row, origin);
    }
}

/* For the daemon that takes over. */

/* The tickets, which the queue's rows have, too. */
void queue_save_claims(const struct tie *tie, struct buffer *out)
{
    const struct item *item;
    TAILQ_FOREACH (item, &tie->taken, of_tie) {
        pack_uint(out, item->entry.seq);
    }
}

int queue_load_claims(struct tie *tie, struct row *row)
{
    uint64_t count = tie->holding;
    struct timespec since = tie->since;
    tie->holding = 0;
    while (tie->holding < count && !row->bad) {
        row->bad = !queue_tie(queue_of(tie->object), row_uint(row), tie);
    }
    tie->since = since;
    return row->bad ? ERR_VALUE : 0;
}

/* An item that is on its way to who has got it. The clock is the same. */
void queue_save_note(const void *note, struct buffer *out, const struct row_writer *writer)
{
    const struct item_meta *meta = note;
    pack_rank(out, &meta->rank);
    pack_uint(out, meta->seq);
    pack_uint(out, meta->expires);
    pack_uint(out, meta->deliveries);
}

int queue_load_note(void *note, struct row *row)
{
    struct item_meta *meta = note;
    struct slice rank = row_raw(row);
    meta->seq = row_uint(row);
    meta->expires = row_uint(row);
    meta->deliveries = row_uint(row);
    int status = row->bad ? ERR_VALUE : rank_of(rank, &meta->rank);
    return status == ERR_TYPE ? ERR_VALUE : status;
}
