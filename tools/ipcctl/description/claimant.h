/*
 * claimant: whose a claim is, as maps with "session" and "pid" tell it: sessions, holders of locks,
 * calls that wait, items that are taken.
 *
 * A session is a number, or, of a daemon that shares an engine with other hosts, "HOST:NUMBER". Its
 * process is known to this machine only if it is a session of the daemon that was asked.
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/context.h"
#include "tools/ipcctl/terminal/table.h"

/* Appends the session of a map, "17" or "web1:17"; "-" if there is none. */
void claimant_put_session(struct buffer *out, const struct ipcc_value *map);
/* The same as a cell. */
void claimant_session(struct table *table, const struct ipcc_value *map);

/* Appends the name of the program of a map's process; "-" if it is not known. */
void claimant_put_program(struct context *context, struct buffer *out,
                          const struct ipcc_value *map);
/* The same as a cell. */
void claimant_program(struct context *context, struct table *table, const struct ipcc_value *map);

/* Appends whose a claim is, as far as it is told: "session 17, pid 4711 (worker)", "session
 * web1:17, pid 4711". */
void claimant_put(struct context *context, struct buffer *out, const struct ipcc_value *claim);

/* True if both maps are about the same session, whether it is told by number or by name. */
bool claimant_same(struct context *context, const struct ipcc_value *a, const struct ipcc_value *b);

/* True if it is ipcctl's own session. */
bool claimant_own(struct context *context, const struct ipcc_value *map);
