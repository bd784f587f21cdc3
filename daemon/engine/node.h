/*
 * node: a server of the engine: its address, a connection for commands and one for channels.
 *
 * Redis lets a connection that is subscribed to channels do nothing else, hence two; the second is
 * opened when a channel needs it.
 */
#pragma once

#include "daemon/engine/pipeline.h"
#include "daemon/engine/request.h"

struct functions;

/* Callbacks of all nodes of a cluster, from the event loop. */
struct node_listener {
    /* The connection for commands is ready, or has been lost (or an attempt has failed). All
     * commands on it have been told. */
    void (*commands)(void *data, struct node *node, bool lost);
    void (*channels)(void *data, struct node *node, bool lost);
    /* As in pipeline.h, of the connection for channels. */
    bool (*message)(void *data, struct node *node, struct redisReply *reply);
    void *data;
};

struct node {
    TAILQ_ENTRY(node) in; /* topology.c's list */
    const struct node_listener *listener;
    char *host; /* owned; NULL: a path */
    uint16_t port;
    char *path; /* owned; NULL: host and port */
    char *name; /* owned: host:port, or the path */
    struct pipeline commands;
    struct pipeline channels;

    bool seed;    /* the URL has it: it stays */
    bool known;   /* the last map has it, be it as a replica */
    size_t slots; /* it is the primary of */
    size_t held;  /* by requests that are bound to it, and channels that are subscribed there */
    uint64_t asked_at; /* when it was last asked for the map: clock_ms */

    bool loading;                /* functions.c's: the library; no request is sent meanwhile */
    struct functions *functions; /* functions.c's */

    struct request_list awaiting; /* requests.c's: which await replicas, the oldest first */
    unsigned wait_replicas;       /* what the next WAIT is to say; 0: there is none to be sent */
    uint64_t wait_ms;

    uint64_t requests; /* figures */
    uint64_t reconnects;
    uint64_t latency_us; /* moving average */
    uint64_t latency_max_us;
    size_t under_way;
};

TAILQ_HEAD(node_list, node);

/* With `path`, or `host` and `port`, which are copied; no connection is wanted yet. To be freed by
 * node_free; NULL: no memory. */
struct node *node_new(struct link_settings *settings, const struct dial_address *address,
                      const struct node_listener *listener);

/* Nobody is told of anything. Nothing may refer to it. */
void node_free(struct node *node);

/* Sends what has been written to either connection. */
void node_flush(struct node *node);
