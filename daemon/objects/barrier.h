/*
 * barrier: a number of parties that wait for each other (as Python's Barrier).
 *
 * The parties arrive one after the other, and the last one lets all go: that is one generation. A
 * generation fails when one that waits goes away or runs out of time, or by abort or reset; all of
 * it are then refused. A broken barrier lets nobody wait until it is reset.
 *
 * An arrival is the generation in which somebody came and his number in it. The object does not
 * know the calls that wait, so these ask with their arrivals what has become of them.
 */
#pragma once

#include "daemon/objects/object.h"

/* The channel that calls wait on. */
enum { BARRIER_WAITERS };

enum { BARRIER_PARTIES_MAX = INT32_MAX };

struct barrier_options {
    uint32_t parties;
    int64_t timeout_ms; /* of those who say nothing else; negative: without limit */
};

struct barrier {
    struct object object;
    struct barrier_options options;
    uint32_t arrived;    /* of this generation, and waiting */
    uint32_t generation; /* from 1 on */
    uint32_t failed;     /* the last generation that failed */
    bool broken;
};

extern const struct object_type barrier_type;

static inline struct barrier *barrier_of(struct object *object)
{
    return (struct barrier *)object;
}

/* A new barrier with one reference. 0, or ERR_MEMORY for want of memory. */
int barrier_new(const struct object_options *common, const struct barrier_options *options,
                struct barrier **out);

/* True if the next to arrive is the last one. */
bool barrier_is_complete(const struct barrier *barrier);
/* The last one has arrived: everybody of this generation may go. */
void barrier_pass(struct barrier *barrier);
/* Another one has arrived and waits; returns the arrival, never 0. */
uint64_t barrier_arrive(struct barrier *barrier);

/* What has become of those who came with an arrival. */
enum barrier_outcome { BARRIER_WAITS, BARRIER_PASSED, BARRIER_FAILED };
enum barrier_outcome barrier_outcome(const struct barrier *barrier, uint64_t arrival);
/* The number of an arrival: how many had arrived before. */
static inline uint32_t barrier_index(uint64_t arrival)
{
    return (uint32_t)arrival;
}

/* Those who wait fail, and the barrier is broken; or as new. */
void barrier_break(struct barrier *barrier);
void barrier_reset(struct barrier *barrier);
