/*
 * replicas: WAIT: requests whose done is called when replicas have confirmed them.
 *
 * All of a turn of the loop that go to one node share one WAIT, which is sent behind the last of
 * them.
 */
#pragma once

#include "daemon/engine/request_state.h"

/* The request has been written to the node: if it is to be confirmed, the next WAIT is for it too.
 */
void replicas_note(struct node *node, struct request *request);

/* Sends the WAIT for those that have been noted, if there are any. */
void replicas_settle(struct node *node);

/* The node's connection has gone, and all that was under way on it. */
void replicas_node_lost(struct node *node);
