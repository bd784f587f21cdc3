/*
 * rounds: three processes work in rounds, and wait for each other at a barrier after each.
 *
 * The one that came first (index 0) sees to what is between two rounds, while the others wait at
 * the barrier a second time. Python calls this the barrier's action.
 */
#include "example.h"

enum { PROCESSES = 3, ROUNDS = 4 };

static void end_round(struct ipcc_dict *sums, int round)
{
    struct ipcc_reply reply;
    MUST(ipcc_dict_get(sums, ipcc_int(round), ipcc_none(), &reply));
    printf("round %d: %d\n", round, (int)reply.value.as.integer);
    fflush(stdout);
    CLAIM(reply.value.as.integer == PROCESSES * round);
    ipcc_reply_free(&reply);
    MUST(ipcc_dict_incr(sums, ipcc_str("ended"), ipcc_none(), ipcc_none(), NULL));
}

static void work(const struct names *names, int number)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_barrier *barrier;
    struct ipcc_dict *sums;
    uint64_t index;
    MUST(ipcc_barrier_open(conn, names->first, NULL, &barrier));
    MUST(ipcc_dict_open(conn, names->second, NULL, &sums));
    for (int round = 1; round <= ROUNDS; round++) {
        MUST(ipcc_dict_incr(sums, ipcc_int(round), ipcc_int(round), ipcc_none(), NULL));
        MUST(ipcc_barrier_wait(barrier, IPCC_FOREVER, &index));
        if (index == 0) {
            end_round(sums, round);
        }
        MUST(ipcc_barrier_wait(barrier, IPCC_FOREVER, NULL));
    }
    MUST(ipcc_barrier_close(barrier));
    MUST(ipcc_dict_close(sums));
    MUST(ipcc_close(conn));
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct ipcc_barrier_options options = {.parties = PROCESSES};
    struct ipcc_barrier *barrier;
    struct ipcc_dict *sums;
    struct ipcc_reply reply;
    pid_t processes[PROCESSES];
    MUST(ipcc_barrier_open(conn, NULL, &options, &barrier));
    MUST(ipcc_dict_open(conn, NULL, NULL, &sums));
    struct names names = {ipcc_barrier_name(barrier), ipcc_dict_name(sums)};
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = start_process(work, names, i + 1);
    }
    for (int i = 0; i < PROCESSES; i++) {
        await_process(processes[i]);
    }
    MUST(ipcc_dict_get(sums, ipcc_str("ended"), ipcc_none(), &reply));
    CLAIM(reply.value.as.integer == ROUNDS);
    ipcc_reply_free(&reply);
    MUST(ipcc_barrier_close(barrier));
    MUST(ipcc_dict_close(sums));
    MUST(ipcc_close(conn));
    return 0;
}
