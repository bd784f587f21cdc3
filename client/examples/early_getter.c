/*
 * early_getter: a getter that starts before its putter.
 *
 * It waits in the daemon, and has the item as soon as it is put.
 */
#include "example.h"

static void get_one(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    printf("getter: waits\n");
    fflush(stdout);
    MUST(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
    printf("getter: got %d\n", (int)item.value.as.integer);
    CLAIM(item.value.as.integer == 42);
    ipcc_reply_free(&reply);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

static void put_one(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    printf("putter: puts 42\n");
    fflush(stdout);
    MUST(ipcc_queue_put(queue, ipcc_int(42), IPCC_FOREVER, NULL));
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    bool empty;
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    struct names names = {ipcc_queue_name(queue), NULL};
    pid_t getter = start_process(get_one, names, 0);
    await_waiting(conn, names.first, 1);
    await_process(start_process(put_one, names, 0));
    await_process(getter);
    MUST(ipcc_queue_empty(queue, &empty));
    CLAIM(empty);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
