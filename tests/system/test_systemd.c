/* systemd: readiness, stopping and watchdog at a NOTIFY_SOCKET of the test's own; socket activation
 * through systemd-socket-activate. */
#include "tests/support/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The datagram socket that stands in for systemd's. */
struct notify {
    int fd;
    char directory[64];
    char variable[128]; /* NOTIFY_SOCKET=... */
};

static int notify_setup(void **state)
{
    struct notify *notify = calloc(1, sizeof(*notify));
    struct sockaddr_un address;
    assert_non_null(notify);
    directory_make(notify->directory);
    (void)snprintf(notify->variable, sizeof(notify->variable), "NOTIFY_SOCKET=%s/notify",
                   notify->directory);
    unsigned len = rpc_address(strchr(notify->variable, '=') + 1, &address);
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_return_code(notify->fd, errno);
    assert_return_code(bind(notify->fd, (struct sockaddr *)&address, len), errno);
    *state = notify;
    return 0;
}

static int notify_teardown(void **state)
{
    struct notify *notify = *state;
    (void)close(notify->fd);
    directory_remove(notify->directory);
    free(notify);
    return 0;
}

/* The next notification as text. */
static void receive(const struct notify *notify, char *out, size_t size)
{
    struct pollfd pollfd = {.fd = notify->fd, .events = POLLIN};
    if (poll(&pollfd, 1, RPC_LIMIT_MS) != 1) {
        test_fail(HERE, "the daemon sent no notification");
    }
    ssize_t got = recv(notify->fd, out, size - 1, 0);
    assert_true(got > 0);
    out[got] = '\0';
}

/* Waits for a notification with this line; others are passed over. */
static void receive_until(const struct notify *notify, const char *line)
{
    char text[1024];
    do {
        receive(notify, text, sizeof(text));
    } while (strstr(text, line) == NULL);
}

static void ready_is_sent_when_connections_are_accepted(void **state)
{
    struct notify *notify = *state;
    struct daemon *daemon = daemon_spawn(&(struct daemon_options){.env = {notify->variable}});
    receive_until(notify, "READY=1");
    struct rpc *c = rpc_open(daemon->socket);
    assert_non_null(c);
    expect(c, "server.ping", "[1]", "1");
    rpc_close(c);
    daemon_stop(daemon);
}

static void stopping_is_sent_before_the_end(void **state)
{
    struct notify *notify = *state;
    struct daemon *daemon = daemon_start(&(struct daemon_options){.env = {notify->variable}});
    receive_until(notify, "READY=1");
    daemon_kill(daemon, SIGTERM);
    receive_until(notify, "STOPPING=1");
    assert_int_equal(daemon_wait(daemon), 0);
    daemon_free(daemon);
}

static void watchdog_is_fed_when_it_is_asked_for(void **state)
{
    struct notify *notify = *state;
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.env = {notify->variable, "WATCHDOG_USEC=100000"}});
    for (int i = 0; i < 4; i++) {
        receive_until(notify, "WATCHDOG=1");
    }
    daemon_stop(daemon);
}

static void no_watchdog_is_fed_that_was_not_asked_for(void **state)
{
    struct notify *notify = *state;
    char text[1024];
    struct daemon *daemon = daemon_start(&(struct daemon_options){.env = {notify->variable}});
    receive_until(notify, "READY=1");
    daemon_kill(daemon, SIGTERM);
    do {
        receive(notify, text, sizeof(text));
        assert_null(strstr(text, "WATCHDOG=1"));
    } while (strstr(text, "STOPPING=1") == NULL);
    assert_int_equal(daemon_wait(daemon), 0);
    daemon_free(daemon);
}

static void activated_socket_is_used(void **state)
{
    char listen[160];
    struct notify *notify = *state;
    if (access("/usr/bin/systemd-socket-activate", X_OK) != 0) {
        print_message("systemd-socket-activate is not installed\n");
        skip();
    }
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/activated.sock", notify->directory);
    (void)snprintf(listen, sizeof(listen), "--listen=%s", path);
    struct daemon *daemon = daemon_start(
        &(struct daemon_options){.wrapper = {"/usr/bin/systemd-socket-activate", listen},
                                 .socket = path,
                                 .no_socket_arg = true});
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "queue.open", "['q']", "_map");
    uint32_t get = rpc_start(b, "queue.get", "['q']");
    expect(a, "queue.put", "['q', 'activated']", "nil");
    expect_result(b, get, "['activated', nil, 1]");
    daemon_stop(daemon);
}

