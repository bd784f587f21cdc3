/*
 * scarce: makes one allocation fail, to see what the code under test then does.
 *
 * Works in binaries that are linked with scarce_link_args (tests/support/meson.build), for every
 * malloc, calloc and realloc in them. The usual loop over all allocations of an operation:
 *
 *     for (unsigned n = 0;; n++) {
 *         scarce_begin(n);
 *         int status = operation();
 *         if (!scarce_end()) {
 *             break; // it needed no more than n allocations, and has succeeded
 *         }
 *         assert that status is ERR_MEMORY and nothing has changed
 *     }
 */
#pragma once

#include <stdbool.h>

/* The allocation after the next n fails, once. */
void scarce_begin(unsigned n);

/* From now on none fails. True if one has failed since scarce_begin. */
bool scarce_end(void);
