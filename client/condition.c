/*
 * condition: a function for each row of the method table that begins with "condition",
 * and waiting for a predicate.
 *
 * Tests: tests/system/test_client_sync.c.
 */
#include "client/guard.h"
#include "client/clock.h"

static const struct handle *of(const struct ipcc_condition *condition)
{
    return condition != NULL ? &condition->handle : NULL;
}

static int condition_options(struct option_map *map, const struct ipcc_condition_options *options)
{
    option_str(map, "lock", options->lock);
    int status = option_open(map, &options->open);
    return status < 0 ? status : CHECK_RESERVED(options);
}

int ipcc_condition_open(struct ipcc *conn, const char *name,
                        const struct ipcc_condition_options *options,
                        struct ipcc_condition **condition)
{
    struct option_map map = {.count = 0};
    int status = options != NULL ? condition_options(&map, options) : 0;
    return status < 0
               ? status
               : handle_open(conn, "condition.open", name, &map, (struct handle **)condition);
}

int ipcc_condition_close(struct ipcc_condition *condition)
{
    return handle_close((struct handle *)condition);
}

const char *ipcc_condition_name(const struct ipcc_condition *condition)
{
    return condition != NULL ? condition->handle.name : NULL;
}

int ipcc_condition_acquire(struct ipcc_condition *condition, int64_t timeout_ms,
                           struct ipcc_acquired *acquired)
{
    return ipcc_condition_acquire_as(condition, timeout_ms, ipcc_thread_owner(), acquired);
}

int ipcc_condition_acquire_as(struct ipcc_condition *condition, int64_t timeout_ms,
                              struct ipcc_value owner, struct ipcc_acquired *acquired)
{
    struct typed_call call = {"condition.acquire", {timeout_value(timeout_ms), owner}, timeout_ms};
    return handle_acquire(of(condition), &call, acquired);
}

int ipcc_condition_release(struct ipcc_condition *condition, uint64_t *depth)
{
    return ipcc_condition_release_as(condition, ipcc_thread_owner(), depth);
}

int ipcc_condition_release_as(struct ipcc_condition *condition, struct ipcc_value owner,
                              uint64_t *depth)
{
    return handle_call_uint(of(condition), &(struct typed_call){"condition.release", {owner}, 0},
                            depth);
}

int ipcc_condition_guard(struct ipcc_condition *condition, int64_t timeout_ms,
                         struct ipcc_guard *guard)
{
    return guard_lock(of(condition), "condition.acquire", "condition.release", timeout_ms, guard);
}

int ipcc_condition_wait(struct ipcc_condition *condition, int64_t timeout_ms, bool *notified)
{
    return ipcc_condition_wait_as(condition, timeout_ms, ipcc_thread_owner(), notified);
}

int ipcc_condition_wait_as(struct ipcc_condition *condition, int64_t timeout_ms,
                           struct ipcc_value owner, bool *notified)
{
    int status = timeout_check(timeout_ms);
    if (status < 0) {
        return status;
    }
    /* After its time the call waits for the lock, without limit: no guard time. */
    struct typed_call call = {"condition.wait", {timeout_value(timeout_ms), owner}, IPCC_FOREVER};
    struct ipcc_reply reply;
    /* Sent in any case: whatever ends the wait, the lock has been given up. */
    status = handle_call_wait(of(condition), &call, CALL_MAY_WAIT, &reply);
    return status < 0 ? status : take_bool(call.method, &reply, notified);
}

int ipcc_condition_wait_for(struct ipcc_condition *condition, ipcc_predicate_fn *predicate,
                            void *data, int64_t timeout_ms)
{
    return ipcc_condition_wait_for_as(condition, predicate, data, timeout_ms, ipcc_thread_owner());
}

/* One wait, with what is left until the deadline, but never more than was asked for. TIMEOUT. */
static int wait_until(struct ipcc_condition *condition, int64_t deadline, int64_t timeout_ms,
                      struct ipcc_value owner)
{
    int64_t left = timeout_ms;
    if (deadline != NEVER) {
        left = deadline - clock_ms();
        left = left < timeout_ms ? left : timeout_ms;
        if (left <= 0) {
            return error_set(IPCC_ERR_TIMEOUT,
                             "what was waited for on \"%s\" did not come within %lld ms",
                             condition->handle.name, (long long)timeout_ms);
        }
    }
    return ipcc_condition_wait_as(condition, left, owner, NULL);
}

int ipcc_condition_wait_for_as(struct ipcc_condition *condition, ipcc_predicate_fn *predicate,
                               void *data, int64_t timeout_ms, struct ipcc_value owner)
{
    if (condition == NULL || predicate == NULL) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "ipcc_condition_wait_for needs a handle and a predicate, not NULL");
    }
    int status = timeout_check(timeout_ms);
    if (status == 0) {
        status = connection_enter_blocking(condition->handle.conn, thread_state());
    }
    int64_t deadline = deadline_in(timeout_ms);
    while (status == 0 && !predicate(data)) {
        status = wait_until(condition, deadline, timeout_ms, owner);
    }
    return status;
}

int ipcc_condition_notify(struct ipcc_condition *condition, uint64_t n, uint64_t *woken)
{
    return ipcc_condition_notify_as(condition, n, ipcc_thread_owner(), woken);
}

int ipcc_condition_notify_as(struct ipcc_condition *condition, uint64_t n, struct ipcc_value owner,
                             uint64_t *woken)
{
    return handle_call_uint(
        of(condition), &(struct typed_call){"condition.notify", {ipcc_uint(n), owner}, 0}, woken);
}

int ipcc_condition_notify_all(struct ipcc_condition *condition, uint64_t *woken)
{
    return ipcc_condition_notify_all_as(condition, ipcc_thread_owner(), woken);
}

int ipcc_condition_notify_all_as(struct ipcc_condition *condition, struct ipcc_value owner,
                                 uint64_t *woken)
{
    return handle_call_uint(of(condition), &(struct typed_call){"condition.notify_all", {owner}, 0},
                            woken);
}
