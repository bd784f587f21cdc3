/*
 * slow_reader: a queue of one place, and a reader that takes its time.
 *
 * The writer's puts wait for the reader: there is never more than one item in the queue.
 */
#include "example.h"

#include <unistd.h>

enum { ITEMS = 4, PAUSE_MS = 200 };

static void read_slowly(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    for (int i = 0; i < ITEMS; i++) {
        usleep(PAUSE_MS * 1000);
        MUST(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
        printf("reader: got %d\n", (int)item.value.as.integer);
        CLAIM(item.value.as.integer == i);
        ipcc_reply_free(&reply);
    }
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue_options options = {.maxsize = 1};
    struct ipcc_queue *queue;
    uint64_t size;
    MUST(ipcc_queue_open(conn, NULL, &options, &queue));
    struct names names = {ipcc_queue_name(queue), NULL};
    int64_t start = now_ms();
    pid_t reader = start_process(read_slowly, names, 0);
    for (int i = 0; i < ITEMS; i++) {
        MUST(ipcc_queue_put(queue, ipcc_int(i), IPCC_FOREVER, NULL));
        printf("writer: put %d after %d ms\n", i, (int)(now_ms() - start));
        fflush(stdout);
        MUST(ipcc_queue_qsize(queue, &size));
        CLAIM(size <= 1);
    }
    /* The last put had room only after the reader's third get, its third pause before it. */
    CLAIM(now_ms() - start >= (ITEMS - 1) * PAUSE_MS);
    await_process(reader);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
