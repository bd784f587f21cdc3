/*
 * killed_reader: A, B and C are put; a reader takes them, and is terminated while it waits for
 * more.
 *
 * A reader that is gone takes nothing with it: what is put after its end is there for the next one.
 */
#include "example.h"

#include <signal.h>
#include <sys/wait.h>

static void take(struct ipcc_queue *queue, const char *who, const char *expected)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
    printf("%s: got %.*s\n", who, (int)item.value.length, item.value.as.str);
    fflush(stdout);
    CLAIM(ipcc_value_is_str(&item.value, expected));
    ipcc_reply_free(&reply);
}

static void read_for_ever(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    take(queue, "reader", "A");
    take(queue, "reader", "B");
    take(queue, "reader", "C");
    take(queue, "reader", "nothing, as it is terminated here");
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    uint64_t size;
    int status;
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    struct names names = {ipcc_queue_name(queue), NULL};
    pid_t reader = start_process(read_for_ever, names, 0);
    struct ipcc_value letters[] = {ipcc_str("A"), ipcc_str("B"), ipcc_str("C")};
    MUST(ipcc_queue_put_many(queue, ipcc_array(letters, 3), IPCC_FOREVER, NULL));

    do {
        MUST(ipcc_queue_qsize(queue, &size));
    } while (size > 0);
    await_waiting(conn, names.first, 1);
    kill(reader, SIGTERM);
    CLAIM(waitpid(reader, &status, 0) == reader && WIFSIGNALED(status));
    printf("the reader was terminated while it waited\n");

    MUST(ipcc_queue_put(queue, ipcc_str("D"), IPCC_FOREVER, NULL));
    take(queue, "the next reader", "D");
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
