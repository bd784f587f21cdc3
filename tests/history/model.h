/*
 * model: what an object is allowed to do, one step at a time.
 *
 * A model has a state of fixed size, in which equal states are equal bytes, and a function that
 * takes one event on a state. What a model allows, and why, is in README.md.
 */
#pragma once

#include "tests/history/history.h"

enum {
    STATE_MAX = 512, /* bytes */
    CHOICES_MAX = 2, /* states that one event can lead to */
};

/* What happens at one moment. An operation is a CALL; the end of a process is an ENDED, which comes
 * after all it did, and before it, if the process was killed, a DIED: from then on nothing can
 * reach the process any more, though the daemon does not know yet. */
enum happening { CALL, DIED, ENDED };

struct event {
    enum happening happening;
    const struct operation *operation;
    int64_t begin;
    int64_t end; /* it happens at a moment from begin to end */
    bool answered;
    bool optional; /* or not at all */
    int before;    /* the number of an event that this one cannot follow, or -1 */
};

/* The event that is tried, and what a model may ask besides. */
struct step {
    const struct object_options *options;
    const struct event *event;
    const struct event *events; /* all events of the history, */
    unsigned count;
    const uint64_t *happened; /* and which of them have happened, a bit each */
};

static inline bool step_has_happened(const struct step *step, unsigned event)
{
    return (step->happened[event / 64] >> (event % 64) & 1U) != 0;
}

struct model {
    size_t size; /* of the state; at most STATE_MAX */
    void (*init)(const struct object_options *options, void *state);
    /* The states that the event can lead to from `before`: stored at `after`, each `size` bytes
     * from the one before. Returns how many, at most CHOICES_MAX; 0: it cannot happen here. */
    unsigned (*step)(const struct step *step, const void *before, void *after);
    /* Writes the state for people. */
    void (*print)(const void *state, char *text, size_t size);
    /* The operations to be looked at together: those with equal first arguments only, or all. */
    bool by_key;
    /* The model needs to know when a process has died, not only when its session has ended. */
    bool wants_deaths;
};

extern const struct model model_queue, model_joinable, model_lock, model_semaphore, model_dict;

const struct model *model_of(enum type type);
