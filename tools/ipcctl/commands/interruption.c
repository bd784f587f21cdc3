/* interruption: signals that end a command in good order; see interruption.h. */
#include "tools/ipcctl/commands/interruption.h"

#include <stddef.h>
#include <time.h>

/* The signal does what it does to a process that takes no notice of it. */
static void let_it_end(int number)
{
    sigset_t one;
    (void)sigemptyset(&one);
    (void)sigaddset(&one, number);
    (void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    (void)raise(number);
}

static void *wait_for_signals(void *data)
{
    struct interruption *interruption = data;
    const struct timespec moment = {.tv_sec = 1};
    int number;
    if (sigwait(&interruption->signals, &number) == 0 && number != SIGRTMIN) {
        interruption->came = number;
        (void)ipcc_interrupt(interruption->conn);
        if (sigtimedwait(&interruption->signals, NULL, &moment) != SIGRTMIN) {
            let_it_end(number);
        }
    }
    return NULL;
}

/* Adds a signal, unless whoever started this wants it to be ignored. */
static void add_signal(sigset_t *set, int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
        (void)sigaddset(set, number);
    }
}

void interruption_begin(struct interruption *interruption, struct ipcc *conn)
{
    *interruption = (struct interruption){.conn = conn};
    (void)sigemptyset(&interruption->signals);
    add_signal(&interruption->signals, SIGINT);
    add_signal(&interruption->signals, SIGTERM);
    add_signal(&interruption->signals, SIGHUP);
    (void)sigaddset(&interruption->signals, SIGRTMIN); /* tells the thread that it is over */
    (void)pthread_sigmask(SIG_BLOCK, &interruption->signals, &interruption->before);
    interruption->running =
        pthread_create(&interruption->thread, NULL, wait_for_signals, interruption) == 0;
    if (!interruption->running) { /* then a signal ends it as ever */
        (void)pthread_sigmask(SIG_SETMASK, &interruption->before, NULL);
    }
}

void interruption_end(struct interruption *interruption)
{
    if (!interruption->running) {
        return;
    }
    (void)pthread_kill(interruption->thread, SIGRTMIN);
    (void)pthread_join(interruption->thread, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &interruption->before, NULL);
    if (interruption->came != 0) {
        (void)raise(interruption->came);
    }
}
