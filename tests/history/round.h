/*
 * round: some processes work on one object at the same time, and some of them are killed.
 */
#pragma once

#include "tests/history/hosts.h"
#include "tests/history/server.h"
#include "tests/history/worker.h"

enum { WORKERS_MAX = 5 };

struct round {
    /* Given: */
    struct ipcc *conn; /* of process 0; another one after the daemon was killed */
    struct record *record;
    uint64_t seed;
    uint64_t number;
    enum type type;
    const struct hosts *hosts; /* where the processes are; NULL: all at one daemon */
    struct server *server; /* the daemon is killed in each round, and durable; NULL: it is not */
    /* Found out: */
    struct history history;
    int64_t origin; /* when it began */
    unsigned killed;
};

/* Runs the round. 0; -1 if it could not be run to its end, for which the reason is on standard
 * error: the daemon is gone, or does not end a session, or nothing happens any more. */
int round_run(struct round *round);
