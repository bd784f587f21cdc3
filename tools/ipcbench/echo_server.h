/*
 * echo_server: the bare libevent server that shows the limit: read events, own framing, one read
 * and one write for each event, and nothing done with the requests.
 */
#pragma once

#include <stdint.h>

/* What a request starts with; the machine's own byte order. */
struct echo_header {
    uint32_t size;  /* of the request, this header included */
    uint32_t reply; /* of the reply to it, whose first four bytes say so again */
};

/* Serves on a new Unix socket until the process is ended. Returns only if it cannot start, with a
 * line on stderr. */
void echo_serve(const char *socket_path);
