/*
 * event_loop: a program with a loop of its own, which never waits in a call.
 *
 * It asks for every item of a queue before there is one, puts them, and counts in a dict what it
 * gets; all of these calls are on their way at once. The callbacks read from the results what the
 * typed functions would have given. With each item the loop's other work goes on.
 */
#include "example.h"

#include <poll.h>

enum { ITEMS = 100 };

/* What the callbacks work on. */
struct work {
    const char *queue;
    const char *dict;
    int got;
    int counted;
    int64_t sum;
};

static void counted(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct work *work = data;
    (void)conn;
    MUST(status);
    MUST(ipcc_value_int(&reply->value, &work->sum));
    work->counted++;
}

static void got(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct work *work = data;
    struct ipcc_item item;
    MUST(status);
    MUST(ipcc_value_item(&reply->value, &item));
    struct ipcc_value incr[] = {ipcc_str(work->dict), ipcc_str("sum"), item.value};
    struct ipcc_request request = {.method = "dict.incr", .params = incr, .nparams = 3};
    MUST(ipcc_call_async(conn, &request, counted, work, NULL));
    work->got++;
}

static void start(struct ipcc *conn, struct work *work)
{
    struct ipcc_value get[] = {ipcc_str(work->queue), ipcc_nil()};
    struct ipcc_request request = {.method = "queue.get", .params = get, .nparams = 2};
    for (int i = 0; i < ITEMS; i++) {
        MUST(ipcc_call_async(conn, &request, got, work, NULL));
    }
    request.method = "queue.put";
    request.params = (struct ipcc_value[]){ipcc_str(work->queue), ipcc_int(2)};
    for (int i = 0; i < ITEMS; i++) {
        MUST(ipcc_call_async(conn, &request, NULL, NULL, NULL));
    }
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_dict *dict;
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    MUST(ipcc_dict_open(conn, NULL, NULL, &dict));
    struct work work = {.queue = ipcc_queue_name(queue), .dict = ipcc_dict_name(dict)};

    start(conn, &work);
    int turns = 0;
    while (work.counted < ITEMS) {
        struct pollfd ready = {.fd = ipcc_fd(conn), .events = (short)ipcc_events(conn)};
        CLAIM(poll(&ready, 1, ipcc_next_timeout(conn)) >= 0);
        MUST(ipcc_process(conn, ready.revents));
        turns++; /* a real loop would look at its other descriptors here */
    }
    CLAIM(work.got == ITEMS && work.sum == 2 * ITEMS);
    printf("%d items counted in %d turns of the loop\n", work.counted, turns);

    MUST(ipcc_dict_close(dict));
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
