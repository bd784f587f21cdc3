/*
 * job: what takes long, done in slices, so that nobody waits for it but those who want the same
 * object.
 *
 * A job runs on a fiber of its own. The operation that it is about takes the job's pace and calls
 * pace_step now and then; when the job's slice is over that stops the fiber, and the loop goes on
 * with others (jobs_run, once in each turn of the loop). All jobs take turns.
 *
 * While a job changes or reads an object it holds it (hold.h): calls on that object wait behind it,
 * in the order in which they came, so they see the object as it was before or as it is after.
 */
#pragma once

#include "daemon/call/fiber.h"
#include "daemon/call/hold.h"
#include "daemon/objects/pace.h"

enum {
    JOBS_SLICE_NS = 250000, /* what all jobs get in one turn of the loop */
    JOB_SLICE_NS = 125000,  /* what one of them gets of that at a time */
    JOB_COST = 24 * 1024,   /* bytes that a job takes, most of them touched pages of its stack */
};

struct jobs;

struct job {
    struct pace pace;      /* first: what an operation is given */
    TAILQ_ENTRY(job) link; /* jobs->running, unless it stands behind a hold */
    struct jobs *jobs;
    struct fiber *fiber;    /* owned */
    struct visitor visitor; /* it stands behind a hold with this */
    void (*run)(struct job *job, void *data);
    /* Asked at each pause; may be NULL. */
    void (*paused)(struct job *job, void *data);
    void *data;
    struct object **held; /* owned array of references: the objects that it holds */
    unsigned nheld;
    uint64_t until; /* when its slice is over: monotonic, nanoseconds */
};

/* Tells the time: monotonic, nanoseconds. */
struct clock {
    uint64_t (*now)(void *data);
    void *data;
};

/* Told of an object before a job may change it. */
struct hold_listener {
    void (*tell)(void *data, struct object *object); /* NULL: nobody */
    void *data;
};

/* All jobs of a service. */
struct jobs {
    TAILQ_HEAD(job_list, job) running; /* they take turns */
    struct hold_list open; /* holds that nobody has any more, with visitors behind them */
    struct clock clock;
    struct hold_listener listener;
    uint64_t count;  /* jobs that there are, those behind holds included */
    uint64_t slices; /* that have been run, from the start */
    bool turn;       /* whose turn it is: visitors and jobs alternate */
    /* PACE_LONG and PACE_STRETCH, or 0 in tests: what is too long to be done in one go; and after
     * how many steps a job looks at the clock, 0: it gives way at each, whatever the time. */
    uint32_t most_at_once;
    uint32_t stretch;
};

void jobs_init(struct jobs *jobs, struct clock clock);

/* A job that calls `run` with `data` when its turn comes, and is freed when that returns. NULL for
 * want of memory. */
struct job *job_new(struct jobs *jobs, void (*run)(struct job *job, void *data), void *data);

/* Before the job has run: it holds an object that nobody holds. 0 or ERR_MEMORY. */
int job_hold_first(struct job *job, struct object *object);
/* Gives up a job that has not run. */
void job_abandon(struct job *job);

/* As free(3), in steps if the block is large: of `size` bytes. */
void jobs_free(struct jobs *jobs, void *memory, size_t size);

/* From the job itself: holds an object, which may take until others have let it go. For want of
 * memory it runs to its end without a pause instead. */
void job_hold(struct job *job, struct object *object);
/* From the job: no longer holds any. */
void job_release(struct job *job);

static inline uint64_t jobs_now(const struct jobs *jobs)
{
    return jobs->clock.now(jobs->clock.data);
}

/* True if there is anything to be run. */
static inline bool jobs_pending(const struct jobs *jobs)
{
    return !TAILQ_EMPTY(&jobs->running) || !TAILQ_EMPTY(&jobs->open);
}

/* One step: lets one visitor in, or gives one job a slice that ends at `until` at the latest. */
void jobs_step(struct jobs *jobs, uint64_t until);
