/*
 * peer: who is at the other end of a Unix-domain socket, as the kernel says (SO_PEERCRED,
 * SO_PEERGROUPS): what it was when it connected, whatever it has become since.
 */
#pragma once

#include "daemon/account/account.h"

/* Fills in *out; free it with credentials_deinit. 0, or ERR_MEMORY: want of memory, or the socket
 * cannot tell. */
int peer_credentials(int fd, struct credentials *out);
/* The peer's uid alone; (uid_t)-1: the socket cannot tell. */
uid_t peer_uid(int fd);