/* The next notification with a descriptor, of which there must be one. */
static int receive_descriptor(const struct notify *notify, char *text, size_t size)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iovec = {text, size - 1};
    struct msghdr header = {.msg_iov = &iovec,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    struct pollfd pollfd = {.fd = notify->fd, .events = POLLIN};
    for (;;) {
        assert_int_equal(poll(&pollfd, 1, RPC_LIMIT_MS), 1);
        header.msg_controllen = sizeof(control.bytes);
        ssize_t len = recvmsg(notify->fd, &header, MSG_CMSG_CLOEXEC);
        assert_true(len > 0);
        text[len] = '\0';
        const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
        if (cmsg != NULL) {
            int fd;
            memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
            return fd;
        }
    }
}

/* As the service manager: keeps what a daemon leaves when it is told that it is restarted. Returns
 * how many descriptors. */
static unsigned keep(const struct notify *notify, struct daemon *daemon, int fds[4],
                     char names[256])
{
    char text[256];
    unsigned count = 0;
    daemon_kill(daemon, SIGUSR1);
    names[0] = '\0';
    for (;;) {
        int fd = receive_descriptor(notify, text, sizeof(text));
        const char *name = strstr(text, "FDNAME=");
        if (strstr(text, "FDSTORE=1") == NULL) {
            assert_non_null(strstr(text, "BARRIER=1"));
            (void)close(fd); /* all before that has been seen */
            break;
        }
        assert_non_null(name);
        assert_non_null(
            strstr(text, "FDPOLL=0")); /* else it would be dropped: nobody has its other end */
        assert_true(count < 4);
        fds[count++] = fd;
        (void)snprintf(names + strlen(names), 256 - strlen(names), "%s%s",
                       names[0] != '\0' ? ":" : "LISTEN_FDNAMES=", name + strlen("FDNAME="));
    }
    assert_int_equal(daemon_wait(daemon), 0);
    return count;
}

/* The next daemon gets what was kept, in whatever order. */
static struct daemon *restart(const struct notify *notify, const struct daemon *before,
                              const int fds[4], unsigned count, const char *names)
{
    char number[32];
    (void)snprintf(number, sizeof(number), "LISTEN_FDS=%u", count);
    struct daemon_options options = {
        .env = {notify->variable, number, names},
        .wrapper = {"/bin/sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh"},
        .directory = before->directory,
    };
    for (unsigned i = 0; i < count; i++) {
        options.passed[i] = fds[i];
    }
    struct daemon *daemon = daemon_start(&options);
    for (unsigned i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
    return daemon;
}

static void restart_is_not_noticed(void **state)
{
    struct notify *notify = *state;
    int fds[4] = {0};
    char names[256];
    struct daemon *first = daemon_start(&(struct daemon_options){.env = {notify->variable}});
    struct rpc *a = rpc_open(first->socket);
    struct rpc *b = rpc_open(first->socket);
    expect(a, "lock.open", "['l']", "_map");
    expect(a, "lock.acquire", "['l']", "_map");
    expect(a, "queue.open", "['q']", "_map");
    expect(a, "queue.put", "['q', 1]", "nil");
    uint32_t wait = rpc_start(b, "lock.acquire", "['l']");
    unsigned count = keep(notify, first, fds, names);
    assert_int_equal(count, 2);
    uint32_t meanwhile = rpc_send(a, "queue.get", "['q']"); /* nobody is there to answer */
    struct daemon *second = restart(notify, first, fds, count, names);
    receive_until(notify, "FDSTOREREMOVE=1");
    expect_result(a, meanwhile, "[1, nil, 1]");
    expect(a, "server.stats", "[]", "{takeovers: 1, ...}");
    expect_waiting(b, wait);
    expect(a, "lock.release", "['l']", "0");
    expect_result(b, wait, "_map");
    struct rpc *c = rpc_open(second->socket);
    expect(c, "lock.locked", "['l']", "true");
    rpc_close(a);
    rpc_close(b);
    rpc_close(c);
    daemon_stop(second);
    daemon_free(first);
}

/* Whoever is told so without a service manager goes on. */
static void what_cannot_be_left_with_anybody_is_kept(void **state)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    struct rpc *a = daemon_client(daemon);
    (void)state;
    expect(a, "event.open", "['e']", "_map");
    daemon_kill(daemon, SIGUSR1);
    daemon_expect_log(daemon, "no service manager");
    expect(a, "event.is_set", "['e']", "false");
    daemon_stop(daemon);
}

#define notify_test(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, notify_setup, notify_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        notify_test(ready_is_sent_when_connections_are_accepted),
        notify_test(stopping_is_sent_before_the_end),
        notify_test(watchdog_is_fed_when_it_is_asked_for),
        notify_test(no_watchdog_is_fed_that_was_not_asked_for),
        notify_test(activated_socket_is_used),
        notify_test(restart_is_not_noticed),
        cmocka_unit_test(what_cannot_be_left_with_anybody_is_kept),
    };
    return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
