/*
 * taken: the items of a queue that are taken and not done, as queue.taken tells of them, and what
 * this machine knows of those who have them.
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/context.h"
#include "tools/ipcctl/terminal/table.h"

/* Asks for up to `count` of them from position `start` on. 0, or an IPCC_ERR_ code; the reply is to
 * be freed on success. */
int taken_ask(struct context *context, const char *queue, int64_t start, int64_t count,
              struct ipcc_reply *reply);

/* A table of them, to which the items of an answer can be added, a row each; its values are cut.
 * Returns how many rows were added. */
void taken_init(struct table *table);
size_t taken_add(struct context *context, struct table *table, const struct ipcc_value *items);

/* Under a title, the first few of the queue that is described; nothing if there are none, or if
 * they may not be looked at. */
void taken_describe(struct context *context, const struct ipcc_value *description);
