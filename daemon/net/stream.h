/*
 * stream: one connected socket: bytes and descriptors in, answers out, one system call each.
 *
 * Nothing here blocks: the calls are made with MSG_DONTWAIT.
 */
#pragma once

#include "daemon/call/output.h"
#include "daemon/net/descriptors.h"
#include "daemon/net/input.h"

struct stream {
    int fd;            /* owned */
    struct rest *rest; /* input that is kept, or NULL */
    struct descriptor_list descriptors;
    bool ended; /* the peer's bytes have been read to their end: there will be none */
};

/* Takes over the descriptor. */
void stream_init(struct stream *stream, int fd);
/* Closes the socket, whose peer is that uid, and frees what is kept; there may be no descriptors
 * left. What the peer has not read yet it still can. */
void stream_deinit(struct stream *stream, struct closer *closer, uid_t uid);

/* What stream_receive and stream_send answer besides the good cases. */
enum {
    STREAM_BLOCKED = -1000, /* nothing now: wait for the socket */
    STREAM_BROKEN = -1001,  /* the peer is gone, or the socket has an error */
};

/* One recvmsg(2) into the open window of `input`. The number of bytes, 0 at the end of the peer's
 * stream, STREAM_BLOCKED, STREAM_BROKEN, or ERR_MEMORY for want of memory. Descriptors that come
 * are put into the stream's list; they are `user`'s. */
int stream_receive(struct stream *stream, const struct user *user, struct input *input);

/* Sends as much of the output as the kernel takes, but no more than `most` bytes, and no more than
 * a mebibyte or so, however fast the peer reads: one send(2) or sendmsg(2), more only when there is
 * more than fits into one. 0: everything, or `most`; STREAM_BLOCKED: less, the rest when the socket
 * is writable; STREAM_BROKEN. */
int stream_send(const struct stream *stream, struct output *output, uint64_t most);
