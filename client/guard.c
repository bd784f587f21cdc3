/* guard: see guard.h. */
#include "client/guard.h"

#include "client/fork.h"
#include "client/ipcclient/result.h"

#include <unistd.h>

/* A system call for each would be a part of what it costs to acquire that can be felt. */
struct ipcc_value ipcc_thread_owner(void)
{
    struct thread_state *thread = thread_state();
    unsigned count = fork_count();
    if (count == 0 || thread->number_of != count) {
        thread->number = gettid();
        thread->number_of = count;
    }
    return ipcc_int(thread->number);
}

int handle_acquire(const struct handle *handle, const struct typed_call *call,
                   struct ipcc_acquired *acquired)
{
    struct ipcc_reply reply;
    int status = handle_call(handle, call, &reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_acquired now;
    if (ipcc_value_acquired(&reply.value, &now) < 0) {
        return wrong_answer(call->method, "a map of depth and abandoned", &reply);
    }
    ipcc_reply_free(&reply);
    if (acquired != NULL) {
        *acquired = now;
    }
    return 0;
}

int guard_clear(struct ipcc_guard *guard, const char *method)
{
    if (guard == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a guard to fill, not NULL", method);
    }
    *guard = (struct ipcc_guard){0};
    return 0;
}

int guard_lock(const struct handle *handle, const char *acquire, const char *release,
               int64_t timeout_ms, struct ipcc_guard *guard)
{
    struct ipcc_guard held = {.held = handle, .release = release, .param = ipcc_thread_owner()};
    struct typed_call call = {acquire, {timeout_value(timeout_ms), held.param}, timeout_ms};
    int status = guard_clear(guard, acquire);
    if (status == 0) {
        status = handle_acquire(handle, &call, &held.acquired);
    }
    if (status == 0) {
        *guard = held;
    }
    return status;
}

int ipcc_guard_release(struct ipcc_guard *guard)
{
    if (guard == NULL || guard->held == NULL) {
        return 0;
    }
    struct ipcc_guard held = *guard;
    *guard = (struct ipcc_guard){0};
    return handle_call_nil(held.held, &(struct typed_call){held.release, {held.param}, 0});
}
