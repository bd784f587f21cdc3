/*
 * nearest: the word that somebody may have meant who has mistyped one.
 *
 *     struct nearest nearest = nearest_to("jbos");
 *     nearest_offer(&nearest, "jobs");   for all that there are
 *     if (nearest.word[0] != '\0') …     did you mean it?
 */
#pragma once

#include "proto/slice.h"

enum { NEAREST_MOST = 64 }; /* bytes of words that are compared; longer ones are near to none */

struct nearest {
    struct slice typed;      /* not owned */
    unsigned distance;       /* what is offered must be nearer */
    char word[NEAREST_MOST]; /* the nearest so far; "": there is none */
};

/* `typed` must live as long as the struct. */
struct nearest nearest_to(struct slice typed);

/* Looks at a word: it is the nearest if fewer letters have to be changed, left out, added or
 * swapped with their neighbour than for those before, and at most a third of those typed, one at
 * least. The typed word itself is never meant. */
void nearest_offer(struct nearest *nearest, struct slice word);

enum { NEAREST_HINT = NEAREST_MOST + 32 };

/* Sets `hint` to " (did you mean --raw?)", the word with what stands before and behind it, or to ""
 * if there is none; returns it. */
const char *nearest_hint(const struct nearest *nearest, const char *before, const char *behind,
                         char hint[NEAREST_HINT]);
