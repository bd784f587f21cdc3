/*
 * server: a daemon of the history's own, which keeps durable objects and can be killed.
 */
#pragma once

#include "client/ipcclient.h"

#include <sys/types.h>

struct server {
    const char *program;
    char directory[64]; /* with the socket, the log and the store; "": there is none */
    char socket[96];
    pid_t pid; /* 0: it does not run */
};

/* Starts it in a new directory, and names its socket in the environment. 0, or -1 with a sentence
 * on standard error; server_end also then. */
int server_begin(struct server *server, const char *program);

/* Kills it at once, and waits until it is gone. */
void server_kill(struct server *server);

/* Starts it again, and waits until it answers on *conn, a new connection. 0, or -1 as above. */
int server_again(struct server *server, const struct ipcc_options *options, struct ipcc **conn);

/* Kills it, and removes the directory. */
void server_end(struct server *server);
