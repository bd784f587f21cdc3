/*
 * reader: the role of reading for a connection, and the threads that wait for it or for their
 * answers.
 *
 * Whoever has set `reading` is the only one to receive, to take apart what came, to try to connect
 * again and to end the connection. The role is never free while a thread waits in `waiters`, so
 * that no wake-up can be lost and nobody is woken in vain. What is read, and from where, is not
 * known here. All functions want the connection's lock to be held.
 */
#pragma once

#include "client/ipcclient/value.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

/* A thread that waits for an answer in a blocking call. It lives on that thread's stack. While the
 * thread sleeps it is in reader.waiters; whoever changes `state` takes it out and wakes the thread.
 */
struct waiter {
    _Atomic uint32_t state; /* enum waiter_state; a futex */
    int status;             /* DONE: of the call; with a message in `message` */
    struct ipcc_reply reply;
    char *message; /* the thread's own */
    bool listed;
    TAILQ_ENTRY(waiter) link;
    bool slept;     /* as the reader, and nothing has come since */
    bool listening; /* for events, not for an answer: in reader.listeners */
    TAILQ_ENTRY(waiter) listener;
    bool (*interrupted)(void *data); /* see struct ipcc_request; NULL: signals do not matter */
    void *interrupted_data;
    bool signalled;   /* one has interrupted its sleep */
    bool cancelled;   /* because of one */
    int64_t look_due; /* when to ask without having seen one; set if interrupted is */
};

enum waiter_state {
    WAITER_PENDING,
    WAITER_DONE,  /* its answer is there; the thread needs the lock no more */
    WAITER_LEAD,  /* it has been given the reader's role */
    WAITER_FLUSH, /* it is asked to see to what waits to be sent */
};

TAILQ_HEAD(waiters, waiter);

struct reader {
    bool reading;   /* somebody has the role */
    bool receiving; /* … and waits for input only, not for room to send */
    struct waiters waiters;
    struct waiter *flusher;   /* a thread that waits for room to send, or NULL */
    int wake_fd;              /* wakes the flusher; -1 until first needed */
    struct waiters listeners; /* threads in ipcc_wait_watch_event */
};

void reader_init(struct reader *reader);

static inline enum waiter_state waiter_state(struct waiter *waiter)
{
    return atomic_load_explicit(&waiter->state, memory_order_acquire);
}

/* Ends a thread's wait, with what is in its reply and its message. */
void waiter_finish(struct reader *reader, struct waiter *waiter, int status);

/* Counts a thread among those that wait for events, or no longer. */
void listeners_add(struct reader *reader, struct waiter *waiter);
void listeners_remove(struct reader *reader, struct waiter *waiter);

/* Ends the waits of all of those; an error has a message. */
void listeners_finish(struct reader *reader, int status, const char *message);

/* Lets go of the role: gives it to a thread that waits, if there is one. */
void reader_leave(struct reader *reader);

/* Sleeps until the waiter's call is done or there is something to do, or until the deadline. The
 * lock is let go of meanwhile; WAITER_DONE: it has not been taken again. */
enum waiter_state reader_follow(struct reader *reader, pthread_mutex_t *lock, struct waiter *waiter,
                                int64_t deadline);

/* True if nobody would notice that there is room to send. */
bool reader_needs_flusher(const struct reader *reader);

/* Asks a thread that sleeps to be the flusher, if one is needed. */
void reader_ask_to_flush(struct reader *reader);

/* Makes the waiter's thread the flusher. */
void reader_flush_begin(struct reader *reader, struct waiter *waiter);

/* The flusher: waits for room in the socket, or to be woken. The lock is let go of meanwhile. */
void reader_await_room(struct reader *reader, pthread_mutex_t *lock, int fd, int64_t deadline);
