/*
 * queue_loading: what is known of a queue while it is made of its rows, for the files that do so:
 * queue_load.c, queue_load_records.c and queue_load_places.c; see queue_rows.h.
 */
#pragma once

#include "daemon/objects/queue_rows.h"

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

/* queue_load_records.c: a chunk of records has been read; it is kept until it is known where the
 * next one begins. 0, ERR_MEMORY, ERR_VALUE, here and below. */
int queue_load_records(struct queue *queue, uint64_t first, struct row *row);
/* There is no other one. */
int queue_load_last_records(struct queue *queue, struct row_reader *reader);

/* queue_load_places.c: puts the items that stand in no place yet where they belong. *bad: that
 * cannot be. */
int queue_load_places(struct queue *queue, bool *bad);
