/*
 * late_get: a put into a queue of ten places, and a get two seconds later.
 *
 * The process that put the item has long ended when it is taken.
 */
#include "example.h"

#include <unistd.h>

static void put_one(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    MUST(ipcc_queue_put(queue, ipcc_str("a message"), IPCC_FOREVER, NULL));
    printf("writer: put a message, and ends\n");
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

static void get_later(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    sleep(2);
    MUST(ipcc_queue_get(queue, 0, &item, &reply));
    printf("reader: got \"%.*s\" two seconds later\n", (int)item.value.length, item.value.as.str);
    CLAIM(ipcc_value_is_str(&item.value, "a message"));
    ipcc_reply_free(&reply);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue_options options = {.maxsize = 10};
    struct ipcc_queue *queue;
    bool empty;
    MUST(ipcc_queue_open(conn, NULL, &options, &queue));
    struct names names = {ipcc_queue_name(queue), NULL};
    await_process(start_process(put_one, names, 0));
    await_process(start_process(get_later, names, 0));
    MUST(ipcc_queue_empty(queue, &empty));
    CLAIM(empty);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
