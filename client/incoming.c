/*
 * incoming: see incoming.h.
 *
 * Tests: tests/unit/client/test_descriptors_received.c, tests/unit/client/test_async.c.
 */
#include "client/incoming.h"

#include "client/error.h"
#include "client/spare.h"
#include "client/value.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECEIVE_ROOM = 16 * 1024,   /* bytes of free room for each receive, at least */
    RESULT_AT_MOST = 8,         /* where it begins then: behind [1, msgid, nil */
    DESCRIPTORS_RECEIVED = 253, /* the most that one receive can bring: SCM_MAX_FD of Linux */
};

void incoming_init(struct incoming *in, size_t max_message)
{
    *in = (struct incoming){.max_message = max_message};
    atomic_init(&in->came, NULL);
}

void incoming_drop_descriptors(struct incoming *in)
{
    descriptors_free(in->front);
    in->front = NULL;
    descriptors_free(atomic_exchange(&in->came, NULL));
}

void incoming_clear(struct incoming *in)
{
    buffer_deinit(&in->bytes);
    incoming_drop_descriptors(in);
    in->scanning = false;
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* How many descriptors a control message brings. */
static unsigned control_count(const struct cmsghdr *control)
{
    bool rights = control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS;
    return rights ? (unsigned)((control->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
}

static void close_control(const struct cmsghdr *control)
{
    for (unsigned i = 0; i < control_count(control); i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd), sizeof(fd));
        (void)close(fd);
    }
}

/* Takes what came with the bytes [from, until). -1: there is no memory to do so, and all is closed.
 */
static int keep_descriptors(struct incoming *in, struct msghdr *message, size_t from, size_t until)
{
    struct ipcc_descriptors *made = descriptors_new(DESCRIPTORS_RECEIVED);
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        unsigned count = control_count(control);
        if (made == NULL || made->count + count > DESCRIPTORS_RECEIVED) {
            close_control(control);
        } else if (count > 0) {
            memcpy(made->fds + made->count, CMSG_DATA(control), count * sizeof(int));
            made->count += count;
        }
    }
    if (made == NULL) {
        return -1;
    }
    made->at = from;
    made->until = until;
    made->cut = (message->msg_flags & MSG_CTRUNC) != 0;
    descriptors_free(atomic_exchange(&in->came, made));
    return 0;
}

static int receive_failed(int error, char *text)
{
    if (error == EAGAIN || error == EINTR) {
        return 0;
    }
    message_format(text, "the connection to the daemon was lost: %s", strerror(error));
    return IPCC_ERR_LOST;
}

int incoming_receive(struct incoming *in, int fd, int flags, char *text)
{
    /* Doubling, so that memory grows with the bytes that came and not with what they promise. */
    if (buffer_reserve(&in->bytes, RECEIVE_ROOM) < 0) {
        message_format(text, "no memory to receive from the daemon");
        return IPCC_ERR_NO_MEMORY;
    }
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(DESCRIPTORS_RECEIVED * sizeof(int))];
    struct iovec room = {in->bytes.data + in->bytes.len, in->bytes.cap - in->bytes.len};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t received = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) {
        return receive_failed(errno, text);
    }
    size_t until = in->bytes.len + (size_t)received;
    bool carried = message.msg_controllen > 0 || (message.msg_flags & MSG_CTRUNC) != 0;
    if (carried && keep_descriptors(in, &message, in->bytes.len, until) < 0) {
        message_format(text, "no memory for file descriptors from the daemon");
        return IPCC_ERR_NO_MEMORY;
    }
    if (received == 0) {
        message_format(text, "the daemon closed the connection");
        return IPCC_ERR_LOST;
    }
    in->bytes.len = until;
    return 1;
}

/* ---- messages -------------------------------------------------------------------------------- */

int incoming_next(struct incoming *in, size_t at, struct message *out)
{
    const uint8_t *data = in->bytes.data + at;
    size_t len = in->bytes.len - at;
    if (!in->scanning) {
        int status = message_decode(data, len, SCAN_DEPTH_MAX, in->max_message, out);
        if (status != MESSAGE_MORE) {
            return status;
        }
        scan_init(&in->scan, SCAN_DEPTH_MAX, in->max_message);
        in->scanning = true;
    }
    int status = scan_run(&in->scan, data, len);
    if (status == 0) {
        in->scanning = false;
        status = message_decode(data, len, SCAN_DEPTH_MAX, in->max_message, out);
    }
    return status;
}

struct ipcc_descriptors *incoming_descriptors(struct incoming *in, size_t at)
{
    struct ipcc_descriptors *taken = in->front;
    if (at == 0 && taken != NULL) {
        in->front = NULL;
        return taken;
    }
    taken = atomic_load(&in->came);
    if (taken != NULL && taken->at <= at && at < taken->until) {
        atomic_store(&in->came, NULL);
        return taken;
    }
    return NULL;
}

bool incoming_give(struct incoming *in, struct ipcc_reply *reply, struct slice value)
{
    struct buffer *bytes = &in->bytes;
    size_t before = (size_t)(value.data - bytes->data);
    if (value.len < INCOMING_LARGE || before > RESULT_AT_MOST || before + value.len < bytes->len) {
        return false;
    }
    /* It has room for more than has come. */
    uint8_t *fitted = realloc(bytes->data, bytes->len);
    uint8_t *owned = fitted != NULL ? fitted : bytes->data;
    *reply = (struct ipcc_reply){.value = value_decode((struct slice){owned + before, value.len}),
                                 .owned = owned};
    *bytes = (struct buffer){0};
    return true;
}

void incoming_take_back(struct incoming *in, struct ipcc_reply *reply)
{
    /* What the value says of it is the caller's to change. */
    size_t size = malloc_usable_size(reply->owned);
    if (in->bytes.cap == 0 && size >= INCOMING_LARGE) {
        in->bytes = (struct buffer){.data = reply->owned, .cap = size};
        reply->owned = NULL;
    }
}

/* Closes the descriptors that belong to no message that can still come. `incomplete`: behind the
 * `at` bytes that are done is the beginning of one more message. */
static void settle_descriptors(struct incoming *in, size_t at, bool incomplete)
{
    if (at > 0 || !incomplete) {
        descriptors_free(in->front);
        in->front = NULL;
    }
    struct ipcc_descriptors *came = atomic_exchange(&in->came, NULL);
    if (came == NULL) {
        return;
    }
    if (in->front == NULL && came->at <= at && at < came->until) {
        in->front = came;
    } else {
        descriptors_free(came);
    }
}

void incoming_done(struct incoming *in, size_t at)
{
    if (in->front != NULL || atomic_load(&in->came) != NULL) {
        settle_descriptors(in, at, at < in->bytes.len);
    }
    buffer_consume(&in->bytes, at);
    if (in->bytes.len == 0 && in->bytes.cap > KEEP_CAPACITY) {
        buffer_deinit(&in->bytes);
    }
}
