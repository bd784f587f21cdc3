/*
 * ipcclient/namespace: namespaces, dicts whose keys are strings. Part of ipcclient.h; opening and
 * closing is described in ipcclient/object.h.
 */
#ifndef IPCCLIENT_NAMESPACE_H
#define IPCCLIENT_NAMESPACE_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_namespace; /* a handle: a name, on a connection */

/* What Python's Namespace is for: names that are shared, with values. Each function does what that
 * of ipcclient/dict.h does, with keys that are NUL-terminated UTF-8 (NULL: IPCC_ERR_ARGUMENT). A
 * namespace is no dict: opening one as the other is IPCC_ERR_WRONG_TYPE. */

struct ipcc_namespace_options {
    struct ipcc_open_options open;
    struct ipcc_value initial; /* a map with str keys, for a namespace that is created */
    uint64_t reserved[2];
};

int ipcc_namespace_open(struct ipcc *conn, const char *name,
                        const struct ipcc_namespace_options *options,
                        struct ipcc_namespace **space);
int ipcc_namespace_close(struct ipcc_namespace *space);
const char *ipcc_namespace_name(const struct ipcc_namespace *space);

/* The value of a key, or `fallback` if the key is missing and `fallback` is not IPCC_NONE.
 * IPCC_ERR_KEY. */
int ipcc_namespace_get(struct ipcc_namespace *space, const char *key, struct ipcc_value fallback,
                       struct ipcc_reply *reply);

/* Sets the value of a key. *is_new: the key was not there. */
int ipcc_namespace_set(struct ipcc_namespace *space, const char *key, struct ipcc_value value,
                       bool *is_new);

/* Sets each key of a map, or none if one of them is no str (IPCC_ERR_TYPE). *added: how many are
 * new. */
int ipcc_namespace_update(struct ipcc_namespace *space, struct ipcc_value map, uint64_t *added);

/* The value of a key, set to `value` first if it is missing. */
int ipcc_namespace_setdefault(struct ipcc_namespace *space, const char *key,
                              struct ipcc_value value, struct ipcc_reply *reply);

/* Deletes a key. IPCC_ERR_KEY. */
int ipcc_namespace_delete(struct ipcc_namespace *space, const char *key);

/* Removes a key and gives its value, or `fallback` as in ipcc_namespace_get. IPCC_ERR_KEY. */
int ipcc_namespace_pop(struct ipcc_namespace *space, const char *key, struct ipcc_value fallback,
                       struct ipcc_reply *reply);

/* Removes the pair inserted last and gives it; `reply` is required and holds both.
 * IPCC_ERR_KEY: the namespace is empty. */
int ipcc_namespace_popitem(struct ipcc_namespace *space, struct ipcc_value *key,
                           struct ipcc_value *value, struct ipcc_reply *reply);

int ipcc_namespace_contains(struct ipcc_namespace *space, const char *key, bool *there);
int ipcc_namespace_len(struct ipcc_namespace *space, uint64_t *length);
int ipcc_namespace_clear(struct ipcc_namespace *space);

/* All keys, all values: an array. All items: an array of [key, value]. A copy: a map. */
int ipcc_namespace_keys(struct ipcc_namespace *space, struct ipcc_reply *reply);
int ipcc_namespace_values(struct ipcc_namespace *space, struct ipcc_reply *reply);
int ipcc_namespace_items(struct ipcc_namespace *space, struct ipcc_reply *reply);
int ipcc_namespace_copy(struct ipcc_namespace *space, struct ipcc_reply *reply);

/* Goes through a large namespace in steps, as ipcc_dict_scan does. `cursor` is required. */
int ipcc_namespace_scan(struct ipcc_namespace *space, uint64_t *cursor, size_t count,
                        struct ipcc_reply *reply);

/* Adds delta (IPCC_NONE: 1) to the number of a key, atomically; a missing key starts at `initial`
 * (IPCC_NONE: 0). The answer is the new number. IPCC_ERR_TYPE, _RANGE. */
int ipcc_namespace_incr(struct ipcc_namespace *space, const char *key, struct ipcc_value delta,
                        struct ipcc_value initial, struct ipcc_reply *reply);

/* Compare and set: if the key has the value `expected` now (IPCC_NONE: is not there), it gets
 * `value` (IPCC_NONE: is deleted). *changed says whether. */
int ipcc_namespace_cas(struct ipcc_namespace *space, const char *key, struct ipcc_value expected,
                       struct ipcc_value value, bool *changed);

/* Waits until the key is there; gives its value. IPCC_ERR_TIMEOUT. */
int ipcc_namespace_wait(struct ipcc_namespace *space, const char *key, int64_t timeout_ms,
                        struct ipcc_reply *reply);

/* The same with numbers, as those of ipcclient/dict.h. IPCC_ERR_TYPE, _RANGE. */
int ipcc_namespace_get_int(struct ipcc_namespace *space, const char *key,
                           struct ipcc_value fallback, int64_t *number);
int ipcc_namespace_setdefault_int(struct ipcc_namespace *space, const char *key, int64_t value,
                                  int64_t *number);
int ipcc_namespace_incr_int(struct ipcc_namespace *space, const char *key, int64_t delta,
                            int64_t initial, int64_t *number);
int ipcc_namespace_wait_int(struct ipcc_namespace *space, const char *key, int64_t timeout_ms,
                            int64_t *number);
int ipcc_namespace_get_double(struct ipcc_namespace *space, const char *key,
                              struct ipcc_value fallback, double *number);
int ipcc_namespace_setdefault_double(struct ipcc_namespace *space, const char *key, double value,
                                     double *number);
int ipcc_namespace_incr_double(struct ipcc_namespace *space, const char *key, double delta,
                               double initial, double *number);
int ipcc_namespace_wait_double(struct ipcc_namespace *space, const char *key, int64_t timeout_ms,
                               double *number);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_NAMESPACE_H */
