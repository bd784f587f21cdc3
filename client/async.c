/*
 * async: calls with callbacks, and what an event loop needs to drive a connection.
 *
 * ipcc_process takes the reader's role for one turn, if no blocked thread has it. The clock's part,
 * guard times, needs no role: any thread that comes by does it.
 */
#include "client/clock.h"
#include "client/deadlines.h"
#include "client/dispatch.h"
#include "client/request.h"
#include "client/session.h"

#include <poll.h>

enum { BATCH_BYTES = 64 * 1024 }; /* calls leave by themselves when so much waits */

/* ---- for event loops ------------------------------------------------------------------------- */

int ipcc_fd(struct ipcc *conn)
{
    if (connection_enter(conn) < 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&conn->lock);
    int fd = conn->link.fd;
    (void)pthread_mutex_unlock(&conn->lock);
    return fd;
}

int ipcc_events(struct ipcc *conn)
{
    if (connection_enter(conn) < 0) {
        return 0;
    }
    (void)pthread_mutex_lock(&conn->lock);
    int events = conn->link.state != LINK_UP         ? 0
                 : outgoing_pending(&conn->link.out) ? POLLIN | POLLOUT
                                                     : POLLIN;
    (void)pthread_mutex_unlock(&conn->lock);
    return events;
}

int ipcc_next_timeout(struct ipcc *conn)
{
    if (connection_enter(conn) < 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&conn->lock);
    int64_t deadline = deadlines_next(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    return clock_timeout(deadline);
}

/* One turn as the reader, if the role is free. The reason, if the connection ended in it. */
static int read_turn(struct ipcc *conn, int revents)
{
    if (conn->reader.reading || conn->link.state == LINK_DOWN) {
        return 0;
    }
    uint32_t epoch = conn->link.epoch;
    conn->reader.reading = true;
    if (conn->link.state == LINK_UP && (revents & ~POLLOUT) != 0) {
        char text[MESSAGE_TEXT];
        (void)pthread_mutex_unlock(&conn->lock);
        int status = incoming_receive(&conn->link.in, conn->link.fd, MSG_DONTWAIT, text);
        (void)pthread_mutex_lock(&conn->lock);
        dispatch_received(conn, status, text);
    }
    deadlines_connect(conn, clock_ms());
    int status = conn->link.epoch != epoch ? error_set(conn->end_code, "%s", conn->end_message) : 0;
    reader_leave(&conn->reader);
    return status;
}

int ipcc_process(struct ipcc *conn, int revents)
{
    int status = connection_enter_blocking(conn, thread_state());
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    request_send(conn);
    status = read_turn(conn, revents);
    if (conn->flight.deadline != NEVER) {
        deadlines_calls(conn, clock_ms());
    }
    request_send(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    return status;
}

int ipcc_flush(struct ipcc *conn)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    request_send(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    return 0;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* Starts a call, with the lock held. */
static int start_call(struct ipcc *conn, const struct ipcc_request *request, ipcc_done_fn *done,
                      void *data, ipcc_call_id *id)
{
    struct slot *slot;
    uint32_t msgid;
    int status = session_start(conn, NULL);
    status = status < 0 ? status : request_add(conn, request, &slot, &msgid);
    if (status < 0) {
        return status;
    }
    slot->kind = SLOT_ASYNC;
    slot->done = done;
    slot->data = data;
    if (request->guard_ms > 0) {
        slot->deadline = deadline_in(request->guard_ms);
        if (slot->deadline < conn->flight.deadline) {
            conn->flight.deadline = slot->deadline;
        }
    }
    if (id != NULL) {
        *id = flight_id(&conn->flight, msgid);
    }
    if (outgoing_size(&conn->link.out) > BATCH_BYTES) {
        request_send(conn);
    }
    return 0;
}

int ipcc_call_async(struct ipcc *conn, const struct ipcc_request *request, ipcc_done_fn *done,
                    void *data, ipcc_call_id *id)
{
    int status = request_check(request);
    status = status < 0 ? status : connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    status = start_call(conn, request, done, data, id);
    (void)pthread_mutex_unlock(&conn->lock);
    return status;
}

int ipcc_cancel(struct ipcc *conn, ipcc_call_id id)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    uint32_t msgid;
    (void)pthread_mutex_lock(&conn->lock);
    if (flight_find_id(&conn->flight, id, &msgid) != NULL) {
        request_cancel(conn, msgid);
    } else {
        status =
            error_set(IPCC_ERR_NOT_FOUND, "there is no such call in flight: it is done, or never "
                                          "was");
    }
    (void)pthread_mutex_unlock(&conn->lock);
    return status;
}
