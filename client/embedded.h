/*
 * embedded: a daemon of the program's own, started when there is none (ipcc_options.embedded).
 *
 * The daemon is started at most once in a process and is then the one of all its threads, its
 * children by fork (which have the copy of what is kept here) and all that have its environment.
 * The process keeps one descriptor for it, its end of the lifeline: nothing is ever sent on it,
 * nobody closes it, and the children by fork have it too. By its end the daemon knows that they are
 * gone (daemon/embedded.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/address.h"

/* True if a daemon may be started for a connection that was opened with `path` and the option: when
 * nobody has named a socket, but this process itself by having started a daemon before. */
bool embedded_allowed(const char *path, bool option);

/* Fills in the address of the daemon of this process, which is started if there is none, or if it
 * is dead; $IPCD_SOCKET names it from then on. Waits until it is ready, at most so many
 * milliseconds (IPCC_FOREVER). CONNECT, SYSTEM, NO_MEMORY. No lock of a connection may be held. */
int embedded_start(struct address *address, int64_t timeout_ms);
