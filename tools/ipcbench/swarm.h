/*
 * swarm: clients that go through the same steps again and again, some of these rounds at a time
 * each: put; or put, take and finish. It is what the durable loads are made of, for every server
 * the same code.
 *
 * A client sends the next step when the answer to the one before has come, all that one read allows
 * in one write. Answers come in the order of the requests.
 */
#pragma once

#include "tools/ipcbench/stream.h"

enum { SWARM_STEPS_MAX = 3 };

struct swarm_plan {
    unsigned clients;
    unsigned depth; /* rounds under way of each */
    unsigned steps;
    enum operation operations[SWARM_STEPS_MAX];
    size_t payload;
    uint64_t pause; /* nanoseconds before each next round; for one client and depth 1 */
};

/* What has been done. */
struct swarm_result {
    uint64_t rounds;
    uint64_t nanoseconds; /* from the first request to the last answer */
    uint64_t longest;     /* that a request waited for its answer, in nanoseconds */
};

struct swarm_client;

struct swarm {
    const struct target *target; /* borrowed, as is the next one */
    const struct swarm_plan *plan;
    struct swarm_client *clients;
    struct buffer prepared; /* the requests that are always the same: of each step and slot */
    size_t (*places)[2];    /* where: from, size */
    struct buffer requests; /* to be sent next */
    int poll;
    uint64_t end;      /* clock_now(): no round begins then or later */
    uint64_t to_begin; /* rounds */
    uint64_t under_way;
    struct swarm_result result;
};

/* Connects the clients. 0, or -1 with a sentence; swarm_close also after a failure. */
int swarm_open(struct swarm *swarm, const struct target *target, const struct swarm_plan *plan);
void swarm_close(struct swarm *swarm);

/* Works until the time is over or so many rounds have begun, and all of them have ended. 0, or -1
 * with a sentence. */
int swarm_run(struct swarm *swarm, uint64_t nanoseconds, uint64_t rounds, struct swarm_result *out);
