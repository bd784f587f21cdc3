/*
 * report: the table for people and the lines of JSON for programs.
 */
#pragma once

#include "tools/ipcbench/load.h"

/* The targets in the order of the columns and of the turns within a load. */
enum { TARGET_IPCD, TARGET_REDIS, TARGET_ECHO, TARGET_COUNT };

/* A name for each of them: "ipcd", "redis", "echo". */
const char *target_name(int target);

/* The medians of one load. */
struct row {
    const struct load *load;
    bool measured[TARGET_COUNT]; /* false: not asked for, does not apply, or failed */
    struct measurement results[TARGET_COUNT];
    unsigned runs;
};

/* One bar and how ipcd stands to it. */
struct verdict {
    const char *name; /* "cpu_us", "rate", "rate_to_redis", "p50_us", "p50_to_redis", "bytes",
                       * "rate_to_bare" */
    double bar;
    double value; /* NAN: not measured */
    bool at_least;
    bool meets;
};

enum { VERDICTS_MAX = 7 };

/* The verdicts that a row's load has bars for; how many. */
unsigned row_judge(const struct row *row, struct verdict verdicts[VERDICTS_MAX]);

/* ipcd's rate as a multiple of Redis's, or its time or memory if there is no rate; NAN if not both
 * are there. */
double row_to_redis(const struct row *row);

/* ipcd's CPU time as a multiple of the echo server's; NAN if not both are there. */
double row_to_echo(const struct row *row);

struct report {
    bool json;
    bool shown[TARGET_COUNT]; /* columns of the table */
    bool pinned;              /* a processor for the servers and one for the load */
    bool together;            /* one processor for all */
    const struct load *last;  /* the row before, to see where a group begins */
    unsigned waits;           /* how many figures went into waited… */
    double waited;            /* … the sum of seconds waited for each second that a server ran */
};

/* Prints what stands above the table; nothing for JSON. */
void report_begin(const struct report *report);

/* Prints one row, in the table with the group's heading when a group begins. */
void report_row(struct report *report, const struct row *row);

/* Prints what stands below the table: whether the machine was too busy to measure on. */
void report_end(const struct report *report);

/* The row as a JSON object on one line; 0, or -1 with a sentence. */
int report_json(const struct report *report, const struct row *row);
