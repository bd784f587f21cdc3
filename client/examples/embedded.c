/*
 * embedded: a program that needs no daemon to be there: it brings one along, if nobody else has.
 *
 * The first connection starts it. What the program starts afterwards finds it, be it by fork or as
 * a program of its own; here workers of both kinds take tasks from the same queue. The daemon goes
 * when the last of them has gone.
 */
#include "example.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TASKS = 100 };

static struct ipcc *open_with_daemon(void)
{
    const struct ipcc_options options = {.embedded = true};
    struct ipcc *conn;
    MUST(ipcc_open(&conn, &options));
    return conn;
}

/* Takes tasks until there are no more, and counts them. */
static void work(const struct names *names, int number)
{
    struct ipcc *conn = open_with_daemon();
    struct ipcc_queue *tasks;
    struct ipcc_dict *counts;
    struct ipcc_item task;
    struct ipcc_reply reply;
    int status;
    MUST(ipcc_queue_open(conn, names->first, NULL, &tasks));
    MUST(ipcc_dict_open(conn, names->second, NULL, &counts));
    while ((status = ipcc_queue_get(tasks, IPCC_FOREVER, &task, &reply)) == 0) {
        ipcc_reply_free(&reply);
        MUST(ipcc_dict_incr_int(counts, ipcc_str("done"), 1, 0, NULL));
        MUST(ipcc_dict_incr_int(counts, ipcc_int(number), 1, 0, NULL));
    }
    CLAIM(status == IPCC_ERR_SHUT_DOWN);
    MUST(ipcc_dict_close(counts));
    MUST(ipcc_queue_close(tasks));
    MUST(ipcc_close(conn));
}

/* The same, as a program of its own, which has nothing but its environment and its arguments. */
static void run_worker(const struct names *names, int number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    (void)execl("/proc/self/exe", "embedded", names->first, names->second, text, (char *)NULL);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        const struct names given = {argv[1], argv[2]};
        work(&given, atoi(argv[3]));
        return 0;
    }
    struct ipcc *conn = open_with_daemon();
    struct ipcc_queue *tasks;
    struct ipcc_dict *counts;
    int64_t done;
    MUST(ipcc_queue_open(conn, NULL, NULL, &tasks));
    MUST(ipcc_dict_open(conn, NULL, NULL, &counts));
    for (int i = 0; i < TASKS; i++) {
        MUST(ipcc_queue_put(tasks, ipcc_int(i), IPCC_FOREVER, NULL));
    }
    const struct names names = {ipcc_queue_name(tasks), ipcc_dict_name(counts)};
    pid_t workers[] = {start_process(work, names, 0), start_process(run_worker, names, 1)};
    MUST(ipcc_queue_shutdown(tasks, false));
    await_process(workers[0]);
    await_process(workers[1]);
    MUST(ipcc_dict_get_int(counts, ipcc_str("done"), ipcc_none(), &done));
    CLAIM(done == TASKS);
    printf("%lld tasks done by two processes, with %s\n", (long long)done,
           strstr(getenv("IPCD_SOCKET"), "ipcd-embedded-") != NULL ? "a daemon of the program's own"
                                                                   : "the daemon that was there");
    MUST(ipcc_dict_close(counts));
    MUST(ipcc_queue_close(tasks));
    MUST(ipcc_close(conn));
    return 0;
}
