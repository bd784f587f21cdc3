/*
 * requests: sending them, when and where they can be.
 */
#pragma once

#include "daemon/engine/request_state.h"

/* 0, or ERR_MEMORY, to be deinited all the same. */
int requests_init(struct requests *requests, struct topology *topology, struct slice library,
                  struct event *settle);

/* Forgets all that are left. */
void requests_deinit(struct requests *requests);

/* See cluster.h. `node`: where it must go; NULL: the primary of the slot. */
void requests_send(struct requests *requests, struct request *request, uint16_t slot,
                   struct node *node, size_t argc, const struct slice *argv, uint64_t deadline_ms);

/* See cluster_gather, cluster_flush. */
void requests_gather(struct requests *requests);
void requests_flush(struct requests *requests);

/* A node's connection for commands has been lost, or could not be had. */
void requests_node_lost(struct requests *requests, struct node *node);

/* Tells those that have ended, sends those that can be; `retry`: what has waited for a node is to
 * be looked at too. When it is to be called again at the latest: clock_ms. */
uint64_t requests_settle(struct requests *requests, uint64_t now, bool retry);
