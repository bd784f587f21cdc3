/*
 * check: the verdict on a history, and for people what is wrong with it.
 */
#pragma once

#include "tests/history/invariants.h"
#include "tests/history/search.h"

/* How many pairs of set and state a search may look at; usual are some hundred. */
enum { CHECK_BUDGET = 2000000 };

/* Looks at the invariants and then searches, each key apart. If something is wrong, says what, and
 * shows the smallest part of the history that cannot be explained, on `report` (NULL: nowhere) with
 * times counted from `origin`. `visited` (may be NULL): how much the largest search has looked at.
 */
enum verdict history_check(const struct history *history, int64_t origin, FILE *report,
                           unsigned long *visited);
