/*
 * stream: see stream.h.
 *
 * Closing a Unix-domain socket with input unread does not take from the peer what was sent to it:
 * the peer first reads all of that, then gets ECONNRESET once (in place of the end of the stream).
 * So a goodbye reaches a peer that was still sending, and nothing needs to be drained for it. In
 * the same way what a peer sent before it vanished can be read after a send to it has failed.
 *
 * But descriptors in that unread input are closed with the socket, by whoever closes it, and may
 * block him; so only a socket that was read to its end is closed here.
 */
#include "daemon/net/stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    IOVECS = 256,       /* in one sendmsg; a call more for what is beyond */
    PIECE = 256 * 1024, /* bytes in one system call: while they are copied nothing else is done */
    SEND_MOST = 4 * PIECE,
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void stream_init(struct stream *stream, int fd)
{
    *stream = (struct stream){.fd = fd};
    STAILQ_INIT(&stream->descriptors);
}

void stream_deinit(struct stream *stream, struct closer *closer, uid_t uid)
{
    assert(STAILQ_EMPTY(&stream->descriptors));
    rest_free(stream->rest);
    stream->rest = NULL;
    if (stream->fd >= 0) {
        closer_close(stream->ended ? NULL : closer, uid, stream->fd);
        stream->fd = -1;
    }
}

/* The peer has sent nothing more, and maybe never will. */
static int receive_nothing(struct stream *stream, ssize_t len)
{
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return STREAM_BLOCKED;
    }
    stream->ended = len == 0 || errno == ECONNRESET;
    return len == 0 ? 0 : STREAM_BROKEN;
}

/* The descriptors in the control messages of a recvmsg(2). */
static void collect(struct msghdr *header, struct arrival *out)
{
    out->count = 0;
    out->cut = (header->msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
            size_t len = cmsg->cmsg_len - CMSG_LEN(0);
            memcpy(out->fds + out->count, CMSG_DATA(cmsg), len);
            out->count += (unsigned)(len / sizeof(int));
        }
    }
}

int stream_receive(struct stream *stream, const struct user *user, struct input *input)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control;
    size_t room;
    uint8_t *space = input_space(input, &room);
    struct iovec iovec = {space, least(room, PIECE)};
    struct msghdr header = {.msg_iov = &iovec,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t len = recvmsg(stream->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len <= 0) {
        return receive_nothing(stream, len);
    }
    size_t from = input->len;
    input_filled(input, (size_t)len);
    if (header.msg_controllen > 0 || (header.msg_flags & MSG_CTRUNC) != 0) {
        struct arrival arrival;
        collect(&header, &arrival);
        if (descriptors_add(&stream->descriptors, user, &arrival, from, input->len) < 0) {
            return ERR_MEMORY;
        }
    }
    return len > INT_MAX ? INT_MAX : (int)len;
}

/* Adds the part of a run of bytes that lies behind the first *skip bytes; counts *skip down. */
static int add_iovec(struct iovec *iovecs, int count, uint8_t *data, size_t len, uint64_t *skip)
{
    if (*skip >= len) {
        *skip -= len;
        return count;
    }
    iovecs[count].iov_base = data + *skip;
    iovecs[count].iov_len = len - *skip;
    *skip = 0;
    return count + 1;
}

/* Shortens a list to its first `len` bytes; returns how many are left. */
static int cut_iovecs(struct iovec *iovecs, int count, uint64_t len)
{
    for (int i = 0; i < count; i++) {
        if (iovecs[i].iov_len >= len) {
            iovecs[i].iov_len = (size_t)len;
            return len > 0 ? i + 1 : i;
        }
        len -= iovecs[i].iov_len;
    }
    return count;
}

/* Lists what is to be sent next, up to the position `until`: the bytes, with the blobs between
 * them. */
static int list_iovecs(const struct output *output, uint64_t until, struct iovec *iovecs)
{
    size_t first = output->splices_sent;
    size_t at = first > 0 ? output->splices[first - 1].at : 0;
    uint64_t skip = output->sent - output->spliced_sent - at;
    int count = 0;
    for (size_t i = first; i < output->nsplices && count + 2 < IOVECS; i++) {
        const struct splice *splice = &output->splices[i];
        count = add_iovec(iovecs, count, output->bytes.data + at, splice->at - at, &skip);
        count = add_iovec(iovecs, count, splice->blob->data, splice->blob->len, &skip);
        at = splice->at;
    }
    if (count + 2 < IOVECS) {
        count = add_iovec(iovecs, count, output->bytes.data + at, output->bytes.len - at, &skip);
    }
    return cut_iovecs(iovecs, count, least(until - output->sent, PIECE));
}

/* The control message that carries descriptors. */
union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(DESCRIPTORS_PER_MESSAGE * sizeof(int))];
};

static void add_control(struct msghdr *header, union control *control,
                        const struct passing *passing)
{
    if (passing == NULL || passing->count == 0) {
        return;
    }
    size_t len = passing->count * sizeof(int);
    *control = (union control){0};
    header->msg_control = control->bytes;
    header->msg_controllen = CMSG_SPACE(len);
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(len);
    int fds[DESCRIPTORS_PER_MESSAGE];
    for (unsigned i = 0; i < passing->count; i++) {
        fds[i] = passing->descriptors[i]->fd;
    }
    memcpy(CMSG_DATA(cmsg), fds, len);
}

/* One system call: what the kernel took, and in *asked what it could have taken. */
static ssize_t send_some(int fd, const struct output *output, uint64_t end, size_t *asked)
{
    if (output->nsplices == 0 && output->npassing == 0) {
        *asked = least(end - output->sent, PIECE);
        return send(fd, output->bytes.data + output->sent, *asked, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    uint64_t until;
    union control control;
    struct iovec iovecs[IOVECS];
    struct msghdr header = {.msg_iov = iovecs};
    add_control(&header, &control, output_passing(output, &until));
    header.msg_iovlen = (size_t)list_iovecs(output, least(until, end), iovecs);
    *asked = 0;
    for (size_t i = 0; i < header.msg_iovlen; i++) {
        *asked += iovecs[i].iov_len;
    }
    return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int stream_send(const struct stream *stream, struct output *output, uint64_t most)
{
    uint64_t end = output->sent + least(most, output_pending(output));
    uint64_t enough = output->sent + SEND_MOST;
    while (output->sent < end) {
        size_t asked;
        ssize_t taken = send_some(stream->fd, output, end, &asked);
        if (taken < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_BLOCKED : STREAM_BROKEN;
        }
        output_sent(output, (uint64_t)taken);
        if ((size_t)taken < asked || output->sent >= enough) {
            return output->sent < end ? STREAM_BLOCKED : 0;
        }
    }
    return 0;
}
