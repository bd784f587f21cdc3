/*
 * caller: a client of ipcd for loads of every kind: bytes of requests out, responses in, until a
 * deadline.
 *
 * It sends and receives at the same time, since the daemon stops reading from those who leave their
 * responses unread. A response is looked at no more than is needed to tell a result from an error:
 * a large one must not cost the processor that the daemon or the pinger would run on.
 *
 * Functions return 0, CALLER_GIVEN_UP when the deadline has passed, about which nothing is said, or
 * -1 with a sentence.
 */
#pragma once

#include "proto/message.h"
#include "tools/ipcbench/target.h"

enum { CALLER_GIVEN_UP = 1 };

struct caller {
    const struct target *target; /* borrowed */
    int fd;                      /* -1: closed */
    uint64_t session;            /* its number at the daemon */
    uint64_t deadline;           /* of everything it does: clock_now() then */
    uint8_t *input;
    size_t have;
    size_t capacity;
    size_t used;        /* of the input: the last response, until the next call */
    struct scan scan;   /* of the message that begins at `used` */
    struct slice error; /* of the last response: the code; empty: none. In the input, as… */
    struct slice result;
};

/* A new connection, which has learnt its session's number. A caller that could not be opened is to
 * be closed too. */
int caller_open(struct caller *caller, const struct target *target, uint64_t deadline);

/* Does nothing the second time, or to a zeroed caller whose fd is -1. */
void caller_close(struct caller *caller);

/*
 * Sends all the bytes and takes as many responses as are said; the daemon may have more to answer.
 * An error response ends it with a sentence, unless it has the code `error` (NULL: none is
 * expected).
 */
int caller_exchange(struct caller *caller, struct slice bytes, uint64_t responses,
                    const char *error);

/* The integer that the last response brought, or that its map has under the key (not NULL). 0, or
 * -1 with a sentence if there is none. */
int caller_number(const struct caller *caller, const char *key, uint64_t *out);

/* Waits until a session is gone, with all that was to be done at its end. */
int caller_wait_gone(struct caller *caller, uint64_t session);
