/*
 * stream: bytes out and in.
 *
 * Out: requests are encoded at the end of ipcc.out and leave from its front; a request that could
 * not be encoded whole leaves no trace. In: the bytes gather in ipcc.in; what they mean is the
 * matter of incoming.c.
 */
#include "client/internal.h"

#include <errno.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 253 }; /* the most that one message can carry: SCM_MAX_FD of Linux */

/* ---- out ------------------------------------------------------------------------------------- */

bool stream_pending(const struct ipcc *conn)
{
    return conn->out.len > conn->sent;
}

/* Everything is sent, or nothing can be any more. */
static void clear_out(struct ipcc *conn)
{
    conn->sent = 0;
    conn->out.len = 0;
    if (conn->out.cap > KEEP_CAPACITY) {
        buffer_deinit(&conn->out);
    }
}

void stream_send(struct ipcc *conn)
{
    while (conn->link == LINK_UP && stream_pending(conn)) {
        struct iovec bytes = {conn->out.data + conn->sent, conn->out.len - conn->sent};
        struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
        ssize_t sent = conn->send_failed ? (ssize_t)bytes.iov_len
                                         : sendmsg(conn->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            conn->sent += (size_t)sent;
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            return;
        } else if (errno != EINTR) {
            /* The peer has closed. The reader will find that out, after what it still said. */
            conn->send_failed = true;
        }
    }
    if (conn->link == LINK_UP) {
        clear_out(conn);
    }
}

/* Moves what waits to the front once more than half of the buffer has been sent. */
static void make_room(struct ipcc *conn)
{
    if (conn->sent > conn->out.len / 2) {
        buffer_consume(&conn->out, conn->sent);
        conn->sent = 0;
    }
}

static int check_request(const struct ipcc_request *request)
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

static int encode_request(struct buffer *out, uint32_t msgid, const struct ipcc_request *request)
{
    size_t count = request->nparams;
    while (count > 0 && request->params[count - 1].kind == IPCC_NONE) {
        count--;
    }
    message_request(out, msgid, slice_of_string(request->method), count);
    for (size_t i = 0; i < count; i++) {
        /* The message and its params are containers, too. */
        int status = value_encode(&request->params[i], MESSAGE_DEPTH - 2, out);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

int stream_request(struct ipcc *conn, const struct ipcc_request *request, struct slot **slot,
                   uint32_t *msgid)
{
    int status = check_request(request);
    if (status < 0) {
        return status;
    }
    struct slot *added = flight_add(&conn->flight, msgid);
    if (added == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for one more call in flight");
    }
    make_room(conn);
    size_t start = conn->out.len;
    status = encode_request(&conn->out, *msgid, request);
    size_t size = conn->out.len - start;
    if (conn->out.failed) {
        status =
            error_set(IPCC_ERR_NO_MEMORY, "no memory to encode a call of %.60s", request->method);
    } else if (status == 0 && size > conn->max_request) {
        status = error_set(IPCC_ERR_TOO_LARGE,
                           "the request has %zu bytes; the daemon accepts messages of at most %zu",
                           size, conn->max_request);
    }
    if (status < 0) {
        conn->out.len = start;
        conn->out.failed = false;
        flight_remove(&conn->flight, *msgid);
        return status;
    }
    added->epoch = conn->epoch;
    *slot = added;
    return 0;
}

void stream_cancel(struct ipcc *conn, uint32_t msgid)
{
    make_room(conn);
    size_t start = conn->out.len;
    message_notification(&conn->out, "cancel", 1);
    pack_uint(&conn->out, msgid);
    if (conn->out.failed) {
        conn->out.len = start;
        conn->out.failed = false;
    }
}

/* ---- in -------------------------------------------------------------------------------------- */

/* No message of the daemon's carries a descriptor yet. One that came all the same must not stay. */
static void close_descriptors(struct msghdr *message)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd), sizeof(fd));
            (void)close(fd);
        }
    }
}

static int receive_failed(int error, char *text)
{
    if (error == EAGAIN || error == EINTR) {
        return 0;
    }
    message_format(text, "the connection to the daemon was lost: %s", strerror(error));
    return IPCC_ERR_LOST;
}

int stream_receive(struct ipcc *conn, int flags, char *text)
{
    /* Doubling, so that memory grows with the bytes that came and not with what they promise. */
    if (buffer_reserve(&conn->in, RECEIVE_ROOM) < 0) {
        message_format(text, "no memory to receive from the daemon");
        return IPCC_ERR_NO_MEMORY;
    }
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    struct iovec room = {conn->in.data + conn->in.len, conn->in.cap - conn->in.len};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t received = recvmsg(conn->fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) {
        return receive_failed(errno, text);
    }
    close_descriptors(&message);
    if (received == 0) {
        message_format(text, "the daemon closed the connection");
        return IPCC_ERR_LOST;
    }
    conn->in.len += (size_t)received;
    return 1;
}
