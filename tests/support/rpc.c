/* rpc: the connection, bytes and messages; see rpc.h. What is expected of them is in expect.c. */
#include "tests/support/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/localize.h"

enum { UPGRADE_EVERY = 16, UPGRADE_FIRST = 3 };

int64_t rpc_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void test_fail(struct place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    print_error("\n");
    _fail(place.file, place.line);
    abort();
}

unsigned rpc_address(const char *path, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof(out->sun_path)) {
        test_fail(HERE, "socket path %s is too long", path);
    }
    memcpy(out->sun_path, path, len);
    if (path[0] == '@') {
        out->sun_path[0] = '\0';
        return (unsigned)(offsetof(struct sockaddr_un, sun_path) + len);
    }
    return sizeof(*out);
}

struct rpc *rpc_from_fd(int fd)
{
    struct rpc *rpc = calloc(1, sizeof(*rpc));
    assert_non_null(rpc);
    rpc->fd = fd;
    return rpc;
}

struct rpc *rpc_open(const char *path)
{
    struct sockaddr_un address;
    unsigned len = rpc_address(path, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, len) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return NULL;
    }
    return rpc_from_fd(fd);
}

void rpc_close(struct rpc *rpc)
{
    if (rpc == NULL) {
        return;
    }
    while (rpc->first != NULL) {
        struct reply *reply = rpc->first;
        rpc->first = reply->next;
        reply_free(reply);
    }
    for (unsigned i = 0; i < RPC_TEXTS; i++) {
        free(rpc->texts[i]);
    }
    for (unsigned i = 0; i < rpc->fd_count; i++) {
        (void)close(rpc->fds[i]);
    }
    free(rpc->in);
    (void)close(rpc->fd);
    free(rpc);
}

const char *rpc_text(struct rpc *rpc, const char *format, ...)
{
    char **slot = &rpc->texts[rpc->text_at++ % RPC_TEXTS];
    free(*slot);
    va_list args;
    va_start(args, format);
    int len = vasprintf(slot, format, args);
    va_end(args);
    assert_true(len >= 0);
    return *slot;
}

/* Waits until the socket is ready for `events`, at the latest at `deadline`. */
static void wait_ready(struct rpc *rpc, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - rpc_now();
        struct pollfd pollfd = {.fd = rpc->fd, .events = events};
        int ready = poll(&pollfd, 1, left > 0 ? (int)left : 0);
        if (ready > 0) {
            return;
        }
        if (ready == 0) {
            test_fail(HERE, "the daemon %s nothing for %d s", events == POLLIN ? "sent" : "read",
                      RPC_LIMIT_MS / 1000);
        }
        assert_int_equal(errno, EINTR);
    }
}

static size_t send_some(struct rpc *rpc, struct msghdr *header, size_t len, int64_t deadline)
{
    for (;;) {
        ssize_t sent = sendmsg(rpc->fd, header, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            return (size_t)sent;
        }
        if (errno == EPIPE || errno == ECONNRESET) {
            return len; /* the daemon has ended the connection; reading finds out */
        }
        assert_true(errno == EAGAIN || errno == EINTR);
        wait_ready(rpc, POLLOUT, deadline);
    }
}

void rpc_write_descriptors(struct rpc *rpc, const void *data, size_t len, const int *fds,
                           size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(RPC_DESCRIPTORS_MAX * sizeof(int))];
    } control = {.bytes = {0}};
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    struct msghdr header = {0};
    if (count > 0) {
        assert_true(count <= RPC_DESCRIPTORS_MAX);
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *message = CMSG_FIRSTHDR(&header);
        message->cmsg_level = SOL_SOCKET;
        message->cmsg_type = SCM_RIGHTS;
        message->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(message), fds, count * sizeof(int));
    }
    for (size_t at = 0; at < len;) {
        struct iovec vector = {.iov_base = (char *)(uintptr_t)data + at, .iov_len = len - at};
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        at += send_some(rpc, &header, len - at, deadline);
        header.msg_control = NULL;
        header.msg_controllen = 0;
    }
}

void rpc_write(struct rpc *rpc, const void *data, size_t len)
{
    rpc_write_descriptors(rpc, data, len, NULL, 0);
}

static void pack_notation(const char *notation, msgpack_sbuffer *out)
{
    const char *bad = notation_pack(notation, out);
    if (bad != NULL) {
        test_fail(HERE, "the test's own notation is wrong at: %s", bad);
    }
}

