/*
 * child: a command that runs under ipcctl, and what is to be done for it meanwhile.
 *
 * The command has ipcctl's standard descriptors, environment, folder and process group. It is ended
 * with SIGKILL when ipcctl dies (PR_SET_PDEATHSIG), whatever of. That does not reach the processes
 * that it started itself, and a program that changes its user or group when it starts
 * (set-user-ID) is not reached either.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int signals;                 /* a signalfd */
    sigset_t mask;               /* of blocked signals, as it was before */
    struct sigaction on_sigchld; /* what was done on SIGCHLD before */
    int status;                  /* once it has ended: as waitpid has it */
};

/* Starts the program that argv[0] names, found as the shell finds it. 0, or -1 with errno and
 * nothing changed. If it cannot be executed the child says so on standard error and exits with 126
 * or 127. The signals that are passed on no longer end this process. */
int child_start(struct child *child, char *const *argv);

/* Reads what has come from `signals`. Signals are passed on, but for those that a terminal sent, as
 * the child has had them as well. True once the child has ended. */
bool child_has_ended(struct child *child);

/* What the shell makes of its end: its exit status, or 128 and the number of the signal. */
int child_exit_status(const struct child *child);

void child_deinit(struct child *child);
