/* observe: what tests look at in a running daemon, and its clients; declared in daemon.h. */
#include "tests/support/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/resource.h>

/* The whole of a file as text, which the caller frees; "" if it is not there. */
static char *read_file(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    FILE *in = fopen(path, "re");
    char piece[4096];
    size_t got;
    while (in != NULL && (got = fread(piece, 1, sizeof(piece), in)) > 0) {
        assert_int_equal(fwrite(piece, 1, got, out), got);
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

char *daemon_log(const struct daemon *daemon)
{
    return read_file(daemon->errors);
}

void daemon_expect_log(const struct daemon *daemon, const char *text)
{
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    for (;;) {
        char *log = daemon_log(daemon);
        bool found = strstr(log, text) != NULL;
        if (!found && rpc_now() > deadline) {
            test_fail(HERE, "the daemon never wrote \"%s\", but:\n%s", text, log);
        }
        free(log);
        if (found) {
            return;
        }
        (void)poll(NULL, 0, 1);
    }
}

void daemon_limit_descriptors(const struct daemon *daemon, unsigned most)
{
    const struct rlimit limit = {most, most};
    if (prlimit(daemon->pid, RLIMIT_NOFILE, &limit, NULL) < 0) {
        test_fail(HERE, "the daemon's limit of descriptors cannot be set");
    }
}

unsigned daemon_descriptors(const struct daemon *daemon)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon->pid);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    unsigned count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

void daemon_expect_descriptors(const struct daemon *daemon, unsigned most)
{
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    while (daemon_descriptors(daemon) > most) {
        if (rpc_now() > deadline) {
            test_fail(HERE, "the daemon has %u descriptors open, expected at most %u",
                      daemon_descriptors(daemon), most);
        }
        (void)poll(NULL, 0, 1);
    }
}

uint64_t daemon_memory(const struct daemon *daemon)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon->pid);
    char *text = read_file(path);
    const char *line = strstr(text, "RssAnon:");
    assert_non_null(line);
    uint64_t kilobytes = strtoull(line + strlen("RssAnon:"), NULL, 10);
    free(text);
    return kilobytes * 1024;
}

uint64_t daemon_processor_time(const struct daemon *daemon)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)daemon->pid);
    char *text = read_file(path);
    uint64_t nanoseconds = strtoull(text, NULL, 10);
    free(text);
    return nanoseconds;
}

static struct rpc *add_client(struct daemon *daemon, struct rpc *client)
{
    if (client == NULL) {
        test_fail(HERE, "connecting to %s: %s", daemon->socket, strerror(errno));
    }
    assert_true(daemon->client_count < DAEMON_CLIENTS_MAX);
    daemon->clients[daemon->client_count++] = client;
    return client;
}

struct rpc *daemon_client(struct daemon *daemon)
{
    return add_client(daemon, rpc_open(daemon->socket));
}

void daemon_drop(struct daemon *daemon, struct rpc *client)
{
    for (unsigned i = 0; i < daemon->client_count; i++) {
        if (daemon->clients[i] == client) {
            daemon->clients[i] = daemon->clients[--daemon->client_count];
            rpc_close(client);
            return;
        }
    }
    test_fail(HERE, "that client is not one of this daemon's");
}

/* Sends one descriptor and one byte over a socket pair. */
static bool hand_over(int pair, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char byte = 0;
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = SCM_RIGHTS;
    message->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(message), &fd, sizeof(fd));
    return sendmsg(pair, &header, 0) == 1;
}

/* The descriptor that hand_over sent, or -1. */
static int take_over(int pair)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    int fd = -1;
    if (recvmsg(pair, &header, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&header) != NULL) {
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(fd));
    }
    return fd;
}

/* The child of daemon_client_as: connects as somebody else and hands the connection over. */
static _Noreturn void connect_as(const char *path, const uid_t ids[3], int pair)
{
    gid_t group = ids[2];
    if (setgroups(group == 0 ? 0 : 1, &group) != 0 || setresgid(ids[1], ids[1], ids[1]) != 0 ||
        setresuid(ids[0], ids[0], ids[0]) != 0) {
        _exit(1);
    }
    struct rpc *rpc = rpc_open(path);
    _exit(rpc != NULL && hand_over(pair, rpc->fd) ? 0 : 2);
}

struct rpc *daemon_client_as(struct daemon *daemon, uid_t uid, gid_t gid, gid_t group)
{
    if (geteuid() != 0) {
        print_message("only root can play other users\n");
        skip();
    }
    int pair[2];
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
    pid_t child = fork();
    assert_return_code(child, errno);
    if (child == 0) {
        connect_as(daemon->socket, (const uid_t[]){uid, gid, group}, pair[1]);
    }
    (void)close(pair[1]);
    int fd = take_over(pair[0]);
    (void)close(pair[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (fd < 0) {
        test_fail(HERE, "user %u could not connect to %s", (unsigned)uid, daemon->socket);
    }
    return add_client(daemon, rpc_from_fd(fd));
}

/* The child of daemon_client_process_of. */
static _Noreturn void wait_as_client(const char *path, const char *const calls[][2], int started)
{
    enum { STARTED = 3 };
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The parent's connections must not live on here. */
    if ((started != STARTED && dup2(started, STARTED) < 0) ||
        syscall(SYS_close_range, STARTED + 1U, ~0U, 0U) != 0) {
        _exit(1);
    }
    struct rpc *rpc = rpc_open(path);
    if (rpc == NULL) {
        _exit(1);
    }
    for (size_t i = 0; calls[i][0] != NULL; i++) {
        (void)rpc_start(rpc, calls[i][0], calls[i][1]);
    }
    if (write(STARTED, "", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        (void)pause();
    }
}

pid_t daemon_client_process_of(struct daemon *daemon, const char *const calls[][2])
{
    int started[2];
    assert_return_code(pipe(started), errno);
    pid_t child = fork();
    assert_return_code(child, errno);
    if (child == 0) {
        wait_as_client(daemon->socket, calls, started[1]);
    }
    (void)close(started[1]);
    char byte;
    ssize_t got = read(started[0], &byte, 1);
    (void)close(started[0]);
    if (got != 1) {
        test_fail(HERE, "a client process could not start %s %s", calls[0][0], calls[0][1]);
    }
    return child;
}

pid_t daemon_client_process(struct daemon *daemon, const char *method, const char *params)
{
    const char *const calls[][2] = {{method, params}, {NULL}};
    return daemon_client_process_of(daemon, calls);
}

void process_kill(pid_t pid)
{
    assert_return_code(kill(pid, SIGKILL), errno);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

int daemon_setup(void **state)
{
    *state = daemon_start(&(struct daemon_options){0});
    return 0;
}

int daemon_teardown(void **state)
{
    daemon_stop(*state);
    return 0;
}
