/*
 * engine_spread: queues without a common tag, spread over one primary and over three: Redis' time
 * for a put on each, and whether the load of three is shared. The clients are divided among the
 * hosts, and each has a queue of its own.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/engine.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/nodes.h"
#include "tools/ipcbench/window.h"

#include <math.h>
#include <stdlib.h>

enum { QUEUES_OF_NODE = 8, QUEUES = NODES_MAX * QUEUES_OF_NODE, COUNT_OF_QUEUE = 16 };

/* By the hash of Redis Cluster (CRC16): the slots of the first are in the first third, and so on.
 */
static const char *const queue_names[QUEUES] = {
    "bench.00", "bench.01", "bench.04", "bench.05", "bench.08", "bench.09", "bench.12", "bench.13",
    "bench.03", "bench.07", "bench.10", "bench.14", "bench.18", "bench.21", "bench.25", "bench.29",
    "bench.02", "bench.06", "bench.11", "bench.15", "bench.19", "bench.20", "bench.24", "bench.28",
};

/* A cluster with its hosts and clients. */
struct spread {
    struct nodes nodes;
    struct engine_hosts hosts;
    struct batch batches[QUEUES];
    struct window windows[QUEUES];
    double rate;           /* of the last run, calls in a second */
    double cpu[NODES_MAX]; /* of Redis in it, microseconds for a call on each node */
    double all;            /* the same of all nodes together */
    double daemons;        /* and of the hosts */
};

static void spread_close(struct spread *spread)
{
    for (int i = 0; i < QUEUES; i++) {
        window_deinit(&spread->windows[i]);
        batch_deinit(&spread->batches[i]);
    }
    engine_hosts_stop(&spread->hosts);
    nodes_stop(&spread->nodes);
}

/* The same operation on every queue, by the connection that keeps them open. */
static int for_all_queues(const struct spread *spread, enum operation operation)
{
    const struct target *host = &spread->hosts.targets[0];
    struct stream stream;
    int status = stream_init(&stream, host, host->control);
    for (int i = 0; status == 0 && i < QUEUES; i++) {
        struct request request = {.operation = operation, .object = queue_names[i]};
        status = stream_call(&stream, &request);
    }
    stream_deinit(&stream);
    return status;
}

/* Queues next to each other are on the same node, and asked for by different hosts. */
static int open_client(struct spread *spread, const struct engine_row *row, int i)
{
    const struct target *host = &spread->hosts.targets[i % ENGINE_HOSTS];
    struct request model = {
        .operation = OPERATION_PUT, .payload = ENGINE_PAYLOAD, .object = queue_names[i]};
    int status = batch_init(&spread->batches[i], host->protocol, &model, row->depth);
    return status < 0 ? status : window_init(&spread->windows[i], host, &spread->batches[i]);
}

/* With so many primaries; spread_close also after a failure. */
static int spread_open(struct spread *spread, const struct engine *engine,
                       const struct engine_row *row, unsigned primaries)
{
    *spread = (struct spread){.nodes.input = -1};
    for (int i = 0; i < QUEUES; i++) {
        spread->windows[i].stream.fd = -1;
    }
    int status = nodes_start(&spread->nodes, engine->cluster, primaries, engine->processor);
    if (status == 0) {
        status = engine_hosts_start(&spread->hosts, engine->daemon, spread->nodes.url,
                                    engine->processor);
    }
    if (status == 0) {
        status = for_all_queues(spread, OPERATION_OPEN_QUEUE);
    }
    for (int i = 0; status == 0 && i < QUEUES; i++) {
        status = open_client(spread, row, i);
    }
    return status;
}

enum { PROCESSES = NODES_MAX + ENGINE_HOSTS };

/* What each node and, behind them, each host has used so far, in nanoseconds. */
static int read_usage(const struct spread *spread, double out[PROCESSES])
{
    enum { SETTLE_NANOSECONDS = 2000000 };
    clock_sleep(SETTLE_NANOSECONDS);
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct cpu_usage usage = {0};
        pid_t pid = i >= NODES_MAX ? spread->hosts.targets[i - NODES_MAX].server.pid
                                   : spread->nodes.pids[i];
        if (pid > 0 && cpu_usage_read(pid, &usage) < 0) {
            return fail("the CPU time of process %d cannot be read", (int)pid);
        }
        out[i] = (double)usage.run;
    }
    return 0;
}

/* How many calls each node has answered so far. */
static void count_calls(const struct spread *spread, uint64_t out[NODES_MAX])
{
    for (unsigned i = 0; i < NODES_MAX; i++) {
        out[i] = 0;
    }
    for (unsigned i = 0; i < QUEUES; i++) {
        out[i * spread->nodes.count / QUEUES] += spread->windows[i].answered;
    }
}

