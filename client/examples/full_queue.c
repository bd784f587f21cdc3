/*
 * full_queue: a queue of five places, full and empty, and a sixth put that waits for room.
 */
#include "example.h"

enum { PLACES = 5 };

static void put_sixth(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    CLAIM(ipcc_queue_put(queue, ipcc_int(6), 0, NULL) == IPCC_ERR_FULL);
    printf("the sixth put: does not fit, and waits\n");
    fflush(stdout);
    MUST(ipcc_queue_put(queue, ipcc_int(6), IPCC_FOREVER, NULL));
    printf("the sixth put: there was room\n");
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

static void take(struct ipcc_queue *queue, int64_t expected)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_get(queue, 0, &item, &reply));
    CLAIM(item.value.as.integer == expected);
    ipcc_reply_free(&reply);
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue_options options = {.maxsize = PLACES};
    struct ipcc_queue *queue;
    bool full;
    bool empty;
    MUST(ipcc_queue_open(conn, NULL, &options, &queue));
    struct names names = {ipcc_queue_name(queue), NULL};
    for (int i = 1; i <= PLACES; i++) {
        MUST(ipcc_queue_full(queue, &full));
        CLAIM(!full);
        MUST(ipcc_queue_put(queue, ipcc_int(i), 0, NULL));
    }
    MUST(ipcc_queue_full(queue, &full));
    CLAIM(full);
    printf("five items are in: full\n");

    pid_t putter = start_process(put_sixth, names, 0);
    await_waiting(conn, names.first, 1);
    take(queue, 1);
    await_process(putter);
    for (int i = 2; i <= PLACES + 1; i++) {
        take(queue, i);
    }
    MUST(ipcc_queue_empty(queue, &empty));
    CLAIM(empty);
    printf("all six are out: empty\n");
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
