/*
 * row_map: rows in memory, in the place of a store: what objects save, and can be made of again.
 */
#pragma once

#include "daemon/objects/saving.h"

struct map_row {
    uint64_t number;
    struct slice key; /* owned, as is the value */
    struct slice value;
};

struct row_map {
    struct map_row *rows; /* owned; in the order of number and key */
    size_t count;
    size_t cap;
    uint64_t number;  /* of the object that is being saved */
    uint64_t puts;    /* since whoever looks at it has set it to 0 */
    uint64_t removes; /* of rows that were there */
    uint64_t bytes;   /* of values that were put */
    uint64_t vain;    /* removes of rows that were not there */
};

void row_map_deinit(struct row_map *map);

/* Puts what goes into it under that number from now on. */
struct row_writer row_map_writer(struct row_map *map, uint64_t number);

/* The value of a row, or one of length 0. */
struct slice row_map_find(const struct row_map *map, uint64_t number, struct slice key);
/* So many rows that an object has. */
size_t row_map_count(const struct row_map *map, uint64_t number);

/* A commit: all that has changed of the registry's objects. */
void row_map_save(struct row_map *map, struct registry *registry, struct moment now);
/* All rows of all objects, in a map that is empty. */
void row_map_save_all(struct row_map *map, struct registry *registry, struct moment now);

/* Makes the objects of all rows, in a registry that has none. What loading_… answers; `why`, if it
 * is not NULL, gets the sentence. */
int row_map_load(const struct row_map *map, struct registry *registry, struct accounts *accounts,
                 struct moment now, char why[256]);
