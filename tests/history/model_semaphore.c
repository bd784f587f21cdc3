/*
 * model_semaphore: a semaphore. Of a bounded one nobody releases more than it has acquired: the
 * workers see to that, so the model has no rule for it.
 */
#include <stdio.h>
#include <string.h>

#include "client/ipcclient.h"
#include "tests/history/model.h"

struct state {
    int32_t value;
    int32_t held[PROCESSES_MAX];
};

static void init(const struct object_options *options, void *data)
{
    struct state *state = data;
    memset(state, 0, sizeof(*state));
    state->value = (int32_t)options->value;
}

/* True if somebody else may be waiting now for more than there is: who comes later waits behind,
 * also for less. */
static bool may_be_behind(const struct step *step, const struct state *state)
{
    for (unsigned i = 0; i < step->count; i++) {
        const struct event *other = &step->events[i];
        if (other != step->event && other->happening == CALL &&
            other->operation->verb == SEMAPHORE_ACQUIRE && !step_has_happened(step, i) &&
            other->begin <= step->event->end && other->operation->arguments[0] > state->value) {
            return true;
        }
    }
    return false;
}

static bool acquire(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    int32_t n = (int32_t)operation->arguments[0];
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_TIMEOUT &&
               (n > state->value || may_be_behind(step, state));
    }
    if (n > state->value) {
        return false;
    }
    state->value -= n;
    state->held[operation->process] += n;
    return !step->event->answered || operation->results[0] == state->value;
}

static bool release(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    int32_t n = (int32_t)operation->arguments[0];
    int32_t *held = &state->held[operation->process];
    if (step->event->answered && operation->status != 0) {
        return false;
    }
    *held = *held < n ? 0 : *held - n;
    state->value += n;
    return !step->event->answered || operation->results[0] == state->value;
}

static bool end_session(const struct step *step, struct state *state)
{
    int32_t *held = &state->held[step->event->operation->process];
    if (!step->options->keep) {
        state->value += *held;
    }
    *held = 0;
    return true;
}

static unsigned step_semaphore(const struct step *step, const void *before, void *after)
{
    const struct operation *operation = step->event->operation;
    struct state *state = after;
    memcpy(state, before, sizeof(*state));
    if (step->event->happening == ENDED) {
        return end_session(step, state);
    }
    switch ((enum verb)operation->verb) {
    case SEMAPHORE_ACQUIRE:
        return acquire(step, state);
    case SEMAPHORE_RELEASE:
        return release(step, state);
    case SEMAPHORE_VALUE:
        return !step->event->answered || operation->results[0] == state->value;
    default:
        return 0;
    }
}

static void print(const void *data, char *text, size_t size)
{
    const struct state *state = data;
    size_t length = (size_t)snprintf(text, size, "value %d", state->value);
    for (unsigned i = 0; i < PROCESSES_MAX && length < size; i++) {
        if (state->held[i] > 0) {
            length +=
                (size_t)snprintf(text + length, size - length, ", %u holds %d", i, state->held[i]);
        }
    }
}

const struct model model_semaphore = {
    .size = sizeof(struct state),
    .init = init,
    .step = step_semaphore,
    .print = print,
};
