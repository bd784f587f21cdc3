/*
 * handle: see handle.h.
 *
 * Tests: tests/unit/client/test_typed.c.
 */
#include "client/handle.h"

#include "client/value.h"

#include <stdlib.h>

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
    handle->length = name->length;
    connection_ref(conn);
    (void)pthread_mutex_lock(&conn->lock);
    handle->epoch = conn->link.epoch;
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
    bool open = conn->link.state == LINK_UP && conn->link.epoch == handle->epoch;
    (void)pthread_mutex_unlock(&conn->lock);
    return open;
}

int handle_close(struct handle *handle)
{
    if (handle == NULL) {
        return 0;
    }
    int status = 0;
    if (!fork_happened(&handle->conn->fork) && is_open(handle)) {
        const struct typed_call call = {"object.close", {ipcc_str(handle->name)}, 0};
        status = typed_call_nil(handle->conn, &call);
    }
    ipcc_ahead_free(handle->ahead);
    connection_unref(handle->conn);
    free(handle->name);
    free(handle);
    return status == IPCC_ERR_NOT_FOUND ? 0 : status;
}
