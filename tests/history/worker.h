/*
 * worker: one of the processes of a round. It opens a connection of its own, does what its
 * generator chooses, and writes it down; whoever watches is told by notices in a pipe.
 */
#pragma once

#include "tests/history/operations.h"
#include "tests/history/record.h"

/* READY: connected, waits for the start. BEGUN: an operation is about to be called. FINISHED: it
 * has closed its session. CUT: the daemon is gone. FAILED: it cannot go on, and has said why. */
enum notice_kind { READY, BEGUN, FINISHED, CUT, FAILED };

struct notice {
    uint8_t process;
    uint8_t kind; /* enum notice_kind */
};

struct worker_job {
    const char *object;
    enum type type;
    const struct object_options *options;
    struct random random;
    struct log *log;
    unsigned operations; /* how many */
    unsigned forever;    /* the number of the one that waits without limit; UINT_MAX: none */
    const char *socket;  /* of the daemon that it is at; NULL: that of the environment */
    uint8_t process;
    int notices; /* the pipe to write to */
    int start;   /* the pipe from which a byte is read before the first operation */
};

/* The child's part; never returns. */
_Noreturn void worker_run(const struct worker_job *job);
