/*
 * search: whether there is an order in which everything can have happened.
 *
 * The search of Wing and Gong: take an event that no event still to come must precede, try it on
 * the model, go on from there, and take it back if that leads nowhere. Lowe's memory makes it end:
 * a set of events that have happened together with the state they led to is looked at once. An
 * order is found when every event that is not optional has its place in it.
 */
#pragma once

#include "tests/history/model.h"

enum { EVENTS_MAX = HISTORY_MAX * 2 };

enum outcome { FOUND, NONE, UNDECIDED /* the budget did not do */ };

/* The events of a history, sorted by when they can begin. */
struct events {
    unsigned count;
    struct event list[EVENTS_MAX];
};

/* What the search has to say besides. */
struct finding {
    unsigned long visited; /* pairs of set and state */
    unsigned length;       /* the longest order that was found, as numbers of events, */
    int order[EVENTS_MAX];
    char state[256]; /* and the state that it led to, for people */
};

/* The events of the operations with that key (NO_VALUE: of all). The history must outlive them. */
void events_of(const struct history *history, int64_t key, struct events *events);

/* Looks for an order, at most `budget` pairs. UNDECIDED also for want of memory. */
enum outcome search(const struct history *history, const struct events *events,
                    unsigned long budget, struct finding *finding);
