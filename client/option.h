/*
 * option: maps of options, as the methods take them.
 */
#pragma once

#include "client/ipcclient/object.h"

/* A map of options that is being made. Each option_ function adds an option that is given (not
 * NONE, not 0, not NULL, not false). */
enum { OPTIONS_MAX = 16 };
struct option_map {
    struct ipcc_value pairs[2 * OPTIONS_MAX];
    size_t count;
};

void option_value(struct option_map *map, const char *name, struct ipcc_value value);
void option_int(struct option_map *map, const char *name, int64_t value);
void option_str(struct option_map *map, const char *name, const char *value);
void option_true(struct option_map *map, const char *name, bool value);

/* Adds the name of a choice, names[choice]; 0 is none. ARGUMENT: there is no such name. */
int option_choice(struct option_map *map, const char *name, unsigned choice,
                  const char *const *names, unsigned count);

/* Adds the options of every type. ARGUMENT. */
int option_open(struct option_map *map, const struct ipcc_open_options *options);

/* The map as a value that points into it, or NONE if it is empty. */
struct ipcc_value option_map_value(const struct option_map *map);

/* Adds on_disconnect of what is held: release or keep. ARGUMENT. */
int option_holding(struct option_map *map, enum ipcc_on_disconnect choice);
