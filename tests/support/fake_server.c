/* fake_server: see fake_server.h. */
#include "tests/support/fake_server.h"

#include <setjmp.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/notation.h"

enum { LIMIT_SECONDS = 60, BACKLOG = 8 };

/* ---- the process ----------------------------------------------------------------------------- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(address.sun_path + 1, path + 1, len - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, BACKLOG), 0);
    return fd;
}

static _Noreturn void run_script(fake_script *script, int listener, const void *data)
{
    struct fake fake = {.listener = listener, .fd = -1, .data = data};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)alarm(LIMIT_SECONDS);
    script(&fake);
    fake_close(&fake);
    _exit(0);
}

struct fake_server fake_server_start(fake_script *script, const void *data)
{
    static unsigned count;
    struct fake_server server;
    (void)snprintf(server.path, sizeof(server.path), "@ipcd-fake-%d-%u", (int)getpid(), count++);
    int listener = listen_at(server.path);
    (void)fflush(NULL);
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0) {
        run_script(script, listener, data);
    }
    (void)close(listener);
    return server;
}

void fake_server_join(struct fake_server *server)
{
    int status;
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    if (WIFSIGNALED(status)) {
        fail_msg("the fake server was ended by signal %d", WTERMSIG(status));
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

void fake_check_at(bool ok, const char *what, const char *file, int line)
{
    if (!ok) {
        (void)fprintf(stderr, "fake server: %s:%d: not true: %s\n", file, line, what);
        _exit(1);
    }
}

/* ---- connections ----------------------------------------------------------------------------- */

void fake_accept(struct fake *fake)
{
    fake_close(fake);
    fake->fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    fake_check(fake->fd >= 0);
}

void fake_greet(struct fake *fake)
{
    fake_accept(fake);
    fake_answer(fake, fake_expect(fake, "server.hello", "[_map]"), FAKE_GREETING);
}

void fake_close(struct fake *fake)
{
    if (fake->fd >= 0) {
        (void)close(fake->fd);
        fake->fd = -1;
    }
    free(fake->in);
    fake->in = NULL;
    fake->in_len = 0;
    fake->in_cap = 0;
}

/* ---- what comes ------------------------------------------------------------------------------ */

static void keep_descriptors(struct fake *fake, const struct cmsghdr *control)
{
    if (control != NULL) {
        size_t size = control->cmsg_len - CMSG_LEN(0);
        fake_check(fake->fd_count + size / sizeof(int) <= FAKE_FDS);
        memcpy(fake->fds + fake->fd_count, CMSG_DATA(control), size);
        fake->fd_count += (unsigned)(size / sizeof(int));
    }
}

static bool receive(struct fake *fake)
{
    if (fake->in_cap - fake->in_len < 65536) {
        fake->in_cap = fake->in_cap * 2 + 65536;
        fake->in = realloc(fake->in, fake->in_cap);
        fake_check(fake->in != NULL);
    }
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))];
    struct iovec room = {fake->in + fake->in_len, fake->bytewise ? 1 : fake->in_cap - fake->in_len};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(fake->fd, &message, MSG_CMSG_CLOEXEC);
    if (got > 0) {
        keep_descriptors(fake, CMSG_FIRSTHDR(&message));
    }
    /* A client that closes before it has read all resets the connection. */
    fake_check(got >= 0 || errno == ECONNRESET);
    fake->in_len += got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* Unpacks the next message and takes its bytes away; *message is destroyed by the caller. */
static void next_message(struct fake *fake, msgpack_unpacked *message)
{
    size_t used = 0;
    msgpack_unpacked_init(message);
    for (;;) {
        msgpack_unpack_return status =
            msgpack_unpack_next(message, (const char *)fake->in, fake->in_len, &used);
        if (status == MSGPACK_UNPACK_SUCCESS || status == MSGPACK_UNPACK_EXTRA_BYTES) {
            break;
        }
        fake_check(status == MSGPACK_UNPACK_CONTINUE);
        used = 0;
        fake_check(receive(fake));
    }
    /* The unpacked strings point into the bytes: those stay where they are until the next receive
     * of a later message; here they are compared before that. */
    fake->in_len -= used;
    uint8_t *rest = malloc(fake->in_len + 1);
    fake_check(rest != NULL);
    if (fake->in_len > 0) {
        memcpy(rest, fake->in + used, fake->in_len);
    }
    static uint8_t *before;
    free(before);
    before = fake->in;
    fake->in = rest;
    fake->in_cap = fake->in_len + 1;
}

bool fake_more(struct fake *fake)
{
    return fake->in_len > 0 || receive(fake);
}

static bool matches_quietly(const msgpack_object *got, const char *expected)
{
    msgpack_sbuffer bytes;
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_sbuffer_init(&bytes);
    msgpack_unpacked_init(&unpacked);
    fake_check(notation_pack(expected, &bytes) == NULL);
    fake_check(msgpack_unpack_next(&unpacked, bytes.data, bytes.size, &at) ==
               MSGPACK_UNPACK_SUCCESS);
    bool match = notation_match(&unpacked.data, got);
    msgpack_unpacked_destroy(&unpacked);
    msgpack_sbuffer_destroy(&bytes);
    return match;
}

