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
 */
#pragma once

#include <stdint.h>

#include "proto/slice.h"

/* One moment, by both clocks: for turning one into the other. */
struct moment {
    uint64_t monotonic_ns;
    uint64_t wall_us;
};

/* Where rows go. `put` and `remove` return 0 or ERR_MEMORY; what was put counts as written. */
struct row_writer {
    int (*put)(void *data, struct slice key, struct slice value);
    int (*remove)(void *data, struct slice key);
    void *data;
};

/* Which rows: those that differ from what was last written (which are then written), or all, as for
 * one who has none (what is known to be written stays so). */
enum rows { ROWS_CHANGED, ROWS_ALL };
