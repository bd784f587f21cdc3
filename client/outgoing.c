/*
 * outgoing: see outgoing.h.
 *
 * Tests: tests/unit/client/test_descriptors_sent.c, tests/unit/client/test_async.c.
 */
#include "client/outgoing.h"

#include "client/encoding.h"
#include "client/error.h"
#include "client/spare.h"
#include "client/value.h"
#include "proto/message.h"

#include <errno.h>
#include <sys/socket.h>

void outgoing_init(struct outgoing *out)
{
    *out = (struct outgoing){0};
    STAILQ_INIT(&out->passing);
}

bool outgoing_pending(const struct outgoing *out)
{
    return out->bytes.len > out->sent;
}

size_t outgoing_size(const struct outgoing *out)
{
    return out->bytes.len - out->sent;
}

static void drop_first(struct outgoing *out)
{
    struct ipcc_descriptors *first = STAILQ_FIRST(&out->passing);
    STAILQ_REMOVE_HEAD(&out->passing, link);
    descriptors_free(first);
}

void outgoing_drop_descriptors(struct outgoing *out)
{
    while (!STAILQ_EMPTY(&out->passing)) {
        drop_first(out);
    }
}

void outgoing_clear(struct outgoing *out)
{
    out->sent = 0;
    out->failed = false;
    buffer_deinit(&out->bytes);
    outgoing_drop_descriptors(out);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Everything is sent, or nothing can be any more. */
static void clear_out(struct outgoing *out)
{
    out->sent = 0;
    out->bytes.len = 0;
    if (out->bytes.cap > KEEP_CAPACITY) {
        buffer_deinit(&out->bytes);
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
static struct ipcc_descriptors *next_passing(const struct outgoing *out, size_t *end)
{
    struct ipcc_descriptors *first = STAILQ_FIRST(&out->passing);
    struct ipcc_descriptors *now = first != NULL && first->at == out->sent ? first : NULL;
    const struct ipcc_descriptors *later = now != NULL ? STAILQ_NEXT(now, link) : first;
    *end = later != NULL ? later->at : out->bytes.len;
    return now;
}

/* sendmsg(2), with those descriptors. */
static ssize_t send_passing(int fd, struct iovec bytes, const struct ipcc_descriptors *passing)
{
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    union control control;
    add_control(&message, &control, passing);
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* One system call, the cheaper one where it suffices. What the kernel took, or -1 with errno. */
static ssize_t send_some(struct outgoing *out, int fd)
{
    size_t end;
    struct ipcc_descriptors *passing = next_passing(out, &end);
    struct iovec bytes = {out->bytes.data + out->sent, end - out->sent};
    ssize_t sent = (ssize_t)bytes.iov_len;
    if (!out->failed && passing == NULL) {
        return send(fd, bytes.iov_base, bytes.iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (!out->failed) {
        sent = send_passing(fd, bytes, passing);
    }
    if (sent > 0 && passing != NULL) {
        drop_first(out);
    }
    return sent;
}

/* The kernel does not take the next message's descriptors (ETOOMANYREFS: too many of this user's
 * are on their way), or the peer has closed, which the next try will show. The message goes without
 * them. */
static bool give_up_passing(struct outgoing *out, int error, struct unpassed *unpassed)
{
    size_t end;
    const struct ipcc_descriptors *passing = next_passing(out, &end);
    if (passing == NULL) {
        return false;
    }
    *unpassed = (struct unpassed){passing->msgid, error};
    drop_first(out);
    return true;
}

bool outgoing_send(struct outgoing *out, int fd, struct unpassed *unpassed)
{
    while (outgoing_pending(out)) {
        ssize_t sent = send_some(out, fd);
        if (sent >= 0) {
            out->sent += (size_t)sent;
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            return true;
        } else if (errno != EINTR) {
            if (give_up_passing(out, errno, unpassed)) {
                return false;
            }
            /* The peer has closed. The reader will find that out, after what it still said. */
            out->failed = true;
        }
    }
    clear_out(out);
    return true;
}

/* ---- appending ------------------------------------------------------------------------------- */

/* Moves what waits to the front once more than half of the buffer has been sent. */
static void make_room(struct outgoing *out)
{
    if (out->sent <= out->bytes.len / 2) {
        return;
    }
    struct ipcc_descriptors *passing;
    STAILQ_FOREACH (passing, &out->passing, link) {
        passing->at -= out->sent;
    }
    buffer_consume(&out->bytes, out->sent);
    out->sent = 0;
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
static int pass(struct outgoing *out, const struct encoding *encoding, size_t start, uint32_t msgid)
{
    struct ipcc_descriptors *passing;
    if (encoding->count == 0) {
        return 0;
    }
    int status = descriptors_duplicate(encoding->fds, encoding->count, &passing);
    if (status == 0) {
        passing->at = start;
        passing->msgid = msgid;
        STAILQ_INSERT_TAIL(&out->passing, passing, link);
    }
    return status;
}

int outgoing_request(struct outgoing *out, uint32_t msgid, const struct ipcc_request *request,
                     size_t most)
{
    make_room(out);
    size_t start = out->bytes.len;
    struct encoding encoding;
    encoding.out = &out->bytes;
    encoding.printing = false;
    encoding.count = 0;
    int status = encode_request(&encoding, msgid, request);
    size_t size = out->bytes.len - start;
    if (out->bytes.failed) {
        status =
            error_set(IPCC_ERR_NO_MEMORY, "no memory to encode a call of %.60s", request->method);
    } else if (status == 0 && size > most) {
        status = error_set(IPCC_ERR_TOO_LARGE,
                           "the request has %zu bytes; the daemon accepts messages of at most %zu",
                           size, most);
    }
    status = status < 0 ? status : pass(out, &encoding, start, msgid);
    if (status < 0) {
        out->bytes.len = start;
        out->bytes.failed = false;
    }
    return status;
}

void outgoing_cancel(struct outgoing *out, uint32_t msgid)
{
    make_room(out);
    size_t start = out->bytes.len;
    message_notification(&out->bytes, "cancel", 1);
    pack_uint(&out->bytes, msgid);
    if (out->bytes.failed) {
        out->bytes.len = start;
        out->bytes.failed = false;
    }
}
