/*
 * list_rows: how a durable list keeps track of what its rows (rows.h) say.
 *
 * Each value has a number, and the values of a list have numbers in a row: those at the end get
 * higher ones, and what comes to stand before the first, lower ones. So what is added or taken at
 * the ends leaves the numbers of all others as they are, and in the middle, those of the longer
 * side. There are three kinds of rows, which come back in this order:
 *
 *  - the state: the first value's number, and how many there are. What rows have of other numbers
 *    does not count;
 *  - values that are long, by their numbers: so that one is not written again with its neighbours;
 *  - chunks of CHUNK numbers.
 *
 * What has changed since the list was last saved is what has a number below `below`, or from
 * `above` on, and the numbers in `changes`.
 */
#pragma once

#include "daemon/objects/changes.h"
#include "daemon/objects/list.h"
#include "daemon/objects/row_form.h"

enum list_row { LIST_STATE = 1, LIST_LONG, LIST_VALUES };

enum {
    LIST_CHUNK = 32,        /* numbers in a chunk */
    LIST_VALUE_ALONE = 512, /* from so many bytes on a value has a row of its own */
};

/* The number of a new list's first value: in the middle of all there are. */
#define LIST_BASE (UINT64_C(1) << 62)

/* A set of numbers, of the values that have rows of their own, in order. */
struct long_values {
    uint64_t *numbers; /* owned */
    size_t count;
    size_t cap;
};

struct list_rows {
    uint64_t base; /* the number of the first value */
    uint64_t below;
    uint64_t above;
    struct changes changes;
    uint64_t saved_base; /* what the state says */
    uint64_t saved_end;  /* behind the last one */
    struct long_values long_values;
};

/* Of a durable list. 0 or ERR_MEMORY. */
int list_rows_new(struct list *list);
void list_rows_free(struct list_rows *rows); /* NULL is allowed */

/* So many values have been put before a position, or taken from it on; another one stands there; or
 * all that stand from it on have moved. All of a durable list. */
void list_note_inserted(struct list *list, uint32_t position, uint32_t count);
void list_note_deleted(struct list *list, uint32_t position, uint32_t count);
void list_note_set(struct list *list, uint32_t position);
void list_note_moved(struct list *list, uint32_t position);

/* A value with a row of its own has been loaded, behind those that have been before. 0 or
 * ERR_MEMORY. */
int list_add_long(struct list *list, uint64_t number);
/* The rows are as the list is. */
void list_rows_saved(struct list *list);
