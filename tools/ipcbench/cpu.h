/*
 * cpu: where the time of a load goes: the wall, the server's CPU, the generator's CPU; and which
 * processor a process may run on.
 *
 * The server's CPU time is the first figure of /proc/PID/task/TID/schedstat in nanoseconds, summed
 * over its threads. A kernel without it leaves utime and stime of /proc/PID/stat, in ticks of 10
 * ms, and the report says so. The kernel brings a running thread's figure up to date only at a tick
 * or when the thread sleeps, so both readings are taken a moment after the server has gone idle.
 */
#pragma once

#include "tools/ipcbench/stats.h"

#include <stdbool.h>
#include <sys/types.h>

/* What a process has used so far, in nanoseconds. */
struct cpu_usage {
    int64_t run;
    int64_t wait; /* -1: not known */
    bool coarse;  /* run comes from /proc/PID/stat */
};

/* Reads it. 0, or -1 if it cannot be read. */
int cpu_usage_read(pid_t pid, struct cpu_usage *out);

/* The same of the first thread of a process alone. Sleeps 2 ms first. */
int cpu_thread_read(pid_t pid, struct cpu_usage *out);

/* Nanoseconds of the monotonic clock. */
uint64_t clock_now(void);

/* Sleeps; an interrupt does not shorten it. */
void clock_sleep(uint64_t nanoseconds);

struct meter {
    pid_t pid; /* 0: the server's figures cannot be had */
    uint64_t wall;
    struct cpu_usage server;
    int64_t own;
};

/* Starts measuring the process (0: not known). Sleeps 2 ms first. */
void meter_start(struct meter *meter, pid_t pid);

/* Sets rate, CPU, wait and load CPU of `operations` done since meter_start. Sleeps 2 ms between the
 * reading of the clock and that of the CPU time. */
void meter_stop(const struct meter *meter, uint64_t operations, struct measurement *out);

/* The first two processors that this process may use, for the server and the load; the first one
 * for both if `one`. -1 with a sentence on stderr if there are not two. */
int cpu_choose(bool one, int *server, int *load);

/* Binds a process (0: the calling thread and what it starts) to one processor. 0 or -1. */
int cpu_bind(pid_t pid, int processor);
