/*
 * cluster_double: a double of daemon/engine/cluster.h: requests stay where they are until the test
 * says what becomes of them.
 */
#pragma once

#include "daemon/engine/cluster.h"

enum { FAKE_REQUESTS_MAX = 16, FAKE_STRINGS_MAX = 4096 };

struct fake_request {
    struct request *request;
    size_t argc;
    char *argv[FAKE_STRINGS_MAX]; /* owned, NUL-terminated */
    uint64_t deadline_ms;
};

struct cluster {
    struct fake_request requests[FAKE_REQUESTS_MAX]; /* that have not ended, oldest first */
    size_t count;
    size_t sent; /* how many there have been */
};

/* The oldest one ends: with a reply of the function, a status and the replies of runs of one call,
 * or of one run of several (lists that end with NULL); with an error; or without a reply. */
void fake_reply(struct cluster *cluster, const char *const *strings);
void fake_run(struct cluster *cluster, const char *const *strings);
void fake_error(struct cluster *cluster, const char *text);
void fake_fate(struct cluster *cluster, enum request_fate fate, const char *why);
