/*
 * request: see request.h.
 *
 * Tests: tests/unit/client/test_call.c.
 */
#include "client/request.h"

int request_check(const struct ipcc_request *request)
{
    if (request == NULL || request->method == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "a call needs the name of a method");
    }
    if (request->params == NULL && request->nparams > 0) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "the call of %.60s has %zu params but a NULL pointer to them",
                         request->method, request->nparams);
    }
    if (request->guard_ms < 0) {
        return error_set(IPCC_ERR_ARGUMENT, "guard_ms must be milliseconds, or 0 for none");
    }
    return CHECK_RESERVED(request);
}

int request_add(struct ipcc *conn, const struct ipcc_request *request, struct slot **slot,
                uint32_t *msgid)
{
    struct slot *added = flight_add(&conn->flight, msgid);
    if (added == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for one more call in flight");
    }
    int status = outgoing_request(&conn->link.out, *msgid, request, conn->max_request);
    if (status < 0) {
        flight_remove(&conn->flight, *msgid);
        return status;
    }
    added->epoch = conn->link.epoch;
    *slot = added;
    return 0;
}

void request_cancel(struct ipcc *conn, uint32_t msgid)
{
    outgoing_cancel(&conn->link.out, msgid);
}

void request_send(struct ipcc *conn)
{
    struct unpassed unpassed;
    while (conn->link.state == LINK_UP && outgoing_pending(&conn->link.out) &&
           !outgoing_send(&conn->link.out, conn->link.fd, &unpassed)) {
        /* The daemon refuses the call then, and the call says why (dispatch.c). */
        struct slot *slot = flight_find(&conn->flight, unpassed.msgid);
        if (slot != NULL) {
            slot->unpassed = unpassed.error;
        }
    }
}
