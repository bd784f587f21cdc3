/*
 * request: a command on its way, as its sender embeds it; see cluster.h, of which this is a part.
 */
#pragma once

#include <hiredis/hiredis.h>
#include <sys/queue.h>

#include "proto/buffer.h"

struct node;
struct requests;

enum request_fate {
    /* There is a reply. It may be an error (REDIS_REPLY_ERROR) of the function or command itself:
     * then it has been run, or the command was wrong. */
    REQUEST_DONE,
    /* It was certainly not run: its deadline came before it could be sent, or every node that was
     * asked refused it; before the deadline only where waiting would not help (a library that does
     * not compile, a missing permission, no memory). `why` says what is in the way. */
    REQUEST_NOT_DONE,
    /* It was sent, and the connection ended before the answer: it may have been run, or may yet be.
     * `why` says how the connection ended. */
    REQUEST_UNKNOWN,
};

enum request_state {
    REQUEST_IDLE, /* not sent, or ended and told */
    REQUEST_FRESH,
    REQUEST_WAITING, /* for its node, or for its time */
    REQUEST_SENT,
    REQUEST_AWAITING, /* it has a reply, and awaits its replicas */
    REQUEST_ENDED,    /* to be told */
};

/* A request; embedded by the caller, and left alone by it from cluster_send until done is called or
 * cluster_forget has returned. */
struct request {
    /* reply: NULL unless REQUEST_DONE; valid during the call, in which the request may be sent
     * again, freed, or used anew. why: NULL if REQUEST_DONE, else a sentence, valid during the
     * call. */
    void (*done)(struct request *request, const struct redisReply *reply, enum request_fate fate,
                 const char *why);

    /* If not 0: done is only called when so many replicas have confirmed the request, or wait_ms
     * have passed (WAIT; 0 ms: without limit). The reply is not called in question by that: see
     * `replicas`. */
    unsigned wait_replicas;
    uint64_t wait_ms;

    /* Set when done is called: how many replicas have confirmed; 0 unless wait_replicas. */
    unsigned replicas;

    /* request_state.c's own. */
    struct {
        TAILQ_ENTRY(request) in; /* of the list that its state says */
        enum request_state state;
        struct requests *requests;
        struct node *node;        /* where it is, or is bound to go, or was last */
        struct buffer command;    /* as it goes over the wire; owned */
        struct redisReply *reply; /* owned; while replicas are awaited */
        char *why;                /* owned: what was last in the way, or NULL */
        enum request_fate fate;   /* when it has ended */
        uint64_t deadline;        /* clock_ms */
        uint64_t again;           /* clock_ms before which it is not sent */
        uint64_t sent;            /* clock_us */
        unsigned tries;           /* refusals so far */
        unsigned unknown;         /* times that a node did not know the function */
        uint16_t slot;
        bool bound;         /* it goes to `node`, whatever its slot … */
        bool asking;        /* … with ASKING in front */
        bool wants_library; /* it waits for `node` to load it */
    } own;
};

TAILQ_HEAD(request_list, request);
