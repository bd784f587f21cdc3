/*
 * rows: how an object's contents are written down and read again: in the durable store, where only
 * what has changed is written, and whole when one daemon hands over to the next.
 *
 * A row has a key, unique within its object, and a value. The row with the empty key is the
 * object's own (name, owner, mode, options) and comes first; a key's first byte says what else it
 * is. Every row's value begins with the version of its form, 1 so far; an object reads older ones,
 * and refuses a newer one. Rows come back in the order of their keys (memcmp).
 *
 * Points in time are written by the wall clock (microseconds since 1970), as the monotonic clock
 * begins anew with the machine.
 *
 * What is done with an object's rows is in saving.h; how values of rows are packed, in row_form.h.
 */
#pragma once

#include <stdint.h>

#include "proto/slice.h"

struct accounts;
struct descriptor;
struct registry;

/* One moment, by both clocks: for turning one into the other. */
struct moment {
    uint64_t monotonic_ns;
    uint64_t wall_us;
};

/* Where rows go. The functions return 0 or ERR_MEMORY; what was put counts as written. */
struct row_writer {
    int (*put)(void *data, struct slice key, struct slice value);
    int (*remove)(void *data, struct slice key);
    /* All rows of the object that there are so far. */
    int (*remove_all)(void *data);
    /* The number by which whoever reads the rows finds a descriptor again. NULL: there are none,
     * as in durable objects. */
    uint64_t (*descriptor)(void *data, struct descriptor *descriptor);
    void *data;
};

/* Which rows: those that differ from what was last written (which are then written), or all, as for
 * one who has none (what is known to be written stays so). */
enum rows { ROWS_CHANGED, ROWS_ALL };

/* Where rows come from. */
struct row_reader {
    struct registry *registry; /* for the objects */
    struct accounts *accounts;
    struct moment now;
    /* The descriptor of a number that a writer has given, with a reference for the caller; NULL:
     * there is none. NULL: there are none at all. */
    struct descriptor *(*descriptor)(void *data, uint64_t number);
    void *data;
    uint64_t next_number; /* of the next object, as the registry's row says */
    int status;           /* the first that was not 0 */
    char why[256];        /* of ERR_VALUE: a sentence */
};
