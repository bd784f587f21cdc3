/*
 * claims: who waits on an object and who holds what of it, as object.describe with claims tells it
 * in "waits", "holds" and "ahead", and what this machine knows of those processes.
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/context.h"
#include "tools/ipcctl/terminal/table.h"

/* Packs an array of maps, each with the name of its program added. */
void claims_pack(struct context *context, struct buffer *out, const struct ipcc_value *claims);

/* Writes the title of a table: "Waiting (3):", or "Waiting (1500, the first 1000):". */
void claims_title(struct context *context, const char *title, int64_t count, size_t shown);

/* Writes the tables of those that wait and those that hold, with a title each; nothing for none. */
void claims_print(struct context *context, const struct ipcc_value *description);

/* How many calls wait in that method. */
size_t claims_waiting_in(const struct ipcc_value *description, const char *method);

/* The first that holds something of the object; of kind IPCC_NONE if there is none. */
struct ipcc_value claims_holder(const struct ipcc_value *description);
