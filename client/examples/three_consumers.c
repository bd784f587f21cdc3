/*
 * three_consumers: 150,000 numbers, and three processes that take 50,000 of them each.
 *
 * The sum of what they got shows that no number was lost and none was given twice.
 */
#include "example.h"

enum { CONSUMERS = 3, EACH = 50000, TOTAL = CONSUMERS * EACH, BATCH = 1000 };

static void consume(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_dict *sums;
    struct ipcc_item item;
    struct ipcc_reply reply;
    MUST(ipcc_queue_open(conn, names->first, NULL, &queue));
    MUST(ipcc_dict_open(conn, names->second, NULL, &sums));
    int64_t sum = 0;
    int taken = 0;
    while (taken < EACH) {
        int want = EACH - taken < BATCH ? EACH - taken : BATCH;
        MUST(ipcc_queue_get_many(queue, (size_t)want, IPCC_FOREVER, &reply));
        struct ipcc_walk walk = ipcc_walk_of(&reply.value);
        while (ipcc_walk_item(&walk, &item)) {
            sum += item.value.as.integer;
            taken++;
        }
        ipcc_reply_free(&reply);
    }
    printf("consumer %d: took %d\n", number, taken);
    MUST(ipcc_dict_incr(sums, ipcc_str("all"), ipcc_int(sum), ipcc_none(), NULL));
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_dict_close(sums));
    MUST(ipcc_close(conn));
}

static void put_all(struct ipcc_queue *queue)
{
    struct ipcc_value numbers[BATCH];
    for (int next = 0; next < TOTAL;) {
        for (int i = 0; i < BATCH; i++) {
            numbers[i] = ipcc_int(next++);
        }
        MUST(ipcc_queue_put_many(queue, ipcc_array(numbers, BATCH), IPCC_FOREVER, NULL));
    }
    printf("producer: put %d\n", TOTAL);
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_dict *sums;
    struct ipcc_reply reply;
    uint64_t left;
    pid_t consumers[CONSUMERS];
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    MUST(ipcc_dict_open(conn, NULL, NULL, &sums));
    struct names names = {ipcc_queue_name(queue), ipcc_dict_name(sums)};
    for (int i = 0; i < CONSUMERS; i++) {
        consumers[i] = start_process(consume, names, i + 1);
    }
    put_all(queue);
    for (int i = 0; i < CONSUMERS; i++) {
        await_process(consumers[i]);
    }
    MUST(ipcc_queue_qsize(queue, &left));
    CLAIM(left == 0);
    MUST(ipcc_dict_get(sums, ipcc_str("all"), ipcc_none(), &reply));
    CLAIM(reply.value.as.integer == (int64_t)TOTAL * (TOTAL - 1) / 2);
    ipcc_reply_free(&reply);
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_dict_close(sums));
    MUST(ipcc_close(conn));
    return 0;
}
