/*
 * durable_disk: what is on disk: how much of it after millions of items that came and went, and how
 * long it takes to read a million again.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/durable.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/pinger.h"
#include "tools/ipcbench/stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 10000000, QUICK_ROUNDS = 20000, ITEMS = 1000000, QUICK_ITEMS = 20000, STARTS = 3 };

#define PART 250000000U       /* nanoseconds, between two looks at the disk */
#define ALL 300000000000U     /* that the whole may take */
#define PATIENCE 10000000000U /* for the last ping */
#define STALL_MS 50.0
#define MIB (1024.0 * 1024.0)

/* Bytes that the files of a daemon's store take; NAN if they cannot be read. */
static double bytes_on_disk(const struct server *server)
{
    char path[SERVER_PATH_MAX];
    double sum = 0.0;
    (void)snprintf(path, sizeof(path), "%s/state", server->directory);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return NAN;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct stat status;
        if (entry->d_name[0] != '.' && fstatat(dirfd(directory), entry->d_name, &status, 0) == 0) {
            sum += (double)status.st_blocks * 512.0;
        }
    }
    (void)closedir(directory);
    return sum;
}

struct flow {
    uint64_t rounds;
    uint64_t longest;
    double most; /* bytes on disk */
    double last;
};

/* Puts and gets, with a look at the disk now and then. */
static int run_flow(struct durable *durable, const struct durable_row *row, uint64_t rounds,
                    struct flow *out)
{
    struct target *target = &durable->targets[DURABLE_IPCD];
    struct swarm swarm;
    uint64_t end = clock_now() + ALL;
    int status = swarm_open(&swarm, target, row->plan);
    *out = (struct flow){0};
    while (status == 0 && out->rounds < rounds && clock_now() < end) {
        struct swarm_result result;
        status = swarm_run(&swarm, PART, rounds - out->rounds, &result);
        out->rounds += result.rounds;
        out->longest = result.longest > out->longest ? result.longest : out->longest;
        out->last = bytes_on_disk(&target->server);
        out->most = out->last > out->most ? out->last : out->most;
    }
    swarm_close(&swarm);
    return status;
}

int durable_disk(struct durable *durable, const struct durable_row *row, struct findings *out)
{
    const struct options *options = durable->options;
    uint64_t rounds = options->count > 0 ? options->count : options->quick ? QUICK_ROUNDS : ROUNDS;
    pid_t pid = durable->targets[DURABLE_IPCD].server.pid;
    struct pinger pinger;
    struct pinger_waits waits;
    struct cpu_usage before = {0};
    struct cpu_usage after = {0};
    struct flow flow;
    (void)cpu_thread_read(pid, &before);
    if (pinger_start(&pinger, &durable->targets[DURABLE_IPCD]) < 0) {
        return -1;
    }
    uint64_t began = clock_now();
    int status = run_flow(durable, row, rounds, &flow);
    double seconds = (double)(clock_now() - began) / 1e9;
    (void)cpu_thread_read(pid, &after);
    int stopped = pinger_stop(&pinger, PATIENCE, &waits);
    if (status < 0 || stopped < 0) {
        return -1;
    }
    findings_figure(out, "items", "", (double)flow.rounds);
    findings_figure(out, "time", "s", seconds);
    findings_figure(out, "at_most", "MiB", flow.most / MIB);
    findings_figure(out, "longest_answer", "ms", (double)flow.longest / 1e6);
    findings_figure(out, "starved", "ms", (double)(after.wait - before.wait) / 1e6);
    findings_figure(out, "ping_late", "ms", waits.late / 1e6);
    findings_bar(out, "mib_at_end", flow.last / MIB, row->most, false);
    findings_bar(out, "longest_ping_ms", waits.longest / 1e6, STALL_MS, false);
    return 0;
}

/* One start after the end that the signal makes; *out in seconds, until all is there. */
static int start_once(struct target *target, int signal_number, double *out)
{
    uint64_t took;
    struct request request = {.operation = OPERATION_GET};
    struct stream stream;
    (void)close(target->control);
    target->control = -1;
    if (server_start_again(&target->server, signal_number, &took) < 0 ||
        stream_open(&stream, target) < 0) {
        return -1;
    }
    uint64_t began = clock_now();
    int status = stream_call(&stream, &request); /* it has been answered: it is there */
    *out = (double)(took + clock_now() - began) / 1e9;
    stream_deinit(&stream);
    return status;
}

int durable_start(struct durable *durable, const struct durable_row *row, struct findings *out)
{
    struct target *target = &durable->targets[DURABLE_IPCD];
    uint64_t items = durable->options->quick ? QUICK_ITEMS : ITEMS;
    struct swarm_result filled;
    double ended[STARTS];
    double killed[STARTS];
    if (durable_work(target, row->plan, ALL, items, &filled) < 0) {
        return -1;
    }
    double mib = bytes_on_disk(&target->server) / MIB;
    for (int i = 0; i < STARTS; i++) {
        if (start_once(target, SIGTERM, &ended[i]) < 0 ||
            start_once(target, SIGKILL, &killed[i]) < 0) {
            return -1;
        }
    }
    findings_figure(out, "items", "", (double)filled.rounds);
    findings_figure(out, "on_disk", "MiB", mib);
    findings_bar(out, "seconds", stats_median(ended, STARTS), row->most, false);
    findings_bar(out, "seconds_after_kill", stats_median(killed, STARTS), row->most, false);
    return 0;
}
