/*
 * claims: which sessions wait on an object and which hold tickets of it.
 *
 * They are collected as MessagePack maps, so that --json prints what the tables are made from. The
 * sessions are asked one after the other: one that ends meanwhile is left out.
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/context.h"
#include "tools/ipcctl/table.h"

struct claims {
    /* Arrays of maps. A wait: session, pid, program, client, method, object, msgid, since_ms,
     * timeout_ms. A hold: session, pid, program, client, object, type, tickets. */
    struct buffer waits;
    struct buffer holds;
    size_t wait_count;
    size_t hold_count;
};

/* Collects the claims of all sessions on the object of that name, or reports a failure. To be ended
 * by claims_deinit either way. */
enum status claims_collect(struct context *context, const char *object, struct claims *claims);
void claims_deinit(struct claims *claims);

/* Writes the tables of those that wait and those that hold, with a title each; nothing for none. */
void claims_print(struct context *context, const struct claims *claims);

/* How many of them wait in that method. */
size_t claims_waiting_in(const struct claims *claims, const char *method);
