/*
 * typecode: the items of shared memory (the types value and array): which there are, how a number
 * becomes an item and back, and atomic access to one in memory that others change as well.
 *
 * The typecodes and their sizes are those of Python's struct module, native sizes. An item is
 * handled as its bits in the low bytes of a uint64_t. Numbers are what header_read makes of an
 * encoded one; of a struct header only kind and i, u, f or b are looked at and set.
 *
 * Every access is one atomic operation of the item's size, sequentially consistent; an item must
 * stand at a multiple of its size. Nothing is believed of what stands in memory: every pattern of
 * bits is an item, a boolean is true if any bit is set. No access waits: an addition starts again
 * only when somebody else's change came in between. Any thread.
 */
#pragma once

#include "proto/header.h"
#include "proto/pack.h"

enum typecode_kind { TYPECODE_SIGNED, TYPECODE_UNSIGNED, TYPECODE_FLOAT, TYPECODE_BOOL };

struct typecode {
    char code;    /* one of bBhHiIlLqQfd? */
    uint8_t size; /* 1, 2, 4 or 8 bytes */
    enum typecode_kind kind;
};

/* The row of a code, or NULL if there is none. */
const struct typecode *typecode_find(char code);

/*
 * The item of a number, as Python's struct module packs it. Integers go into every type that has
 * room for them (into floats rounded), floats only into floats, booleans as 0 and 1; into a boolean
 * goes whether the number is true: not 0.
 * 0; ERR_TYPE: not a number of that kind; ERR_RANGE: it does not fit (a finite number that is too
 * large for a float of 32 bits among them).
 */
int typecode_encode(const struct typecode *type, const struct header *number, uint64_t *bits);
/* And back: KIND_INT (KIND_UINT above INT64_MAX), KIND_FLOAT or KIND_BOOL. */
void typecode_decode(const struct typecode *type, uint64_t bits, struct header *number);

/* Appends the number that the bits mean, encoded. */
void typecode_pack(const struct typecode *type, uint64_t bits, struct buffer *out);

uint64_t typecode_load(const struct typecode *type, const void *item);
void typecode_store(const struct typecode *type, void *item, uint64_t bits);
/* Stores *wanted if the item is *expected now. True if so; else *expected is what it is. */
bool typecode_exchange(const struct typecode *type, void *item, uint64_t *expected,
                       uint64_t wanted);
/* Adds delta; *sum is the new item. 0, or nothing has changed: ERR_TYPE (a delta that is no number
 * of that kind; booleans are not added), ERR_RANGE. */
int typecode_add(const struct typecode *type, void *item, const struct header *delta,
                 uint64_t *sum);
