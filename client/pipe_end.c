/*
 * pipe_end: an end of a pipe: made, closed, and sent on. Receiving is in pipe_receive.c.
 *
 * A message is one value. Small ones are encoded into a buffer that the end keeps; large strings
 * and bytes are sent from where they are, behind their header.
 */
#include "client/pipe_end.h"
#include "client/spare.h"
#include "client/clock.h"
#include "client/encoding.h"
#include "client/error.h"
#include "client/reply.h"
#include "client/value.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SPLICE_BYTES = 4096 }; /* a str or bin of at least so many is not copied */

int ipcc_pipe_end_open(int fd, const struct ipcc_pipe_end_options *options,
                       struct ipcc_pipe_end **end)
{
    static const struct ipcc_pipe_end_options standard = {0};
    const struct ipcc_pipe_end_options *given = options != NULL ? options : &standard;
    int type = 0;
    socklen_t size = sizeof(type);
    if (end == NULL || (unsigned)given->direction > IPCC_SEND_ONLY) {
        return error_set(IPCC_ERR_ARGUMENT, end == NULL ? "a pipe's end needs a place to be stored"
                                                        : "there is no such direction of a pipe");
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM) {
        return error_set(IPCC_ERR_ARGUMENT, "a pipe's end must be a stream socket");
    }
    int status = CHECK_RESERVED(given);
    if (status < 0) {
        return status;
    }
    struct ipcc_pipe_end *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for the end of a pipe");
    }
    made->fd = fd;
    made->direction = given->direction;
    made->max_message = given->max_message > 0 ? given->max_message : MESSAGE_SIZE;
    (void)pthread_mutex_init(&made->sending, NULL);
    (void)pthread_mutex_init(&made->receiving, NULL);
    *end = made;
    return 0;
}

int ipcc_pipe_end_close(struct ipcc_pipe_end *end)
{
    if (end == NULL) {
        return 0;
    }
    (void)close(end->fd);
    buffer_deinit(&end->out);
    buffer_deinit(&end->in);
    (void)pthread_mutex_destroy(&end->sending);
    (void)pthread_mutex_destroy(&end->receiving);
    free(end);
    return 0;
}

int ipcc_pipe_end_fd(const struct ipcc_pipe_end *end)
{
    return end != NULL ? end->fd : -1;
}

/* ---- turns ----------------------------------------------------------------------------------- */

int pipe_deadline(int64_t timeout_ms, int64_t *deadline)
{
    if (timeout_ms < 0 && timeout_ms != IPCC_FOREVER) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "timeout_ms must be milliseconds, or IPCC_FOREVER for no limit");
    }
    *deadline = timeout_ms == 0 ? 0 : deadline_in(timeout_ms);
    return 0;
}

static int timed_out(void)
{
    return error_set(IPCC_ERR_TIMEOUT, "the time ran out");
}

static int lock_until(pthread_mutex_t *lock, int64_t deadline)
{
    if (deadline == NEVER) {
        return pthread_mutex_lock(lock);
    }
    struct timespec limit = {(time_t)(deadline / 1000), (long)(deadline % 1000) * 1000000};
    return pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &limit);
}

int pipe_enter(pthread_mutex_t *lock, int64_t deadline, struct pipe_turn *turn)
{
    if (lock_until(lock, deadline) != 0) {
        return timed_out();
    }
    turn->lock = lock;
    turn->deadline = deadline;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &turn->cancellation);
    return 0;
}

void pipe_leave(const struct pipe_turn *turn)
{
    (void)pthread_mutex_unlock(turn->lock);
    (void)pthread_setcancelstate(turn->cancellation, NULL);
}

