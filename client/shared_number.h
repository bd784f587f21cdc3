/*
 * shared_number: one number of a value or an array: in the memory if it is mapped, else by a call.
 *
 * `shared` may be NULL: ARGUMENT. The index is looked at for arrays. A result may be NULL, but for
 * get: ARGUMENT. TYPE or RANGE: the number does not go into the typecode; nothing was changed.
 */
#pragma once

#include "client/shared.h"

int shared_get_value(const struct shared *shared, int64_t index, struct ipcc_value *number);
int shared_get_int(const struct shared *shared, int64_t index, int64_t *number);
int shared_get_float(const struct shared *shared, int64_t index, double *number);
int shared_set_value(const struct shared *shared, int64_t index, struct ipcc_value number);
int shared_set_int(const struct shared *shared, int64_t index, int64_t number);
int shared_set_float(const struct shared *shared, int64_t index, double number);
int shared_add_value(const struct shared *shared, int64_t index, struct ipcc_value delta,
                     struct ipcc_value *sum);
int shared_add_int(const struct shared *shared, int64_t index, int64_t delta, int64_t *sum);
int shared_add_float(const struct shared *shared, int64_t index, double delta, double *sum);
