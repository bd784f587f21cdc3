/*
 * invariants: what can be seen to be wrong in a history without a search: an item that was lost, or
 * delivered twice, or a lock that two held at once. They are looked at apart from the models, so
 * that one guards the other.
 */
#pragma once

#include "tests/history/text.h"

enum verdict {
    EXPLAINED, /* nothing is wrong */
    OPEN,      /* the search did not come to an end */
    NOT_LINEARIZABLE,
    LOST,
    TWICE,
    TWO_HOLDERS,
    VERDICTS
};

/* "linearizable", "undecided", "not linearizable", "lost", "twice", "two holders". */
const char *verdict_name(enum verdict verdict);

/* EXPLAINED, LOST, TWICE or TWO_HOLDERS, with a sentence in `why`. That nothing is lost is only
 * looked at if process 0 has emptied the queue at the end: its last get must be EMPTY. */
enum verdict invariants_check(const struct history *history, char why[TEXT_MAX]);
