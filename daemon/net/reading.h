/*
 * reading: what a connection does with its input: messages are run as they become whole.
 */
#pragma once

#include "daemon/net/connection.h"

/* Reads once and runs what is complete, as far as its turn goes. True if there may be more to read.
 */
bool connection_read(struct connection *connection);
/* Runs the input that was kept while the connection was stopped, as far as its turn goes. */
void connection_resume(struct connection *connection);
/* Ends the connections whose messages have not gone on for too long; see incomplete.h. */
void connection_give_up(struct net *net);
/* Step 1, as far as its turn goes: true if all that the peer has sent so far has been run. A peer
 * that leaves its answers unread, but is there, is not served further. */
bool connection_finish_input(struct connection *connection);
