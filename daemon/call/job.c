/* job: see job.h. */
#include "daemon/call/job.h"

#include <stdlib.h>

#include "daemon/objects/bulk.h"

static struct job *job_of(struct pace *pace)
{
    return (struct job *)pace;
}

/* Stops the job when its slice is over. */
static void pause_job(struct pace *pace)
{
    struct job *job = job_of(pace);
    pace->left = job->jobs->stretch;
    if (job->paused != NULL) {
        job->paused(job, job->data);
    }
    if (job->jobs->stretch == 0 || jobs_now(job->jobs) >= job->until) {
        fiber_yield(job->fiber);
    }
}

/* There was no memory for a hold: it does not stop any more. */
static void hurry(struct pace *pace)
{
    pace->left = PACE_STRETCH;
}

static void run_job(struct fiber *fiber, void *data)
{
    struct job *job = data;
    job->run(job, job->data);
}

void jobs_init(struct jobs *jobs, struct clock clock)
{
    *jobs = (struct jobs){.clock = clock, .most_at_once = PACE_LONG, .stretch = PACE_STRETCH};
    TAILQ_INIT(&jobs->running);
    TAILQ_INIT(&jobs->open);
}

struct job *job_new(struct jobs *jobs, void (*run)(struct job *job, void *data), void *data)
{
    struct job *job = malloc(sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    *job = (struct job){.pace = {.left = jobs->stretch, .pause = pause_job},
                        .jobs = jobs,
                        .run = run,
                        .data = data};
    job->fiber = fiber_new(run_job, job);
    if (job->fiber == NULL) {
        free(job);
        return NULL;
    }
    jobs->count++;
    TAILQ_INSERT_TAIL(&jobs->running, job, link);
    return job;
}

static int note_held(struct job *job, struct object *object)
{
    struct object **held = realloc(job->held, (job->nheld + 1) * sizeof(struct object *));
    if (held == NULL) {
        return ERR_MEMORY;
    }
    job->held = held;
    job->held[job->nheld++] = object_ref(object);
    return 0;
}

static void tell(const struct jobs *jobs, struct object *object)
{
    if (jobs->listener.tell != NULL) {
        jobs->listener.tell(jobs->listener.data, object);
    }
}

/* Holds an object that is free, or whose hold has let the job in. */
static int hold_now(struct job *job, struct object *object)
{
    tell(job->jobs, object);
    int status = note_held(job, object);
    if (status == 0 && object->hold == NULL) {
        status = hold_new(object, &job->pace, &job->jobs->open);
        if (status < 0) {
            job->nheld--;
            object_unref(object);
        }
    } else if (status == 0) {
        hold_take(object->hold, &job->pace);
    }
    return status;
}

int job_hold_first(struct job *job, struct object *object)
{
    return hold_now(job, object);
}

/* The job is let in: it has the hold, and goes on. */
static void enter(struct visitor *visitor)
{
    struct job *job = (struct job *)((char *)visitor - offsetof(struct job, visitor));
    tell(job->jobs, job->held[job->nheld - 1]);
    hold_take(job->held[job->nheld - 1]->hold, &job->pace);
    TAILQ_INSERT_TAIL(&job->jobs->running, job, link);
}

void job_hold(struct job *job, struct object *object)
{
    if (!object_is_held(object, &job->pace)) {
        if (object->hold == NULL && hold_now(job, object) < 0) {
            job->pace.pause = hurry;
        }
        return;
    }
    if (note_held(job, object) < 0) {
        job->pace.pause = hurry;
        while (object_is_held(object, &job->pace)) {
            job->until = 0;
            fiber_yield(job->fiber);
        }
        return;
    }
    job->visitor.enter = enter;
    TAILQ_REMOVE(&job->jobs->running, job, link);
    visitor_stand(&job->visitor, object);
    fiber_yield(job->fiber);
}

void job_release(struct job *job)
{
    while (job->nheld > 0) {
        struct object *object = job->held[--job->nheld];
        hold_release(object->hold);
        object_unref(object);
    }
}

static void job_free(struct job *job)
{
    job_release(job);
    job->jobs->count--;
    fiber_free(job->fiber);
    free(job->held);
    free(job);
}

void job_abandon(struct job *job)
{
    TAILQ_REMOVE(&job->jobs->running, job, link);
    job_free(job);
}

/* A block of memory that nobody needs any more. */
struct block {
    size_t size;
    void *memory; /* owned */
};

static void free_in_steps(struct job *job, void *data)
{
    struct block *block = data;
    bulk_free(block->memory, block->size, &job->pace);
    free(block);
}

void jobs_free(struct jobs *jobs, void *memory, size_t size)
{
    struct block *block = NULL;
    if (size / BULK_FREE_STEP > jobs->most_at_once) {
        block = malloc(sizeof(*block));
    }
    if (block != NULL) {
        *block = (struct block){size, memory};
        if (job_new(jobs, free_in_steps, block) != NULL) {
            return;
        }
    }
    free(block);
    free(memory);
}

static void run_slice(struct jobs *jobs, uint64_t until)
{
    struct job *job = TAILQ_FIRST(&jobs->running);
    uint64_t now = jobs_now(jobs);
    TAILQ_REMOVE(&jobs->running, job, link);
    TAILQ_INSERT_TAIL(&jobs->running, job, link);
    job->until = now + JOB_SLICE_NS < until ? now + JOB_SLICE_NS : until;
    jobs->slices++;
    if (fiber_resume(job->fiber)) {
        TAILQ_REMOVE(&jobs->running, job, link);
        job_free(job);
    }
}

void jobs_step(struct jobs *jobs, uint64_t until)
{
    struct hold *hold = TAILQ_FIRST(&jobs->open);
    bool any = !TAILQ_EMPTY(&jobs->running);
    jobs->turn = !jobs->turn;
    if (hold != NULL && (jobs->turn || !any)) {
        hold_let_in(hold);
    } else if (any) {
        run_slice(jobs, until);
    }
}
