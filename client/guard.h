/*
 * guard: what lock.c, condition.c and semaphore.c have in common: the calling thread as an owner,
 * the answer of acquiring, and giving back at the end of a scope.
 */
#pragma once

#include "client/handle.h"

/* Calls, and takes the result of lock.acquire. */
int handle_acquire(const struct handle *handle, const struct typed_call *call,
                   struct ipcc_acquired *acquired);

/* Every function that fills a guard begins with this: {0}. ARGUMENT: it is NULL. */
int guard_clear(struct ipcc_guard *guard, const char *method);

/* Calls `acquire` for a guard that is to call `release`. */
int guard_lock(const struct handle *handle, const char *acquire, const char *release,
               int64_t timeout_ms, struct ipcc_guard *guard);
