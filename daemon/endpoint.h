/*
 * endpoint: where the daemon listens, worked out from the command line, the environment and the
 * configuration, the first that says something (protocol, "The socket").
 */
#pragma once

#include "daemon/config.h"
#include "daemon/options.h"

struct endpoint {
    char *path; /* owned */
    mode_t mode;
    gid_t group;   /* (gid_t)-1: as it comes */
    mode_t parent; /* with which a missing directory is made; 0: it must be there */
};

/* 0 with *out set, or ERR_BAD_REQUEST, ERR_INTERNAL with *fault set; then nothing is owned. Looks a
 * group's name up, which may block. */
int endpoint_find(const struct config *config, const struct options *options, struct endpoint *out,
                  struct fault *fault);
void endpoint_deinit(struct endpoint *endpoint);
