/*
 * durable: what it costs to have everything on disk before it is told: the table of rows, and how
 * one is measured beside others that promise the same.
 *
 * All servers are started here and keep their files in private directories on one file system. A
 * disk's speed may change by a factor of ten from one second to the next; so the targets take turns
 * in short slices, many times, and what counts is the median of the ratios within a turn.
 */
#pragma once

#include "tools/ipcbench/append.h"
#include "tools/ipcbench/findings.h"
#include "tools/ipcbench/options.h"
#include "tools/ipcbench/swarm.h"

/* The targets in the order of the turns. The last is a bare loop of append and fdatasync. */
enum durable_target {
    DURABLE_IPCD,
    DURABLE_REDIS,
    DURABLE_BEANSTALKD,
    DURABLE_APPEND,
    DURABLE_TARGETS
};

const char *durable_target_name(enum durable_target which);

struct durable {
    const struct options *options;
    struct target targets[DURABLE_APPEND];
    bool there[DURABLE_TARGETS]; /* that of ipcd always */
    struct append append;
    uint64_t slice;  /* nanoseconds */
    unsigned rounds; /* turns of all targets, at most STATS_RUNS_MAX */
    bool json;
};

struct durable_row {
    const char *name; /* "group/what" */
    const char *title;
    int (*run)(struct durable *durable, const struct durable_row *row, struct findings *out);
    const struct swarm_plan *plan;
    double to_redis; /* what ipcd's figure must be as a multiple; 0: no bar */
    double to_beanstalkd;
    double to_append;
    double most; /* what another figure of the row must not exceed */
};

/* The table, in the order in which it is run; its end has no name. */
extern const struct durable_row durable_rows[];

/* The ways to run: 0 with *out filled in, or -1 with a sentence. */
int durable_speed(struct durable *durable, const struct durable_row *row,
                  struct findings *out); /* operations in a second: durable_speed.c */
int durable_loop(struct durable *durable, const struct durable_row *row,
                 struct findings *out); /* the time of ipcd's loop: durable_loop.c */
int durable_ping(struct durable *durable, const struct durable_row *row,
                 struct findings *out); /* what others wait */
int durable_disk(struct durable *durable, const struct durable_row *row,
                 struct findings *out); /* a queue that runs empty: durable_disk.c */
int durable_start(struct durable *durable, const struct durable_row *row,
                  struct findings *out); /* what is there is read again */

/* A swarm for one run: 0, or -1 with a sentence. */
int durable_work(const struct target *target, const struct swarm_plan *plan, uint64_t nanoseconds,
                 uint64_t rounds, struct swarm_result *out);

/* Measures the rows that were asked for, with servers of its own. 0; 1 if a row could not be
 * measured, which it has said; -1 with a sentence if there is no going on. */
int durable_run(const struct options *options, const char *daemon);

/* Prints the names of the rows that were asked for. */
void durable_list(const struct options *options);
