/*
 * pipe_end: what the two directions of an end of a pipe share.
 *
 * Each direction has a lock of its own, held for as long as a message is on its way, also while
 * waiting for the socket. So messages are never mixed; and a thread with a limit waits for the lock
 * no longer than that.
 */
#pragma once

#include "client/ipcclient/pipe.h"
#include "proto/buffer.h"
#include "proto/scan.h"

#include <pthread.h>

struct ipcc_pipe_end {
    int fd;
    enum ipcc_direction direction;
    size_t max_message;

    pthread_mutex_t sending;
    struct buffer out; /* the message that is being sent, without large bytes; empty in between */
    bool cut;          /* a message was sent in part: nothing can follow it */

    pthread_mutex_t receiving;
    struct buffer in; /* what has come; messages in [taken, len) */
    size_t taken;
    struct scan scan; /* of the message at `taken`, if `scanning` */
    bool scanning;
    size_t last; /* the size of the last message, if it was a large one; else 0 */
    int over;    /* not 0: the code of why nothing more can be received */
    const char *why;
};

/* A call in a direction, from pipe_enter to pipe_leave. */
struct pipe_turn {
    pthread_mutex_t *lock;
    int64_t deadline;
    int cancellation;
};

/* When a wait that begins now is over. 0 in place of a moment in the past. ARGUMENT. */
int pipe_deadline(int64_t timeout_ms, int64_t *deadline);

/* Begins a turn. TIMEOUT: others have held the lock all the time; there is nothing to leave. */
int pipe_enter(pthread_mutex_t *lock, int64_t deadline, struct pipe_turn *turn);
void pipe_leave(const struct pipe_turn *turn);

/* Waits until the socket is ready for `events`. TIMEOUT, SYSTEM. */
int pipe_await(const struct ipcc_pipe_end *end, short events, int64_t deadline);
