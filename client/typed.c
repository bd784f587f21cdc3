/* typed: see typed.h. */
#include "client/typed.h"

#include "client/reply.h"
#include "client/value.h"

/* The guard time of a call that may wait at the daemon; 0: none. */
static int64_t guard_of(const struct ipcc *conn, int64_t timeout_ms)
{
    int64_t guard;
    if (conn == NULL || conn->guard_ms == 0 || timeout_ms == IPCC_FOREVER ||
        __builtin_add_overflow(conn->guard_ms, timeout_ms, &guard)) {
        return 0;
    }
    return guard;
}

int timeout_check(int64_t timeout_ms)
{
    if (timeout_ms < IPCC_FOREVER) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "timeout_ms is %lld; it must be milliseconds from 0 on, or IPCC_FOREVER",
                         (long long)timeout_ms);
    }
    return 0;
}

static enum call_wait wait_of(const struct typed_call *call)
{
    return call->timeout_ms == 0 ? CALL_NEVER_WAITS : CALL_WAITS;
}

static int run(struct ipcc *conn, const struct typed_call *call, const struct ipcc_value *params,
               size_t nparams, enum call_wait wait, struct ipcc_reply *reply)
{
    int status = timeout_check(call->timeout_ms);
    if (status < 0) {
        reply_clear(reply);
        return status;
    }
    struct ipcc_request request = {.method = call->method,
                                   .params = params,
                                   .nparams = nparams,
                                   .guard_ms = guard_of(conn, call->timeout_ms)};
    return call_run(conn, &request, wait, reply);
}

/* Runs a call and drops the detail of an error. */
static int run_plain(struct ipcc *conn, const struct typed_call *call,
                     const struct ipcc_value *params, size_t nparams, enum call_wait wait,
                     struct ipcc_reply *reply)
{
    int status = run(conn, call, params, nparams, wait, reply);
    if (status < 0) {
        ipcc_reply_free(reply);
    }
    return status;
}

int typed_call(struct ipcc *conn, const struct typed_call *call, struct ipcc_reply *reply)
{
    return run_plain(conn, call, call->params, TYPED_PARAMS, wait_of(call), reply);
}

int typed_call_detail(struct ipcc *conn, const struct typed_call *call, struct ipcc_reply *reply)
{
    return run(conn, call, call->params, TYPED_PARAMS, wait_of(call), reply);
}

int typed_call_nil(struct ipcc *conn, const struct typed_call *call)
{
    return typed_call(conn, call, NULL);
}

int handle_call_wait(const struct handle *handle, const struct typed_call *call,
                     enum call_wait wait, struct ipcc_reply *reply)
{
    if (handle == NULL) {
        reply_clear(reply);
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a handle, not NULL", call->method);
    }
    struct ipcc_value params[1 + TYPED_PARAMS];
    params[0] = ipcc_strn(handle->name, handle->length);
    memcpy(params + 1, call->params, sizeof(call->params));
    return run_plain(handle->conn, call, params, 1 + TYPED_PARAMS, wait, reply);
}

int handle_call(const struct handle *handle, const struct typed_call *call,
                struct ipcc_reply *reply)
{
    return handle_call_wait(handle, call, wait_of(call), reply);
}

int handle_call_nil(const struct handle *handle, const struct typed_call *call)
{
    return handle_call(handle, call, NULL);
}

int wrong_answer(const char *method, const char *expected, struct ipcc_reply *reply)
{
    int status = error_set(IPCC_ERR_PROTOCOL, "the answer to %s is %s where %s was expected",
                           method, value_kind_name(&reply->value), expected);
    ipcc_reply_free(reply);
    return status;
}

int take_bool(const char *method, struct ipcc_reply *reply, bool *result)
{
    bool found;
    if (ipcc_value_bool(&reply->value, &found) < 0) {
        return wrong_answer(method, "a boolean", reply);
    }
    if (result != NULL) {
        *result = found;
    }
    ipcc_reply_free(reply);
    return 0;
}

int handle_call_bool(const struct handle *handle, const struct typed_call *call, bool *result)
{
    struct ipcc_reply reply;
    int status = handle_call(handle, call, &reply);
    return status < 0 ? status : take_bool(call->method, &reply, result);
}

int handle_call_uint(const struct handle *handle, const struct typed_call *call, uint64_t *result)
{
    struct ipcc_reply reply;
    int status = handle_call(handle, call, &reply);
    if (status < 0) {
        return status;
    }
    uint64_t found;
    if (ipcc_value_uint(&reply.value, &found) < 0) {
        return wrong_answer(call->method, "a count", &reply);
    }
    if (result != NULL) {
        *result = found;
    }
    return 0;
}

/* The end of take_int and take_double. */
static int taken(const char *method, int status, struct ipcc_reply *reply)
{
    if (status < 0) {
        status = error_set(status, "%s: %s", method, ipcc_last_message());
    }
    ipcc_reply_free(reply);
    return status;
}

int take_int(const char *method, int status, struct ipcc_reply *reply, int64_t *number)
{
    if (status < 0 || number == NULL) {
        ipcc_reply_free(reply);
        return status;
    }
    return taken(method, ipcc_value_int(&reply->value, number), reply);
}

int take_double(const char *method, int status, struct ipcc_reply *reply, double *number)
{
    if (status < 0 || number == NULL) {
        ipcc_reply_free(reply);
        return status;
    }
    return taken(method, ipcc_value_double(&reply->value, number), reply);
}

int handle_call_reply(const struct handle *handle, const struct typed_call *call,
                      struct ipcc_reply *reply)
{
    if (reply == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "the reply of %s must not be NULL", call->method);
    }
    return handle_call(handle, call, reply);
}

struct ipcc_value timeout_value(int64_t timeout_ms)
{
    return timeout_ms == IPCC_FOREVER ? ipcc_nil() : ipcc_int(timeout_ms);
}

struct ipcc_value optional_array(const struct ipcc_value *value)
{
    return ipcc_array(value, value->kind == IPCC_NONE ? 0 : 1);
}
