/*
 * shared_open: opening and mapping a value or an array.
 */
#pragma once

#include "client/shared.h"

/* The options that a value and an array both have. */
struct shared_options {
    const struct shared_methods *methods;
    const struct ipcc_open_options *open; /* or NULL */
    struct ipcc_value initial;
    char typecode;
    bool unmapped;
};

/* Opens and maps a new handle, which is required; `map` has what else is given. */
int shared_open(struct ipcc *conn, const char *name, const struct shared_options *options,
                struct option_map *map, struct shared **shared);
int shared_close(struct shared *shared); /* NULL is allowed */