static void sum_up(struct spread *spread, double used[2][PROCESSES], uint64_t calls[2][NODES_MAX])
{
    double time = 0.0;
    double count = 0.0;
    for (unsigned i = 0; i < spread->nodes.count; i++) {
        double of_node = (double)(calls[1][i] - calls[0][i]);
        spread->cpu[i] = (used[1][i] - used[0][i]) / 1e3 / of_node;
        time += used[1][i] - used[0][i];
        count += of_node;
    }
    spread->all = time / 1e3 / count;
    time = 0.0;
    for (unsigned i = NODES_MAX; i < PROCESSES; i++) {
        time += used[1][i] - used[0][i];
    }
    spread->daemons = time / 1e3 / count;
}

static int run_puts(struct spread *spread, uint64_t count)
{
    double used[2][PROCESSES];
    uint64_t calls[2][NODES_MAX];
    count_calls(spread, calls[0]);
    int status = read_usage(spread, used[0]);
    uint64_t began = clock_now();
    if (status == 0) {
        status = window_run_many(spread->windows, QUEUES, count);
    }
    spread->rate = (double)count * 1e9 / (double)(clock_now() - began);
    if (status == 0) {
        status = read_usage(spread, used[1]);
    }
    if (status == 0) {
        count_calls(spread, calls[1]);
        sum_up(spread, used, calls);
        status = for_all_queues(spread, OPERATION_CLEAR_QUEUE);
    }
    return status;
}

/* A slice of puts; how many that are is told by the run before. */
static int run_slice(const struct engine *engine, struct spread *spread)
{
    double count = engine->options->count > 0 ? (double)engine->options->count
                                              : spread->rate * (double)engine->slice / 1e9;
    return run_puts(spread,
                    count < QUEUES * COUNT_OF_QUEUE ? QUEUES * COUNT_OF_QUEUE : (uint64_t)count);
}

struct spread_series {
    double one[STATS_RUNS_MAX]; /* microseconds for a call, by one primary */
    double node[NODES_MAX][STATS_RUNS_MAX];
    double daemons[STATS_RUNS_MAX];
    double shares[STATS_RUNS_MAX]; /* the most to the least of the three */
    double growth[STATS_RUNS_MAX]; /* all three to the one */
};

static void take_note(struct spread_series *series, unsigned turn, const struct spread *one,
                      const struct spread *three)
{
    double least = INFINITY;
    double most = 0.0;
    for (int i = 0; i < NODES_MAX; i++) {
        series->node[i][turn] = three->cpu[i];
        least = fmin(least, three->cpu[i]);
        most = fmax(most, three->cpu[i]);
    }
    series->one[turn] = one->all;
    series->daemons[turn] = three->daemons;
    series->shares[turn] = most / least;
    series->growth[turn] = three->all / one->all;
}

static int run_turns(const struct engine *engine, struct spread spreads[2],
                     struct spread_series *series)
{
    int status = 0;
    for (int i = 0; status == 0 && i < 2; i++) {
        status = run_slice(engine, &spreads[i]); /* to warm up, and to know the rate */
    }
    for (unsigned turn = 0; status == 0 && turn < engine->turns; turn++) {
        for (unsigned i = 0; status == 0 && i < 2; i++) {
            status = run_slice(engine, &spreads[(turn + i) % 2]);
        }
        take_note(series, turn, &spreads[0], &spreads[1]);
    }
    return status;
}

int engine_spread(struct engine *engine, const struct engine_row *row, struct findings *out)
{
    static const char *const names[NODES_MAX] = {"first_of_three", "second", "third"};
    struct spread *spreads = calloc(2, sizeof(spreads[0]));
    struct spread_series series;
    if (spreads == NULL) {
        return fail("out of memory");
    }
    int status = spread_open(&spreads[0], engine, row, 1);
    if (status == 0) {
        status = spread_open(&spreads[1], engine, row, NODES_MAX);
        status = status == 0 ? run_turns(engine, spreads, &series) : status;
        spread_close(&spreads[1]);
    }
    spread_close(&spreads[0]);
    free(spreads);
    if (status < 0) {
        return status;
    }
    findings_figure(out, "one_primary", "us", stats_median(series.one, engine->turns));
    for (int i = 0; i < NODES_MAX; i++) {
        findings_figure(out, names[i], "us", stats_median(series.node[i], engine->turns));
    }
    findings_figure(out, "ipcd", "us", stats_median(series.daemons, engine->turns));
    findings_bar(out, "most_to_least", stats_median(series.shares, engine->turns), row->bar, false);
    findings_bar(out, "three_to_one", stats_median(series.growth, engine->turns), row->bar, false);
    return 0;
}
