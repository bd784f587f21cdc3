/*
 * smallest: the smallest part of a history that cannot be explained, for people.
 *
 * A history that can be explained can be so at every moment. So it is cut off at the first answer
 * with which it cannot be: what was not answered by then may have happened or not. Then goes what
 * changes nothing, as long as the rest still cannot be explained.
 */
#pragma once

#include <stdio.h>

#include "tests/history/history.h"

/* Writes it, with the longest order that there is. `key` as for events_of. */
void show_smallest(const struct history *history, int64_t key, int64_t origin, FILE *out);
