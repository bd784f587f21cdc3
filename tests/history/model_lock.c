/* model_lock: a lock, recursive or not. The holder is a process: each has one session. */
#include <stdio.h>
#include <string.h>

#include "client/ipcclient.h"
#include "tests/history/model.h"

struct state {
    uint32_t depth;
    uint32_t holder; /* 0 when the depth is 0 */
    uint32_t abandoned;
};

static void init(const struct object_options *options, void *state)
{
    (void)options;
    memset(state, 0, sizeof(struct state));
}

static bool acquire(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    bool own = state->depth > 0 && state->holder == operation->process;
    bool open = state->depth == 0 || (own && step->options->recursive);
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_TIMEOUT && !open;
    }
    if (!open) {
        return false;
    }
    bool was_abandoned = state->abandoned != 0;
    state->holder = operation->process;
    state->depth++;
    state->abandoned = false;
    return !step->event->answered || (operation->results[0] == (int64_t)state->depth &&
                                      operation->results[1] == (int64_t)was_abandoned);
}

static bool release(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    bool may = state->depth > 0 && (step->options->anyone || state->holder == operation->process);
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_NOT_OWNER && !may;
    }
    if (!may) {
        return false;
    }
    state->depth--;
    if (state->depth == 0) {
        state->holder = 0;
    }
    return !step->event->answered || operation->results[0] == (int64_t)state->depth;
}

static bool end_session(const struct step *step, struct state *state)
{
    if (state->depth > 0 && state->holder == step->event->operation->process &&
        !step->options->keep) {
        *state = (struct state){.abandoned = true};
    }
    return true;
}

static unsigned step_lock(const struct step *step, const void *before, void *after)
{
    const struct operation *operation = step->event->operation;
    struct state *state = after;
    memcpy(state, before, sizeof(*state));
    if (step->event->happening == ENDED) {
        return end_session(step, state);
    }
    switch ((enum verb)operation->verb) {
    case LOCK_ACQUIRE:
        return acquire(step, state);
    case LOCK_RELEASE:
        return release(step, state);
    case LOCKED:
        return !step->event->answered || operation->results[0] == (state->depth > 0);
    default:
        return 0;
    }
}

static void print(const void *data, char *text, size_t size)
{
    const struct state *state = data;
    if (state->depth == 0) {
        (void)snprintf(text, size, "free%s", state->abandoned ? ", abandoned" : "");
    } else {
        (void)snprintf(text, size, "held by %u, depth %u", state->holder, state->depth);
    }
}

const struct model model_lock = {
    .size = sizeof(struct state),
    .init = init,
    .step = step_lock,
    .print = print,
};