int pipe_await(const struct ipcc_pipe_end *end, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd ready = {.fd = end->fd, .events = events};
        int64_t left = deadline == NEVER ? -1 : deadline - clock_ms();
        if (deadline != NEVER && left < 0) {
            left = 0;
        }
        int count = poll(&ready, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (count > 0) {
            return 0;
        }
        if (count < 0 && errno != EINTR) {
            return error_set(IPCC_ERR_SYSTEM, "waiting for a pipe: %s", strerror(errno));
        }
        if (left == 0) {
            return timed_out();
        }
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The header of a str or bin that is too long for any but the two largest forms. */
static void pack_bytes_header(struct buffer *out, bool str, size_t length)
{
    uint8_t header[5] = {str ? 0xdb : 0xc6, (uint8_t)(length >> 24), (uint8_t)(length >> 16),
                         (uint8_t)(length >> 8), (uint8_t)length};
    if (length <= UINT16_MAX) {
        header[2] = str ? 0xda : 0xc5;
        (void)buffer_append(out, header + 2, 3);
    } else {
        (void)buffer_append(out, header, 5);
    }
}

/* Encodes the value, all but the bytes in *large. */
static int encode(struct ipcc_pipe_end *end, const struct ipcc_value *value, struct slice *large)
{
    struct buffer *out = &end->out;
    int status = 0;
    *large = (struct slice){0};
    out->failed = false;
    if ((value->kind == IPCC_STR || value->kind == IPCC_BIN) && value->length >= SPLICE_BYTES &&
        value->length <= UINT32_MAX && value_has_bytes(value)) {
        pack_bytes_header(out, value->kind == IPCC_STR, value->length);
        *large = (struct slice){value->as.data, value->length};
    } else if (value->kind == IPCC_NONE) {
        status = error_set(IPCC_ERR_ARGUMENT,
                           "IPCC_NONE is no value that could be sent; IPCC_NIL is one");
    } else {
        struct encoding to = {.out = out};
        status = value_encode(value, MESSAGE_DEPTH, &to);
        if (status == 0 && to.count > 0) {
            status = error_set(IPCC_ERR_ARGUMENT,
                               "values on a pipe cannot carry file descriptors; a queue's can");
        }
    }
    if (out->failed) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory to encode a value");
    }
    if (status == 0 && out->len + large->len > end->max_message) {
        return error_set(IPCC_ERR_TOO_LARGE,
                         "the value has %zu bytes; this end sends at most max_message, %zu",
                         out->len + large->len, end->max_message);
    }
    return status;
}

static int send_failed(struct ipcc_pipe_end *end, bool begun)
{
    if (errno == EPIPE || errno == ECONNRESET) {
        return error_set(IPCC_ERR_END, "the other end of the pipe is closed");
    }
    end->cut = begun;
    return error_set(IPCC_ERR_SYSTEM, "sending on a pipe: %s", strerror(errno));
}

/* Takes `sent` bytes off the front of what is to be sent; false when nothing is left. */
static bool advance(struct msghdr *message, size_t sent)
{
    while (message->msg_iovlen > 0) {
        struct iovec *first = message->msg_iov;
        if (sent < first->iov_len) {
            first->iov_base = (uint8_t *)first->iov_base + sent;
            first->iov_len -= sent;
            return true;
        }
        sent -= first->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    return false;
}

/* Sends a whole message. The time is for its first byte. */
static int send_whole(struct ipcc_pipe_end *end, struct msghdr *message, int64_t deadline)
{
    bool begun = false;
    bool more = true;
    while (more) {
        int flags = MSG_NOSIGNAL | (begun || deadline == NEVER ? 0 : MSG_DONTWAIT);
        /* send(2) is quicker when there is one piece, as there is for all small messages. */
        ssize_t sent = message->msg_iovlen == 1 ? send(end->fd, message->msg_iov->iov_base,
                                                       message->msg_iov->iov_len, flags)
                                                : sendmsg(end->fd, message, flags);
        if (sent >= 0) {
            begun = begun || sent > 0;
            more = advance(message, (size_t)sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            int status = pipe_await(end, POLLOUT, begun ? NEVER : deadline);
            if (status < 0) {
                end->cut = begun;
                return status;
            }
        } else if (errno != EINTR) {
            return send_failed(end, begun);
        }
    }
    return 0;
}

/* Within a turn. */
static int send_value(struct ipcc_pipe_end *end, const struct ipcc_value *value, int64_t deadline)
{
    struct slice large;
    if (end->cut) {
        return error_set(IPCC_ERR_SYSTEM, "a message could be sent on this pipe only in part, so "
                                          "that nothing can follow it");
    }
    int status = encode(end, value, &large);
    if (status == 0) {
        struct iovec parts[2] = {{end->out.data, end->out.len},
                                 {(void *)(uintptr_t)large.data, large.len}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = large.len > 0 ? 2 : 1};
        status = send_whole(end, &message, deadline);
    }
    end->out.len = 0;
    if (end->out.cap > KEEP_CAPACITY) {
        buffer_deinit(&end->out);
    }
    return status;
}

int ipcc_pipe_send(struct ipcc_pipe_end *end, struct ipcc_value value, int64_t timeout_ms)
{
    struct pipe_turn turn;
    int64_t deadline = 0;
    if (end == NULL || end->direction == IPCC_RECEIVE_ONLY) {
        return error_set(IPCC_ERR_ARGUMENT, end == NULL ? "sending needs the end of a pipe"
                                                        : "this end of the pipe only receives; "
                                                          "the other end sends");
    }
    int status = pipe_deadline(timeout_ms, &deadline);
    if (status == 0) {
        status = pipe_enter(&end->sending, deadline, &turn);
    }
    if (status < 0) {
        return status;
    }
    status = send_value(end, &value, turn.deadline);
    pipe_leave(&turn);
    return status;
}

int ipcc_pipe_send_bytes(struct ipcc_pipe_end *end, const void *bytes, size_t length,
                         int64_t timeout_ms)
{
    return ipcc_pipe_send(end, ipcc_bin(bytes, length), timeout_ms);
}