void rpc_write_notation(struct rpc *rpc, const char *notation)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    pack_notation(notation, &out);
    rpc_write(rpc, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
}

static void pack_call(msgpack_sbuffer *out, const char *method, const char *params)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, msgpack_sbuffer_write);
    (void)msgpack_pack_str_with_body(&packer, method, strlen(method));
    pack_notation(params, out);
}

uint32_t rpc_pack(struct rpc *rpc, msgpack_sbuffer *out, const char *method, const char *params)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, msgpack_sbuffer_write);
    (void)msgpack_pack_array(&packer, 4);
    (void)msgpack_pack_int(&packer, 0);
    (void)msgpack_pack_uint32(&packer, ++rpc->last_msgid);
    pack_call(out, method, params);
    return rpc->last_msgid;
}

/* True if the process is an ipcd: no process of the test's own that plays one. */
static bool is_daemon(pid_t pid)
{
    char path[64];
    char name[16] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        (void)fgets(name, sizeof(name), file);
        (void)fclose(file);
    }
    return strcmp(name, "ipcd\n") == 0;
}

/* Now and then another daemon takes the place of the one that is asked. */
static void upgrade_now_and_then(struct rpc *rpc)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getenv("IPCD_TEST_TAKEOVER") != NULL && rpc->last_msgid % UPGRADE_EVERY == UPGRADE_FIRST &&
        getsockopt(rpc->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && is_daemon(peer.pid)) {
        (void)kill(peer.pid, SIGUSR2);
    }
}

