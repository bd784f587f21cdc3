/*
 * ipcbench: the yardstick of ipcd. See help.c for what it promises to the user.
 *
 * The order of things: options, targets started, every load run against each target in turn and
 * reported at once, targets stopped. A load that fails is left out of the table and counted; a
 * server that is gone ends it all.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/durable.h"
#include "tools/ipcbench/engine.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/find.h"
#include "tools/ipcbench/options.h"
#include "tools/ipcbench/report.h"
#include "tools/ipcbench/stall.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CALIBRATION_FIRST = 256, CALIBRATION_GROWTH = 4, CALIBRATION_SHARE = 8, QUICK_SHARE = 50 };

struct bench {
    struct options options;
    struct target targets[TARGET_COUNT];
    bool there[TARGET_COUNT];
    struct report report;
    char daemon[PATH_MAX];
    char socket[SERVER_PATH_MAX];
    int load_processor;
    bool failed;
};

/* Many connections need many descriptors, here and in the servers started here. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int start_one(struct bench *bench, int which, const char *socket_path)
{
    bench->there[which] = target_start(&bench->targets[which], socket_path) == 0;
    bench->report.shown[which] = bench->there[which];
    return bench->there[which] ? 0 : -1;
}

/* The plans of the targets, and the targets that were asked for. Without Redis it goes on. */
static int start_targets(struct bench *bench)
{
    const struct options *options = &bench->options;
    int server_processor = -1;
    bool pin = options->pin || options->pin_one;
    if (pin && cpu_choose(options->pin_one, &server_processor, &bench->load_processor) < 0) {
        return -1;
    }
    find_daemon(options, bench->daemon, sizeof(bench->daemon));
    find_socket(options, bench->socket, sizeof(bench->socket));
    bench->targets[TARGET_IPCD] = (struct target){
        &protocol_ipcd, {"ipcd", ipcd_run, bench->daemon, server_processor, NULL}, {0}, -1};
    bench->targets[TARGET_REDIS] =
        (struct target){&protocol_redis,
                        {"redis-server", redis_run, "redis-server", server_processor, NULL},
                        {0},
                        -1};
    bench->targets[TARGET_ECHO] = (struct target){
        &protocol_echo, {"the echo server", echo_run, NULL, server_processor, NULL}, {0}, -1};
    if (options->ipcd && start_one(bench, TARGET_IPCD, options->spawn ? NULL : bench->socket) < 0) {
        return -1;
    }
    if (options->echo && start_one(bench, TARGET_ECHO, NULL) < 0) {
        return -1;
    }
    if (options->redis) {
        (void)start_one(bench, TARGET_REDIS, NULL);
    }
    if (pin && cpu_bind(0, bench->load_processor) < 0) {
        return fail("the load cannot be bound to processor %d", bench->load_processor);
    }
    return 0;
}

static int run_once(const struct load *load, struct target *target, uint64_t count,
                    struct measurement *out)
{
    struct trial trial = {load, target, count, measurement_none()};
    int status = load->run(&trial);
    *out = trial.result;
    return status;
}

/* How many operations take the time that one run is to take. Runs the load, so it warms up too. */
static int calibrate(const struct bench *bench, const struct load *load, struct target *target,
                     uint64_t *out)
{
    const struct options *options = &bench->options;
    uint64_t limit = load_limit(load);
    uint64_t count = CALIBRATION_FIRST < limit ? CALIBRATION_FIRST : limit;
    if (load->count > 0 || options->count > 0) {
        uint64_t fixed = load->count > 0 ? load->count : options->count;
        *out = load->count > 0 && options->quick ? fixed / QUICK_SHARE : fixed;
        *out = load->count == 0 && *out > limit ? limit : *out;
        return 0;
    }
    for (;;) {
        struct measurement measurement;
        if (run_once(load, target, count, &measurement) < 0) {
            return -1;
        }
        double rate = measurement.figures[FIGURE_RATE];
        double wanted = rate * options->seconds;
        if ((double)count * CALIBRATION_SHARE >= wanted || count == limit) {
            *out = wanted < 1.0 ? 1 : wanted > (double)limit ? limit : (uint64_t)wanted;
            return 0;
        }
        count = count * CALIBRATION_GROWTH < limit ? count * CALIBRATION_GROWTH : limit;
    }
}

/* Says what could not be measured. 0 if the server still serves, -1 if there is no going on. */
static int note_failure(struct bench *bench, const struct load *load, int which)
{
    if (interrupted()) {
        return -1;
    }
    (void)fail("%s could not be measured with %s", load->name, target_name(which));
    bench->failed = true;
    int status = server_check(&bench->targets[which].server);
    return status < 0 ? status : target_clear(&bench->targets[which]);
}

