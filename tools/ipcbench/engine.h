/*
 * engine: what it costs that the objects live in an engine, Redis: the table of rows, and how one
 * is measured beside the same job done with plain commands of that Redis.
 *
 * One redis-server and three daemons, the hosts, are started here, all on Unix sockets. The plain
 * commands go to the same server in the same turn, from the same code; what counts is the median of
 * the ratios within a turn. The rows about several primaries have servers of their own.
 */
#pragma once

#include "tools/ipcbench/findings.h"
#include "tools/ipcbench/options.h"
#include "tools/ipcbench/stats.h"
#include "tools/ipcbench/target.h"

enum { ENGINE_HOSTS = 3, ENGINE_STEPS = 2, ENGINE_PAYLOAD = 64 };

/* Daemons whose objects live in the same engine. */
struct engine_hosts {
    struct target targets[ENGINE_HOSTS]; /* the first has opened the objects */
    unsigned started;
};

/* The URL is borrowed. 0, or -1 with a sentence; engine_hosts_stop also then. */
int engine_hosts_start(struct engine_hosts *hosts, const char *daemon, const char *url,
                       int processor);
void engine_hosts_stop(struct engine_hosts *hosts);

struct engine {
    const struct options *options;
    const char *daemon;
    const char *cluster; /* the script that starts a Redis Cluster */
    struct target redis;
    char url[SERVER_PATH_MAX + 16]; /* of it */
    struct engine_hosts hosts;
    int processor;  /* that servers are bound to; -1: none */
    uint64_t slice; /* nanoseconds of one step, about */
    unsigned turns; /* at most STATS_RUNS_MAX */
};

struct engine_row {
    const char *name; /* "group/what" */
    const char *title;
    int (*run)(struct engine *engine, const struct engine_row *row, struct findings *out);
    enum operation steps[ENGINE_STEPS]; /* one after the other, the same number of times each */
    unsigned clients;
    unsigned depth; /* requests outstanding of each */
    double bar;
};

/* The table, in the order in which it is run; its end has no name. */
extern const struct engine_row engine_rows[];

/* The ways to run: 0 with *out filled in, or -1 with a sentence. */
int engine_cpu(struct engine *engine, const struct engine_row *row,
               struct findings *out); /* Redis' time for a call: engine_call.c */
int engine_rate(struct engine *engine, const struct engine_row *row,
                struct findings *out); /* calls in a second */
int engine_latency(struct engine *engine, const struct engine_row *row,
                   struct findings *out); /* how long one call takes */
int engine_handoff(struct engine *engine, const struct engine_row *row,
                   struct findings *out); /* from one host to another: engine_handoff.c */
int engine_spread(struct engine *engine, const struct engine_row *row,
                  struct findings *out); /* over several primaries: engine_spread.c */

enum { ENGINE_SKIPPED = 77 }; /* what meson takes for: skipped */

/* Measures the rows that were asked for. 0; 1 if a row could not be measured, which it has said;
 * ENGINE_SKIPPED with a sentence if there is no redis-server, or the daemon has no engine; -1 with
 * a sentence if there is no going on. */
int engine_run(const struct options *options, const char *daemon, const char *cluster);

/* Prints the names of the rows that were asked for. */
void engine_list(const struct options *options);