uint32_t rpc_send(struct rpc *rpc, const char *method, const char *params)
{
    upgrade_now_and_then(rpc);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(rpc, &out, method, params);
    rpc_write(rpc, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    return msgid;
}

uint32_t rpc_start(struct rpc *rpc, const char *method, const char *params)
{
    uint32_t msgid = rpc_send(rpc, method, params);
    expect(rpc, "server.ping", "['started']", "'started'");
    if (getenv("IPCD_ENGINE") != NULL) {
        rpc_await_begun(rpc, msgid);
    }
    return msgid;
}

void rpc_notify(struct rpc *rpc, const char *method, const char *params)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    (void)msgpack_pack_array(&packer, 3);
    (void)msgpack_pack_int(&packer, 2);
    pack_call(&out, method, params);
    rpc_write(rpc, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
}

void rpc_cancel(struct rpc *rpc, uint32_t msgid)
{
    rpc_notify(rpc, "cancel", rpc_text(rpc, "[%u]", msgid));
}

void reply_free(struct reply *reply)
{
    if (reply == NULL) {
        return;
    }
    msgpack_unpacked_destroy(&reply->unpacked);
    free(reply->bytes);
    free(reply);
}

/* Where the last element of the array in `bytes` starts: elements are stepped over one by one. */
static size_t find_last_element(const char *bytes, size_t size, uint32_t count)
{
    static const size_t header_sizes[] = {1, 3, 5};
    unsigned char first = (unsigned char)bytes[0];
    size_t at = header_sizes[first == 0xdc ? 1 : first == 0xdd ? 2 : 0];
    msgpack_unpacked element;
    msgpack_unpacked_init(&element);
    for (uint32_t i = 0; i + 1 < count; i++) {
        assert_int_equal(msgpack_unpack_next(&element, bytes, size, &at), MSGPACK_UNPACK_SUCCESS);
    }
    msgpack_unpacked_destroy(&element);
    return at;
}

/* Takes the message apart; only a response or a notification, formed as the contract has it. */
static void read_form(struct reply *reply)
{
    const msgpack_object *object = &reply->unpacked.data;
    assert_int_equal(object->type, MSGPACK_OBJECT_ARRAY);
    const msgpack_object *part = object->via.array.ptr;
    uint32_t count = object->via.array.size;
    assert_true(count > 0 && part[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER);
    reply->type = (enum reply_type)part[0].via.u64;
    if (reply->type == REPLY_RESPONSE) {
        assert_int_equal(count, 4);
        assert_int_equal(part[1].type, MSGPACK_OBJECT_POSITIVE_INTEGER);
        assert_true(part[1].via.u64 <= UINT32_MAX);
        reply->msgid = (uint32_t)part[1].via.u64;
        reply->error = part[2];
        reply->result = part[3];
    } else {
        assert_int_equal(reply->type, REPLY_NOTIFICATION);
        assert_int_equal(count, 3);
        reply->method = part[1];
        reply->params = part[2];
        assert_int_equal(reply->params.type, MSGPACK_OBJECT_ARRAY);
    }
    reply->result_at = find_last_element(reply->bytes, reply->size, count);
}

/* The first message in the bytes read so far, or NULL if it is not whole. */
static struct reply *take_message(struct rpc *rpc)
{
    struct reply *reply = calloc(1, sizeof(*reply));
    assert_non_null(reply);
    msgpack_unpacked_init(&reply->unpacked);
    size_t size = 0;
    msgpack_unpack_return status =
        msgpack_unpack_next(&reply->unpacked, rpc->in, rpc->in_size, &size);
    if (status == MSGPACK_UNPACK_CONTINUE || rpc->in_size == 0) {
        reply_free(reply);
        return NULL;
    }
    assert_int_equal(status, MSGPACK_UNPACK_SUCCESS);
    /* Unpacked again from a copy of its own, since strings are referenced and not copied. */
    reply->bytes = malloc(size);
    assert_non_null(reply->bytes);
    memcpy(reply->bytes, rpc->in, size);
    reply->size = size;
    size_t at = 0;
    status = msgpack_unpack_next(&reply->unpacked, reply->bytes, size, &at);
    assert_int_equal(status, MSGPACK_UNPACK_SUCCESS);
    if (getenv("IPCD_ENGINE") != NULL) {
        localize_sessions(&reply->unpacked.data);
    }
    rpc->in_size -= size;
    memmove(rpc->in, rpc->in + size, rpc->in_size);
    reply->received = rpc_now();
    read_form(reply);
    return reply;
}

/* recv that also keeps the descriptors that come along. */
static ssize_t receive(struct rpc *rpc, void *data, size_t len)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(RPC_DESCRIPTORS_MAX * sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = data, .iov_len = len};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t got = recvmsg(rpc->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *message = got > 0 ? CMSG_FIRSTHDR(&header) : NULL;
    if (message != NULL && message->cmsg_type == SCM_RIGHTS) {
        unsigned count = (unsigned)((message->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        assert_true(rpc->fd_count + count <= RPC_DESCRIPTORS_MAX);
        memcpy(rpc->fds + rpc->fd_count, CMSG_DATA(message), count * sizeof(int));
        rpc->fd_count += count;
    }
    return got;
}

/* Reads what has come; false at the end of the connection. */
static bool read_some(struct rpc *rpc, int64_t deadline)
{
    if (rpc->in_capacity - rpc->in_size < 65536) {
        rpc->in_capacity = rpc->in_capacity * 2 + 65536;
        rpc->in = realloc(rpc->in, rpc->in_capacity);
        assert_non_null(rpc->in);
    }
    for (;;) {
        wait_ready(rpc, POLLIN, deadline);
        ssize_t got = receive(rpc, rpc->in + rpc->in_size, rpc->in_capacity - rpc->in_size);
        if (got > 0) {
            rpc->in_size += (size_t)got;
            return true;
        }
        if (got == 0 || errno == ECONNRESET) {
            rpc->ended = true;
            return false;
        }
        assert_true(errno == EAGAIN || errno == EINTR);
    }
}

/* The next message from the socket. */
static struct reply *read_message(struct rpc *rpc, int64_t deadline)
{
    for (;;) {
        struct reply *reply = rpc->in_size > 0 ? take_message(rpc) : NULL;
        if (reply != NULL) {
            return reply;
        }
        if (rpc->ended || !read_some(rpc, deadline)) {
            return NULL;
        }
    }
}

struct reply *rpc_next(struct rpc *rpc)
{
    struct reply *reply = rpc->first;
    if (reply != NULL) {
        rpc->first = reply->next;
        return reply;
    }
    return read_message(rpc, rpc_now() + RPC_LIMIT_MS);
}

struct reply *rpc_wait(struct rpc *rpc, uint32_t msgid)
{
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    struct reply **link = &rpc->first;
    for (;;) {
        if (*link == NULL) {
            *link = read_message(rpc, deadline);
        }
        struct reply *reply = *link;
        if (reply == NULL) {
            return NULL;
        }
        if (reply->type == REPLY_RESPONSE && reply->msgid == msgid) {
            *link = reply->next;
            reply->next = NULL;
            return reply;
        }
        link = &reply->next;
    }
}

struct reply *rpc_call(struct rpc *rpc, const char *method, const char *params)
{
    struct reply *reply = rpc_wait(rpc, rpc_send(rpc, method, params));
    if (reply == NULL) {
        test_fail(HERE, "the connection ended before the response to %s %s", method, params);
    }
    return reply;
}
