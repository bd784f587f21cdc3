/*
 * record: where the processes of a round write down what they do, in memory that they share, so
 * that nothing of it is lost when one of them is killed.
 *
 * Each process writes to its own log only. A record is begun before the call and counts from then
 * on; it is ended after the answer, and its results count once `end` is set, which is last.
 */
#pragma once

#include "tests/history/history.h"

enum { LOG_MAX = 64 }; /* operations of one process */

struct log {
    uint64_t session; /* the process's number at the daemon; 0: not yet */
    int64_t closing;  /* the time before its session was closed in order; 0: it was not */
    uint32_t count;
    struct operation operations[LOG_MAX];
};

struct record {
    struct log logs[PROCESSES_MAX];
};

/* CLOCK_MONOTONIC, in nanoseconds. */
int64_t record_now(void);

/* Memory shared with the children to be, all zero; NULL if there is none. */
struct record *record_new(void);
void record_free(struct record *record);

/* Begins an operation, with its process, verb and arguments set. There must be room. */
struct operation *record_begin(struct log *log, const struct operation *operation);

/* It was answered: status and results are set. */
void record_end(struct operation *operation);

/* The session is about to be closed. */
void record_closing(struct log *log);

/* Adds what a process did to a history. */
void record_collect(const struct log *log, struct history *history);
