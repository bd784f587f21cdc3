/*
 * queue_rows: how a durable queue keeps track of what its rows (rows.h) say, and what the files
 * share that save and load them.
 *
 * A queue has five kinds of rows, which come back in this order:
 *
 *  - the state: its counts, the marks between which records are valid, and the like;
 *  - notes: which items of a chunk are there no more;
 *  - values of items, if they are long: so that an item that moves does not write its value again;
 *  - chunks of items: all that were new or moved in one commit, a struct item each, with its place;
 *  - chunks of records: what was put into the packed store (packed.h) in one commit, by the numbers
 *    that records have there. Where the store has a struct item, a chunk has a gap.
 *
 * Items and records have different ways. A record is put at the back and leaves at an end, so two
 * marks in the state say which are there: nothing is noted for one, and a chunk is removed when all
 * of it is beyond a mark. An item that leaves its place stands on the list of those that are not
 * saved from then on, wherever it comes to stand, and is written with the next commit, once; if it
 * is gone by then, it is not. Its old chunk learns that it is there no more; a chunk of which more
 * than half is gone is removed, and the rest written anew, so that nothing is kept for long.
 *
 * In a queue that is not durable queue->rows is NULL, and nothing is kept.
 */
#pragma once

#include "daemon/objects/changes.h"
#include "daemon/objects/queue_private.h"
#include "daemon/objects/row_form.h"

enum queue_row { ROW_STATE = 1, ROW_NOTE, ROW_VALUE, ROW_ITEMS, ROW_RECORDS };

enum {
    CHUNK_ITEMS = 1024,      /* the most items or records in a chunk */
    CHUNK_BYTES = 256 << 10, /* one is begun anew when it is longer */
    VALUE_ALONE = 1024,      /* from so many bytes on a value of an item has a row of its own */
};

TAILQ_HEAD(item_row_list, item_row);

/* What is known of an item's row: behind the struct item, in a durable queue. */
struct item_row {
    TAILQ_ENTRY(item_row) link; /* in its chunk's items, or in rows->unsaved */
    struct item_chunk *chunk;   /* NULL: it is not saved as it is */
    uint64_t value;             /* the number of its value's row; 0: it has none */
    uint32_t index;             /* in the chunk */
    bool is_listed;             /* it is in one of the lists */
};

static inline struct item_row *item_row_of(struct item *item)
{
    return (struct item_row *)(item + 1);
}
static inline struct item *item_of_row(struct item_row *row)
{
    return (struct item *)row - 1;
}

struct item_chunk {
    TAILQ_ENTRY(item_chunk) touched;
    struct item_row_list items;
    uint64_t number;
    uint32_t cap;   /* of items */
    uint32_t count; /* items that were written */
    uint32_t live;  /* that are there still */
    bool is_touched;
    bool has_note;
    uint8_t gone[]; /* a bit for each */
};

/* Records from `first` to before `end`, of which those that a later chunk begins with are not valid
 * any more. */
struct record_chunk {
    uint64_t first;
    uint64_t end;
};

struct queue_rows {
    struct item_row_list unsaved;
    TAILQ_HEAD(item_chunk_list, item_chunk) touched; /* have lost items since they were saved */
    uint64_t next_chunk;
    uint64_t next_value;
    struct changes values;       /* rows of values that are to be removed */
    struct record_chunk *chunks; /* owned array, from `begin` to before `end`, in order */
    size_t begin;
    size_t end;
    size_t cap;
    uint64_t saved;                /* records from this number on have no rows yet */
    struct packed_cursor saved_at; /* fifo: where they begin, if there are others before them */
};

/* The rows of a durable queue. 0 or ERR_MEMORY. */
int queue_rows_new(struct queue *queue);
/* Nothing if it has none. */
void queue_rows_free(struct queue *queue);
/* Nothing is saved: all items stand on the list, and no chunk is known. */
void queue_rows_forget(struct queue *queue);

/* An item that is not saved is in that chunk from now on; or its place there is of one that is
 * gone.
 */
void item_chunk_add(struct queue_rows *rows, struct item_chunk *chunk, struct item *item);
void item_chunk_skip(struct item_chunk *chunk);
/* It is to be looked at when the queue is next saved. */
void item_chunk_touch(struct queue_rows *rows, struct item_chunk *chunk);
/* Frees a chunk; what is in it stands on the list of what is not saved. */
void item_chunk_dissolve(struct queue *queue, struct item_chunk *chunk);
/* A chunk with room for so many items, or NULL for want of memory. What is known of chunks is
 * charged to the queue, always. */
struct item_chunk *item_chunk_new(struct queue *queue, uint64_t number, uint32_t count);
/* Adds a chunk of records. 0 or ERR_MEMORY. */
int record_chunk_add(struct queue *queue, uint64_t first, uint64_t end);

/* Calls `show` for each struct item of the queue, in whatever state, but for tombstones, until it
 * does not return 0; returns that. */
int queue_each_item(const struct queue *queue, int (*show)(void *data, struct item *item),
                    void *data);

/* queue_form.c: what stands in rows. An item without its value if that has a row of its own. */
void item_pack(const struct item *item, uint64_t value_row, const struct moment *now,
               const struct row_writer *out, struct buffer *buffer);
void queue_pack_state(const struct queue *queue, const struct moment *now, struct buffer *buffer);

/* What an item is in its row: the states of enum item_state, and one for what goes to the head. */
enum { FORM_TO_HEAD = ITEM_DEAD + 1, FORM_STATES };

/* An item that has been read. */
struct item_form {
    struct item_meta meta; /* with a reference to the rank, the reader's */
    uint8_t state;         /* below FORM_STATES */
    uint64_t where;        /* its place, or the ticket that it had or has */
    uint64_t at;           /* when it becomes ready, or was taken */
    uint64_t lease;
    uint64_t value_row; /* 0: the value stands here */
    struct incoming value;
};
/* `origin` as in row_value. */
void item_read(struct row *row, struct origin *origin, struct item_form *out);

/* The marks that queue_read_state finds besides what it puts into the queue. */
struct queue_marks {
    uint64_t first; /* the records that are valid */
    uint64_t next;
    uint64_t next_ticket;
};
void queue_read_state(struct row *row, struct queue *queue, struct queue_marks *marks);
