/* processes: see processes.h. */
#include "daemon/net/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/error.h"

struct process {
    LIST_ENTRY(process) link;
    struct processes *processes;
    struct event ended;
    pid_t pid;
    int pidfd; /* owned */
};

static struct process_list *list_of(struct processes *processes, pid_t pid)
{
    return &processes->lists[(unsigned)pid % PROCESSES_LISTS];
}

static void forget(struct process *process)
{
    (void)event_del(&process->ended);
    (void)close(process->pidfd);
    LIST_REMOVE(process, link);
    process->processes->count--;
    free(process);
}

void processes_look(struct processes *processes)
{
    if (processes->held || processes->count > 0 || *processes->sessions > 0) {
        (void)event_del(&processes->grace);
    } else if (event_pending(&processes->grace, EV_TIMEOUT, NULL) == 0) {
        (void)event_add(&processes->grace, &processes->grace_time);
    }
}

static void process_ended(evutil_socket_t fd, short what, void *data)
{
    struct process *process = data;
    struct processes *processes = process->processes;
    (void)fd;
    (void)what;
    forget(process);
    processes_look(processes);
}

/* Nothing is ever sent on it, so what makes it readable is its end. */
static void lifeline_ended(evutil_socket_t fd, short what, void *data)
{
    struct processes *processes = data;
    char byte;
    (void)what;
    ssize_t got = recv(fd, &byte, sizeof(byte), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        (void)event_del(&processes->lifeline);
        processes->held = false;
        processes_look(processes);
    }
}

static void grace_is_over(evutil_socket_t fd, short what, void *data)
{
    struct processes *processes = data;
    (void)fd;
    (void)what;
    processes->none_left(processes->data);
}

int processes_init(struct processes *processes, struct event_base *base,
                   const struct processes_options *options)
{
    *processes = (struct processes){.base = base,
                                    .sessions = options->sessions,
                                    .none_left = options->none_left,
                                    .data = options->data,
                                    .held = true};
    processes->grace_time = (struct timeval){.tv_sec = options->grace_ms / 1000,
                                             .tv_usec = options->grace_ms % 1000 * 1000};
    for (unsigned i = 0; i < PROCESSES_LISTS; i++) {
        LIST_INIT(&processes->lists[i]);
    }
    if (event_assign(&processes->grace, base, -1, 0, grace_is_over, processes) < 0 ||
        event_assign(&processes->lifeline, base, options->lifeline, EV_READ | EV_PERSIST,
                     lifeline_ended, processes) < 0 ||
        event_add(&processes->lifeline, NULL) < 0) {
        return ERR_MEMORY;
    }
    return 0;
}

void processes_deinit(struct processes *processes)
{
    if (processes->base == NULL) {
        return;
    }
    for (unsigned i = 0; i < PROCESSES_LISTS; i++) {
        while (!LIST_EMPTY(&processes->lists[i])) {
            forget(LIST_FIRST(&processes->lists[i]));
        }
    }
    (void)event_del(&processes->lifeline);
    (void)event_del(&processes->grace);
    processes->base = NULL;
}

void processes_connected(struct processes *processes, pid_t pid)
{
    struct process *process;
    (void)event_del(&processes->grace);
    LIST_FOREACH (process, list_of(processes, pid), link) {
        if (process->pid == pid) {
            return;
        }
    }
    int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    process = pidfd >= 0 ? calloc(1, sizeof(*process)) : NULL;
    if (process == NULL ||
        event_assign(&process->ended, processes->base, pidfd, EV_READ, process_ended, process) <
            0 ||
        event_add(&process->ended, NULL) < 0) {
        free(process);
        if (pidfd >= 0) {
            (void)close(pidfd);
        }
        return;
    }
    process->processes = processes;
    process->pid = pid;
    process->pidfd = pidfd;
    processes->count++;
    LIST_INSERT_HEAD(list_of(processes, pid), process, link);
}
