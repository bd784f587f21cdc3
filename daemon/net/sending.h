/*
 * sending: what a connection is sent, and what follows from what its peer takes or leaves.
 */
#pragma once

#include "daemon/net/connection.h"

/* Sends what the session has to say and does whatever follows from that; may free the connection.
 * Only for net_settle. */
void connection_settle(struct connection *connection);
