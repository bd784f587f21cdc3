/*
 * async: calls with callbacks, and what an event loop needs to drive a connection.
 *
 * ipcc_process takes the reader's role for one turn, if no blocked thread has it. The clock's part,
 * guard times, needs no role: any thread that comes by does it.
 */
#include "client/internal.h"

#include <limits.h>
#include <poll.h>
#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t deadline_in(int64_t ms)
{
    int64_t deadline;
    if (ms < 0 || __builtin_add_overflow(clock_ms(), ms, &deadline) ||
        __builtin_add_overflow(deadline, 1, &deadline)) {
        return NEVER;
    }
    /* One more for the part of a millisecond that has passed already. */
    return deadline;
}

/* ---- callbacks ------------------------------------------------------------------------------- */

void callback_enter(struct ipcc *conn, struct callback *frame)
{
    struct thread_state *thread = thread_state();
    *frame = (struct callback){conn, thread->callback};
    thread->callback = frame;
    (void)pthread_mutex_unlock(&conn->lock);
}

void callback_leave(struct ipcc *conn, const struct callback *frame)
{
    thread_state()->callback = frame->outer;
    (void)pthread_mutex_lock(&conn->lock);
}

void callback_run(struct ipcc *conn, const struct slot *slot, int status,
                  const struct ipcc_reply *reply)
{
    if (slot->done == NULL) {
        return;
    }
    struct callback frame;
    callback_enter(conn, &frame);
    slot->done(conn, status, reply, slot->data);
    callback_leave(conn, &frame);
}

void async_expire(struct ipcc *conn, int64_t now)
{
    static const struct ipcc_reply nothing;
    if (now < conn->flight.deadline) {
        return;
    }
    /* Callbacks may start calls with deadlines meanwhile: those lower it themselves. */
    conn->flight.deadline = NEVER;
    for (uint32_t i = 0; i < conn->flight.count; i++) {
        struct slot *slot = &conn->flight.slots[i];
        if (slot->kind != SLOT_ASYNC) {
            continue;
        }
        if (slot->deadline > now) {
            if (slot->deadline < conn->flight.deadline) {
                conn->flight.deadline = slot->deadline;
            }
            continue;
        }
        slot->kind = SLOT_ABANDONED;
        struct slot expired = *slot;
        stream_cancel(conn, i);
        int status =
            error_set(IPCC_ERR_NO_ANSWER, "the daemon did not answer within the guard time");
        callback_run(conn, &expired, status, &nothing);
    }
}

int64_t async_deadline(const struct ipcc *conn)
{
    int64_t deadline = conn->flight.deadline;
    if (conn->connect_deadline < deadline) {
        deadline = conn->connect_deadline;
    }
    if (conn->link == LINK_CONNECTING && conn->retry_at < deadline) {
        deadline = conn->retry_at;
    }
    return deadline;
}

/* ---- for event loops ------------------------------------------------------------------------- */

int ipcc_open_async(struct ipcc **conn, const struct ipcc_options *options)
{
    struct ipcc *opened = NULL;
    int status = connection_new(conn != NULL ? &opened : NULL, options);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&opened->lock);
    status = connection_start(opened, NULL);
    stream_send(opened);
    (void)pthread_mutex_unlock(&opened->lock);
    if (status < 0) {
        (void)ipcc_close(opened);
        return status;
    }
    *conn = opened;
    return 0;
}

int ipcc_fd(struct ipcc *conn)
{
    if (connection_enter(conn) < 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&conn->lock);
    int fd = conn->fd;
    (void)pthread_mutex_unlock(&conn->lock);
    return fd;
}

int ipcc_events(struct ipcc *conn)
{
    if (connection_enter(conn) < 0) {
        return 0;
    }
    (void)pthread_mutex_lock(&conn->lock);
    int events = conn->link != LINK_UP ? 0 : stream_pending(conn) ? POLLIN | POLLOUT : POLLIN;
    (void)pthread_mutex_unlock(&conn->lock);
    return events;
}

int ipcc_next_timeout(struct ipcc *conn)
{
    if (connection_enter(conn) < 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&conn->lock);
    int64_t deadline = async_deadline(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    if (deadline == NEVER) {
        return -1;
    }
    int64_t left = deadline - clock_ms();
    return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* One turn as the reader, if the role is free. The reason, if the connection ended in it. */
static int read_turn(struct ipcc *conn, int revents)
{
    if (conn->reading || conn->link == LINK_DOWN) {
        return 0;
    }
    uint32_t epoch = conn->epoch;
    conn->reading = true;
    if (conn->link == LINK_UP && (revents & ~POLLOUT) != 0) {
        char text[MESSAGE_TEXT];
        (void)pthread_mutex_unlock(&conn->lock);
        int status = stream_receive(conn, MSG_DONTWAIT, text);
        (void)pthread_mutex_lock(&conn->lock);
        incoming_take(conn, status, text);
    }
    connection_tick(conn, clock_ms());
    int status = conn->epoch != epoch ? error_set(conn->end_code, "%s", conn->end_message) : 0;
    reader_leave(conn);
    return status;
}

int ipcc_process(struct ipcc *conn, int revents)
{
    int status = connection_enter_blocking(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    stream_send(conn);
    status = read_turn(conn, revents);
    if (conn->flight.deadline != NEVER) {
        async_expire(conn, clock_ms());
    }
    stream_send(conn);
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
    stream_send(conn);
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
    int status = connection_start(conn, NULL);
    status = status < 0 ? status : stream_request(conn, request, &slot, &msgid);
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
    if (conn->out.len - conn->sent > BATCH_BYTES) {
        stream_send(conn);
    }
    return 0;
}

int ipcc_call_async(struct ipcc *conn, const struct ipcc_request *request, ipcc_done_fn *done,
                    void *data, ipcc_call_id *id)
{
    int status = connection_enter(conn);
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
        stream_cancel(conn, msgid);
    } else {
        status =
            error_set(IPCC_ERR_NOT_FOUND, "there is no such call in flight: it is done, or never "
                                          "was");
    }
    (void)pthread_mutex_unlock(&conn->lock);
    return status;
}

int ipcc_on_notification(struct ipcc *conn, ipcc_notify_fn *notify, void *data)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    conn->notify = notify;
    conn->notify_data = data;
    (void)pthread_mutex_unlock(&conn->lock);
    return 0;
}
