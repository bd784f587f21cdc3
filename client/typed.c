/*
 * typed: what the typed functions are made of.
 *
 * Each of them is one struct typed_call (the method and its params) handed to the function here
 * that takes the result as it should be. A handle is a name on a connection; it keeps the
 * connection's struct, though not the connection itself, alive.
 */
#include "client/typed.h"

#include <stdlib.h>

/* ---- calls ----------------------------------------------------------------------------------- */

/* The guard time of a call that may wait at the daemon; 0: none. */
static int64_t guard_of(const struct ipcc *conn, int64_t timeout_ms)
{
    int64_t guard;
    if (conn->guard_ms == 0 || timeout_ms == IPCC_FOREVER ||
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
    reply_clear(reply);
    int status = connection_enter(conn);
    return status < 0 ? status
                      : run_plain(conn, call, call->params, TYPED_PARAMS, wait_of(call), reply);
}

int typed_call_detail(struct ipcc *conn, const struct typed_call *call, struct ipcc_reply *reply)
{
    reply_clear(reply);
    int status = connection_enter(conn);
    return status < 0 ? status : run(conn, call, call->params, TYPED_PARAMS, wait_of(call), reply);
}

int typed_call_nil(struct ipcc *conn, const struct typed_call *call)
{
    return typed_call(conn, call, NULL);
}

int handle_call_wait(const struct handle *handle, const struct typed_call *call,
                     enum call_wait wait, struct ipcc_reply *reply)
{
    reply_clear(reply);
    if (handle == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a handle, not NULL", call->method);
    }
    int status = connection_enter(handle->conn);
    if (status < 0) {
        return status;
    }
    struct ipcc_value params[1 + TYPED_PARAMS] = {ipcc_str(handle->name)};
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
    if (reply->value.kind != IPCC_BOOL) {
        return wrong_answer(method, "a boolean", reply);
    }
    if (result != NULL) {
        *result = reply->value.as.boolean;
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
    if (reply.value.kind != IPCC_INT || reply.value.as.integer < 0) {
        return wrong_answer(call->method, "a count", &reply);
    }
    if (result != NULL) {
        *result = (uint64_t)reply.value.as.integer;
    }
    return 0;
}

int handle_call_reply(const struct handle *handle, const struct typed_call *call,
                      struct ipcc_reply *reply)
{
    if (reply == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "the reply of %s must not be NULL", call->method);
    }
    return handle_call(handle, call, reply);
}

bool map_count(const struct ipcc_value *map, const char *key, uint64_t *count)
{
    struct ipcc_value value;
    if (ipcc_map_get(map, key, &value) < 0 || value.kind != IPCC_INT || value.as.integer < 0) {
        return false;
    }
    *count = (uint64_t)value.as.integer;
    return true;
}

bool map_bool(const struct ipcc_value *map, const char *key, bool *value)
{
    struct ipcc_value found;
    if (ipcc_map_get(map, key, &found) < 0 || found.kind != IPCC_BOOL) {
        return false;
    }
    *value = found.as.boolean;
    return true;
}

struct ipcc_value timeout_value(int64_t timeout_ms)
{
    return timeout_ms == IPCC_FOREVER ? ipcc_nil() : ipcc_int(timeout_ms);
}

struct ipcc_value optional_array(const struct ipcc_value *value)
{
    return ipcc_array(value, value->kind == IPCC_NONE ? 0 : 1);
}

/* ---- options --------------------------------------------------------------------------------- */

int check_reserved(const uint64_t *reserved, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (reserved[i] != 0) {
            return error_set(
                IPCC_ERR_ARGUMENT,
                "an option is set that version %s does not know; the reserved fields of a "
                "struct must be zero",
                ipcc_version());
        }
    }
    return 0;
}

void option_value(struct option_map *map, const char *name, struct ipcc_value value)
{
    if (value.kind != IPCC_NONE && map->count < OPTIONS_MAX) {
        map->pairs[2 * map->count] = ipcc_str(name);
        map->pairs[2 * map->count + 1] = value;
        map->count++;
    }
}

