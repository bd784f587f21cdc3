/*
 * semaphore: a function for each row of the method table that begins with "semaphore".
 *
 * Tests: tests/system/test_client_sync.c.
 */
#include "client/guard.h"

static const struct handle *of(const struct ipcc_semaphore *semaphore)
{
    return semaphore != NULL ? &semaphore->handle : NULL;
}

static int semaphore_options(struct option_map *map, const struct ipcc_semaphore_options *options)
{
    if (options->value < IPCC_NO_PERMITS) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "the option value is %lld; it must be permits, or IPCC_NO_PERMITS",
                         (long long)options->value);
    }
    /* Given as none is given as 0, which option_int would take for not given. */
    option_value(map, "value",
                 options->value == 0
                     ? ipcc_none()
                     : ipcc_int(options->value == IPCC_NO_PERMITS ? 0 : options->value));
    option_true(map, "bounded", options->bounded);
    int status = option_holding(map, options->on_disconnect);
    if (status == 0) {
        status = option_open(map, &options->open);
    }
    return status < 0 ? status : CHECK_RESERVED(options);
}

int ipcc_semaphore_open(struct ipcc *conn, const char *name,
                        const struct ipcc_semaphore_options *options,
                        struct ipcc_semaphore **semaphore)
{
    struct option_map map = {.count = 0};
    int status = options != NULL ? semaphore_options(&map, options) : 0;
    return status < 0
               ? status
               : handle_open(conn, "semaphore.open", name, &map, (struct handle **)semaphore);
}

int ipcc_semaphore_close(struct ipcc_semaphore *semaphore)
{
    return handle_close((struct handle *)semaphore);
}

const char *ipcc_semaphore_name(const struct ipcc_semaphore *semaphore)
{
    return semaphore != NULL ? semaphore->handle.name : NULL;
}

int ipcc_semaphore_acquire(struct ipcc_semaphore *semaphore, uint64_t n, int64_t timeout_ms,
                           uint64_t *value)
{
    struct typed_call call = {
        "semaphore.acquire", {timeout_value(timeout_ms), ipcc_uint(n)}, timeout_ms};
    return handle_call_uint(of(semaphore), &call, value);
}

int ipcc_semaphore_release(struct ipcc_semaphore *semaphore, uint64_t n, uint64_t *value)
{
    return handle_call_uint(of(semaphore),
                            &(struct typed_call){"semaphore.release", {ipcc_uint(n)}, 0}, value);
}

int ipcc_semaphore_value(struct ipcc_semaphore *semaphore, uint64_t *value)
{
    return handle_call_uint(of(semaphore), &(struct typed_call){.method = "semaphore.value"},
                            value);
}

int ipcc_semaphore_guard(struct ipcc_semaphore *semaphore, uint64_t n, int64_t timeout_ms,
                         struct ipcc_guard *guard)
{
    int status = guard_clear(guard, "semaphore.acquire");
    if (status == 0) {
        status = ipcc_semaphore_acquire(semaphore, n, timeout_ms, NULL);
    }
    if (status == 0) {
        *guard = (struct ipcc_guard){
            .held = of(semaphore), .release = "semaphore.release", .param = ipcc_uint(n)};
    }
    return status;
}
