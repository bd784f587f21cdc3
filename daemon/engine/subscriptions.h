/*
 * subscriptions: sharded channels, and keeping subscribed to them.
 *
 * A channel is at the node of its slot. When its node is lost, or says that the slot has gone
 * (sunsubscribe that nobody asked for), or the map says so, it is subscribed to anew, and its owner
 * is told as at the first time.
 */
#pragma once

#include "daemon/engine/topology.h"

enum {
    SUBSCRIPTIONS_BUCKETS = 1024,
};

struct channel;
TAILQ_HEAD(channel_list, channel);

struct subscriptions {
    struct topology *topology; /* not owned */
    struct event *settle;      /* not owned: activated when there is something to do */
    void (*message)(void *data, struct slice channel, struct slice payload);
    void (*subscribed)(void *data, struct slice channel);
    void *data;
    struct channel_list buckets[SUBSCRIPTIONS_BUCKETS]; /* all, by slot */
    struct channel_list idle;                           /* those that are to be subscribed to */
    size_t count;
    uint64_t due;        /* clock_ms at which the idle ones are to be looked at */
    uint64_t generation; /* of the topology, when all were compared with it */
};

void subscriptions_init(struct subscriptions *subscriptions, struct topology *topology,
                        struct event *settle);
/* The nodes' connections know nothing of channels any more then. */
void subscriptions_deinit(struct subscriptions *subscriptions);

/* See cluster.h. */
int subscriptions_add(struct subscriptions *subscriptions, struct slice name);
void subscriptions_remove(struct subscriptions *subscriptions, struct slice name);

/* What node_listener has to tell of connections for channels. */
void subscriptions_node_changed(struct subscriptions *subscriptions, struct node *node, bool lost);
bool subscriptions_message(struct subscriptions *subscriptions, struct node *node,
                           struct redisReply *reply);

/* Subscribes where it can; `retry`: those too that have waited for a node. When it is to be called
 * again at the latest: clock_ms. */
uint64_t subscriptions_settle(struct subscriptions *subscriptions, uint64_t now, bool retry);
