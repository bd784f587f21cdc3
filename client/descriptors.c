/*
 * descriptors: file descriptors on their way out, in, and in replies.
 *
 * Out: a call duplicates what it is given as soon as it is encoded, so that the caller's own can be
 * closed when the function returns. The duplicates wait in ipcc.passing, in the order of their
 * messages, and go with the first byte of theirs (stream.c).
 *
 * In: which message they belong to. The kernel hands them over together with the bytes of the
 * sendmsg(2) that they came in. A receive can put bytes sent earlier in front of those, but never
 * goes on behind them: so there is one set for each receive at most, and its message begins
 * somewhere in what that receive brought. It belongs to the first message that begins there and
 * names a descriptor; those in front of it name none. If that message is not whole yet, it is the
 * one that is left at the front of the input, and the set waits for it (ipcc.front). So there are
 * never more than two sets: that one, and the one of the latest receive (ipcc.came).
 *
 * In replies they are the reply's until they are taken.
 */
#include "client/internal.h"
#include "proto/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct ipcc_descriptors *descriptors_new(unsigned count)
{
    struct ipcc_descriptors *made = calloc(1, sizeof(*made) + count * sizeof(made->fds[0]));
    return made;
}

void descriptors_free(struct ipcc_descriptors *descriptors)
{
    if (descriptors == NULL) {
        return;
    }
    for (unsigned i = 0; i < descriptors->count; i++) {
        if (descriptors->fds[i] >= 0) {
            (void)close(descriptors->fds[i]);
        }
    }
    free(descriptors);
}

static int duplicate_failed(int fd)
{
    return errno == EBADF ? error_set(IPCC_ERR_ARGUMENT, "%d is not an open file descriptor", fd)
                          : error_set(IPCC_ERR_SYSTEM, "cannot duplicate file descriptor %d: %s",
                                      fd, strerror(errno));
}

int descriptors_duplicate(const int *fds, unsigned count, struct ipcc_descriptors **out)
{
    struct ipcc_descriptors *made = descriptors_new(count);
    if (made == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for %u file descriptors", count);
    }
    for (; made->count < count; made->count++) {
        int fd = fds[made->count];
        int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0 && copy < 0) {
            int status = duplicate_failed(fd);
            descriptors_free(made);
            return status;
        }
        made->fds[made->count] = copy;
    }
    *out = made;
    return 0;
}

/* ---- out ------------------------------------------------------------------------------------- */

void passing_drop_first(struct ipcc *conn)
{
    struct ipcc_descriptors *first = STAILQ_FIRST(&conn->passing);
    STAILQ_REMOVE_HEAD(&conn->passing, link);
    descriptors_free(first);
}

void passing_shift(struct ipcc *conn, size_t gone)
{
    struct ipcc_descriptors *passing;
    STAILQ_FOREACH (passing, &conn->passing, link) {
        passing->at -= gone;
    }
}

/* ---- in -------------------------------------------------------------------------------------- */

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

int descriptors_receive(struct ipcc *conn, struct msghdr *message, size_t from, size_t until)
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
    descriptors_free(atomic_exchange(&conn->came, made));
    return 0;
}

struct ipcc_descriptors *descriptors_take(struct ipcc *conn, size_t at)
{
    struct ipcc_descriptors *taken = conn->front;
    if (at == 0 && taken != NULL) {
        conn->front = NULL;
        return taken;
    }
    taken = atomic_load(&conn->came);
    if (taken != NULL && taken->at <= at && at < taken->until) {
        atomic_store(&conn->came, NULL);
        return taken;
    }
    return NULL;
}

void descriptors_settle(struct ipcc *conn, size_t at, bool incomplete)
{
    if (at > 0 || !incomplete) {
        descriptors_free(conn->front);
        conn->front = NULL;
    }
    struct ipcc_descriptors *came = atomic_exchange(&conn->came, NULL);
    if (came == NULL) {
        return;
    }
    if (conn->front == NULL && came->at <= at && at < came->until) {
        conn->front = came;
    } else {
        descriptors_free(came);
    }
}

void descriptors_clear(struct ipcc *conn)
{
    while (!STAILQ_EMPTY(&conn->passing)) {
        passing_drop_first(conn);
    }
    descriptors_free(conn->front);
    conn->front = NULL;
    descriptors_free(atomic_exchange(&conn->came, NULL));
}

/* ---- in replies ------------------------------------------------------------------------------ */

/* Reads the ext that a value of an answer is. */
static bool ext_read(const struct ipcc_value *value, int type, struct slice *body)
{
    struct header header;
    if (value->kind != IPCC_RAW || !value_has_bytes(value) ||
        header_read(value->as.data, value->length, &header) != 0 || header.kind != KIND_EXT ||
        header.ext_type != type || value->length - header.size < header.length) {
        return false;
    }
    *body = (struct slice){(const uint8_t *)value->as.data + header.size, header.length};
    return true;
}

/* Where the reply has the descriptor that the value names. */
static int find_descriptor(const struct ipcc_reply *reply, const struct ipcc_value *value,
                           int **place)
{
    struct slice body;
    if (reply == NULL || value == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "a descriptor is found by a reply and a value of it");
    }
    if (!ext_read(value, EXT_DESCRIPTOR, &body) || body.len != 1) {
        return error_set(IPCC_ERR_TYPE, "the value is %s where a file descriptor was expected",
                         value_kind_name(value));
    }
    struct ipcc_descriptors *descriptors = reply->descriptors;
    if (descriptors == NULL || body.data[0] >= descriptors->count ||
        descriptors->fds[body.data[0]] < 0) {
        return error_set(IPCC_ERR_NOT_FOUND,
                         "the reply has no file descriptor %u: it was taken out, or the "
                         "value is of another reply",
                         body.data[0]);
    }
    *place = &descriptors->fds[body.data[0]];
    return 0;
}

int ipcc_reply_fd(const struct ipcc_reply *reply, const struct ipcc_value *value)
{
    int *place = NULL;
    int status = find_descriptor(reply, value, &place);
    return status < 0 ? status : *place;
}

int ipcc_reply_take_fd(const struct ipcc_reply *reply, const struct ipcc_value *value)
{
    int *place = NULL;
    int status = find_descriptor(reply, value, &place);
    if (status < 0) {
        return status;
    }
    int fd = *place;
    *place = -1;
    return fd;
}

int ipcc_value_reference(const struct ipcc_value *value, char *name, size_t size)
{
    struct slice body;
    if (value == NULL || name == NULL || size == 0) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "ipcc_value_reference wants a value and room for a name");
    }
    if (!ext_read(value, EXT_REFERENCE, &body)) {
        return error_set(IPCC_ERR_TYPE, "the value is %s where a reference was expected",
                         value_kind_name(value));
    }
    if (body.len >= size) {
        return error_set(IPCC_ERR_RANGE, "the name has %zu bytes, which need room for %zu",
                         body.len, body.len + 1);
    }
    memcpy(name, body.data, body.len);
    name[body.len] = '\0';
    return 0;
}
