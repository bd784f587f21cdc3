/*
 * descriptor: what an open file descriptor is, told from the descriptor alone.
 */
#pragma once

#include "proto/buffer.h"

/*
 * Appends the JSON form of an open descriptor, {"$fd": {...}}, with these members as far as they
 * are known:
 *
 *     type    "file", "directory", "memfd", "pipe", "socket", "terminal", "device", or what the
 *             kernel calls it: "eventfd", "timerfd", ...
 *     path    of a file, directory, named pipe, terminal or device, as it is now
 *     name    of a memfd
 *     deleted true if the path leads to it no more
 *     size    in bytes, of a file or a memfd
 *     domain, kind   of a socket: "unix", "ipv4", "ipv6" and "stream", "datagram", "seqpacket"
 *     access  "read", "write" or "read and write"; not of a socket
 */
void descriptor_write(int fd, struct buffer *out);
