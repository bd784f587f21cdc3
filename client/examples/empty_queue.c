/*
 * empty_queue: get without waiting, and with a limited wait, on a queue with nothing in it.
 *
 * Both end with IPCC_ERR_EMPTY: an answer like any other, which says what Python's queue.Empty
 * says.
 */
#include "example.h"

enum { WAIT_MS = 100 };

static void try_to_get(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));

    int status = ipcc_queue_get(queue, 0, &item, &reply);
    printf("get without waiting: %s: %s\n", ipcc_error_name(status), ipcc_last_message());
    CLAIM(status == IPCC_ERR_EMPTY);

    int64_t start = now_ms();
    status = ipcc_queue_get(queue, WAIT_MS, &item, &reply);
    int64_t waited = now_ms() - start;
    printf("get with a wait of %d ms: %s after %d ms\n", WAIT_MS, ipcc_error_name(status),
           (int)waited);
    CLAIM(status == IPCC_ERR_EMPTY && waited >= WAIT_MS);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    bool empty;
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    MUST(ipcc_queue_empty(queue, &empty));
    CLAIM(empty);
    struct names names = {ipcc_queue_name(queue), NULL};
    await_process(start_process(try_to_get, names, 0));
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
