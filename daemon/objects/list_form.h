/* list_form: what list_rows.c and list_load.c know of the rows of a list; see list_rows.h. */
#pragma once

#include "daemon/objects/list.h"
#include "daemon/objects/row_form.h"

enum list_row { LIST_STATE = 1, LIST_LONG, LIST_VALUES };

enum {
    LIST_CHUNK = 32,        /* numbers in a chunk */
    LIST_VALUE_ALONE = 512, /* from so many bytes on a value has a row of its own */
};

/* The number of a new list's first value: in the middle of all there are. */
#define LIST_BASE (UINT64_C(1) << 62)

/* A value with a row of its own has been loaded, behind those that have been before. 0 or
 * ERR_MEMORY. */
int list_add_long(struct list *list, uint64_t number);
/* The rows are as the list is. */
void list_rows_saved(struct list *list);
