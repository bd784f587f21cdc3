/*
 * encoding: where values are encoded to, and what all encoders refuse.
 */
#pragma once

#include "proto/message.h"

/* A zeroed one but for `out` is empty. */
struct encoding {
    struct buffer *out;
    bool printing; /* for people: indices of descriptors may stand for themselves */
    unsigned count;
    int fds[DESCRIPTORS_PER_MESSAGE]; /* the caller's, in the order of their indices */
};

/* ARGUMENT, with a message: a value nests too deeply. */
int encoding_too_deep(void);

/* ARGUMENT, with a message: a value that is encoded already holds the index of a descriptor. */
int encoding_index_refused(void);
