/*
 * durable_speed: how many operations in a second, beside Redis, beanstalkd and a bare loop that
 * appends and syncs. What the loop writes is what the clients have under way: with all of it in
 * each sync, nobody could be faster who syncs before he answers, and waits for the answers.
 */
#include "tools/ipcbench/durable.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/stats.h"

#include <math.h>

enum { ROW_EXTRA = 16 }; /* bytes, besides the item: which one it is */

struct slices {
    double rates[DURABLE_TARGETS][STATS_RUNS_MAX];
    double ratios[DURABLE_TARGETS][STATS_RUNS_MAX]; /* of ipcd to it, in the same turn */
};

static bool takes_part(const struct durable *durable, const struct durable_row *row, int which)
{
    bool jobs = row->plan->operations[0] == OPERATION_PUT_JOB;
    return durable->there[which] && !(jobs && (which == DURABLE_REDIS || which == DURABLE_APPEND));
}

static int run_append(struct durable *durable, const struct durable_row *row, double *rate)
{
    size_t changes = (size_t)row->plan->clients * row->plan->depth;
    uint64_t syncs;
    uint64_t longest;
    int status = append_run(&durable->append, changes * (row->plan->payload + ROW_EXTRA),
                            durable->slice, &syncs, &longest);
    *rate = (double)(syncs * changes) * 1e9 / (double)durable->slice;
    return status;
}

/* What has been put is cleared behind the slice. beanstalkd has no word for that, and keeps it. */
static int run_server(struct durable *durable, const struct durable_row *row, int which,
                      double *rate)
{
    struct target *target = &durable->targets[which];
    struct swarm_result result;
    int status = durable_work(target, row->plan, durable->slice, UINT64_MAX, &result);
    if (status == 0) {
        *rate = (double)result.rounds * 1e9 / (double)result.nanoseconds;
        status = target_clear(target);
    }
    return status;
}

/* One turn of all targets, each time with another one first. */
static int run_turn(struct durable *durable, const struct durable_row *row, unsigned turn,
                    struct slices *out)
{
    for (unsigned i = 0; i < DURABLE_TARGETS; i++) {
        int which = (int)((i + turn) % DURABLE_TARGETS);
        double *rate = &out->rates[which][turn];
        *rate = NAN;
        if (takes_part(durable, row, which) &&
            (which == DURABLE_APPEND ? run_append(durable, row, rate)
                                     : run_server(durable, row, which, rate)) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < DURABLE_TARGETS; i++) {
        out->ratios[i][turn] = out->rates[DURABLE_IPCD][turn] / out->rates[i][turn];
    }
    return 0;
}

int durable_speed(struct durable *durable, const struct durable_row *row, struct findings *out)
{
    static const char *const ratio_names[] = {"", "to_redis", "to_beanstalkd", "to_append"};
    const double bars[] = {0.0, row->to_redis, row->to_beanstalkd, row->to_append};
    struct slices slices;
    for (unsigned turn = 0; turn < durable->rounds; turn++) {
        if (run_turn(durable, row, turn, &slices) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < DURABLE_TARGETS; i++) {
        if (!takes_part(durable, row, i)) {
            continue;
        }
        findings_figure(out, durable_target_name((enum durable_target)i), "/s",
                        stats_median(slices.rates[i], durable->rounds));
        if (i != DURABLE_IPCD) {
            findings_bar(out, ratio_names[i], stats_median(slices.ratios[i], durable->rounds),
                         bars[i], true);
        }
    }
    return 0;
}
