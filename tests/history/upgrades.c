/* upgrades: see upgrades.h. */
#include "tests/history/upgrades.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The process that listens there; -1: none. In place of each other daemons keep their pid. */
static pid_t daemon_at(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct ucred peer = {.pid = -1};
    socklen_t len = sizeof(peer);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
        peer.pid = -1;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return peer.pid;
}

static _Noreturn void upgrade_on(pid_t daemon, unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        (void)nanosleep(&pause, NULL);
        (void)kill(daemon, SIGUSR2);
    }
}

pid_t upgrades_begin(unsigned ms)
{
    const char *path = getenv("IPCD_SOCKET");
    pid_t daemon = path == NULL ? -1 : daemon_at(path);
    if (daemon <= 0) {
        (void)fputs("history: --upgrade needs a daemon at $IPCD_SOCKET\n", stderr);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        upgrade_on(daemon, ms);
    }
    return pid;
}

void upgrades_end(pid_t pid)
{
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
}
