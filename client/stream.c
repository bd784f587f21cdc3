/*
 * stream: bytes out and in.
 *
 * Out: requests are encoded at the end of ipcc.out and leave from its front; a request that could
 * not be encoded whole leaves no trace. Descriptors go with the first byte of their message: what
 * is sent in one step ends where the next such message begins. In: the bytes gather in ipcc.in;
 * what they mean is the matter of incoming.c.
 */
#include "client/internal.h"

#include <errno.h>

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

/* The control message that carries descriptors. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(DESCRIPTORS_PER_MESSAGE * sizeof(int))];
};

static void add_control(struct msghdr *message, union control *control,
                        const struct ipcc_descriptors *passing)
{
    size_t size = passing->count * sizeof(int);
    *control = (union control){0};
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(size);
    control->header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control->header), passing->fds, size);
}

/* The descriptors that go with the next byte, or NULL. *end: up to where may be sent with it. */
static struct ipcc_descriptors *next_passing(const struct ipcc *conn, size_t *end)
{
    struct ipcc_descriptors *first = STAILQ_FIRST(&conn->passing);
    struct ipcc_descriptors *now = first != NULL && first->at == conn->sent ? first : NULL;
    const struct ipcc_descriptors *later = now != NULL ? STAILQ_NEXT(now, link) : first;
    *end = later != NULL ? later->at : conn->out.len;
    return now;
}

/* One system call. What the kernel took, or -1 with errno. */
static ssize_t send_some(struct ipcc *conn)
{
    size_t end;
    struct ipcc_descriptors *passing = next_passing(conn, &end);
    struct iovec bytes = {conn->out.data + conn->sent, end - conn->sent};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    union control control;
    if (passing != NULL) {
        add_control(&message, &control, passing);
    }
    ssize_t sent = conn->send_failed ? (ssize_t)bytes.iov_len
                                     : sendmsg(conn->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0 && passing != NULL) {
        passing_drop_first(conn);
    }
    return sent;
}

/* The kernel does not take the next message's descriptors (ETOOMANYREFS: too many of this user's
 * are on their way), or the peer has closed, which the next try will show. The message goes without
 * them. The daemon refuses it then, and the call says why (incoming.c). */
static bool give_up_passing(struct ipcc *conn, int error)
{
    size_t end;
    struct ipcc_descriptors *passing = next_passing(conn, &end);
    if (passing == NULL) {
        return false;
    }
    struct slot *slot = flight_find(&conn->flight, passing->msgid);
    if (slot != NULL) {
        slot->unpassed = error;
    }
    passing_drop_first(conn);
    return true;
}

void stream_send(struct ipcc *conn)
{
    while (conn->link == LINK_UP && stream_pending(conn)) {
        ssize_t sent = send_some(conn);
        if (sent >= 0) {
            conn->sent += (size_t)sent;
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            return;
        } else if (errno != EINTR && !give_up_passing(conn, errno)) {
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
        passing_shift(conn, conn->sent);
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

static int encode_request(struct encoding *to, uint32_t msgid, const struct ipcc_request *request)
{
    size_t count = request->nparams;
    while (count > 0 && request->params[count - 1].kind == IPCC_NONE) {
        count--;
    }
    message_request(to->out, msgid, slice_of_string(request->method), count);
    for (size_t i = 0; i < count; i++) {
        /* The message and its params are containers, too. */
        int status = value_encode(&request->params[i], MESSAGE_DEPTH - 2, to);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

/* Queues the descriptors of the request that was encoded at `start`. */
static int pass(struct ipcc *conn, const struct encoding *encoding, size_t start, uint32_t msgid)
{
    struct ipcc_descriptors *passing;
    if (encoding->count == 0) {
        return 0;
    }
    int status = descriptors_duplicate(encoding->fds, encoding->count, &passing);
    if (status == 0) {
        passing->at = start;
        passing->msgid = msgid;
        STAILQ_INSERT_TAIL(&conn->passing, passing, link);
    }
    return status;
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
    struct encoding encoding;
    encoding.out = &conn->out;
    encoding.printing = false;
    encoding.count = 0;
    status = encode_request(&encoding, *msgid, request);
    size_t size = conn->out.len - start;
    if (conn->out.failed) {
        status =
            error_set(IPCC_ERR_NO_MEMORY, "no memory to encode a call of %.60s", request->method);
    } else if (status == 0 && size > conn->max_request) {
        status = error_set(IPCC_ERR_TOO_LARGE,
                           "the request has %zu bytes; the daemon accepts messages of at most %zu",
                           size, conn->max_request);
    }
    status = status < 0 ? status : pass(conn, &encoding, start, *msgid);
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
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(DESCRIPTORS_RECEIVED * sizeof(int))];
    struct iovec room = {conn->in.data + conn->in.len, conn->in.cap - conn->in.len};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t received = recvmsg(conn->fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) {
        return receive_failed(errno, text);
    }
    size_t until = conn->in.len + (size_t)received;
    bool carried = message.msg_controllen > 0 || (message.msg_flags & MSG_CTRUNC) != 0;
    if (carried && descriptors_receive(conn, &message, conn->in.len, until) < 0) {
        message_format(text, "no memory for file descriptors from the daemon");
        return IPCC_ERR_NO_MEMORY;
    }
    if (received == 0) {
        message_format(text, "the daemon closed the connection");
        return IPCC_ERR_LOST;
    }
    conn->in.len = until;
    return 1;
}
