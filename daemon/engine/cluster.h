/*
 * cluster: requests to Redis, be it one server or a Redis Cluster, and messages from it.
 *
 * The caller says which key a request is about, and is told what became of it. Which node that key
 * is at, that it has moved, that a primary has died and another taken over, that a node does not
 * know our functions yet: all this is dealt with here, until the request's deadline. Nothing
 * blocks; everything goes on in the event loop. Connections are opened and lost behind the scenes.
 *
 * The rule that everything above stands on: *what may have been run is never sent again here.*
 * Once a request's bytes have been given to a connection, only an answer by which the node refused
 * it before running it (MOVED, ASK, TRYAGAIN, CLUSTERDOWN, LOADING, READONLY, MASTERDOWN,
 * NOREPLICAS, BUSY, "Function not found") makes that it is sent again. If the connection ends
 * instead, the caller is told REQUEST_UNKNOWN at once, and decides.
 *
 * No callback is called from within a function of this header; they come from the event loop. From
 * within a callback every function may be called but cluster_close. One thread.
 */
#pragma once

#include <event2/event.h>

#include "daemon/engine/request.h"
#include "daemon/engine/url.h"

struct cluster;

struct cluster_options {
    struct url url; /* where to begin; borrowed for the time of cluster_open */

    /* The rest may be NULL or 0, borrowed for the time of cluster_open too. */
    const char *password_file; /* its first line is the password; read anew for each connection.
                                * NULL: the URL's, if it has one */
    const char *ca_file;       /* PEM: who may sign the nodes' certificates. NULL: the system's */
    const char *certificate_file; /* PEM: our own, if the nodes ask for one */
    const char *key_file;         /* PEM: its key. NULL: it is in certificate_file */
    const char *client_name;      /* for CLIENT SETNAME. NULL: "ipcd" */

    /* The library of functions, with its first line "#!lua name=…". It is loaded into each node
     * that answers "Function not found". Copied. Of length 0: such an answer is as any other. */
    struct slice library;

    uint64_t connect_timeout_ms; /* for a connection to be there, TLS and AUTH included. 0: 2000 */
    uint64_t silence_ms;         /* a node that owes something and says nothing for so long has its
                                  * connection closed, and made anew. 0: 1000 */
    size_t max_reply;            /* bytes of one reply; more ends the connection. 0: 1 GiB */
};

/* What it tells by itself. Each may be NULL. Slices are valid during the call. */
struct cluster_listener {
    void (*message)(void *data, struct slice channel, struct slice payload);
    /* The channel is subscribed to now: after cluster_subscribe, and anew after each interruption
     * (a connection lost, a slot that moved): messages may have been missed before this. */
    void (*subscribed)(void *data, struct slice channel);
    /* Reachable: every slot has a primary, and there is a connection to each. Called when that, or
     * the reason against it, changes; `why` is a sentence, NULL if reachable. At the beginning it
     * is not reachable, without a call. */
    void (*state)(void *data, bool reachable, const char *why);
    void *data;
};

/* Begins to connect. 0; or ERR_VALUE, with a sentence in *error (the caller's to free): what can
 * never work, as a certificate that cannot be read; or ERR_MEMORY, with *error NULL. Of a server
 * that is not there the listener's `state` tells, and it is tried again for ever. */
int cluster_open(struct event_base *base, const struct cluster_options *options,
                 const struct cluster_listener *listener, struct cluster **out, char **error);

/* Closes everything. Requests that have not ended are forgotten: their done is not called. NULL is
 * allowed. Not from within a callback. */
void cluster_close(struct cluster *cluster);

/*
 * Sends the command of `argc` strings to the primary that has the slot of `key`, in the order of
 * the calls. Everything is copied. Requests of one turn of the event loop leave in one write for
 * each node. `deadline_ms` from now the request is ended, REQUEST_NOT_DONE, if it is not at a node
 * then; while it is at a node there is no deadline, but nodes that say nothing
 * (options.silence_ms).
 *
 * request->done and the waits are to be set before, the rest may be anything.
 */
void cluster_send(struct cluster *cluster, struct request *request, struct slice key, size_t argc,
                  const struct slice *argv, uint64_t deadline_ms);

/* The same, to the i-th primary, 0 <= index < cluster_primaries(), whatever its slots: for SCAN. An
 * index that is none ends in REQUEST_NOT_DONE. */
void cluster_send_to(struct cluster *cluster, size_t index, struct request *request, size_t argc,
                     const struct slice *argv, uint64_t deadline_ms);

/* Requests that are sent between these two leave with the second, and not first at the end of the
 * turn. Nobody is called back from within. */
void cluster_gather(struct cluster *cluster);
void cluster_flush(struct cluster *cluster);

/* The request's done is not called any more, and its memory not used. It may have been run, and may
 * yet be. Allowed for one that has ended, or is zeroed and has never been sent. */
void cluster_forget(struct cluster *cluster, struct request *request);

/* How many primaries are known; 0 before any node has answered. */
size_t cluster_primaries(const struct cluster *cluster);

/* A number that changes whenever the primaries, or which slots they have, do: who goes through all
 * of them with cluster_send_to begins anew then. */
uint64_t cluster_generation(const struct cluster *cluster);

/* Subscribes to a sharded channel (SSUBSCRIBE), and stays subscribed through whatever happens. 0,
 * also if it is already (then `subscribed` is called again, if it is confirmed); or ERR_MEMORY. */
int cluster_subscribe(struct cluster *cluster, struct slice channel);

/* The end of that: no callback for this channel comes any more. Not subscribed: nothing. */
void cluster_unsubscribe(struct cluster *cluster, struct slice channel);

/* Appends where a key is: "host:port" or the socket's path; nothing if that is not known. */
void cluster_describe(const struct cluster *cluster, struct slice key, struct buffer *out);

struct cluster_figures {
    bool reachable;
    bool is_cluster;
    size_t nodes;   /* primaries */
    size_t waiting; /* requests that are at no node now */
    size_t under_way;
    size_t channels;
    uint64_t requests;   /* sent to a node; once more for each time it was sent anew */
    uint64_t unknown;    /* ended as REQUEST_UNKNOWN */
    uint64_t redirects;  /* MOVED and ASK */
    uint64_t refused;    /* other refusals after which it was sent anew */
    uint64_t reconnects; /* connections that were lost after they had been there */
    uint64_t loads;      /* of the library */
    uint64_t sent_bytes;
    uint64_t received_bytes;
};

struct cluster_node_figures {
    char address[256]; /* "host:port" or a path, perhaps cut short */
    bool reachable;
    size_t slots; /* 16384 if it is no cluster */
    size_t under_way;
    uint64_t latency_us;     /* from writing to the reply: moving average (1/8 each) */
    uint64_t latency_max_us; /* since it was last asked for */
    uint64_t requests;
    uint64_t reconnects;
    uint64_t sent_bytes;
    uint64_t received_bytes;
};

void cluster_figures(const struct cluster *cluster, struct cluster_figures *out);

/* Of the i-th primary. False: there is none. */
bool cluster_node_figures(struct cluster *cluster, size_t index, struct cluster_node_figures *out);

/* Why it is not reachable; NULL if it is. Valid until the event loop runs again. */
const char *cluster_why(const struct cluster *cluster);
