/*
 * pipe_receive: the receiving direction of an end of a pipe.
 *
 * Small messages are received many at a time into a window, and copied out of it one by one. A
 * large message is received into a buffer of its own, which then becomes the reply's: it is never
 * copied. Which of the two is coming is known from the size of the last message (a guess), and
 * surely once the beginning of the message is there; from then on nothing behind it is received
 * with it. What a header promises is reserved, but it is taken from the system only as bytes come.
 *
 * Tests: tests/system/test_client_pipe.c.
 */
#include "client/pipe_end.h"
#include "client/spare.h"
#include "client/clock.h"
#include "client/encoding.h"
#include "client/error.h"
#include "client/reply.h"
#include "client/value.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    WINDOW_BYTES = 64 * 1024,
    LARGE_BYTES = 32 * 1024, /* a message of at least so many gets a buffer of its own */
};

/* Nothing more can be received, for this reason, now and ever after. */
static int finish(struct ipcc_pipe_end *end, int code, const char *why)
{
    end->over = code;
    end->why = why;
    buffer_deinit(&end->in);
    end->taken = 0;
    return error_set(code, "%s", why);
}

/* Looks whether a whole message is at the front: 0, SCAN_MORE, or why there never will be one. */
static int look(struct ipcc_pipe_end *end)
{
    if (!end->scanning) {
        scan_init(&end->scan, MESSAGE_DEPTH, end->max_message);
        end->scanning = true;
    }
    int status = scan_run(&end->scan, end->in.data + end->taken, end->in.len - end->taken);
    if (status == ERR_TOO_LARGE) {
        return finish(end, IPCC_ERR_TOO_LARGE, "what the other end sends is over max_message");
    }
    if (status < 0) {
        return finish(end, IPCC_ERR_PROTOCOL,
                      "what the other end sends is no MessagePack value, or nests too deeply");
    }
    return status;
}

/* How many bytes to receive next, behind the `have` that are there. */
static size_t next_room(const struct ipcc_pipe_end *end, size_t have)
{
    size_t whole = have > 0 ? end->scan.at : end->last;
    bool known = have == 0 || end->scan.depth == 0; /* else more may follow what is promised */
    if (whole >= LARGE_BYTES && whole > have && known) {
        return whole - have;
    }
    size_t promised = whole > have ? whole - have : 0;
    size_t room = have > promised ? have : promised;
    return room > WINDOW_BYTES ? room : WINDOW_BYTES;
}

/* Makes room at the end of `in` and returns how many bytes are to be received, at most; 0: no
 * memory. */
static size_t make_room(struct ipcc_pipe_end *end)
{
    struct buffer *in = &end->in;
    size_t have = in->len - end->taken;
    size_t room = next_room(end, have);
    if (have == 0) {
        in->len = 0;
        end->taken = 0;
    }
    if (end->taken > 0 && (in->cap - in->len < room || room != WINDOW_BYTES)) {
        buffer_consume(in, end->taken);
        end->taken = 0;
    }
    if (in->cap - in->len >= room) {
        return room;
    }
    /* As much as it is, and not twice that: it may be given away. */
    uint8_t *data = realloc(in->data, in->len + room);
    if (data == NULL) {
        return 0;
    }
    in->data = data;
    in->cap = in->len + room;
    return room;
}

static int receive_more(struct ipcc_pipe_end *end, int64_t deadline)
{
    size_t room = make_room(end);
    if (room == 0) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory to receive from a pipe");
    }
    for (;;) {
        ssize_t received =
            recv(end->fd, end->in.data + end->in.len, room, deadline == NEVER ? 0 : MSG_DONTWAIT);
        if (received > 0) {
            end->in.len += (size_t)received;
            return 0;
        }
        if (received == 0 || errno == ECONNRESET) {
            return finish(end, IPCC_ERR_END,
                          end->in.len > end->taken
                              ? "the other end of the pipe was closed in the middle of a message"
                              : "the other end of the pipe is closed");
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            int status = pipe_await(end, POLLIN, deadline);
            if (status < 0) {
                return status;
            }
        } else if (errno != EINTR) {
            return error_set(IPCC_ERR_SYSTEM, "receiving from a pipe: %s", strerror(errno));
        }
    }
}

/* Within a turn: sees to it that a whole message is at the front. TIMEOUT, END, PROTOCOL,
 * TOO_LARGE, SYSTEM, NO_MEMORY. */
