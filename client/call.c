/* call: see call.h. */
#include "client/call.h"

#include "client/clock.h"
#include "client/interrupt.h"
#include "client/reply.h"
#include "client/request.h"
#include "client/session.h"
#include "client/wait.h"

/* Sends the request and waits. Called with the lock held, returns without it. */
static int call_and_wait(struct ipcc *conn, const struct ipcc_request *request, enum call_wait wait,
                         struct waiter *waiter)
{
    struct slot *slot;
    uint32_t msgid;
    bool interrupted = wait != CALL_NEVER_WAITS && atomic_load(&conn->interrupted);
    int status = interrupted && wait == CALL_WAITS ? interrupt_refuse() : 0;
    if (status == 0 && conn->link.state == LINK_DOWN) {
        status = session_start(conn, NULL);
    }
    status = status < 0 ? status : request_add(conn, request, &slot, &msgid);
    if (status < 0) {
        (void)pthread_mutex_unlock(&conn->lock);
        return status;
    }
    slot->kind = SLOT_BLOCKING;
    slot->wait = wait;
    slot->waiter = waiter;
    if (interrupted) {
        interrupt_call(conn, msgid);
    }
    request_send(conn);
    return wait_for_answer(conn, waiter, msgid,
                           request->guard_ms > 0 ? deadline_in(request->guard_ms) : NEVER);
}

int call_run(struct ipcc *conn, const struct ipcc_request *request, enum call_wait wait,
             struct ipcc_reply *reply)
{
    struct thread_state *thread = thread_state();
    int status = connection_enter_blocking(conn, thread);
    if (status < 0) {
        reply_clear(reply);
        return status;
    }
    struct waiter waiter = {.message = thread->message,
                            .interrupted = request->interrupted,
                            .interrupted_data = request->interrupted_data};
    int cancellation = wait_enter(conn);
    status = call_and_wait(conn, request, wait, &waiter);
    wait_leave(conn, cancellation);
    if (reply != NULL) {
        *reply = waiter.reply;
    } else {
        ipcc_reply_free(&waiter.reply);
    }
    return status;
}

int ipcc_call_request(struct ipcc *conn, const struct ipcc_request *request,
                      struct ipcc_reply *reply)
{
    int status = request_check(request);
    if (status < 0) {
        reply_clear(reply);
        return status;
    }
    return call_run(conn, request, CALL_MAY_WAIT, reply);
}

int ipcc_call(struct ipcc *conn, const char *method, const struct ipcc_value *params,
              size_t nparams, struct ipcc_reply *reply)
{
    struct ipcc_request request = {.method = method, .params = params, .nparams = nparams};
    return ipcc_call_request(conn, &request, reply);
}

void ipcc_reply_recycle(struct ipcc *conn, struct ipcc_reply *reply)
{
    if (conn != NULL && reply != NULL && reply->owned != NULL && !fork_happened(&conn->fork)) {
        (void)pthread_mutex_lock(&conn->lock);
        if (!conn->reader.reading && conn->link.state == LINK_UP) {
            incoming_take_back(&conn->link.in, reply);
        }
        (void)pthread_mutex_unlock(&conn->lock);
    }
    ipcc_reply_free(reply);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Waits for an event. Called with the lock held, returns without it. */
static int listen_and_wait(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    if (conn->link.state == LINK_DOWN || atomic_load(&conn->interrupted)) {
        int status =
            conn->link.state == LINK_DOWN
                ? error_set(IPCC_ERR_LOST, "there is no connection on which events could come")
                : interrupt_refuse();
        (void)pthread_mutex_unlock(&conn->lock);
        return status;
    }
    listeners_add(&conn->reader, waiter);
    request_send(conn);
    return wait_for_answer(conn, waiter, 0, deadline);
}

int ipcc_wait_watch_event(struct ipcc *conn, int64_t timeout_ms)
{
    struct thread_state *thread = thread_state();
    int status = connection_enter_blocking(conn, thread);
    if (status < 0) {
        return status;
    }
    if (timeout_ms < IPCC_FOREVER) {
        return error_set(IPCC_ERR_ARGUMENT, "timeout_ms must be milliseconds, or IPCC_FOREVER");
    }
    struct waiter waiter = {.message = thread->message};
    int cancellation = wait_enter(conn);
    status = listen_and_wait(conn, &waiter, deadline_in(timeout_ms));
    wait_leave(conn, cancellation);
    return status;
}
