/*
 * ipcclient/list: lists. Part of ipcclient.h; opening and closing is described in
 * ipcclient/object.h.
 */
#ifndef IPCCLIENT_LIST_H
#define IPCCLIENT_LIST_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_list; /* a handle: a name, on a connection */

/* As Python's list: negative indexes count from the end; IPCC_ERR_INDEX when out of range. */

struct ipcc_list_options {
    struct ipcc_open_options open;
    struct ipcc_value initial; /* an array, for a list that is created */
    uint64_t reserved[2];
};

int ipcc_list_open(struct ipcc *conn, const char *name, const struct ipcc_list_options *options,
                   struct ipcc_list **list);
int ipcc_list_close(struct ipcc_list *list);
const char *ipcc_list_name(const struct ipcc_list *list);

/* Adds a value, or the elements of an array, at the end. *length is the new one. */
int ipcc_list_append(struct ipcc_list *list, struct ipcc_value value, uint64_t *length);
int ipcc_list_extend(struct ipcc_list *list, struct ipcc_value values, uint64_t *length);

/* Inserts before index; an index out of range is clamped. */
int ipcc_list_insert(struct ipcc_list *list, int64_t index, struct ipcc_value value);

/* IPCC_ERR_INDEX, all four. pop removes the value (of the last: -1) and gives it. */
int ipcc_list_get(struct ipcc_list *list, int64_t index, struct ipcc_reply *reply);
int ipcc_list_delete(struct ipcc_list *list, int64_t index);
int ipcc_list_set(struct ipcc_list *list, int64_t index, struct ipcc_value value);
int ipcc_list_pop(struct ipcc_list *list, int64_t index, struct ipcc_reply *reply);

/* list[start:stop:step], each of them IPCC_OMIT if left out. slice gives an array; set_slice
 * replaces by the elements of one. IPCC_ERR_VALUE: step 0, or sizes that differ where Python wants
 * them equal. */
int ipcc_list_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step,
                    struct ipcc_reply *reply);
int ipcc_list_set_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step,
                        struct ipcc_value values);
int ipcc_list_delete_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step);

int ipcc_list_len(struct ipcc_list *list, uint64_t *length);
int ipcc_list_clear(struct ipcc_list *list);

/* The index of the first value that is equal, between start and stop (IPCC_OMIT). IPCC_ERR_VALUE:
 * there is none. */
int ipcc_list_index(struct ipcc_list *list, struct ipcc_value value, int64_t start, int64_t stop,
                    uint64_t *index);

/* How many values are equal; whether one is; removal of the first one (IPCC_ERR_VALUE: none is). */
int ipcc_list_count(struct ipcc_list *list, struct ipcc_value value, uint64_t *count);
int ipcc_list_contains(struct ipcc_list *list, struct ipcc_value value, bool *there);
int ipcc_list_remove(struct ipcc_list *list, struct ipcc_value value);

int ipcc_list_reverse(struct ipcc_list *list);

/* Sorts in place, stable. IPCC_ERR_TYPE: values that cannot be compared. */
int ipcc_list_sort(struct ipcc_list *list, bool reverse);

/* Repeats in place `times` times, as *= does. */
int ipcc_list_repeat(struct ipcc_list *list, int64_t times);

/* Adds delta (IPCC_NONE: 1) to the number at an index, atomically. The answer is the new number.
 * IPCC_ERR_INDEX, _TYPE, _RANGE. */
int ipcc_list_incr(struct ipcc_list *list, int64_t index, struct ipcc_value delta,
                   struct ipcc_reply *reply);

/* The same with numbers: an int64_t, or a double, which integers are turned into, in place of value
 * and reply. IPCC_ERR_TYPE: the value is no number, or for _int a float. IPCC_ERR_RANGE: it is an
 * integer above INT64_MAX, or for _double one that no double is equal to. incr has then changed it
 * all the same. */
int ipcc_list_get_int(struct ipcc_list *list, int64_t index, int64_t *number);
int ipcc_list_incr_int(struct ipcc_list *list, int64_t index, int64_t delta, int64_t *number);
int ipcc_list_get_double(struct ipcc_list *list, int64_t index, double *number);
int ipcc_list_incr_double(struct ipcc_list *list, int64_t index, double delta, double *number);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_LIST_H */
