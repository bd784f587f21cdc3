/*
 * caller: who uses daemon/engine/cluster.h in a test: sends, waits for what comes, remembers it.
 *
 * Waiting runs the event loop, up to a limit that is far beyond what anything takes.
 */
#pragma once

#include "daemon/engine/cluster.h"

struct caller {
    struct event_base *base;
    struct cluster *cluster;
    struct cluster_options options;
    bool reachable;
    unsigned states;     /* calls of `state` */
    char why[512];       /* as told last; "" */
    unsigned subscribed; /* calls of `subscribed` … */
    char channel[128];   /* … and the last channel */
    unsigned messages;
    char payload[128]; /* of the last message */
};

/* A request and what became of it. */
struct sent {
    struct request request;
    struct caller *caller;
    bool done;
    enum request_fate fate;
    int type; /* of the reply */
    long long integer;
    size_t len;
    char text[512]; /* of the reply, or why there is none */
};

/* Opens a cluster at the URL; options may be set in caller->options before. */
void caller_open(struct caller *caller, const char *url);
void caller_close(struct caller *caller);

/* Begins: the loop exists, and options are zero. */
void caller_init(struct caller *caller);

/* Runs the loop until *flag; fails the test if that never comes. */
void caller_await(struct caller *caller, const bool *flag);
void caller_await_count(struct caller *caller, const unsigned *count, unsigned at_least);
void caller_await_reachable(struct caller *caller, bool reachable);

/* Lets the loop run for a while in which nothing is expected. */
void caller_run(struct caller *caller, unsigned ms);

/* Words up to NULL; the key is the second word, or FCALL's first key. */
void caller_send(struct caller *caller, struct sent *sent, uint64_t deadline_ms, ...)
    __attribute__((sentinel));

/* Sends with a deadline of a minute and waits for the end, and fails the test if there is no reply.
 */
void caller_ask(struct caller *caller, struct sent *sent, ...) __attribute__((sentinel));
