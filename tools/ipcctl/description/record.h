/*
 * record: what the daemon says of an object or a session as a line of JSON, with what only this
 * side knows: the names of user and group (user, owner_name, group_name), and for sessions of the
 * process (program).
 *
 *     struct record record;
 *     record_begin(&record, &session);
 *     record_program(context, &record, &session);
 *     record_print(context, &record);
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/context.h"

struct record {
    struct buffer bytes; /* its map; pairs may be appended, … */
    size_t count;        /* … and are counted here */
    size_t at;
};

/* Begins with the pairs of the map and, for those of uid, gid, owner and group that it has, the
 * names, nil where there is none. */
void record_begin(struct record *record, const struct ipcc_value *map);

/* Packs the value of a key. */
typedef void record_put(struct context *context, struct buffer *out, const struct ipcc_value *key,
                        const struct ipcc_value *value);

/* The same, each value packed by `put`, which is given the context. */
void record_begin_with(struct record *record, const struct ipcc_value *map, record_put *put,
                       struct context *context);

/* Adds the program of the process whose pid the map has. */
void record_program(struct context *context, struct record *record, const struct ipcc_value *map);

/* Appends its map, and ends it. */
void record_pack(struct buffer *out, struct record *record);

/* Prints it, and ends it. */
void record_print(struct context *context, struct record *record);