static int await_message(struct ipcc_pipe_end *end, int64_t deadline)
{
    if (end->over != 0) {
        return error_set(end->over, "%s", end->why);
    }
    for (;;) {
        int status = end->in.len > end->taken ? look(end) : SCAN_MORE;
        if (status != SCAN_MORE) {
            return status;
        }
        status = receive_more(end, deadline);
        if (status < 0) {
            return status;
        }
    }
}

/* The buffer, which holds one large message and nothing else, becomes the reply's. */
static void give_buffer(struct ipcc_pipe_end *end, struct slice raw, struct ipcc_reply *reply)
{
    uint8_t *owned = end->in.data;
    if (end->in.cap - raw.len > raw.len / 4) {
        uint8_t *fitted = realloc(owned, raw.len);
        owned = fitted != NULL ? fitted : owned;
    }
    *reply =
        (struct ipcc_reply){.value = value_decode((struct slice){owned, raw.len}), .owned = owned};
    end->in = (struct buffer){0};
}

/* Within a turn: moves the message at the front into the reply. */
static int take(struct ipcc_pipe_end *end, struct ipcc_reply *reply)
{
    struct slice raw = {end->in.data + end->taken, end->scan.at};
    bool large = raw.len >= LARGE_BYTES;
    if (large && end->taken == 0 && end->in.len == raw.len) {
        give_buffer(end, raw, reply);
    } else if (reply_set(reply, raw) < 0) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for a value of %zu bytes", raw.len);
    } else {
        end->taken += raw.len;
    }
    end->last = large ? raw.len : 0;
    end->scanning = false;
    if (end->taken == end->in.len && end->in.cap > KEEP_CAPACITY) {
        buffer_deinit(&end->in);
        end->taken = 0;
    }
    return 0;
}

static bool is_bin(const struct ipcc_pipe_end *end)
{
    uint8_t first = end->in.data[end->taken];
    return first >= 0xc4 && first <= 0xc6;
}

/* Begins a turn in which something is received. */
static int enter(struct ipcc_pipe_end *end, int64_t timeout_ms, struct pipe_turn *turn)
{
    int64_t deadline = 0;
    if (end == NULL || end->direction == IPCC_SEND_ONLY) {
        return error_set(IPCC_ERR_ARGUMENT, end == NULL ? "receiving needs the end of a pipe"
                                                        : "this end of the pipe only sends; the "
                                                          "other end receives");
    }
    int status = pipe_deadline(timeout_ms, &deadline);
    return status < 0 ? status : pipe_enter(&end->receiving, deadline, turn);
}

static int receive(struct ipcc_pipe_end *end, int64_t timeout_ms, struct ipcc_reply *reply,
                   bool bytes)
{
    struct pipe_turn turn = {0};
    reply_clear(reply);
    if (reply == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "receiving needs a place for the value");
    }
    int status = enter(end, timeout_ms, &turn);
    if (status < 0) {
        return status;
    }
    status = await_message(end, turn.deadline);
    if (status == 0 && bytes && !is_bin(end)) {
        status = error_set(IPCC_ERR_TYPE, "the next value of the pipe is no bytes (bin)");
    }
    if (status == 0) {
        status = take(end, reply);
    }
    pipe_leave(&turn);
    return status;
}

int ipcc_pipe_receive(struct ipcc_pipe_end *end, int64_t timeout_ms, struct ipcc_reply *reply)
{
    return receive(end, timeout_ms, reply, false);
}

int ipcc_pipe_receive_bytes(struct ipcc_pipe_end *end, int64_t timeout_ms, struct ipcc_reply *reply)
{
    return receive(end, timeout_ms, reply, true);
}

int ipcc_pipe_poll(struct ipcc_pipe_end *end, int64_t timeout_ms, bool *ready)
{
    struct pipe_turn turn;
    if (ready == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_pipe_poll needs a place for its answer");
    }
    int status = enter(end, timeout_ms, &turn);
    if (status == 0) {
        status = await_message(end, turn.deadline);
        if (status < 0 && end->over != 0) {
            status = 0; /* that can be received */
        }
        pipe_leave(&turn);
    }
    if (status < 0 && status != IPCC_ERR_TIMEOUT) {
        return status;
    }
    *ready = status == 0;
    return 0;
}
