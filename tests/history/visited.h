/*
 * visited: a set of pairs of two byte strings of fixed sizes, for the memory of the search. It
 * compares the bytes, so that nothing is taken for another thing with the same hash.
 */
#pragma once

#include <stddef.h>

struct visited;

/* A new empty set, or NULL for want of memory. */
struct visited *visited_new(size_t first_size, size_t second_size);
void visited_free(struct visited *visited);

/* Adds a pair: 1; 0 if it is there already; -1 for want of memory. */
int visited_add(struct visited *visited, const void *first, const void *second);
