/* server: see server.h. */
#include "tools/ipcbench/server.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EXIT_NOT_STARTED = 127,
    POLL_NANOSECONDS = 2000000,
    START_POLLS = 5000, /* ten seconds */
    STOP_POLLS = 1000,  /* two seconds */
};

int server_connect(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(socket_path);
    if (len >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, socket_path, len);
    if (socket_path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) < 0) {
        int reason = errno;
        (void)close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static void log_path(const struct server *server, char *path, size_t size)
{
    (void)snprintf(path, size, "%s/log", server->directory);
}

/* In the child: the plan's program, with its output in the log and the parent's fate. */
static _Noreturn void run_child(const struct server *server, pid_t parent)
{
    char path[SERVER_PATH_MAX];
    log_path(server, path, sizeof(path));
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    interrupt_unblock();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool ready = getppid() == parent && null >= 0 && log >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
                 dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
    if (ready && server->plan->processor >= 0) {
        ready = cpu_bind(0, server->plan->processor) == 0;
    }
    if (ready) {
        server->plan->run(server->plan, server->directory, server->socket);
    }
    _exit(EXIT_NOT_STARTED);
}

/* The last line of the log, or "". */
static void last_log_line(const struct server *server, char *line, size_t size)
{
    char path[SERVER_PATH_MAX];
    char text[512];
    log_path(server, path, sizeof(path));
    line[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    while (fgets(text, sizeof(text), file) != NULL) {
        text[strcspn(text, "\r\n")] = '\0';
        if (text[0] != '\0') {
            (void)snprintf(line, size, "%s", text);
        }
    }
    (void)fclose(file);
}

static int fail_ended(struct server *server, int status)
{
    char line[512];
    const char *name = server->plan->name;
    last_log_line(server, line, sizeof(line));
    server->pid = 0;
    if (WIFSIGNALED(status)) {
        return fail("the %s that was started here was ended by signal %d (%s); its last words: "
                    "\"%s\"",
                    name, WTERMSIG(status), strsignal(WTERMSIG(status)), line);
    }
    if (WEXITSTATUS(status) == EXIT_NOT_STARTED) {
        return fail("%s could not be started: \"%s\"", name, line);
    }
    return fail("the %s that was started here has exited with status %d; its last words: \"%s\"",
                name, WEXITSTATUS(status), line);
}

static int wait_until_it_accepts(struct server *server)
{
    for (int i = 0; i < START_POLLS; i++) {
        int status;
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            return fail_ended(server, status);
        }
        int fd = server_connect(server->socket);
        if (fd >= 0) {
            (void)close(fd);
            return 0;
        }
        if (interrupted()) {
            return fail("interrupted");
        }
        clock_sleep(POLL_NANOSECONDS);
    }
    return fail("%s was started but does not accept connections on %s", server->plan->name,
                server->socket);
}

static int start_child(struct server *server)
{
    pid_t parent = getpid();
    server->pid = fork();
    if (server->pid == 0) {
        run_child(server, parent);
    }
    int status = 0;
    if (server->pid < 0) {
        server->pid = 0;
        status = fail("%s cannot be started: fork: %s", server->plan->name, strerror(errno));
    } else {
        status = wait_until_it_accepts(server);
    }
    if (status < 0) {
        server_stop(server);
    }
    return status;
}

int server_start(struct server *server, const struct server_plan *plan)
{
    *server = (struct server){.plan = plan, .ours = true};
    if (directory_make(server->directory, plan->name) < 0) {
        return -1;
    }
    (void)snprintf(server->socket, sizeof(server->socket), "%s/socket", server->directory);
    return start_child(server);
}

static void bind_running(struct server *server)
{
    int processor = server->plan->processor;
    if (server->pid <= 0 || processor < 0) {
        return;
    }
    server->bound =
        sched_getaffinity(server->pid, sizeof(server->allowed), &server->allowed) == 0 &&
        cpu_bind(server->pid, processor) == 0;
    if (!server->bound) {
        (void)fail("%s (pid %d) cannot be bound to processor %d: %s; going on without",
                   server->plan->name, (int)server->pid, processor, strerror(errno));
    }
}

/* True if the process bears the program's name. With socket activation the socket names the service
 * manager as its peer, and it is not that one's CPU time that is wanted. */
static bool is_program(pid_t pid, const char *name)
{
    char path[64];
    char text[32] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool read = fgets(text, sizeof(text), file) != NULL;
    (void)fclose(file);
    text[strcspn(text, "\n")] = '\0';
    return read && strcmp(text, name) == 0;
}

int server_attach(struct server *server, const struct server_plan *plan, const char *socket_path)
{
    *server = (struct server){.plan = plan};
    int fd = server_connect(socket_path);
    if (fd < 0) {
        return fail("no %s can be reached at %s (%s); start one, name its socket with --socket, "
                    "or let --spawn start a private one",
                    plan->name, socket_path, strerror(errno));
    }
    (void)close(fd);
    (void)snprintf(server->socket, sizeof(server->socket), "%s", socket_path);
    return 0;
}

void server_identify(struct server *server, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (!server->ours && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
        is_program(peer.pid, server->plan->name)) {
        server->pid = peer.pid;
        bind_running(server);
    }
}

int server_check(struct server *server)
{
    int status;
    if (server->ours && server->pid > 0 && waitpid(server->pid, &status, WNOHANG) == server->pid) {
        return fail_ended(server, status);
    }
    int fd = server_connect(server->socket);
    if (fd < 0) {
        return fail("%s can no longer be reached at %s: %s", server->plan->name, server->socket,
                    strerror(errno));
    }
    (void)close(fd);
    return 0;
}

static void reap(pid_t pid, int signal_number)
{
    (void)kill(pid, signal_number);
    for (int i = 0; i < STOP_POLLS; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0) {
            return;
        }
        clock_sleep(POLL_NANOSECONDS);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

int server_start_again(struct server *server, int signal_number, uint64_t *out)
{
    reap(server->pid, signal_number);
    (void)unlink(server->socket); /* who was killed has left it */
    uint64_t began = clock_now();
    int status = start_child(server);
    *out = clock_now() - began;
    return status;
}

void server_stop(struct server *server)
{
    if (server->bound) {
        (void)sched_setaffinity(server->pid, sizeof(server->allowed), &server->allowed);
        server->bound = false;
    }
    if (server->ours && server->pid > 0) {
        reap(server->pid, SIGTERM);
        server->pid = 0;
    }
    if (server->ours) {
        directory_remove(server->directory);
    }
}
