/*
 * engine_call: calls through one daemon beside plain commands: Redis' processor time, calls in a
 * second, and how long one takes.
 *
 * A turn of a side is both steps, one after the other: the queue is filled by the one and emptied
 * by the other, the dict has its keys from the beginning.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/engine.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/window.h"

#include <math.h>
#include <stdlib.h>

enum {
    PLAIN,
    THROUGH,
    SIDES,
    COUNT_FIRST = 256,
    COUNT_GROWTH = 4,
    COUNT_MOST = 1000000,
    CALIBRATION_SHARE = 8,
    WARM_UP_SHARE = 20,
};

/* What has been measured, in each turn. */
struct series {
    double values[STATS_RUNS_MAX];
};

struct side {
    struct target *target;
    pid_t redis;
    pid_t daemon; /* 0: none */
    uint64_t count;
    struct window *windows;
    struct batch batches[ENGINE_STEPS];
    struct series cpu[ENGINE_STEPS]; /* of Redis, microseconds for a call */
    struct series daemon_cpu[ENGINE_STEPS];
    struct series rate[ENGINE_STEPS];
    struct series p50[ENGINE_STEPS];
};

static void side_close(struct side *side, unsigned clients)
{
    for (unsigned i = 0; side->windows != NULL && i < clients; i++) {
        window_deinit(&side->windows[i]);
    }
    free(side->windows);
    for (int i = 0; i < ENGINE_STEPS; i++) {
        batch_deinit(&side->batches[i]);
    }
}

static int side_open(struct side *side, const struct engine_row *row)
{
    int status = 0;
    side->windows = calloc(row->clients, sizeof(side->windows[0]));
    if (side->windows == NULL) {
        return fail("out of memory");
    }
    for (unsigned i = 0; i < row->clients; i++) {
        side->windows[i].stream.fd = -1;
    }
    for (int i = 0; status == 0 && i < ENGINE_STEPS; i++) {
        struct request model = {.operation = row->steps[i], .payload = ENGINE_PAYLOAD};
        status = batch_init(&side->batches[i], side->target->protocol, &model, row->depth);
    }
    for (unsigned i = 0; status == 0 && i < row->clients; i++) {
        status = window_init(&side->windows[i], side->target, &side->batches[0]);
    }
    return status;
}

/* Empty, but for the keys of a dict: a LOOKUP is to find them all. */
static int clear(const struct side *side, const struct engine_row *row)
{
    struct request request = {.operation = OPERATION_SET, .payload = ENGINE_PAYLOAD};
    int status = target_clear(side->target);
    if (status == 0 && row->steps[0] == OPERATION_SET) {
        status = stream_fill(&side->windows[0].stream, &request, WINDOW_REQUESTS);
    }
    return status;
}

static int work(const struct side *side, const struct engine_row *row, uint64_t count,
                uint64_t *samples)
{
    return row->clients == 1 ? window_run(&side->windows[0], count, samples)
                             : window_run_many(side->windows, row->clients, count);
}

/* One step of a turn, measured. */
static int run_step(struct side *side, const struct engine_row *row, int step, unsigned turn)
{
    bool alone = row->clients == 1 && row->depth == 1;
    uint64_t *samples = alone ? calloc(side->count, sizeof(samples[0])) : NULL;
    struct measurement redis = measurement_none();
    struct measurement daemon = measurement_none();
    struct meter meters[2];
    for (unsigned i = 0; i < row->clients; i++) {
        side->windows[i].batch = &side->batches[step];
        side->windows[i].at = 0;
    }
    int status = alone && samples == NULL ? fail("out of memory") : 0;
    if (status == 0) {
        status = work(side, row, side->count / WARM_UP_SHARE + row->clients, NULL);
    }
    if (status == 0) {
        meter_start(&meters[1], side->daemon);
        meter_start(&meters[0], side->redis);
        status = work(side, row, side->count, samples);
    }
    if (status == 0) {
        meter_stop(&meters[0], side->count, &redis);
        meter_stop(&meters[1], side->count, &daemon);
        measurement_set_latency(&redis, samples, alone ? side->count : 0);
        side->cpu[step].values[turn] = redis.figures[FIGURE_CPU];
        side->rate[step].values[turn] = redis.figures[FIGURE_RATE];
        side->p50[step].values[turn] = redis.figures[FIGURE_P50];
        side->daemon_cpu[step].values[turn] = daemon.figures[FIGURE_CPU];
    }
    free(samples);
    return status;
}

static int run_turn(struct side *side, const struct engine_row *row, unsigned turn)
{
    int status = clear(side, row);
    for (int step = 0; status == 0 && step < ENGINE_STEPS; step++) {
        status = run_step(side, row, step, turn);
    }
    return status;
}

/* How many calls take the time of a slice, about. */
static int calibrate(const struct engine *engine, struct side *side, const struct engine_row *row)
{
    side->count = engine->options->count > 0 ? engine->options->count : COUNT_FIRST;
    while (engine->options->count == 0) {
        if (run_turn(side, row, 0) < 0) {
            return -1;
        }
        double slowest = fmin(side->rate[0].values[0], side->rate[1].values[0]);
        double wanted = slowest * (double)engine->slice / 1e9;
        if ((double)side->count * CALIBRATION_SHARE >= wanted) {
            side->count = wanted < 1.0 ? 1 : wanted > COUNT_MOST ? COUNT_MOST : (uint64_t)wanted;
            return 0;
        }
        side->count *= COUNT_GROWTH;
    }
    return 0;
}

