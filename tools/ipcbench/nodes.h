/*
 * nodes: a Redis Cluster of primaries alone, on loopback, made by tools/redis-cluster, which ends
 * with its standard input.
 */
#pragma once

#include "tools/ipcbench/directory.h"

#include <sys/types.h>

enum { NODES_MAX = 3 };

struct nodes {
    unsigned count;
    pid_t script; /* 0: none */
    int input;    /* its standard input; -1: none */
    char directory[DIRECTORY_PATH_MAX];
    char url[64];          /* of the first node, which knows the others */
    pid_t pids[NODES_MAX]; /* of the servers: the slots are theirs in equal parts, in this order */
};

/* Starts so many and waits until they are ready. Not started by a processor of their own, but where
 * the script may run (processor -1: anywhere). 0, or -1 with a sentence and nothing left behind. */
int nodes_start(struct nodes *nodes, const char *script, unsigned count, int processor);

/* Ends them. Does nothing the second time, or to what is all zero but for the input, -1. */
void nodes_stop(struct nodes *nodes);
