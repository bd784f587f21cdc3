/*
 * ranges: the reply of CLUSTER SLOTS, read.
 *
 * Each range of slots has nodes, the first of which is the primary. A host that is empty is the one
 * that was asked.
 */
#pragma once

#include <hiredis/hiredis.h>

#include "proto/slice.h"

struct ranges_node {
    struct slice host; /* within the reply; empty: the host that was asked */
    uint16_t port;
};

struct range {
    uint16_t first;
    uint16_t last;
    const struct redisReply *entry; /* for range_node */
    size_t nodes;                   /* at least 1 */
};

/* The index-th range of the reply. False: it has none, or it cannot be read. */
bool ranges_at(const struct redisReply *reply, size_t index, struct range *out);

/* A node of it, index < range->nodes; 0: the primary. False: it cannot be read, or has no port. */
bool range_node(const struct range *range, size_t index, struct ranges_node *out);
