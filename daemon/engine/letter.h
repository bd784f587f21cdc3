/*
 * letter: what one daemon writes to another: an array of values, which comes as an entry of the
 * other's outbox in the tag of all hosts (mail.send in the functions).
 */
#pragma once

#include "daemon/engine/state.h"

enum { LETTER_PATIENCE_MS = 1000 }; /* for how long one is tried to be sent */

/* The lane of all hosts' letters. NULL for want of memory. */
struct lane *letters_lane(struct engine *engine);

/* Sends one to "HOST/EPOCH". False: there is no memory, and it is as if it had been lost. */
bool letter_send(struct engine *engine, struct slice to, struct slice letter);

/* One that is being read, from its beginning to its end; anything may stand in it. The functions
 * return false once something is not as it should be. */
struct letter {
    struct slice rest;
    uint32_t left; /* values */
};
bool letter_open(struct letter *letter, struct slice packed);
bool letter_next(struct letter *letter, struct param *out);
bool letter_uint(struct letter *letter, uint64_t *out);
bool letter_bytes(struct letter *letter, struct slice *out); /* of a str or bin */
