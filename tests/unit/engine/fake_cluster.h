/*
 * fake_cluster: three servers that the test plays, and a caller.
 */
#pragma once

#include "tests/unit/engine/caller.h"
#include "tests/unit/engine/fake_redis.h"

enum {
    NODES = 3,
};

struct fake_cluster {
    struct caller caller;
    struct fake_redis nodes[NODES];
    const char
        *answers[NODES][8]; /* to GET, FCALL and SSUBSCRIBE, one after the other; NULL: ordinary */
    size_t next[NODES];
    const char *load_answer; /* to FUNCTION LOAD */
    const char *role_answer[NODES];
    unsigned loads;
    unsigned waits;
    unsigned asking[NODES];
    char *slots; /* one reply for all nodes */
    char wait[64];
};

/* For cmocka: *state is a struct fake_cluster, all slots are at the first node. Nothing is open
 * yet. */
int fake_cluster_setup(void **state);
int fake_cluster_teardown(void **state);

/* Opens a cluster with the first two nodes in the URL, and waits until it is reachable. */
void fake_cluster_open(struct fake_cluster *stage);

/* All slots are at `count` nodes from `first` on; so all nodes say. */
void fake_cluster_set_map(struct fake_cluster *stage, size_t count, size_t first);

struct cluster_figures fake_cluster_figures(struct fake_cluster *stage);

/* A reply that names the port of a node, in memory that lasts until the next but three of them. */
const char *fake_cluster_naming(const struct fake_cluster *stage, const char *form, size_t node);

void assert_says(const char *text, const char *part);
