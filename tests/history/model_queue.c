/*
 * model_queue: a plain queue.
 *
 * An item is in the queue or was delivered. What an unanswered get has taken is in the hand of its
 * process until the session ends: then it is gone, or back at the head, since the answer may have
 * come as far as the dead process's socket or not. A get that took its item when the process was
 * dead already cannot have been answered: then it must come back.
 */
#include <stdio.h>
#include <string.h>

#include "client/ipcclient.h"
#include "tests/history/model.h"

enum { ITEMS_MAX = 40 };

struct state {
    uint16_t count;
    int16_t items[ITEMS_MAX]; /* the first is next */
    int16_t hands[PROCESSES_MAX];
    uint16_t must_return; /* a bit for each process */
    uint16_t dead;
};
_Static_assert(PROCESSES_MAX <= 16, "the bits do not do for all processes");

static uint16_t bit_of(const struct operation *operation)
{
    return (uint16_t)(1U << operation->process);
}

static void init(const struct object_options *options, void *state)
{
    (void)options;
    memset(state, 0, sizeof(struct state));
}

static void push_front(struct state *state, int16_t value)
{
    memmove(state->items + 1, state->items, state->count * sizeof(state->items[0]));
    state->items[0] = value;
    state->count++;
}

static int16_t pop_front(struct state *state)
{
    int16_t value = state->items[0];
    state->count--;
    memmove(state->items, state->items + 1, state->count * sizeof(state->items[0]));
    state->items[state->count] = 0;
    return value;
}

static bool put(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    int64_t maxsize = step->options->maxsize;
    bool full = maxsize > 0 && state->count >= maxsize;
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_FULL && full;
    }
    if (full || state->count == ITEMS_MAX) {
        return false;
    }
    if (step->options->lifo) {
        push_front(state, (int16_t)operation->arguments[0]);
    } else {
        state->items[state->count++] = (int16_t)operation->arguments[0];
    }
    return true;
}

static bool get(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_EMPTY && state->count == 0;
    }
    if (state->count == 0) {
        return false;
    }
    int16_t value = pop_front(state);
    if (!step->event->answered) {
        state->hands[operation->process] = value;
        state->must_return |= state->dead & bit_of(operation);
        return true;
    }
    return operation->results[0] == value;
}

/* All sessions end at once, with the daemon: what it has given out and not been seen to is gone. */
static unsigned end_all(struct state *state)
{
    memset(state->hands, 0, sizeof(state->hands));
    state->must_return = 0;
    state->dead = 0;
    return 1;
}

/* The session ends: what its hand holds is lost on the way, or comes back. */
static unsigned end_session(const struct operation *end, struct state *after)
{
    uint16_t bit = bit_of(end);
    int16_t value = after[0].hands[end->process];
    bool must_return = (after[0].must_return & bit) != 0;
    after[0].hands[end->process] = 0;
    after[0].must_return &= (uint16_t)~bit;
    after[0].dead &= (uint16_t)~bit;
    if (value == 0) {
        return 1;
    }
    after[1] = after[0];
    if (after[0].count < ITEMS_MAX) {
        push_front(&after[0], value);
    }
    return must_return ? 1 : 2;
}

static unsigned step_queue(const struct step *step, const void *before, void *after)
{
    const struct operation *operation = step->event->operation;
    struct state *state = after;
    memcpy(state, before, sizeof(*state));
    if (step->event->happening == DIED) {
        state->dead |= bit_of(operation);
        return 1;
    }
    if (step->event->happening == ENDED) {
        return operation->verb == CRASHED ? end_all(state) : end_session(operation, state);
    }
    switch ((enum verb)operation->verb) {
    case PUT:
        return put(step, state);
    case GET:
        return get(step, state);
    case QSIZE:
        return !step->event->answered || operation->results[0] == state->count;
    default:
        return 0;
    }
}

static void print(const void *data, char *text, size_t size)
{
    const struct state *state = data;
    size_t length = (size_t)snprintf(text, size, "queued, the next first: [");
    for (unsigned i = 0; i < state->count && length < size; i++) {
        length +=
            (size_t)snprintf(text + length, size - length, i > 0 ? " %d" : "%d", state->items[i]);
    }
    if (length < size) {
        (void)snprintf(text + length, size - length, "]");
    }
}

const struct model model_queue = {
    .size = sizeof(struct state),
    .init = init,
    .step = step_queue,
    .print = print,
    .wants_deaths = true,
};
