/*
 * socket_pair: two connected stream sockets that the daemon makes for others.
 *
 * Nobody here reads or writes them, waits for them, or knows an event loop: to the objects they are
 * two descriptors to be handed out. What the daemon may want to know of one that it has handed out
 * and no longer holds is whether it is still open, in whatever process: to hold a copy for that
 * would keep the end of the stream from the peer. So each socket is bound to an address of its own
 * in the abstract name space, which nothing else needs; the kernel gives the address back when the
 * last descriptor of the socket has been closed, and until then it cannot be bound again.
 *
 * The address is random. Whoever sees it (/proc/net/unix) and binds it as soon as it is free can
 * make a socket seem open that is not, and nothing more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SOCKET_TOKEN_SIZE = 16 };

/* The addresses of a pair: they differ in the number of the end. */
struct socket_token {
    uint8_t bytes[SOCKET_TOKEN_SIZE];
};

/* Makes a pair, close-on-exec; if not duplex, fds[0] only receives and fds[1] only sends. 0, or
 * ERR_MEMORY with errno: the system has no memory or no descriptors for it. */
int socket_pair_new(bool duplex, int fds[2], struct socket_token *token);

/* 1 if that end (0 or 1) is open anywhere, else 0; ERR_MEMORY with errno: that cannot be told, for
 * want of a descriptor or of memory. */
int socket_pair_is_open(const struct socket_token *token, unsigned end);
