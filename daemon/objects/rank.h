/*
 * rank: the priority of an item, as the protocol orders values: numbers by number, str and bin by
 * their bytes. A queue holds ranks of one kind at a time; between kinds the order is fixed but has
 * no meaning.
 */
#pragma once

#include "daemon/objects/blob.h"

enum rank_kind { RANK_NUMBER, RANK_STR, RANK_BIN };

struct rank {
    long double number; /* wide enough for every int64, uint64 and double; never NaN */
    struct blob *bytes; /* of a str or bin: a reference; else NULL */
    uint8_t kind;       /* enum rank_kind */
};

/* The rank that an encoded value stands for, with a reference of its own. ERR_TYPE: it is no
 * number, str or bin, or is NaN. ERR_MEMORY for want of memory. */
int rank_of(struct slice value, struct rank *out);
void rank_ref(const struct rank *rank);
void rank_unref(struct rank *rank);

/* Less than, equal to or greater than 0, as memcmp. */
int rank_compare(const struct rank *a, const struct rank *b);
