/* durable: the table of rows, the servers, and running the one against the others; see durable.h.
 */
#include "tools/ipcbench/durable.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

enum {
    PAYLOAD = 64,
    CLIENTS = 50,
    DEPTH = 16,
    QUICK_SLICE = 20000000,
    SLICE = 200000000,
    ROUNDS = 15,
    TMPFS = 0x01021994, /* linux/magic.h */
};

static const struct swarm_plan put_1x1 = {
    .clients = 1, .depth = 1, .steps = 1, .operations = {OPERATION_PUT}, .payload = PAYLOAD};
static const struct swarm_plan put_1x50 = {
    .clients = CLIENTS, .depth = 1, .steps = 1, .operations = {OPERATION_PUT}, .payload = PAYLOAD};
static const struct swarm_plan put_16x50 = {.clients = CLIENTS,
                                            .depth = DEPTH,
                                            .steps = 1,
                                            .operations = {OPERATION_PUT},
                                            .payload = PAYLOAD};
static const struct swarm_plan put_and_get = {.clients = CLIENTS,
                                              .depth = DEPTH,
                                              .steps = 2,
                                              .operations = {OPERATION_PUT, OPERATION_GET},
                                              .payload = PAYLOAD};
static const struct swarm_plan job = {
    .clients = CLIENTS,
    .depth = DEPTH,
    .steps = 3,
    .operations = {OPERATION_PUT_JOB, OPERATION_TAKE_JOB, OPERATION_FINISH_JOB},
    .payload = PAYLOAD};

/* What ipcd must reach: times Redis, beanstalkd, the bare loop; and at most. */
const struct durable_row durable_rows[] = {
    {"speed/put-1x1", "put, one client, one outstanding", durable_speed, &put_1x1, 1.2, 0, 0.8, 0},
    {"speed/put-1x50", "put, 50 clients, one outstanding each", durable_speed, &put_1x50, 1.2, 0, 0,
     0},
    {"speed/put-16x50", "put, 50 clients, 16 outstanding each", durable_speed, &put_16x50, 1.2, 0,
     0, 0},
    {"speed/job-16x50", "put, get and task_done, 50 clients, 16 outstanding each", durable_speed,
     &job, 0, 1.5, 0, 0},
    {"loop/put-1x1", "the loop's CPU for a put, one client", durable_loop, &put_1x1, 0, 0, 0, 2.5},
    {"loop/put-1x50", "the same, 50 clients, one outstanding each", durable_loop, &put_1x50, 0, 0,
     0, 2.5},
    {"loop/put-16x50", "the same, 50 clients, 16 outstanding each", durable_loop, &put_16x50, 0, 0,
     0, 2.5},
    {"ping/put-1x50", "others' pings while 50 clients put", durable_ping, &put_1x50, 0, 0, 0, 2.0},
    {"disk/empty-running", "puts and gets of a queue that runs empty", durable_disk, &put_and_get,
     0, 0, 0, 64.0},
    {"start/items", "start with a million items", durable_start, &put_16x50, 0, 0, 0, 3.0},
    {.name = NULL},
};

const char *durable_target_name(enum durable_target which)
{
    static const char *const names[DURABLE_TARGETS] = {"ipcd", "redis", "beanstalkd", "append"};
    return names[which];
}

int durable_work(const struct target *target, const struct swarm_plan *plan, uint64_t nanoseconds,
                 uint64_t rounds, struct swarm_result *out)
{
    struct swarm swarm;
    int status = swarm_open(&swarm, target, plan);
    if (status == 0) {
        status = swarm_run(&swarm, nanoseconds, rounds, out);
    }
    swarm_close(&swarm);
    return status;
}

void durable_list(const struct options *options)
{
    for (const struct durable_row *row = durable_rows; row->name != NULL; row++) {
        if (options_select(options, row->name)) {
            (void)puts(row->name);
        }
    }
}

