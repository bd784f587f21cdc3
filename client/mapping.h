/*
 * mapping: dicts and namespaces, which differ in the names of their methods and in what a key may
 * be.
 *
 * dict.c and namespace.c are the functions that a program sees, with its types; each of them is one
 * of these. Params and results are as in ipcclient/dict.h.
 */
#pragma once

#include "client/handle.h"

/* The methods of one type. */
struct mapping_methods {
    const char *open;
    const char *get;
    const char *set;
    const char *update;
    const char *setdefault;
    const char *delete;
    const char *pop;
    const char *popitem;
    const char *contains;
    const char *len;
    const char *clear;
    const char *keys;
    const char *values;
    const char *items;
    const char *copy;
    const char *scan;
    const char *incr;
    const char *cas;
    const char *wait;
};

/* A handle, which may be NULL (ARGUMENT), and what its calls are named. */
struct mapping {
    const struct handle *handle;
    const struct mapping_methods *methods;
};

/* How one is opened. */
struct mapping_options {
    const struct mapping_methods *methods;
    const struct ipcc_open_options *open; /* or NULL */
    struct ipcc_value initial;            /* or NONE */
};

int mapping_open(struct ipcc *conn, const char *name, const struct mapping_options *options,
                 struct handle **handle);

int mapping_get(struct mapping mapping, struct ipcc_value key, struct ipcc_value fallback,
                struct ipcc_reply *reply);
int mapping_set(struct mapping mapping, struct ipcc_value key, struct ipcc_value value,
                bool *is_new);
int mapping_update(struct mapping mapping, struct ipcc_value map, uint64_t *added);
int mapping_setdefault(struct mapping mapping, struct ipcc_value key, struct ipcc_value value,
                       struct ipcc_reply *reply);
int mapping_delete(struct mapping mapping, struct ipcc_value key);
int mapping_pop(struct mapping mapping, struct ipcc_value key, struct ipcc_value fallback,
                struct ipcc_reply *reply);
int mapping_popitem(struct mapping mapping, struct ipcc_value *key, struct ipcc_value *value,
                    struct ipcc_reply *reply);
int mapping_contains(struct mapping mapping, struct ipcc_value key, bool *there);
int mapping_len(struct mapping mapping, uint64_t *length);
int mapping_clear(struct mapping mapping);
int mapping_keys(struct mapping mapping, struct ipcc_reply *reply);
int mapping_values(struct mapping mapping, struct ipcc_reply *reply);
int mapping_items(struct mapping mapping, struct ipcc_reply *reply);
int mapping_copy(struct mapping mapping, struct ipcc_reply *reply);
int mapping_scan(struct mapping mapping, uint64_t *cursor, size_t count, struct ipcc_reply *reply);
int mapping_incr(struct mapping mapping, struct ipcc_value key, struct ipcc_value delta,
                 struct ipcc_value initial, struct ipcc_reply *reply);
int mapping_cas(struct mapping mapping, struct ipcc_value key, struct ipcc_value expected,
                struct ipcc_value value, bool *changed);
int mapping_wait(struct mapping mapping, struct ipcc_value key, int64_t timeout_ms,
                 struct ipcc_reply *reply);
