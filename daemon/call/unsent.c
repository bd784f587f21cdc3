/*
 * unsent: see unsent.h.
 *
 * Tests: tests/unit/call/test_unsent.c.
 */
#include "daemon/call/unsent.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

enum {
    APART_BYTES = 64 * 1024, /* an output with more than that is set apart */
    APART_LISTED = 256,      /* or with more notes or splices */
    TAKE_BACK_STEPS = 64,    /* to put an item back */
};

static bool is_large(const struct output *output)
{
    return output->bytes.len > APART_BYTES || output->nsplices > APART_LISTED ||
           output->nundelivered > APART_LISTED;
}

/* The parts. */

/* Puts an output behind the parts there are, and leaves an empty one in its place. */
static int set_apart(struct session *session, struct output *output)
{
    struct part *part = malloc(sizeof(*part));
    struct earlier *earlier = session->earlier;
    if (part != NULL && earlier == NULL && (earlier = malloc(sizeof(*earlier))) != NULL) {
        *earlier = (struct earlier){.cost = allocation_cost(sizeof(*earlier))};
        TAILQ_INIT(&earlier->parts);
        session->earlier = earlier;
    }
    if (part == NULL || earlier == NULL) {
        free(part);
        return ERR_MEMORY;
    }
    *part = (struct part){.output = *output,
                          .size = output_pending(output),
                          .cost = allocation_cost(sizeof(*part)) + output_cost(output)};
    *output = (struct output){0};
    earlier->size += part->size;
    earlier->cost += part->cost;
    TAILQ_INSERT_TAIL(&earlier->parts, part, link);
    return 0;
}

/* Takes a part out, for the caller. */
static struct part *take_out(struct session *session, struct part *part)
{
    struct earlier *earlier = session->earlier;
    TAILQ_REMOVE(&earlier->parts, part, link);
    earlier->size -= part->size;
    earlier->cost -= part->cost;
    if (TAILQ_EMPTY(&earlier->parts)) {
        free(earlier);
        session->earlier = NULL;
    }
    return part;
}

static void part_free(struct part *part, struct pace *pace)
{
    output_forget(&part->output, pace);
    free(part);
}

uint64_t session_unsent_cost(const struct session *session)
{
    const struct earlier *earlier = session->earlier;
    return output_cost(&session->output) + (earlier == NULL ? 0 : earlier->cost);
}

int session_append(struct session *session, struct output *from)
{
    struct output *output = &session->output;
    if (is_large(from) && (output->bytes.len == 0 || set_apart(session, output) == 0)) {
        output_seal_whole(from);
        if (set_apart(session, from) == 0) {
            return 0;
        }
    }
    struct output_mark start = output_mark(output);
    int status = output_append(output, from, NULL);
    output_seal(output, start);
    return status;
}

int session_take_over_output(struct session *session, struct output *from)
{
    struct output *output = &session->output;
    if (output_pending(output) > 0 && set_apart(session, output) < 0) {
        return ERR_MEMORY;
    }
    output_deinit(output);
    *output = *from;
    *from = (struct output){0};
    return 0;
}

/* Leaving. */

static void forget_in_steps(struct job *job, void *data)
{
    part_free(data, &job->pace);
}

/* A part that was taken out has left, or has nothing in it that could go back. */
static void forget(struct session *session, struct part *part)
{
    struct jobs *jobs = &session->service->jobs;
    if (output_forget_steps(&part->output) <= jobs->most_at_once ||
        job_new(jobs, forget_in_steps, part) == NULL) {
        part_free(part, NULL);
    }
}

bool session_sent(struct session *session, uint64_t more)
{
    struct output *output = &session->output;
    if (__builtin_expect(session->held != NULL, 0)) {
        session_held_sent(session->held, more);
    }
    if (__builtin_expect(session->earlier == NULL, 1) &&
        (__builtin_expect(!is_large(output), 1) || set_apart(session, output) < 0)) {
        if (output_pending(output) == 0) {
            output_reset(output);
        }
        return false;
    }
    if (output_pending(session_next_output(session)) > 0) {
        return false;
    }
    forget(session, take_out(session, TAILQ_FIRST(&session->earlier->parts)));
    return true;
}

/* Not leaving any more. */

static void take_back(struct output *output, struct pace *pace)
{
    while (output->nundelivered > 0) {
        output_take_back(output);
        pace_step(pace, TAKE_BACK_STEPS);
    }
}

/* Of an object that was found so far, or NULL, and those of the notes of an output: the one with
 * the lowest number, which is at least `number`. */
static struct object *lowest(const struct output *output, uint64_t number, struct object *so_far,
                             struct pace *pace)
{
    for (size_t i = 0; i < output->nundelivered; i++) {
        struct object *object = output->undelivered[i].object;
        if (object->entry.seq >= number &&
            (so_far == NULL || object->entry.seq < so_far->entry.seq)) {
            so_far = object;
        }
        pace_each(pace, i);
    }
    return so_far;
}

/* A job holds all that something goes back to, in the order of the numbers, so that nobody sees a
 * part of it. There are few of them, mostly one. */
static void hold_all(const struct session *session, struct job *job)
{
    struct object *object = NULL;
    uint64_t number = 0;
    do {
        object = lowest(&session->output, number, NULL, &job->pace);
        const struct part *part =
            session->earlier == NULL ? NULL : TAILQ_FIRST(&session->earlier->parts);
        for (; part != NULL; part = TAILQ_NEXT(part, link)) {
            object = lowest(&part->output, number, object, &job->pace);
        }
        if (object != NULL) {
            number = object->entry.seq + 1;
            job_hold(job, object);
        }
    } while (object != NULL);
}

void session_end_output(struct session *session, struct job *job)
{
    struct pace *pace = job == NULL ? NULL : &job->pace;
    if (job != NULL) {
        hold_all(session, job);
    }
    take_back(&session->output, pace);
    output_forget(&session->output, pace);
    while (session->earlier != NULL) {
        struct part *part = take_out(session, TAILQ_LAST(&session->earlier->parts, part_list));
        take_back(&part->output, pace);
        part_free(part, pace);
    }
    if (job != NULL) {
        job_release(job);
    }
}

bool session_output_is_little(const struct session *session)
{
    const struct output *output = &session->output;
    return session->earlier == NULL && !is_large(output) &&
           output_forget_steps(output) + output->nundelivered * TAKE_BACK_STEPS <=
               session->service->jobs.most_at_once;
}

/* Those that are large and have nothing in them that goes back. */
static void forget_earlier(struct session *session)
{
    struct part *next = TAILQ_FIRST(&session->earlier->parts);
    while (next != NULL) {
        struct part *part = next;
        next = TAILQ_NEXT(part, link);
        if (part->output.nundelivered == 0) {
            forget(session, take_out(session, part));
        }
    }
}

void session_drop_output(struct session *session)
{
    struct output *output = &session->output;
    if (is_large(output)) {
        (void)set_apart(session, output); /* without memory for that it stays */
    } else {
        output_drop(output);
    }
    if (session->earlier != NULL) {
        forget_earlier(session);
    }
}
