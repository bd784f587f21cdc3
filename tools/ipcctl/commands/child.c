/* child: a command that runs under ipcctl; see child.h. */
#include "tools/ipcctl/commands/child.h"
#include "tools/ipcctl/command_line/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* Becomes the program. */
static void execute(const struct child *child, pid_t parent, char *const *argv)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(STATUS_RUN_FAILED); /* the parent had died before */
    }
    (void)sigaction(SIGCHLD, &child->on_sigchld, NULL);
    (void)sigprocmask(SIG_SETMASK, &child->mask, NULL);
    (void)execvp(argv[0], argv);
    int error = errno;
    (void)fprintf(stderr, "ipcctl: run: cannot run \"%s\": %s\n", argv[0], strerror(error));
    _exit(error == ENOENT ? STATUS_RUN_NO_COMMAND : STATUS_RUN_CANNOT);
}

/* The signals come to a descriptor from now on. */
static int take_signals(struct child *child)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t wanted;
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGCHLD);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
        (void)sigaddset(&wanted, passed_on[i]);
    }
    child->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (child->signals < 0) {
        return -1;
    }
    (void)sigprocmask(SIG_BLOCK, &wanted, &child->mask);
    (void)sigaction(SIGCHLD, &standard, &child->on_sigchld);
    return 0;
}

int child_start(struct child *child, char *const *argv)
{
    pid_t parent = getpid();
    *child = (struct child){.pid = -1};
    if (take_signals(child) < 0) {
        return -1;
    }
    child->pid = fork();
    if (child->pid == 0) {
        execute(child, parent, argv);
    }
    if (child->pid < 0) {
        int error = errno;
        child_deinit(child);
        errno = error;
        return -1;
    }
    return 0;
}

bool child_has_ended(struct child *child)
{
    struct signalfd_siginfo info;
    bool ended = false;
    while (read(child->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            ended |= waitpid(child->pid, &child->status, WNOHANG) == child->pid;
        } else if (info.ssi_code != SI_KERNEL && !ended) {
            (void)kill(child->pid, (int)info.ssi_signo);
        }
    }
    return ended;
}

int child_exit_status(const struct child *child)
{
    return WIFSIGNALED(child->status) ? STATUS_RUN_SIGNAL + WTERMSIG(child->status)
                                      : WEXITSTATUS(child->status);
}

void child_deinit(struct child *child)
{
    (void)sigaction(SIGCHLD, &child->on_sigchld, NULL);
    (void)sigprocmask(SIG_SETMASK, &child->mask, NULL);
    (void)close(child->signals);
}
