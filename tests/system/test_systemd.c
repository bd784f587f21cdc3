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
    };
    return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
