/*
 * ipcclient/pipe: pipes: two connected ends for two processes, over which values run without the
 * daemon (Python's Pipe and Connection). Part of ipcclient.h; opening and closing is described in
 * ipcclient/object.h.
 *
 *     ipcc_pipe_open(conn, "p", NULL, &pipe);
 *     ipcc_pipe_connect(pipe, IPCC_ANY_END, NULL, &end);
 *     ipcc_pipe_send(end, ipcc_str("hello"), IPCC_FOREVER);       here
 *     ipcc_pipe_receive(end, IPCC_FOREVER, &reply);               and in the other process
 */
#ifndef IPCCLIENT_PIPE_H
#define IPCCLIENT_PIPE_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_pipe;     /* a handle: a name, on a connection */
struct ipcc_pipe_end; /* a socket, and what has been read from it ahead */

#define IPCC_ANY_END (-1) /* the first end that is free */

struct ipcc_pipe_options {
    struct ipcc_open_options open;
    bool one_way; /* not duplex: end 0 only receives, end 1 only sends */
    uint64_t reserved[2];
};

int ipcc_pipe_open(struct ipcc *conn, const char *name, const struct ipcc_pipe_options *options,
                   struct ipcc_pipe **pipe);
int ipcc_pipe_close(struct ipcc_pipe *pipe);
const char *ipcc_pipe_name(const struct ipcc_pipe *pipe);

enum ipcc_direction { IPCC_BOTH_WAYS = 0, IPCC_RECEIVE_ONLY, IPCC_SEND_ONLY };

/* NULL gives the defaults, as zero does. `reserved` as in ipcc_options. */
struct ipcc_pipe_end_options {
    /* The largest value to send or to receive, in bytes of its encoding. 0: 16 MiB. Memory is only
     * taken for bytes that came. */
    size_t max_message;
    /* For ipcc_pipe_end_open. ipcc_pipe_connect knows it, and wants 0. */
    enum ipcc_direction direction;
    uint64_t reserved[2];
};

/* Takes an end of the pipe: 0, 1 or IPCC_ANY_END. Each is handed out once; when both have been
 * closed, in whatever process, the pipe starts anew. `end` is required and ends with
 * ipcc_pipe_end_close; it needs neither the handle nor the connection any more. IPCC_ERR_EXISTS:
 * it is taken, or both are. */
int ipcc_pipe_connect(struct ipcc_pipe *pipe, int number,
                      const struct ipcc_pipe_end_options *options, struct ipcc_pipe_end **end);

/*
 * ---- An end. None of these functions talks to the daemon.
 *
 * Threads. An end may be used by many threads at once: messages are sent whole, one after the
 * other, and each is received by one thread. One that sends does not hold up one that receives.
 *
 * Fork. An end may be used in a child of fork(2), as it is or after the parent has opened it for
 * the child. Both processes then have the same end: they should agree on who goes on using it, and
 * the other should close it, or nobody is told when the user is gone. What had been received ahead
 * and not taken at the fork, both have. No other thread may be in a call on it during the fork.
 * After execve(2) it is closed, unless FD_CLOEXEC is cleared on ipcc_pipe_end_fd; the new program
 * uses ipcc_pipe_end_open.
 *
 * `timeout_ms`: milliseconds, 0 to not wait at all, IPCC_FOREVER. A wait never ends early, nor by a
 * signal. IPCC_ERR_TIMEOUT.
 */

/* Makes an end of a connected stream socket that the process has: inherited, or received as a
 * value. On success the descriptor belongs to the end. `end` is required. IPCC_ERR_ARGUMENT: it is
 * no such socket. */
int ipcc_pipe_end_open(int fd, const struct ipcc_pipe_end_options *options,
                       struct ipcc_pipe_end **end);

/* Closes it. The other side receives what was sent, and then the end. NULL is allowed. */
int ipcc_pipe_end_close(struct ipcc_pipe_end *end);

/* The socket, for poll(2) and the like; it stays the end's. It says nothing of messages that were
 * received ahead: before waiting for it, ask ipcc_pipe_poll with timeout 0, until that is false.
 * -1 for NULL. */
int ipcc_pipe_end_fd(const struct ipcc_pipe_end *end);

/* Sends one value. Waits while the socket is full; the time is for the beginning: a message of
 * which the first byte has been sent is sent to its end. Values cannot carry descriptors here
 * (IPCC_ERR_ARGUMENT). IPCC_ERR_END: the other end is closed. IPCC_ERR_TOO_LARGE: over max_message.
 * IPCC_ERR_ARGUMENT: this end only receives. In all of these cases nothing was sent. */
int ipcc_pipe_send(struct ipcc_pipe_end *end, struct ipcc_value value, int64_t timeout_ms);

/* Sends bytes, as ipcc_pipe_send does a value of kind IPCC_BIN. */
int ipcc_pipe_send_bytes(struct ipcc_pipe_end *end, const void *bytes, size_t length,
                         int64_t timeout_ms);

/* Receives the next value. `reply` is required. IPCC_ERR_END: the other end is closed, and all that
 * was sent has been received; what was left of a message when its sender was killed is dropped.
 * IPCC_ERR_PROTOCOL, IPCC_ERR_TOO_LARGE: what comes is no MessagePack, nests more than 32
 * containers or is over max_message; nothing more can be received then. IPCC_ERR_ARGUMENT: this end
 * only sends. */
int ipcc_pipe_receive(struct ipcc_pipe_end *end, int64_t timeout_ms, struct ipcc_reply *reply);

/* Receives the next value, as ipcc_pipe_receive does, if it is of kind IPCC_BIN. IPCC_ERR_TYPE: it
 * is not, and stays the next. */
int ipcc_pipe_receive_bytes(struct ipcc_pipe_end *end, int64_t timeout_ms,
                            struct ipcc_reply *reply);

/* Waits until something can be received: *ready is true if a receive would not wait, since a whole
 * value is there, or the end of all. `ready` is required. */
int ipcc_pipe_poll(struct ipcc_pipe_end *end, int64_t timeout_ms, bool *ready);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_PIPE_H */
