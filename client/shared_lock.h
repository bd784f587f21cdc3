/*
 * shared_lock: the lock in the memory of a value or an array.
 */
#pragma once

#include "client/shared.h"

/* As ipcc_shared_value_lock and _unlock. `shared` may be NULL: ARGUMENT. */
int shared_lock(const struct shared *shared, int64_t timeout_ms, bool *abandoned);
int shared_unlock(const struct shared *shared);
