/*
 * changes: the numbers of what has changed since an object was last saved (rows.h): of pairs, items
 * and the like. A number that is noted again and again takes the memory of one.
 */
#pragma once

#include "proto/error.h"
#include "proto/slice.h"

struct changes {
    uint64_t *numbers; /* owned; in no order, and some may be there twice, until they are sorted */
    size_t len;
    size_t cap;
};

/* 0; or ERR_MEMORY, and the number is not among them. */
int changes_note(struct changes *changes, uint64_t number);
/* From now on they are in ascending order, and each is there once, until the next is noted. */
void changes_sort(struct changes *changes);
/* None is left, and no memory is kept. */
void changes_deinit(struct changes *changes);
