/*
 * take_and_count: three workers take tasks from a queue and count them in a dict, and somebody who
 * looks at both at any moment always finds them to add up.
 *
 * Taking and counting are two calls; in a batch nobody sees the one without the other. When the
 * queue is empty the batch stops at the first call, so that nothing is counted that was not taken.
 */
#include "example.h"

enum { TASKS = 300, WORKERS = 3 };

static struct ipcc_batch *batch_of(const char *method, const struct names *names,
                                   const char *second)
{
    struct ipcc_batch *batch;
    struct ipcc_value queue[] = {ipcc_str(names->first), ipcc_none()};
    struct ipcc_value count[] = {ipcc_str(names->second), ipcc_str("taken")};
    MUST(ipcc_batch_new(&batch));
    MUST(ipcc_batch_add(batch, method, queue, 2));
    MUST(ipcc_batch_add(batch, second, count, 2));
    return batch;
}

static void work(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_batch *take = batch_of("queue.get", names, "dict.incr");
    struct ipcc_reply reply;
    size_t failed;
    int status;
    int taken = 0;
    while ((status = ipcc_atomic(conn, take, &reply, &failed)) == 0) {
        ipcc_reply_free(&reply);
        taken++;
    }
    CLAIM(status == IPCC_ERR_EMPTY && failed == 0);
    ipcc_reply_free(&reply);
    printf("worker %d has taken %d tasks\n", number, taken);
    ipcc_batch_free(take);
    MUST(ipcc_close(conn));
}

/* Looks at both at once. Returns how many are left. */
static int64_t look(struct ipcc *conn, const struct ipcc_batch *both)
{
    struct ipcc_reply reply;
    struct ipcc_value value;
    int64_t left;
    int64_t taken;
    MUST(ipcc_atomic(conn, both, &reply, NULL));
    struct ipcc_walk results = ipcc_walk_of(&reply.value);
    CLAIM(ipcc_walk_next(&results, &value));
    MUST(ipcc_value_int(&value, &left));
    CLAIM(ipcc_walk_next(&results, &value));
    MUST(ipcc_value_int(&value, &taken));
    CLAIM(left + taken == TASKS);
    ipcc_reply_free(&reply);
    return left;
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_queue *queue;
    struct ipcc_dict *dict;
    struct ipcc_value zero[] = {ipcc_str("taken"), ipcc_int(0)};
    const struct ipcc_dict_options options = {.initial = ipcc_map(zero, 1)};
    struct ipcc_value tasks[TASKS];
    pid_t workers[WORKERS];
    MUST(ipcc_queue_open(conn, NULL, NULL, &queue));
    MUST(ipcc_dict_open(conn, NULL, &options, &dict));
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = ipcc_int(i);
    }
    MUST(ipcc_queue_put_many(queue, ipcc_array(tasks, TASKS), IPCC_FOREVER, NULL));

    struct names names = {ipcc_queue_name(queue), ipcc_dict_name(dict)};
    struct ipcc_batch *both = batch_of("queue.qsize", &names, "dict.get");
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = start_process(work, names, i);
    }
    int looks = 1;
    while (look(conn, both) > 0) {
        looks++;
    }
    for (int i = 0; i < WORKERS; i++) {
        await_process(workers[i]);
    }
    printf("looked %d times, and it always added up to %d\n", looks, TASKS);

    ipcc_batch_free(both);
    MUST(ipcc_dict_close(dict));
    MUST(ipcc_queue_close(queue));
    MUST(ipcc_close(conn));
    return 0;
}
