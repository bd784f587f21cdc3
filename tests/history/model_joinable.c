/*
 * model_joinable: a joinable queue. An item is queued, taken (by whom, with which ticket), or gone.
 * The ticket of a get that was never answered is not known: nobody can name it.
 */
#include <stdio.h>
#include <string.h>

#include "client/ipcclient.h"
#include "tests/history/model.h"

enum { ITEMS_MAX = 40, TAKEN_MAX = 32 };

struct item {
    int16_t value;
    int16_t deliveries;
};

struct taken {
    struct item item;
    uint16_t ticket; /* 0: not known */
    uint16_t process;
};

struct state {
    uint16_t count;
    uint16_t taken_count;
    struct item items[ITEMS_MAX];  /* the first is next */
    struct taken taken[TAKEN_MAX]; /* in the order in which they were taken */
};
_Static_assert(sizeof(struct state) <= STATE_MAX, "the state is too large");

static void init(const struct object_options *options, void *state)
{
    (void)options;
    memset(state, 0, sizeof(struct state));
}

static bool push_front(struct state *state, struct item item)
{
    if (state->count == ITEMS_MAX) {
        return false;
    }
    memmove(state->items + 1, state->items, state->count * sizeof(state->items[0]));
    state->items[0] = item;
    state->count++;
    return true;
}

static bool put(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    int64_t maxsize = step->options->maxsize;
    bool full = maxsize > 0 && state->count >= maxsize;
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_FULL && full;
    }
    struct item item = {(int16_t)operation->arguments[0], 0};
    if (full || state->count == ITEMS_MAX) {
        return false;
    }
    if (step->options->lifo) {
        return push_front(state, item);
    }
    state->items[state->count++] = item;
    return true;
}

static bool get(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_EMPTY && state->count == 0;
    }
    if (state->count == 0 || state->taken_count == TAKEN_MAX) {
        return false;
    }
    struct taken taken = {.item = state->items[0], .process = operation->process};
    taken.item.deliveries++;
    state->count--;
    memmove(state->items, state->items + 1, state->count * sizeof(state->items[0]));
    state->items[state->count] = (struct item){0};
    if (step->event->answered) {
        if (operation->results[0] != taken.item.value ||
            operation->results[2] != taken.item.deliveries) {
            return false;
        }
        taken.ticket = (uint16_t)operation->results[1];
    }
    state->taken[state->taken_count++] = taken;
    return true;
}

static struct item remove_taken(struct state *state, unsigned at)
{
    struct item item = state->taken[at].item;
    state->taken_count--;
    memmove(state->taken + at, state->taken + at + 1,
            (state->taken_count - at) * sizeof(state->taken[0]));
    state->taken[state->taken_count] = (struct taken){0};
    return item;
}

/* task_done and give_back, by ticket; tickets are the queue's, whoever names them. */
static bool finish(const struct step *step, struct state *state)
{
    const struct operation *operation = step->event->operation;
    unsigned at = 0;
    while (at < state->taken_count && state->taken[at].ticket != operation->arguments[0]) {
        at++;
    }
    bool there = at < state->taken_count;
    if (step->event->answered && operation->status != 0) {
        return operation->status == IPCC_ERR_VALUE && !there;
    }
    if (!there) {
        return false;
    }
    struct item item = remove_taken(state, at);
    if (operation->verb == GIVE_BACK) {
        return push_front(state, item);
    }
    return !step->event->answered || operation->results[0] == state->count + state->taken_count;
}

static bool join(const struct step *step, const struct state *state)
{
    const struct operation *operation = step->event->operation;
    bool finished = state->count + state->taken_count == 0;
    if (!step->event->answered) {
        return true;
    }
    return operation->status == 0 ? finished : operation->status == IPCC_ERR_TIMEOUT && !finished;
}

/* The session ends, or all do: what was taken goes back in its old order, or counts as done. */
static bool end_session(const struct step *step, struct state *state)
{
    bool all = step->event->operation->verb == CRASHED;
    for (unsigned at = state->taken_count; at-- > 0;) {
        if (!all && state->taken[at].process != step->event->operation->process) {
            continue;
        }
        struct item item = remove_taken(state, at);
        if (!step->options->discard && !push_front(state, item)) {
            return false;
        }
    }
    return true;
}

static unsigned step_joinable(const struct step *step, const void *before, void *after)
{
    const struct operation *operation = step->event->operation;
    struct state *state = after;
    memcpy(state, before, sizeof(*state));
    if (step->event->happening == ENDED) {
        return end_session(step, state);
    }
    switch ((enum verb)operation->verb) {
    case PUT:
        return put(step, state);
    case GET:
        return get(step, state);
    case QSIZE:
        return !step->event->answered || operation->results[0] == state->count;
    case TASK_DONE:
    case GIVE_BACK:
        return finish(step, state);
    case JOIN:
        return join(step, state);
    default:
        return 0;
    }
}

static void print(const void *data, char *text, size_t size)
{
    const struct state *state = data;
    size_t length = (size_t)snprintf(text, size, "queued, the next first: [");
    for (unsigned i = 0; i < state->count && length < size; i++) {
        length += (size_t)snprintf(text + length, size - length, i > 0 ? " %d" : "%d",
                                   state->items[i].value);
    }
    if (length < size) {
        length += (size_t)snprintf(text + length, size - length, "], taken: [");
    }
    for (unsigned i = 0; i < state->taken_count && length < size; i++) {
        length += (size_t)snprintf(text + length, size - length, "%s%d by %u", i > 0 ? ", " : "",
                                   state->taken[i].item.value, state->taken[i].process);
    }
    if (length < size) {
        (void)snprintf(text + length, size - length, "]");
    }
}

const struct model model_joinable = {
    .size = sizeof(struct state),
    .init = init,
    .step = step_joinable,
    .print = print,
};
