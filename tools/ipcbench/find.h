/* find: where the programs and sockets are that the command line does not name. */
#pragma once

#include "tools/ipcbench/options.h"

#include <stddef.h>

/* The daemon built next to this program, else the one that PATH leads to. */
void find_daemon(const struct options *options, char *path, size_t size);

/* tools/redis-cluster of the sources that this program was built in, else by PATH. */
void find_cluster(const struct options *options, char *path, size_t size);

/* The socket of a running daemon. */
void find_socket(const struct options *options, char *path, size_t size);
