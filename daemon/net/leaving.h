/*
 * leaving: how a connection begins to end: all that its peer has sent is run first, in as many
 * turns as that takes (step 1 in connection.h).
 */
#pragma once

#include "daemon/net/connection.h"

/* Begins to end it: from step 1, unless it leaves already. */
void connection_leave(struct connection *connection, enum connection_leaving why);
/* It is its turn again: for net's work. */
void connection_go_on(struct connection *connection);
