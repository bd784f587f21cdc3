/*
 * options: the command line of ipcbench.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *socket;        /* of a running daemon; NULL: the usual places */
    const char *daemon;        /* path of the program that --spawn starts; NULL: beside ipcbench */
    const char *redis_cluster; /* path of what starts a cluster for --engine; NULL: the sources' */
    const char *only;          /* comma-separated patterns of load names; NULL: all */
    double seconds;            /* how long one run of a load takes, about; 0: a table chooses */
    uint64_t count;            /* operations of one run instead; 0: by the time */
    unsigned runs;             /* of each load and target; 0: as above */
    bool spawn;
    bool ipcd; /* false: only the others are measured */
    bool redis;
    bool echo;
    bool pin;
    bool pin_one; /* server and load on the same processor */
    bool stall;   /* the table of stall.h instead of the loads; --stall=NAMES is in `only` */
    bool durable; /* the table of durable.h instead */
    bool engine;  /* the table of engine.h instead */
    bool json;
    bool quick;
    bool list;
};

enum { OPTIONS_GO = -1 };

/* Reads the command line. OPTIONS_GO with *out set, or the exit status with which to end at once:
 * 0 after --help or --version, 2 after a mistake, which it has told on stderr. */
int options_read(int argc, char **argv, struct options *out);

/* True if the name is one of those that the user asked for with --only. */
bool options_select(const struct options *options, const char *name);
