/*
 * hosts: several daemons that share the objects of a round in an engine; each process is at one of
 * them.
 */
#pragma once

#include "client/ipcclient.h"

enum { HOSTS_MAX = 8 };

struct hosts {
    unsigned count;
    char *sockets; /* owned, with the NUL of each: the environment's $IPCD_SOCKETS */
    const char *paths[HOSTS_MAX];
    struct ipcc *conns[HOSTS_MAX];
};

/* Connects to each daemon in $IPCD_SOCKETS. 0, or -1 with a sentence on standard error; hosts_end
 * also then. */
int hosts_begin(struct hosts *hosts, const struct ipcc_options *options);

/* The socket of the daemon that a process is at, and a connection to it. */
const char *hosts_socket(const struct hosts *hosts, unsigned process);
struct ipcc *hosts_conn(const struct hosts *hosts, unsigned process);

/* Of a session that the daemon of that connection does not know any more: true if it has ended in
 * the engine too. */
bool hosts_session_has_ended(struct ipcc *conn);

void hosts_end(struct hosts *hosts);
