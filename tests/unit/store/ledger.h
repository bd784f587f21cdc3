/*
 * ledger: a course of commits whose every state is known, so that a store can be asked which of
 * them it has.
 *
 * Commit n puts its number into a row and changes others in a way that depends on n and a seed:
 * puts, overwrites and removals, of rows short and long, of whole objects too. The states are
 * worked out anew on a plain model, from the first commit on.
 */
#pragma once

#include <stdint.h>

#include "tests/unit/store/box.h"

struct ledger {
    uint64_t seed;
    uint64_t handed; /* commits that have been handed over */
    uint64_t ended;  /* of which the end has been told */
};

/* Gathers and hands over the next commit. */
void ledger_commit(struct ledger *ledger, struct store *store);

/* The number of the commit after which the store's state was what it is now: it fails the test if
 * there is none, or it is not one of `least` to `most`. */
uint64_t ledger_find(const struct ledger *ledger, struct box *box, uint64_t least, uint64_t most);
