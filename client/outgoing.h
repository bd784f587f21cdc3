/*
 * outgoing: bytes on their way to the daemon, and the descriptors that go with them.
 *
 * A request that could not be encoded whole leaves no trace. Descriptors go with the first byte of
 * their message, so what is sent in one step ends where the next such message begins. What the
 * calls are, and who waits for them, is not known here.
 */
#pragma once

#include "client/descriptors.h"
#include "client/ipcclient/connection.h"
#include "proto/buffer.h"

struct outgoing {
    struct buffer bytes; /* what waits to be sent, from `sent` on */
    size_t sent;
    bool failed; /* the peer takes no more; what it still had to say can be received */
    STAILQ_HEAD(, ipcc_descriptors) passing; /* descriptors of messages in `bytes` */
};

/* A call whose descriptors the kernel did not take. */
struct unpassed {
    uint32_t msgid;
    int error; /* errno's number */
};

void outgoing_init(struct outgoing *out);

/* Empties it and frees all it has; it can be used again. */
void outgoing_clear(struct outgoing *out);

/* Closes all descriptors that are on their way: for a child of fork. */
void outgoing_drop_descriptors(struct outgoing *out);

bool outgoing_pending(const struct outgoing *out);
size_t outgoing_size(const struct outgoing *out); /* of what waits to be sent */

/* Appends a request; `most` is how large it may be. ARGUMENT, TOO_LARGE, NO_MEMORY, SYSTEM. */
int outgoing_request(struct outgoing *out, uint32_t msgid, const struct ipcc_request *request,
                     size_t most);

/* Appends [2, "cancel", [msgid]]. Want of memory is ignored: a cancel is a wish. */
void outgoing_cancel(struct outgoing *out, uint32_t msgid);

/* Sends what waits, as far as the socket takes it. False: it has given up the descriptors of one
 * call, which goes without them, and is to be called again. */
bool outgoing_send(struct outgoing *out, int fd, struct unpassed *unpassed);
