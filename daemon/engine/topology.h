/*
 * topology: which nodes there are, and which of them has which slot.
 *
 * What the engine is, is found out by asking: a node of a cluster answers CLUSTER SLOTS with the
 * map; one that is none refuses, and says by ROLE whether it is the primary; then all slots are
 * its. The map is asked for again when there is reason to doubt it: a node redirects or refuses, is
 * lost, has not been there for a while; and, of a cluster, every ten seconds. As long as a slot has
 * no primary, or a primary no connection, it is asked for five times a second, of the nodes in
 * turn, and after a second of that every node that was ever heard of is tried.
 *
 * Nodes are freed in topology_settle only, so that callbacks can rely on theirs.
 */
#pragma once

#include "daemon/engine/node.h"
#include "daemon/engine/slot.h"
#include "daemon/engine/url.h"

enum topology_kind {
    TOPOLOGY_UNKNOWN,
    TOPOLOGY_SINGLE, /* one server, or a primary with replicas */
    TOPOLOGY_CLUSTER,
};

/* Sums of what nodes had that are nodes no more. */
struct topology_gone {
    uint64_t requests;
    uint64_t reconnects;
    uint64_t sent_bytes;
    uint64_t received_bytes;
};

struct topology {
    struct link_settings *settings;       /* not owned */
    const struct node_listener *listener; /* not owned */
    struct event *settle;                 /* not owned: activated when there is something to do */
    struct node_list nodes;               /* owned */
    size_t count;
    struct node *slots[SLOT_COUNT];
    enum topology_kind kind;
    uint64_t generation; /* changes with the slots */
    bool
        retry; /* something has changed: what has waited for a node may go on. Reset by the owner */
    bool doubted;       /* the map is to be asked for */
    struct node *asked; /* has been asked and has not answered; NULL: nobody */
    uint64_t ask_again; /* clock_ms before which nobody is asked */
    uint64_t trouble;   /* since when a primary is missing: clock_ms; 0: none is */
    struct topology_gone gone;
    char *refused; /* owned: what the last node answered that was asked in vain; NULL: nothing */
};

/* Makes nodes of what the URL has, wakes `settle`, the rest is done there. 0; or ERR_MEMORY, to be
 * deinited all the same. */
int topology_init(struct topology *topology, const struct url *url, struct link_settings *settings,
                  const struct node_listener *listener, struct event *settle);
void topology_deinit(struct topology *topology);

/* The primary of a slot; NULL: it is not known. */
struct node *topology_of_slot(const struct topology *topology, uint16_t slot);

/* The node of that address, made if there is none; an empty host is that of `from`. NULL: no
 * memory, or far too many nodes. */
struct node *topology_node(struct topology *topology, struct slice host, uint16_t port,
                           const struct node *from);

/* A node has said where the slot is now. */
void topology_moved(struct topology *topology, uint16_t slot, struct node *node);

/* There is reason to ask for the map. */
void topology_doubt(struct topology *topology);

/* To be called when a node's connection for commands is ready, or was lost. */
void topology_node_changed(struct topology *topology, struct node *node);

/* Does what is due: asks, opens and closes connections, frees nodes. When it is to be called again
 * at the latest: clock_ms. */
uint64_t topology_settle(struct topology *topology, uint64_t now);

/* Whether each slot has a primary, and each primary a connection. */
bool topology_is_whole(const struct topology *topology);

/* Appends why it is not whole, a sentence. */
void topology_why(const struct topology *topology, struct buffer *out);

/* The primaries, in no particular order; NULL: there are not so many. */
struct node *topology_primary(const struct topology *topology, size_t index);
