/*
 * fork: being told of forks, for what a child of the process must not go on with.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

/* Part of what is watched. `lock` and `in_child` are set by whoever has it. */
struct fork_watch {
    pthread_mutex_t *lock;                      /* taken before a fork, let go of on both sides */
    void (*in_child)(struct fork_watch *watch); /* called there, with the lock held */
    unsigned forks;                             /* how many there were when it began */
    bool watched;
    LIST_ENTRY(fork_watch) link;
};

/* From now on, or no longer, seen to at forks. NO_MEMORY. The lock must not be held. */
int fork_watch(struct fork_watch *watch);
void fork_unwatch(struct fork_watch *watch);

/* How often this process and those that it comes from have forked, plus 1. 0: they are not counted,
 * as there is no memory to be told. */
unsigned fork_count(void);

/* True in a child of the process that it began in. */
bool fork_happened(const struct fork_watch *watch);
