/*
 * watched_queue: a process that looks on while others use a queue.
 *
 * It takes nothing from the queue and holds nobody up; it is told of each put and each get, and,
 * since the queue goes with the last who has it open, of its end.
 */
#include "example.h"

#include <string.h>

enum { ITEMS = 5 };

struct seen {
    int puts;
    int gets;
    bool deleted;
};

static void look(struct ipcc *conn, const struct ipcc_watch_event *event, void *data)
{
    struct seen *seen = data;
    char detail[64];
    MUST(ipcc_value_print(event->detail, detail, sizeof(detail)));
    printf("watcher: %s %s\n", event->event, detail);
    seen->puts += strcmp(event->event, "put") == 0;
    seen->gets += strcmp(event->event, "get") == 0;
    seen->deleted |= strcmp(event->event, "deleted") == 0;
}

static void watch(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct seen seen = {0, 0, false};
    struct ipcc_queue *ready;
    MUST(ipcc_on_watch_event(conn, look, &seen));
    MUST(ipcc_object_watch(conn, names->first, NULL));
    MUST(ipcc_queue_open(conn, names->second, NULL, &ready));
    MUST(ipcc_queue_put(ready, ipcc_nil(), IPCC_FOREVER, NULL));
    while (!seen.deleted) {
        MUST(ipcc_wait_watch_event(conn, IPCC_FOREVER));
    }
    CLAIM(seen.puts == ITEMS && seen.gets == ITEMS);
    MUST(ipcc_queue_close(ready));
    MUST(ipcc_close(conn));
}

static void use(struct ipcc_queue *queue)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    for (int i = 0; i < ITEMS; i++) {
        MUST(ipcc_queue_put(queue, ipcc_int(i), IPCC_FOREVER, NULL));
    }
    for (int i = 0; i < ITEMS; i++) {
        MUST(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
        ipcc_reply_free(&reply);
    }
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_queue *ready;
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    MUST(ipcc_queue_open(conn, NULL, NULL, &ready));
    struct names names = {ipcc_queue_name(queue), ipcc_queue_name(ready)};
    pid_t watcher = start_process(watch, names, 0);
    MUST(ipcc_queue_get(ready, IPCC_FOREVER, &item, &reply));
    ipcc_reply_free(&reply);
    use(queue);
    MUST(ipcc_queue_close(queue));
    await_process(watcher);
    MUST(ipcc_queue_close(ready));
    MUST(ipcc_close(conn));
    return 0;
}