/* All turns of both sides, each time with the other one first. */
static int run_sides(struct engine *engine, const struct engine_row *row, struct side sides[SIDES])
{
    struct target *host = &engine->hosts.targets[0];
    pid_t redis = engine->redis.server.pid;
    sides[PLAIN] = (struct side){.target = &engine->redis, .redis = redis};
    sides[THROUGH] = (struct side){.target = host, .redis = redis, .daemon = host->server.pid};
    int status = 0;
    for (int i = 0; status == 0 && i < SIDES; i++) {
        status = side_open(&sides[i], row);
        status = status == 0 ? calibrate(engine, &sides[i], row) : status;
    }
    for (unsigned turn = 0; status == 0 && turn < engine->turns; turn++) {
        for (unsigned i = 0; status == 0 && i < SIDES; i++) {
            status = run_turn(&sides[(turn + i) % SIDES], row, turn);
        }
    }
    for (int i = 0; i < SIDES; i++) {
        side_close(&sides[i], row->clients);
    }
    return status;
}

static double median(const struct engine *engine, const struct series *series)
{
    struct series copy = *series;
    return stats_median(copy.values, engine->turns);
}

/* The median of how many times the one is the other, less so much. */
static double ratio(const struct engine *engine, const struct series *one,
                    const struct series *other, double less)
{
    double ratios[STATS_RUNS_MAX];
    for (unsigned i = 0; i < engine->turns; i++) {
        ratios[i] = one->values[i] / other->values[i] - less;
    }
    return stats_median(ratios, engine->turns);
}

/* What the figures of a step are called. */
struct step_names {
    const char *plain;
    const char *through;
    const char *daemon;
    const char *ratio;
    const char *added;
};

static const struct step_names *names_of(enum operation operation)
{
    static const struct step_names names[] = {
        [OPERATION_PUT] = {"lpush", "put", "ipcd_for_a_put", "put_to_lpush", "put_adds_to_lpush"},
        [OPERATION_GET] = {"rpop", "get", "ipcd_for_a_get", "get_to_rpop", "get_adds_to_rpop"},
        [OPERATION_SET] = {"hset", "set", "ipcd_for_a_set", "set_to_hset", "set_adds_to_hset"},
        [OPERATION_LOOKUP] = {"hget", "lookup", "ipcd_for_a_lookup", "lookup_to_hget",
                              "lookup_adds_to_hget"},
    };
    return &names[operation];
}

int engine_cpu(struct engine *engine, const struct engine_row *row, struct findings *out)
{
    struct side sides[SIDES];
    if (run_sides(engine, row, sides) < 0) {
        return -1;
    }
    const struct side *plain = &sides[PLAIN];
    const struct side *through = &sides[THROUGH];
    for (int i = 0; i < ENGINE_STEPS; i++) {
        const struct step_names *names = names_of(row->steps[i]);
        findings_figure(out, names->plain, "us", median(engine, &plain->cpu[i]));
        findings_figure(out, names->through, "us", median(engine, &through->cpu[i]));
        findings_figure(out, names->daemon, "us", median(engine, &through->daemon_cpu[i]));
        findings_bar(out, names->ratio, ratio(engine, &through->cpu[i], &plain->cpu[i], 0.0),
                     row->bar, false);
    }
    return 0;
}

int engine_rate(struct engine *engine, const struct engine_row *row, struct findings *out)
{
    struct side sides[SIDES];
    if (run_sides(engine, row, sides) < 0) {
        return -1;
    }
    const struct side *plain = &sides[PLAIN];
    const struct side *through = &sides[THROUGH];
    for (int i = 0; i < ENGINE_STEPS; i++) {
        const struct step_names *names = names_of(row->steps[i]);
        findings_figure(out, names->plain, "/s", median(engine, &plain->rate[i]));
        findings_figure(out, names->through, "/s", median(engine, &through->rate[i]));
        findings_bar(out, names->ratio, ratio(engine, &through->rate[i], &plain->rate[i], 0.0),
                     row->bar, true);
    }
    return 0;
}

int engine_latency(struct engine *engine, const struct engine_row *row, struct findings *out)
{
    struct side sides[SIDES];
    if (run_sides(engine, row, sides) < 0) {
        return -1;
    }
    const struct side *plain = &sides[PLAIN];
    const struct side *through = &sides[THROUGH];
    for (int i = 0; i < ENGINE_STEPS; i++) {
        const struct step_names *names = names_of(row->steps[i]);
        findings_figure(out, names->plain, "us", median(engine, &plain->p50[i]));
        findings_figure(out, names->through, "us", median(engine, &through->p50[i]));
        findings_bar(out, names->ratio, ratio(engine, &through->p50[i], &plain->p50[i], 0.0), 0.0,
                     false);
        findings_bar(out, names->added, ratio(engine, &through->p50[i], &plain->p50[i], 1.0),
                     row->bar, false);
    }
    return 0;
}
