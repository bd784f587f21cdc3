/*
 * descriptors: file descriptors that belong together: those of one message on its way, or of a
 * reply.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* The descriptors of one message. */
struct ipcc_descriptors {
    STAILQ_ENTRY(ipcc_descriptors) link; /* out: in outgoing.passing */
    uint32_t msgid;                      /* out */
    bool cut;                            /* in: the kernel could not hand over all of them */
    size_t at;    /* out: the message's first byte; in: it is in [at, until) of what came */
    size_t until; /* in */
    unsigned count;
    int fds[]; /* owned; -1: taken */
};

/* Room for `count`, of which there are none yet. NULL: no memory. */
struct ipcc_descriptors *descriptors_new(unsigned count);
void descriptors_free(struct ipcc_descriptors *descriptors); /* closes them; NULL is allowed */

/* Makes duplicates; -1 stays -1. ARGUMENT: one is not open. SYSTEM, NO_MEMORY. */
int descriptors_duplicate(const int *fds, unsigned count, struct ipcc_descriptors **out);
