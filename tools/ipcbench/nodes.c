/* nodes: see nodes.h. */
#include "tools/ipcbench/nodes.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127, LOOK_MILLISECONDS = 100, LOOKS_MAX = 400, LINE_MAX_BYTES = 256 };

static _Noreturn void run_child(const struct nodes *nodes, const char *script, pid_t parent,
                                int processor, const int input[2], const int output[2])
{
    char primaries[32];
    (void)snprintf(primaries, sizeof(primaries), "--primaries=%u", nodes->count);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)setpgid(0, 0);
    interrupt_unblock();
    if (getppid() == parent && dup2(input[0], STDIN_FILENO) >= 0 &&
        dup2(output[1], STDOUT_FILENO) >= 0 && (processor < 0 || cpu_bind(0, processor) == 0)) {
        (void)execlp(script, script, nodes->directory, primaries, "--replicas=0", (char *)NULL);
        (void)fprintf(stderr, "%s: %s\n", script, strerror(errno));
    }
    _exit(EXIT_NOT_STARTED);
}

/* The line that the script prints; it says itself, on stderr, what has gone wrong. */
static int read_line(int fd, char line[LINE_MAX_BYTES])
{
    size_t len = 0;
    for (int looks = 0; looks < LOOKS_MAX && len + 1 < LINE_MAX_BYTES; looks++) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (interrupted()) {
            return fail("interrupted");
        }
        if (poll(&ready, 1, LOOK_MILLISECONDS) <= 0) {
            continue;
        }
        ssize_t got = read(fd, line + len, LINE_MAX_BYTES - 1 - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
        line[len] = '\0';
        if (line[len - 1] == '\n') {
            return 0;
        }
    }
    return fail("no Redis Cluster has come about");
}

/* What the script has left in its directory: DIRECTORY/PORT.pid. */
static int read_pid(const struct nodes *nodes, unsigned long port, pid_t *out)
{
    char path[DIRECTORY_PATH_MAX + 32];
    int pid = 0;
    (void)snprintf(path, sizeof(path), "%s/%lu.pid", nodes->directory, port);
    FILE *file = fopen(path, "re");
    bool read = file != NULL && fscanf(file, "%d", &pid) == 1;
    if (file != NULL) {
        (void)fclose(file);
    }
    *out = pid;
    return read && pid > 0 ? 0 : fail("%s does not say which process a node is", path);
}

/* "ready PORT…" */
static int take_note(struct nodes *nodes, const char *line)
{
    static const char begin[] = "ready ";
    const char *at = line + sizeof(begin) - 1;
    if (strncmp(line, begin, sizeof(begin) - 1) != 0) {
        return fail("what starts the Redis Cluster said: %s", line);
    }
    for (unsigned i = 0; i < nodes->count; i++) {
        char *end;
        unsigned long port = strtoul(at, &end, 10);
        if (end == at || read_pid(nodes, port, &nodes->pids[i]) < 0) {
            return fail("the Redis Cluster has not as many nodes as were wanted");
        }
        if (i == 0) {
            (void)snprintf(nodes->url, sizeof(nodes->url), "redis://127.0.0.1:%lu", port);
        }
        at = end;
    }
    return 0;
}

static int start_script(struct nodes *nodes, const char *script, int processor)
{
    int input[2] = {-1, -1};
    int output[2] = {-1, -1};
    char line[LINE_MAX_BYTES] = "";
    pid_t parent = getpid();
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0) {
        (void)close(input[0]);
        (void)close(input[1]);
        return fail("no pipe: %s", strerror(errno));
    }
    nodes->script = fork();
    if (nodes->script == 0) {
        run_child(nodes, script, parent, processor, input, output);
    }
    (void)close(input[0]);
    (void)close(output[1]);
    nodes->input = input[1];
    int status = nodes->script > 0 ? 0 : fail("fork: %s", strerror(errno));
    if (status == 0) {
        status = read_line(output[0], line);
    }
    (void)close(output[0]);
    return status == 0 ? take_note(nodes, line) : status;
}

int nodes_start(struct nodes *nodes, const char *script, unsigned count, int processor)
{
    *nodes = (struct nodes){.count = count, .input = -1};
    int status = directory_make(nodes->directory, "a Redis Cluster");
    if (status == 0) {
        status = start_script(nodes, script, processor);
    }
    if (status < 0) {
        nodes_stop(nodes);
    }
    return status;
}

void nodes_stop(struct nodes *nodes)
{
    if (nodes->input >= 0) {
        (void)close(nodes->input);
        nodes->input = -1;
    }
    if (nodes->script > 0) {
        (void)waitpid(nodes->script, NULL, 0);
        nodes->script = 0;
    }
    directory_remove(nodes->directory);
}
