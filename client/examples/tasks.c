/*
 * tasks: a queue of tasks, shared by as many processes as you like.
 *
 *     tasks put TEXT…   hands tasks out and returns when all of them are done
 *     tasks work [MS]   does tasks, each in MS milliseconds, until the queue is shut down
 */
#include <ipcclient.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int put(struct ipcc_queue *tasks, char **texts)
{
    for (; *texts != NULL; texts++) {
        int status = ipcc_queue_put(tasks, ipcc_str(*texts), IPCC_FOREVER, NULL);
        if (status < 0) {
            return status;
        }
    }
    return ipcc_queue_join(tasks, IPCC_FOREVER);
}

/* If this process dies in the middle of a task, the task goes back to the queue. */
static int work(struct ipcc_queue *tasks, int duration)
{
    struct ipcc_item task;
    struct ipcc_reply reply;
    int status;
    while ((status = ipcc_queue_get(tasks, IPCC_FOREVER, &task, &reply)) == 0) {
        printf("%.*s\n", (int)task.value.length, task.value.as.str);
        fflush(stdout);
        ipcc_reply_free(&reply);
        poll(NULL, 0, duration); /* a real task would be done here */
        status = ipcc_queue_task_done(tasks, task.ticket, NULL);
        if (status < 0) {
            return status;
        }
    }
    return status == IPCC_ERR_SHUT_DOWN ? 0 : status;
}

int main(int argc, char **argv)
{
    const struct ipcc_queue_options options = {.joinable = true};
    struct ipcc *conn = NULL;
    struct ipcc_queue *tasks = NULL;
    if (argc < 2 || (strcmp(argv[1], "put") != 0 && strcmp(argv[1], "work") != 0)) {
        fprintf(stderr, "usage: tasks put TEXT… | tasks work [MS]\n");
        return 2;
    }
    int duration = argc > 2 ? atoi(argv[2]) : 0;
    int status = ipcc_open(&conn, NULL);
    if (status == 0) {
        status = ipcc_queue_open(conn, "tasks", &options, &tasks);
    }
    if (status == 0) {
        status = argv[1][0] == 'p' ? put(tasks, argv + 2) : work(tasks, duration);
    }
    (void)ipcc_perror("tasks", status);
    ipcc_queue_close(tasks);
    ipcc_close(conn);
    return status < 0;
}
