/*
 * ipcclient/dict: dicts. Part of ipcclient.h; opening and closing is described in
 * ipcclient/object.h.
 */
#ifndef IPCCLIENT_DICT_H
#define IPCCLIENT_DICT_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_dict; /* a handle: a name, on a connection */

/* Keys are values: any but a map, NaN and ext types 1 and 2 (IPCC_ERR_TYPE). 5, "5", 5.0 and true
 * are four keys. Insertion order is kept. */

struct ipcc_dict_options {
    struct ipcc_open_options open;
    struct ipcc_value initial; /* a map, for a dict that is created */
    uint64_t reserved[2];
};

int ipcc_dict_open(struct ipcc *conn, const char *name, const struct ipcc_dict_options *options,
                   struct ipcc_dict **dict);
int ipcc_dict_close(struct ipcc_dict *dict);
const char *ipcc_dict_name(const struct ipcc_dict *dict);

/* The value of a key, or `fallback` if the key is missing and `fallback` is not IPCC_NONE.
 * IPCC_ERR_KEY. */
int ipcc_dict_get(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                  struct ipcc_reply *reply);

/* Sets the value of a key. *is_new: the key was not there. */
int ipcc_dict_set(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                  bool *is_new);

/* Sets each key of a map, or none if one of them cannot be a key. *added: how many are new. */
int ipcc_dict_update(struct ipcc_dict *dict, struct ipcc_value map, uint64_t *added);

/* The value of a key, set to `value` first if it is missing. */
int ipcc_dict_setdefault(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                         struct ipcc_reply *reply);

/* Deletes a key. IPCC_ERR_KEY. */
int ipcc_dict_delete(struct ipcc_dict *dict, struct ipcc_value key);

/* Removes a key and gives its value, or `fallback` as in ipcc_dict_get. IPCC_ERR_KEY. */
int ipcc_dict_pop(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                  struct ipcc_reply *reply);

/* Removes the pair inserted last and gives it; `reply` is required and holds both.
 * IPCC_ERR_KEY: the dict is empty. */
int ipcc_dict_popitem(struct ipcc_dict *dict, struct ipcc_value *key, struct ipcc_value *value,
                      struct ipcc_reply *reply);

int ipcc_dict_contains(struct ipcc_dict *dict, struct ipcc_value key, bool *there);
int ipcc_dict_len(struct ipcc_dict *dict, uint64_t *length);
int ipcc_dict_clear(struct ipcc_dict *dict);

/* All keys, all values: an array. All items: an array of [key, value]. A copy: a map. */
int ipcc_dict_keys(struct ipcc_dict *dict, struct ipcc_reply *reply);
int ipcc_dict_values(struct ipcc_dict *dict, struct ipcc_reply *reply);
int ipcc_dict_items(struct ipcc_dict *dict, struct ipcc_reply *reply);
int ipcc_dict_copy(struct ipcc_dict *dict, struct ipcc_reply *reply);

/* Goes through a large dict in steps of about `count` items (0: the daemon's choice). *cursor is 0
 * at first, is changed by each step, and is 0 again after the last one. The answer is an array of
 * [key, value]. Each key that stays throughout is seen once. `cursor` is required. */
int ipcc_dict_scan(struct ipcc_dict *dict, uint64_t *cursor, size_t count,
                   struct ipcc_reply *reply);

/* Adds delta (IPCC_NONE: 1) to the number of a key, atomically; a missing key starts at `initial`
 * (IPCC_NONE: 0). The answer is the new number. IPCC_ERR_TYPE, _RANGE. */
int ipcc_dict_incr(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value delta,
                   struct ipcc_value initial, struct ipcc_reply *reply);

/* Compare and set: if the key has the value `expected` now (IPCC_NONE: is not there), it gets
 * `value` (IPCC_NONE: is deleted). *changed says whether. */
int ipcc_dict_cas(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value expected,
                  struct ipcc_value value, bool *changed);

/* Waits until the key is there; gives its value. IPCC_ERR_TIMEOUT. */
int ipcc_dict_wait(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                   struct ipcc_reply *reply);

/*
 * The same with numbers, for get, setdefault, incr and wait, which take and give one in place of a
 * value and a reply: an int64_t, or a double, which integers are turned into. IPCC_ERR_TYPE: the
 * value is no number, or for _int a float. IPCC_ERR_RANGE: it is an integer above INT64_MAX, or for
 * _double one that no double is equal to. incr has then changed it all the same. (pop has no such
 * form: what is no number would be gone.)
 */
int ipcc_dict_get_int(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                      int64_t *number);
int ipcc_dict_setdefault_int(struct ipcc_dict *dict, struct ipcc_value key, int64_t value,
                             int64_t *number);
int ipcc_dict_incr_int(struct ipcc_dict *dict, struct ipcc_value key, int64_t delta,
                       int64_t initial, int64_t *number);
int ipcc_dict_wait_int(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                       int64_t *number);
int ipcc_dict_get_double(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                         double *number);
int ipcc_dict_setdefault_double(struct ipcc_dict *dict, struct ipcc_value key, double value,
                                double *number);
int ipcc_dict_incr_double(struct ipcc_dict *dict, struct ipcc_value key, double delta,
                          double initial, double *number);
int ipcc_dict_wait_double(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                          double *number);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_DICT_H */
