/* search: see search.h. */
#include "tests/history/search.h"

#include <stdlib.h>
#include <string.h>

#include "tests/history/visited.h"

enum { WORDS = EVENTS_MAX / 64 };

struct set {
    uint64_t words[WORDS];
};

static bool set_has(const struct set *set, unsigned i)
{
    return (set->words[i / 64] >> (i % 64) & 1U) != 0;
}

static void set_add(struct set *set, unsigned i)
{
    set->words[i / 64] |= UINT64_C(1) << (i % 64);
}

struct searching {
    const struct object_options *options;
    const struct model *model;
    const struct events *events;
    unsigned long budget;
    struct visited *visited;
    struct finding *finding;
    unsigned depth;
    int order[EVENTS_MAX];
};

/* The moment at which some event that must still happen is over; UNANSWERED if none must. */
static int64_t horizon(const struct events *events, const struct set *happened)
{
    int64_t first = UNANSWERED;
    for (unsigned i = 0; i < events->count; i++) {
        const struct event *event = &events->list[i];
        if (!event->optional && !set_has(happened, i) && event->end < first) {
            first = event->end;
        }
    }
    return first;
}

static bool all_happened(const struct events *events, const struct set *happened)
{
    for (unsigned i = 0; i < events->count; i++) {
        if (!events->list[i].optional && !set_has(happened, i)) {
            return false;
        }
    }
    return true;
}

static bool may_happen(const struct event *event, const struct set *happened, int64_t until)
{
    bool too_late = event->before >= 0 && set_has(happened, (unsigned)event->before);
    return event->begin <= until && !too_late;
}

static void note_longest(struct searching *searching, const void *state)
{
    struct finding *finding = searching->finding;
    if (searching->depth >= finding->length) {
        finding->length = searching->depth;
        memcpy(finding->order, searching->order, searching->depth * sizeof(finding->order[0]));
        searching->model->print(state, finding->state, sizeof(finding->state));
    }
}

static enum outcome explore(struct searching *searching, const struct set *happened,
                            const void *state);

/* Lets one event happen, and goes on from there. */
static enum outcome try_event(struct searching *searching, const struct set *happened,
                              const void *state, unsigned i)
{
    const struct events *events = searching->events;
    size_t size = searching->model->size;
    _Alignas(8) char after[CHOICES_MAX * STATE_MAX];
    struct step step = {
        .options = searching->options,
        .event = &events->list[i],
        .events = events->list,
        .count = events->count,
        .happened = happened->words,
    };
    unsigned choices = searching->model->step(&step, state, after);
    struct set next = *happened;
    set_add(&next, i);
    enum outcome outcome = NONE;
    searching->order[searching->depth++] = (int)i;
    for (unsigned choice = 0; choice < choices && outcome == NONE; choice++) {
        outcome = explore(searching, &next, after + choice * size);
    }
    searching->depth--;
    return outcome;
}

static enum outcome explore(struct searching *searching, const struct set *happened,
                            const void *state)
{
    const struct events *events = searching->events;
    note_longest(searching, state);
    if (all_happened(events, happened)) {
        return FOUND;
    }
    int added = visited_add(searching->visited, happened, state);
    if (added == 0) {
        return NONE;
    }
    if (added < 0 || ++searching->finding->visited > searching->budget) {
        return UNDECIDED;
    }
    int64_t until = horizon(events, happened);
    enum outcome outcome = NONE;
    for (unsigned i = 0; i < events->count && outcome == NONE; i++) {
        if (!set_has(happened, i) && may_happen(&events->list[i], happened, until)) {
            outcome = try_event(searching, happened, state, i);
        }
    }
    return outcome;
}

enum outcome search(const struct history *history, const struct events *events,
                    unsigned long budget, struct finding *finding)
{
    const struct model *model = model_of(history->type);
    struct searching searching = {
        .options = &history->options,
        .model = model,
        .events = events,
        .budget = budget,
        .visited = visited_new(sizeof(struct set), model->size),
        .finding = finding,
    };
    *finding = (struct finding){0};
    if (searching.visited == NULL) {
        return UNDECIDED;
    }
    _Alignas(8) char state[STATE_MAX];
    struct set none = {0};
    model->init(&history->options, state);
    enum outcome outcome = explore(&searching, &none, state);
    visited_free(searching.visited);
    return outcome;
}