/* The runs of one load, the targets taking turns. A target that fails drops out of the row. */
static int run_load(struct bench *bench, const struct load *load, struct row *row)
{
    bool memory = load->run == load_memory || load->run == load_idle;
    unsigned runs = memory ? 1 : bench->options.runs; /* memory does not vary */
    struct measurement results[TARGET_COUNT][STATS_RUNS_MAX];
    uint64_t counts[TARGET_COUNT] = {0};
    *row = (struct row){.load = load, .runs = runs};
    for (int i = 0; i < TARGET_COUNT; i++) {
        row->measured[i] = bench->there[i] && load_suits(load, &bench->targets[i]);
    }
    for (unsigned run = 0; run < runs; run++) {
        for (int i = 0; i < TARGET_COUNT; i++) {
            if (!row->measured[i]) {
                continue;
            }
            struct target *target = &bench->targets[i];
            int status = run == 0 ? calibrate(bench, load, target, &counts[i]) : 0;
            if (status == 0) {
                status = run_once(load, target, counts[i], &results[i][run]);
            }
            row->measured[i] = status == 0;
            if (status < 0 && note_failure(bench, load, i) < 0) {
                return -1;
            }
            if (interrupted()) {
                return -1;
            }
        }
    }
    for (int i = 0; i < TARGET_COUNT; i++) {
        if (row->measured[i]) {
            row->results[i] = measurement_median(results[i], runs);
        }
    }
    return 0;
}

static int run_loads(struct bench *bench)
{
    int status = 0;
    report_begin(&bench->report);
    for (const struct load *load = loads; status == 0 && load->name != NULL; load++) {
        struct row row;
        if (options_select(&bench->options, load->name)) {
            status = run_load(bench, load, &row);
            if (status == 0) {
                report_row(&bench->report, &row);
            }
        }
    }
    report_end(&bench->report);
    return status;
}

/* Says so where the server's CPU time is not what it should be. */
static void check_cpu_time(const struct bench *bench)
{
    for (int i = 0; i < TARGET_COUNT; i++) {
        struct cpu_usage usage;
        pid_t pid = bench->targets[i].server.pid;
        if (!bench->there[i]) {
            continue;
        }
        if (pid <= 0 || cpu_usage_read(pid, &usage) < 0) {
            (void)fail("the CPU time of %s cannot be read; that column stays empty",
                       target_name(i));
        } else if (usage.coarse) {
            (void)fail("this kernel has no schedstat: CPU time of %s comes from /proc/%d/stat, in "
                       "steps of 10 ms",
                       target_name(i), (int)pid);
        }
    }
}

/* The table of stalls in place of the loads. */
static int run_stalls(struct bench *bench)
{
    int status = stall_run(&bench->options, &bench->targets[TARGET_IPCD]);
    bench->failed = status != 0;
    return status < 0 ? status : 0;
}

static int list_loads(const struct options *options)
{
    if (options->stall || options->durable || options->engine) {
        (options->stall ? stall_list : options->durable ? durable_list : engine_list)(options);
        return EXIT_SUCCESS;
    }
    for (const struct load *load = loads; load->name != NULL; load++) {
        if (options_select(options, load->name)) {
            (void)puts(load->name);
        }
    }
    return EXIT_SUCCESS;
}

/* The tables that have servers of their own. */
static int run_table(struct bench *bench)
{
    const struct options *options = &bench->options;
    char cluster[PATH_MAX];
    find_daemon(options, bench->daemon, sizeof(bench->daemon));
    find_cluster(options, cluster, sizeof(cluster));
    int status = options->durable ? durable_run(options, bench->daemon)
                                  : engine_run(options, bench->daemon, cluster);
    bench->failed = status != 0;
    return status;
}

/* The end that the signal asked for, after everything has been put away. */
static void end_by_signal(void)
{
    if (interrupted()) {
        (void)fflush(stdout);
        interrupt_unblock();
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    int status = options_read(argc, argv, &bench.options);
    if (status != OPTIONS_GO) {
        return status;
    }
    if (bench.options.list) {
        return list_loads(&bench.options);
    }
    interrupt_block();
    raise_descriptor_limit();
    bench.report = (struct report){
        .json = bench.options.json, .pinned = bench.options.pin, .together = bench.options.pin_one};
    bool table = bench.options.durable || bench.options.engine;
    status = table ? run_table(&bench) : start_targets(&bench);
    if (status == 0 && !table) {
        check_cpu_time(&bench);
        status = bench.options.stall ? run_stalls(&bench) : run_loads(&bench);
    }
    for (int i = 0; i < TARGET_COUNT; i++) {
        if (bench.there[i]) {
            target_stop(&bench.targets[i]);
        }
    }
    end_by_signal();
    if (status == ENGINE_SKIPPED) {
        return status;
    }
    return status < 0 || bench.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
