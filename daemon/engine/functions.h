/*
 * functions: the library of functions, and how a node comes by it.
 *
 * It is loaded into a node that has answered that it does not know a function: once for all
 * requests that wait there, which meanwhile are not sent (node->loading).
 */
#pragma once

#include "daemon/engine/node.h"

struct functions {
    struct buffer load; /* the command; owned. Empty: there is no library */
    /* The node has it, if `why` is NULL. Else why not, and whether it is of no use to try again. */
    void (*loaded)(void *data, struct node *node, const char *why, bool final);
    void *data;
    uint64_t loads;
};

/* The source, copied; of length 0: none. 0, or ERR_MEMORY. */
int functions_init(struct functions *functions, struct slice library);
void functions_deinit(struct functions *functions);

/* Whether there is a library to be loaded. */
bool functions_has_library(const struct functions *functions);

/* Loads it into a node whose connection for commands is ready; nothing, if that is under way. 0, or
 * ERR_MEMORY. If the connection is lost meanwhile, nobody is told. */
int functions_load(struct functions *functions, struct node *node);