/* Says so if nothing of this is ever on a disk. */
static void check_file_system(const char *directory)
{
    struct statfs status;
    if (statfs(directory, &status) == 0 && (uint64_t)status.f_type == TMPFS) {
        (void)fail("%s is in memory (tmpfs), so no disk is measured; TMPDIR can name a directory "
                   "on one",
                   directory);
    }
}

static void say_what_is_there(const struct durable *durable)
{
    if (durable->json) {
        return;
    }
    (void)printf("Everything is on disk before it is answered; medians of %u turns of %.2f s, "
                 "ratios within a turn.\n",
                 durable->rounds, (double)durable->slice / 1e9);
    for (int i = 0; i < DURABLE_TARGETS; i++) {
        if (!durable->there[i]) {
            (void)printf("Not installed, and left out: %s.\n",
                         durable_target_name((enum durable_target)i));
        }
    }
}

/* ipcd must be there; of the others those that are installed. */
static int start(struct durable *durable, const char *daemon)
{
    const struct target plans[DURABLE_APPEND] = {
        [DURABLE_IPCD] = {&protocol_durable, {"ipcd", ipcd_durable_run, daemon, -1, NULL}, {0}, -1},
        [DURABLE_REDIS] = {&protocol_redis,
                           {"redis-server", redis_durable_run, "redis-server", -1, NULL},
                           {0},
                           -1},
        [DURABLE_BEANSTALKD] = {&protocol_beanstalkd,
                                {"beanstalkd", beanstalkd_run, "beanstalkd", -1, NULL},
                                {0},
                                -1},
    };
    for (int i = 0; i < DURABLE_APPEND; i++) {
        durable->targets[i] = plans[i];
        durable->there[i] = target_start(&durable->targets[i], NULL) == 0;
    }
    if (!durable->there[DURABLE_IPCD]) {
        return -1;
    }
    const char *directory = durable->targets[DURABLE_IPCD].server.directory;
    check_file_system(directory);
    durable->there[DURABLE_APPEND] = append_open(&durable->append, directory) == 0;
    return durable->there[DURABLE_APPEND] ? 0 : -1;
}

static void stop(struct durable *durable)
{
    for (int i = 0; i < DURABLE_APPEND; i++) {
        if (durable->there[i]) {
            target_stop(&durable->targets[i]);
        }
    }
    append_close(&durable->append);
}

static int run_row(struct durable *durable, const struct durable_row *row)
{
    struct findings findings = {.nfigures = 0};
    if (row->run(durable, row, &findings) < 0) {
        if (interrupted()) {
            return -1;
        }
        (void)fail("%s could not be measured", row->name);
        return server_check(&durable->targets[DURABLE_IPCD].server) < 0 ? -1 : 1;
    }
    return findings_report(&findings, row->name, row->title, durable->json) < 0 ? -1 : 0;
}

static bool any_selected(const struct options *options)
{
    for (const struct durable_row *row = durable_rows; row->name != NULL; row++) {
        if (options_select(options, row->name)) {
            return true;
        }
    }
    return false;
}

int durable_run(const struct options *options, const char *daemon)
{
    struct durable durable = {.options = options,
                              .append = {.fd = -1},
                              .slice = options->quick ? QUICK_SLICE : SLICE,
                              .rounds = options->quick ? 1 : ROUNDS,
                              .json = options->json};
    if (!any_selected(options)) {
        return fail("--durable has no row \"%s\"; --durable --list shows the names", options->only);
    }
    durable.slice = options->seconds > 0.0 ? (uint64_t)(options->seconds * 1e9) : durable.slice;
    durable.rounds = options->runs > 0 ? options->runs : durable.rounds;
    int worst = start(&durable, daemon);
    if (worst == 0) {
        say_what_is_there(&durable);
    }
    for (const struct durable_row *row = durable_rows; worst >= 0 && row->name != NULL; row++) {
        if (options_select(options, row->name)) {
            int status = run_row(&durable, row);
            worst = status < 0 || status > worst ? status : worst;
        }
    }
    stop(&durable);
    return worst;
}