void option_int(struct option_map *map, const char *name, int64_t value)
{
    option_value(map, name, value != 0 ? ipcc_int(value) : ipcc_none());
}

void option_str(struct option_map *map, const char *name, const char *value)
{
    option_value(map, name, value != NULL ? ipcc_str(value) : ipcc_none());
}

void option_true(struct option_map *map, const char *name, bool value)
{
    option_value(map, name, value ? ipcc_bool(true) : ipcc_none());
}

int option_choice(struct option_map *map, const char *name, unsigned choice,
                  const char *const *names, unsigned count)
{
    if (choice >= count || (choice > 0 && names[choice] == NULL)) {
        return error_set(IPCC_ERR_ARGUMENT, "the option %s is %u, which is none of its choices",
                         name, choice);
    }
    option_str(map, name, names[choice]);
    return 0;
}

int option_open(struct option_map *map, const struct ipcc_open_options *options)
{
    static const char *const lifetimes[] = {NULL, "daemon", "scoped", "durable"};
    option_value(map, "create", options->existing ? ipcc_bool(false) : ipcc_none());
    option_true(map, "exclusive", options->exclusive);
    option_int(map, "mode", options->mode);
    int status = option_choice(map, "lifetime", options->lifetime, lifetimes, 4);
    return status < 0 ? status : CHECK_RESERVED(options);
}

struct ipcc_value option_map_value(const struct option_map *map)
{
    return map->count > 0 ? ipcc_map(map->pairs, map->count) : ipcc_none();
}

/* ---- handles --------------------------------------------------------------------------------- */

static struct handle *handle_new(struct ipcc *conn, const struct ipcc_value *name)
{
    struct handle *handle = calloc(1, sizeof(*handle));
    char *copy = strndup(name->as.str, name->length);
    if (handle == NULL || copy == NULL) {
        free(handle);
        free(copy);
        (void)error_set(IPCC_ERR_NO_MEMORY, "no memory for a handle");
        return NULL;
    }
    handle->conn = conn;
    handle->name = copy;
    connection_ref(conn);
    (void)pthread_mutex_lock(&conn->lock);
    handle->epoch = conn->epoch;
    (void)pthread_mutex_unlock(&conn->lock);
    return handle;
}

int handle_open(struct ipcc *conn, const char *method, const char *name,
                const struct option_map *options, struct handle **handle)
{
    if (handle == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a place for the handle", method);
    }
    struct typed_call call = {method, {ipcc_str(name), option_map_value(options)}, 0};
    struct ipcc_reply reply;
    struct ipcc_value given;
    int status = typed_call(conn, &call, &reply);
    if (status < 0) {
        return status;
    }
    if (ipcc_map_get(&reply.value, "name", &given) < 0 || given.kind != IPCC_STR) {
        return wrong_answer(method, "a map with a name", &reply);
    }
    struct handle *made = handle_new(conn, &given);
    ipcc_reply_free(&reply);
    if (made == NULL) {
        return IPCC_ERR_NO_MEMORY;
    }
    *handle = made;
    return 0;
}

/* True if the session in which the object was opened is still there. */
static bool is_open(const struct handle *handle)
{
    struct ipcc *conn = handle->conn;
    (void)pthread_mutex_lock(&conn->lock);
    bool open = conn->link == LINK_UP && conn->epoch == handle->epoch;
    (void)pthread_mutex_unlock(&conn->lock);
    return open;
}

int handle_close(struct handle *handle)
{
    if (handle == NULL) {
        return 0;
    }
    int status = 0;
    if (!fork_happened(handle->conn) && is_open(handle)) {
        status = ipcc_object_close(handle->conn, handle->name);
    }
    connection_unref(handle->conn);
    free(handle->name);
    free(handle);
    return status == IPCC_ERR_NOT_FOUND ? 0 : status;
}
