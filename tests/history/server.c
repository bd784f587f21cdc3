/* server: see server.h. */
#include "tests/history/server.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 3000, TRY_MS = 10, DESCRIPTORS = 8 }; /* half a minute */

static _Noreturn void run(const struct server *server)
{
    char state[96];
    char path[96];
    (void)snprintf(state, sizeof(state), "%s/state", server->directory);
    (void)snprintf(path, sizeof(path), "%s/log", server->directory);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (log >= 0 && dup2(log, STDERR_FILENO) >= 0) {
        (void)execl(server->program, "ipcd", "--socket", server->socket, "--state", state,
                    (char *)NULL);
    }
    _exit(1);
}

static int start(struct server *server)
{
    (void)unlink(server->socket); /* who was killed has left it */
    server->pid = fork();
    if (server->pid == 0) {
        run(server);
    }
    if (server->pid < 0) {
        server->pid = 0;
        (void)fputs("history: the daemon cannot be started\n", stderr);
        return -1;
    }
    return 0;
}

int server_begin(struct server *server, const char *program)
{
    *server = (struct server){.program = program, .directory = "/tmp/ipcd-history-XXXXXX"};
    if (mkdtemp(server->directory) == NULL) {
        server->directory[0] = '\0';
        (void)fputs("history: there is no directory for the daemon\n", stderr);
        return -1;
    }
    (void)snprintf(server->socket, sizeof(server->socket), "%s/ipcd.sock", server->directory);
    (void)setenv("IPCD_SOCKET", server->socket, 1);
    return 0;
}

void server_kill(struct server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

int server_again(struct server *server, const struct ipcc_options *options, struct ipcc **conn)
{
    if (start(server) < 0) {
        return -1;
    }
    int status = IPCC_ERR_CONNECT;
    for (int i = 0; i < TRIES && status == IPCC_ERR_CONNECT; i++) {
        if (waitpid(server->pid, NULL, WNOHANG) != 0) {
            (void)fprintf(stderr, "history: the daemon does not start; its log is in %s\n",
                          server->directory);
            server->pid = 0;
            server->directory[0] = '\0'; /* which is kept */
            return -1;
        }
        status = ipcc_open(conn, options);
        if (status == IPCC_ERR_CONNECT) {
            (void)poll(NULL, 0, TRY_MS);
        }
    }
    if (status < 0) {
        (void)fprintf(stderr, "history: %s\n", ipcc_last_message());
    }
    return status < 0 ? -1 : 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void server_end(struct server *server)
{
    server_kill(server);
    if (server->directory[0] != '\0') {
        (void)nftw(server->directory, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
        server->directory[0] = '\0';
    }
}
