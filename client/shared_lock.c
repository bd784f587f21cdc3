/*
 * shared_lock: see shared_lock.h.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/shared_lock.h"

#include "client/clock.h"

#include <errno.h>

/* Why the lock was not taken, from errno's number. */
static int lock_error(const struct shared *shared, int error, int64_t timeout_ms)
{
    const char *method = shared->methods->lock;
    char text[128];
    switch (error) {
    case ETIMEDOUT:
    case EBUSY:
        return error_set(IPCC_ERR_TIMEOUT, "%s: the lock in \"%s\" was held for all of %lld ms",
                         method, shared->handle->name, (long long)timeout_ms);
    case EDEADLK:
        return error_set(IPCC_ERR_BUSY, "%s: this thread holds the lock in \"%s\" already", method,
                         shared->handle->name);
    case EPERM:
        return error_set(IPCC_ERR_NOT_OWNER, "%s: this thread does not hold the lock in \"%s\"",
                         method, shared->handle->name);
    default:
        return error_set(IPCC_ERR_SYSTEM, "%s: the lock in \"%s\" is out of order: %s", method,
                         shared->handle->name, strerror_r(error, text, sizeof(text)));
    }
}

static int check_lock(const struct shared *shared)
{
    if (shared == NULL) {
        return shared_no_handle();
    }
    if (shared->lock == NULL) {
        return error_set(IPCC_ERR_SYSTEM,
                         "%s: the memory of \"%s\" is not mapped here, and its "
                         "lock is in it",
                         shared->methods->lock, shared->handle->name);
    }
    return shared_check_writable(shared, shared->methods->lock);
}

static int wait_for(pthread_mutex_t *lock, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms == 0 ? 0 : deadline_in(timeout_ms);
    if (timeout_ms == 0) {
        return pthread_mutex_trylock(lock);
    }
    if (deadline == NEVER) {
        return pthread_mutex_lock(lock);
    }
    deadline++; /* the clock's part of a millisecond that has begun */
    const struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    return pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &until);
}

int shared_lock(const struct shared *shared, int64_t timeout_ms, bool *abandoned)
{
    int status = check_lock(shared);
    status = status < 0 ? status : timeout_check(timeout_ms);
    if (status < 0) {
        return status;
    }
    int error = wait_for(shared->lock, timeout_ms);
    bool died = error == EOWNERDEAD;
    if (died) {
        error = pthread_mutex_consistent(shared->lock);
    }
    if (error != 0) {
        return lock_error(shared, error, timeout_ms);
    }
    if (abandoned != NULL) {
        *abandoned = died;
    }
    return 0;
}

int shared_unlock(const struct shared *shared)
{
    int status = check_lock(shared);
    if (status < 0) {
        return status;
    }
    int error = pthread_mutex_unlock(shared->lock);
    return error == 0 ? 0 : lock_error(shared, error, 0);
}
