/*
 * durable_loop: what durable puts cost those who do not wait for the disk: the time of the thread
 * that serves all, and how long others wait. Each time beside the same with a queue that is not
 * kept.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/durable.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/pinger.h"
#include "tools/ipcbench/stats.h"

#include <math.h>

#define PATIENCE 10000000000U /* nanoseconds, for the last ping */

/* The loop's time of puts, and how far apart they were, in microseconds. */
struct loop_time {
    double cpu[STATS_RUNS_MAX];
    double apart;
};

/* The same plan on the queue that is not kept. */
static struct swarm_plan plain_plan(const struct durable_row *row)
{
    struct swarm_plan plan = *row->plan;
    plan.operations[0] = OPERATION_PUT_PLAIN;
    return plan;
}

/* One turn. */
static int measure_loop(struct durable *durable, const struct swarm_plan *plan, unsigned turn,
                        struct loop_time *out)
{
    struct target *target = &durable->targets[DURABLE_IPCD];
    struct swarm swarm;
    struct swarm_result result = {0};
    struct cpu_usage before;
    struct cpu_usage after;
    int status = swarm_open(&swarm, target, plan);
    if (status == 0 && cpu_thread_read(target->server.pid, &before) < 0) {
        status = fail("the time of ipcd's thread cannot be read");
    }
    if (status == 0) {
        status = swarm_run(&swarm, durable->slice, UINT64_MAX, &result);
    }
    if (status == 0 && cpu_thread_read(target->server.pid, &after) == 0) {
        out->cpu[turn] = (double)(after.run - before.run) / 1e3 / (double)result.rounds;
        out->apart = (double)result.nanoseconds / 1e3 / (double)result.rounds;
    }
    swarm_close(&swarm);
    return status < 0 ? status : target_clear(target);
}

int durable_loop(struct durable *durable, const struct durable_row *row, struct findings *out)
{
    bool alone = row->plan->clients == 1;
    struct swarm_plan plain = plain_plan(row);
    struct swarm_plan paced = plain;
    struct loop_time kept;
    struct loop_time not_kept;
    struct loop_time as_rare;
    double ratios[STATS_RUNS_MAX];
    double paced_ratios[STATS_RUNS_MAX];
    for (unsigned turn = 0; turn < durable->rounds; turn++) {
        if (measure_loop(durable, row->plan, turn, &kept) < 0 ||
            measure_loop(durable, &plain, turn, &not_kept) < 0) {
            return -1;
        }
        paced.pause = (uint64_t)(kept.apart * 1e3);
        if (alone && measure_loop(durable, &paced, turn, &as_rare) < 0) {
            return -1;
        }
        ratios[turn] = kept.cpu[turn] / not_kept.cpu[turn];
        paced_ratios[turn] = alone ? kept.cpu[turn] / as_rare.cpu[turn] : NAN;
    }
    findings_figure(out, "durable", "us", stats_median(kept.cpu, durable->rounds));
    findings_figure(out, "plain", "us", stats_median(not_kept.cpu, durable->rounds));
    if (alone) {
        findings_figure(out, "plain_as_rare", "us", stats_median(as_rare.cpu, durable->rounds));
        findings_bar(out, "to_plain_as_rare", stats_median(paced_ratios, durable->rounds),
                     row->most, false);
    }
    findings_bar(out, "to_plain", stats_median(ratios, durable->rounds), alone ? 0.0 : row->most,
                 false);
    return 0;
}

/* The 99th percentile of pings, in microseconds, while somebody puts (NULL: nobody does). */
static int measure_ping(struct durable *durable, const struct swarm_plan *plan, double *out)
{
    struct target *target = &durable->targets[DURABLE_IPCD];
    struct pinger pinger;
    struct pinger_waits waits;
    struct swarm_result result;
    int status = pinger_start(&pinger, target);
    if (status < 0) {
        return status;
    }
    if (plan == NULL) {
        clock_sleep(durable->slice);
    } else {
        status = durable_work(target, plan, durable->slice, UINT64_MAX, &result);
    }
    int stopped = pinger_stop(&pinger, PATIENCE, &waits);
    *out = waits.p99 / 1e3;
    status = status < 0 ? status : stopped;
    return status < 0 ? status : target_clear(target);
}

int durable_ping(struct durable *durable, const struct durable_row *row, struct findings *out)
{
    enum { KEPT, PLAIN, NOBODY, CASES };
    static const char *const names[] = {"durable_p99", "plain_p99", "nobody_p99"};
    struct swarm_plan plain = plain_plan(row);
    const struct swarm_plan *plans[CASES] = {row->plan, &plain, NULL};
    double waits[CASES][STATS_RUNS_MAX];
    double ratios[CASES][STATS_RUNS_MAX];
    for (unsigned turn = 0; turn < durable->rounds; turn++) {
        for (int i = 0; i < CASES; i++) {
            if (measure_ping(durable, plans[i], &waits[i][turn]) < 0) {
                return -1;
            }
            ratios[i][turn] = waits[KEPT][turn] / waits[i][turn];
        }
    }
    for (int i = 0; i < CASES; i++) {
        findings_figure(out, names[i], "us", stats_median(waits[i], durable->rounds));
    }
    findings_bar(out, "to_nobody", stats_median(ratios[NOBODY], durable->rounds), row->most, false);
    findings_bar(out, "to_plain", stats_median(ratios[PLAIN], durable->rounds), 0.0, false);
    return 0;
}
