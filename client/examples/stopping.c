/*
 * stopping: a worker that waits for ever, and stops on SIGTERM.
 *
 * The worker takes tasks until it gets the signal. The handler interrupts the connection: a wait
 * ends at once, the next one does not begin, and what does not wait goes on, so that the task in
 * hand is finished and reported. Then the worker leaves with exit status 0. Two are stopped here:
 * one in the middle of a task, one that waits for the next. No task is lost or done twice.
 */
#include "example.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct ipcc *to_interrupt;
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
    (void)ipcc_interrupt(to_interrupt);
}

static void catch_sigterm(void (*handler)(int signal))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    CLAIM(sigaction(SIGTERM, &action, NULL) == 0);
}

/* A task is a number. A long one is under way when the signal comes. */
enum { SHORT, LONG };

static void do_task(struct ipcc_event *begun, int64_t task)
{
    if (task == LONG) {
        MUST(ipcc_event_set(begun));
        while (!stopped) {
            poll(NULL, 0, 1); /* a real task would go on here */
        }
    }
}

static void work(const struct names *names, int number)
{
    const struct ipcc_options options = {.interruptible = true};
    const struct ipcc_queue_options joinable = {.joinable = true};
    struct ipcc_queue *tasks;
    struct ipcc_event *begun;
    struct ipcc_item task;
    struct ipcc_reply reply;
    int status;
    MUST(ipcc_open(&to_interrupt, &options));
    catch_sigterm(stop);
    MUST(ipcc_queue_open(to_interrupt, names->first, &joinable, &tasks));
    MUST(ipcc_event_open(to_interrupt, names->second, NULL, &begun));
    while ((status = ipcc_queue_get(tasks, IPCC_FOREVER, &task, &reply)) == 0) {
        do_task(begun, task.value.as.integer);
        ipcc_reply_free(&reply);
        MUST(ipcc_queue_task_done(tasks, task.ticket, NULL));
    }
    CLAIM(status == IPCC_ERR_INTERRUPTED);
    catch_sigterm(SIG_DFL); /* before the connection goes */
    MUST(ipcc_event_close(begun));
    MUST(ipcc_queue_close(tasks));
    MUST(ipcc_close(to_interrupt));
    printf("worker %d has stopped\n", number);
}

static void stop_worker(pid_t worker)
{
    CLAIM(kill(worker, SIGTERM) == 0);
    await_process(worker);
}

int main(void)
{
    const struct ipcc_queue_options joinable = {.joinable = true};
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *tasks;
    struct ipcc_event *begun;
    uint64_t left;
    MUST(ipcc_queue_open(conn, NULL, &joinable, &tasks));
    MUST(ipcc_event_open(conn, NULL, NULL, &begun));
    const struct names names = {ipcc_queue_name(tasks), ipcc_event_name(begun)};

    /* In the middle of a task. The one behind it stays in the queue. */
    MUST(ipcc_queue_put(tasks, ipcc_int(LONG), IPCC_FOREVER, NULL));
    MUST(ipcc_queue_put(tasks, ipcc_int(SHORT), IPCC_FOREVER, NULL));
    pid_t worker = start_process(work, names, 1);
    MUST(ipcc_event_wait(begun, IPCC_FOREVER, NULL));
    stop_worker(worker);
    MUST(ipcc_queue_qsize(tasks, &left));
    CLAIM(left == 1);

    /* Waiting. It has done the one that was left. */
    worker = start_process(work, names, 2);
    MUST(ipcc_queue_join(tasks, IPCC_FOREVER));
    await_waiting(conn, names.first, 1);
    stop_worker(worker);
    MUST(ipcc_queue_qsize(tasks, &left));
    CLAIM(left == 0);

    MUST(ipcc_event_close(begun));
    MUST(ipcc_queue_close(tasks));
    MUST(ipcc_close(conn));
    return 0;
}
