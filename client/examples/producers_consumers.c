/*
 * producers_consumers: two producers put ten jobs each, two consumers do them, and join waits until
 * all are done.
 *
 * A job counts as done when its consumer says so (task_done). The job of a consumer that died with
 * it in hand would go back into the queue.
 */
#include "example.h"

enum { PRODUCERS = 2, CONSUMERS = 2, JOBS = 10 };

static const char *const cities[JOBS] = {"Zürich", "København", "Kraków",    "Αθήνα", "Київ",
                                         "Tiranë", "Reykjavík", "București", "東京",  "São Paulo"};

static void produce(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *jobs;
    char text[64];
    MUST(ipcc_queue_open(conn, names->first, NULL, &jobs));
    for (int i = 0; i < JOBS; i++) {
        snprintf(text, sizeof(text), "%s from producer %d", cities[i], number);
        MUST(ipcc_queue_put(jobs, ipcc_str(text), IPCC_FOREVER, NULL));
    }
    printf("producer %d: put %d jobs\n", number, JOBS);
    MUST(ipcc_queue_close(jobs));
    MUST(ipcc_close(conn));
}

static void consume(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *jobs;
    struct ipcc_list *done;
    struct ipcc_item item;
    struct ipcc_reply reply;
    int status;
    MUST(ipcc_queue_open(conn, names->first, NULL, &jobs));
    MUST(ipcc_list_open(conn, names->second, NULL, &done));
    while ((status = ipcc_queue_get(jobs, IPCC_FOREVER, &item, &reply)) == 0) {
        printf("consumer %d: %.*s\n", number, (int)item.value.length, item.value.as.str);
        fflush(stdout);
        MUST(ipcc_list_append(done, item.value, NULL));
        MUST(ipcc_queue_task_done(jobs, item.ticket, NULL));
        ipcc_reply_free(&reply);
    }
    CLAIM(status == IPCC_ERR_SHUT_DOWN);
    MUST(ipcc_queue_close(jobs));
    MUST(ipcc_list_close(done));
    MUST(ipcc_close(conn));
}

/* Each city of each producer is in the list once. */
static void check_done(struct ipcc_list *done)
{
    char text[64];
    uint64_t count;
    MUST(ipcc_list_len(done, &count));
    CLAIM(count == PRODUCERS * JOBS);
    for (int i = 0; i < PRODUCERS * JOBS; i++) {
        snprintf(text, sizeof(text), "%s from producer %d", cities[i % JOBS], i / JOBS + 1);
        MUST(ipcc_list_count(done, ipcc_str(text), &count));
        CLAIM(count == 1);
    }
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue_options options = {.joinable = true};
    struct ipcc_queue *jobs;
    struct ipcc_list *done;
    pid_t producers[PRODUCERS];
    pid_t consumers[CONSUMERS];
    MUST(ipcc_queue_open(conn, NULL, &options, &jobs));
    MUST(ipcc_list_open(conn, NULL, NULL, &done));
    struct names names = {ipcc_queue_name(jobs), ipcc_list_name(done)};
    for (int i = 0; i < CONSUMERS; i++) {
        consumers[i] = start_process(consume, names, i + 1);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = start_process(produce, names, i + 1);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        await_process(producers[i]);
    }
    MUST(ipcc_queue_join(jobs, IPCC_FOREVER));
    printf("all jobs are done\n");
    check_done(done);
    MUST(ipcc_queue_shutdown(jobs, false));
    for (int i = 0; i < CONSUMERS; i++) {
        await_process(consumers[i]);
    }
    MUST(ipcc_queue_close(jobs));
    MUST(ipcc_list_close(done));
    MUST(ipcc_close(conn));
    return 0;
}
