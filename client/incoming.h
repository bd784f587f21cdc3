/*
 * incoming: bytes that came from the daemon, cut into messages, and the descriptors among them.
 *
 * Only the reader touches it, with or without the connection's lock.
 *
 * Which message descriptors belong to: the kernel hands them over together with the bytes of the
 * sendmsg(2) that they came in. A receive can put bytes sent earlier in front of those, but never
 * goes on behind them: so there is one set for each receive at most, and its message begins
 * somewhere in what that receive brought. It belongs to the first message that begins there and
 * names a descriptor; those in front of it name none. If that message is not whole yet, it is the
 * one that is left at the front of the input, and the set waits for it (`front`). So there are
 * never more than two sets: that one, and the one of the latest receive (`came`).
 */
#pragma once

#include "client/descriptors.h"
#include "client/ipcclient/value.h"
#include "proto/message.h"

#include <stdatomic.h>

struct incoming {
    struct buffer bytes;
    size_t max_message;             /* a larger message is refused */
    struct ipcc_descriptors *front; /* of the message at the front of `bytes`, or NULL */
    /* Of the latest receive, or NULL. It is set without the lock: a child of fork sees a whole one
     * or none. */
    _Atomic(struct ipcc_descriptors *) came;
    struct scan scan; /* of the message at the front of `bytes`, if `scanning` */
    bool scanning;
};

void incoming_init(struct incoming *in, size_t max_message);

/* Empties it and frees all it has; it can be used again. */
void incoming_clear(struct incoming *in);

/* Closes all descriptors that came: for a child of fork. */
void incoming_drop_descriptors(struct incoming *in);

/* Receives once, with recvmsg's `flags`. 1: bytes came. 0: there are none now. Negative: the
 * connection has ended, or can no longer be received from; `text` says why. */
int incoming_receive(struct incoming *in, int fd, int flags, char *text);

/* Decodes the message at `at`, of which there is a byte at least. MESSAGE_MORE: it is not whole.
 * Else as message_decode. */
int incoming_next(struct incoming *in, size_t at, struct message *out);

/* The descriptors of the message that begins at `at` and names some; NULL if none came. The caller
 * frees them. */
struct ipcc_descriptors *incoming_descriptors(struct incoming *in, size_t at);

enum { INCOMING_LARGE = 32 * 1024 }; /* bytes of a result that is given away with its buffer */

/* A large result that is all there is in the buffer is not copied: the reply takes the buffer, and
 * a new one begins. False: it is not, and nothing has happened. */
bool incoming_give(struct incoming *in, struct ipcc_reply *reply, struct slice value);

/* Takes the memory of a large reply that came from here, unless there is some already. */
void incoming_take_back(struct incoming *in, struct ipcc_reply *reply);

/* All whole messages are dealt with, and `at` bytes are done. Closes the descriptors that belong to
 * no message that can still come. */
void incoming_done(struct incoming *in, size_t at);
