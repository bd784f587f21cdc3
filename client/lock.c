/*
 * lock: a function for each row of the method table that begins with "lock",
 * and ipcc_lock_run.
 *
 * Tests: tests/system/test_client_lock.c.
 */
#include "client/guard.h"

static const struct handle *of(const struct ipcc_lock *lock)
{
    return lock != NULL ? &lock->handle : NULL;
}

static int lock_options(struct option_map *map, const struct ipcc_lock_options *options)
{
    static const char *const release_bys[] = {NULL, "owner", "anyone"};
    option_true(map, "recursive", options->recursive);
    int status = option_holding(map, options->on_disconnect);
    if (status == 0) {
        status = option_choice(map, "release_by", options->release_by, release_bys, 3);
    }
    if (status == 0) {
        status = option_open(map, &options->open);
    }
    return status < 0 ? status : CHECK_RESERVED(options);
}

int ipcc_lock_open(struct ipcc *conn, const char *name, const struct ipcc_lock_options *options,
                   struct ipcc_lock **lock)
{
    struct option_map map = {.count = 0};
    int status = options != NULL ? lock_options(&map, options) : 0;
    return status < 0 ? status : handle_open(conn, "lock.open", name, &map, (struct handle **)lock);
}

int ipcc_lock_close(struct ipcc_lock *lock)
{
    return handle_close((struct handle *)lock);
}

const char *ipcc_lock_name(const struct ipcc_lock *lock)
{
    return lock != NULL ? lock->handle.name : NULL;
}

int ipcc_lock_acquire(struct ipcc_lock *lock, int64_t timeout_ms, struct ipcc_acquired *acquired)
{
    return ipcc_lock_acquire_as(lock, timeout_ms, ipcc_thread_owner(), acquired);
}

int ipcc_lock_acquire_as(struct ipcc_lock *lock, int64_t timeout_ms, struct ipcc_value owner,
                         struct ipcc_acquired *acquired)
{
    struct typed_call call = {"lock.acquire", {timeout_value(timeout_ms), owner}, timeout_ms};
    return handle_acquire(of(lock), &call, acquired);
}

int ipcc_lock_release(struct ipcc_lock *lock, uint64_t *depth)
{
    return ipcc_lock_release_as(lock, ipcc_thread_owner(), depth);
}

int ipcc_lock_release_as(struct ipcc_lock *lock, struct ipcc_value owner, uint64_t *depth)
{
    return handle_call_uint(of(lock), &(struct typed_call){"lock.release", {owner}, 0}, depth);
}

int ipcc_lock_break(struct ipcc_lock *lock, struct ipcc_reply *reply)
{
    return handle_call(of(lock), &(struct typed_call){.method = "lock.break"}, reply);
}

int ipcc_lock_locked(struct ipcc_lock *lock, bool *locked)
{
    return handle_call_bool(of(lock), &(struct typed_call){.method = "lock.locked"}, locked);
}

int ipcc_lock_guard(struct ipcc_lock *lock, int64_t timeout_ms, struct ipcc_guard *guard)
{
    return guard_lock(of(lock), "lock.acquire", "lock.release", timeout_ms, guard);
}

int ipcc_lock_run(struct ipcc_lock *lock, int64_t timeout_ms, ipcc_section_fn *section, void *data)
{
    struct ipcc_guard guard;
    if (section == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_lock_run needs a function to call");
    }
    int status = ipcc_lock_guard(lock, timeout_ms, &guard);
    if (status < 0) {
        return status;
    }
    status = section(&guard.acquired, data);
    int released = ipcc_guard_release(&guard);
    return status != 0 ? status : released;
}