static bool matches(const msgpack_object *got, const char *expected)
{
    bool match = matches_quietly(got, expected);
    if (!match) {
        (void)fprintf(stderr, "fake server: expected %s, got ", expected);
        notation_print(stderr, got);
        (void)fputc('\n', stderr);
    }
    return match;
}

static const msgpack_object *element(const msgpack_object *message, uint32_t index)
{
    fake_check(message->type == MSGPACK_OBJECT_ARRAY && message->via.array.size > index);
    return &message->via.array.ptr[index];
}

uint32_t fake_expect(struct fake *fake, const char *method, const char *params)
{
    msgpack_unpacked message;
    char name[64];
    (void)snprintf(name, sizeof(name), "'%s'", method);
    next_message(fake, &message);
    fake_check(matches(element(&message.data, 0), "0"));
    fake_check(matches(element(&message.data, 2), name));
    fake_check(matches(element(&message.data, 3), params));
    uint32_t msgid = (uint32_t)element(&message.data, 1)->via.u64;
    msgpack_unpacked_destroy(&message);
    return msgid;
}

/* Reads one message; counts it if it is a cancel, or else keeps it. */
static bool next_is_cancel(struct fake *fake, msgpack_unpacked *message)
{
    next_message(fake, message);
    if (!matches_quietly(element(&message->data, 0), "2")) {
        return false;
    }
    fake_check(matches(element(&message->data, 1), "'cancel'"));
    fake->cancels++;
    msgpack_unpacked_destroy(message);
    return true;
}

uint32_t fake_next(struct fake *fake, int64_t *first_param)
{
    msgpack_unpacked message;
    while (next_is_cancel(fake, &message)) {
    }
    fake_check(matches(element(&message.data, 0), "0"));
    const msgpack_object *params = element(&message.data, 3);
    if (first_param != NULL && params->via.array.size > 0) {
        *first_param = element(params, 0)->via.i64;
    }
    uint32_t msgid = (uint32_t)element(&message.data, 1)->via.u64;
    msgpack_unpacked_destroy(&message);
    return msgid;
}

void fake_await_cancels(struct fake *fake, unsigned count)
{
    msgpack_unpacked message;
    while (fake->cancels < count) {
        fake_check(next_is_cancel(fake, &message));
    }
}

void fake_expect_notification(struct fake *fake, const char *method, const char *params)
{
    msgpack_unpacked message;
    char name[64];
    (void)snprintf(name, sizeof(name), "'%s'", method);
    next_message(fake, &message);
    fake_check(matches(element(&message.data, 0), "2"));
    fake_check(matches(element(&message.data, 1), name));
    fake_check(matches(element(&message.data, 2), params));
    msgpack_unpacked_destroy(&message);
}

void fake_expect_end(struct fake *fake)
{
    while (receive(fake)) {
    }
    fake_check(fake->in_len == 0);
}

/* ---- what goes ------------------------------------------------------------------------------- */

void fake_send_bytes(struct fake *fake, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t sent = send(fake->fd, at, len, MSG_NOSIGNAL);
        fake_check(sent > 0);
        at += sent;
        len -= (size_t)sent;
    }
}

void fake_send(struct fake *fake, const char *notation, ...)
{
    char *text;
    va_list args;
    va_start(args, notation);
    fake_check(vasprintf(&text, notation, args) >= 0);
    va_end(args);
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    fake_check(notation_pack(text, &bytes) == NULL);
    fake_send_bytes(fake, bytes.data, bytes.size);
    msgpack_sbuffer_destroy(&bytes);
    free(text);
}

/* Sends bytes with descriptors at the first one. */
static void send_descriptors(const struct fake *fake, struct iovec data, const int *fds,
                             size_t count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))];
    fake_check(count <= 16);
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
                               .cmsg_level = SOL_SOCKET,
                               .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    ssize_t sent = sendmsg(fake->fd, &message, MSG_NOSIGNAL);
    fake_check(sent == (ssize_t)data.iov_len || (sent < 0 && errno == EPIPE));
}

void fake_send_descriptors(struct fake *fake, const char *notation, const int *fds, size_t count)
{
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    fake_check(notation_pack(notation, &bytes) == NULL);
    send_descriptors(fake, (struct iovec){bytes.data, bytes.size}, fds, count);
    msgpack_sbuffer_destroy(&bytes);
}

void fake_send_in_two(struct fake *fake, const char *notation, const int *fds, size_t count,
                      size_t first)
{
    int unread = 0;
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    fake_check(notation_pack(notation, &bytes) == NULL && first < bytes.size);
    send_descriptors(fake, (struct iovec){bytes.data, first}, fds, count);
    do {
        (void)poll(NULL, 0, 1);
        fake_check(fake_unread(fake, &unread) == 0);
    } while (unread > 0);
    fake_send_bytes(fake, bytes.data + first, bytes.size - first);
    msgpack_sbuffer_destroy(&bytes);
}

int fake_unread(const struct fake *fake, int *count)
{
    return ioctl(fake->fd, SIOCOUTQ, count);
}

void fake_answer(struct fake *fake, uint32_t msgid, const char *result)
{
    fake_send(fake, "[1, %u, nil, %s]", msgid, result);
}

void fake_refuse(struct fake *fake, uint32_t msgid, const char *code, const char *message)
{
    fake_send(fake, "[1, %u, ['%s', '%s'], nil]", msgid, code, message);
}
