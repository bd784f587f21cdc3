/* stream: see stream.h. */
#include "tools/ipcbench/stream.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    INPUT_FIRST = 256 * 1024,
    LOOK_MICROSECONDS = 200000, /* how long a call blocks before it looks for an interrupt */
    LOOKS_MAX = 50,             /* ten seconds of silence */
    CALLS_BETWEEN_LOOKS = 4096,
    FILL_REQUESTS = 512,
    FILL_BYTES = 64 * 1024, /* of requests in one go: less than a socket buffer */
};

static const char *name_of(const struct stream *stream)
{
    return stream->target->plan.name;
}

int stream_init(struct stream *stream, const struct target *target, int fd)
{
    struct timeval limit = {.tv_usec = LOOK_MICROSECONDS};
    *stream = (struct stream){.target = target, .fd = fd, .capacity = INPUT_FIRST};
    stream->input = malloc(stream->capacity);
    if (stream->input == NULL) {
        return fail("out of memory");
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0) {
        return fail("a time limit cannot be set on the connection to %s: %s", name_of(stream),
                    strerror(errno));
    }
    return 0;
}

int stream_open(struct stream *stream, const struct target *target)
{
    *stream = (struct stream){.target = target, .fd = -1};
    int fd = server_connect(target->server.socket);
    if (fd < 0) {
        return fail("no connection to %s at %s: %s", name_of(stream), target->server.socket,
                    strerror(errno));
    }
    int status = stream_init(stream, target, fd);
    stream->owned = true;
    return status;
}

void stream_deinit(struct stream *stream)
{
    if (stream->owned) {
        (void)close(stream->fd);
    }
    free(stream->input);
    *stream = (struct stream){.fd = -1};
}

/* After a read or write that brought nothing: 0 to try again, or -1 with a sentence. */
static int consider_again(const struct stream *stream, unsigned *looks)
{
    if (interrupted()) {
        return fail("interrupted");
    }
    if (errno == EINTR) {
        return 0;
    }
    if (errno != EAGAIN) {
        return fail("the connection to %s is lost: %s", name_of(stream), strerror(errno));
    }
    if (++*looks > LOOKS_MAX) {
        return fail("%s has not answered for ten seconds", name_of(stream));
    }
    return 0;
}

/* A load that never blocks must notice an interrupt too. */
static int look_for_interrupt(struct stream *stream)
{
    if (++stream->calls % CALLS_BETWEEN_LOOKS == 0 && interrupted()) {
        return fail("interrupted");
    }
    return 0;
}

int stream_send(struct stream *stream, struct slice bytes)
{
    unsigned looks = 0;
    int status = look_for_interrupt(stream);
    while (status == 0 && bytes.len > 0) {
        ssize_t sent = send(stream->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0) {
            status = consider_again(stream, &looks);
            continue;
        }
        bytes.data += sent;
        bytes.len -= (size_t)sent;
    }
    return status;
}

static int make_room(struct stream *stream)
{
    if (stream->have < stream->capacity) {
        return 0;
    }
    uint8_t *input = realloc(stream->input, stream->capacity * 2);
    if (input == NULL) {
        return fail("out of memory");
    }
    stream->input = input;
    stream->capacity *= 2;
    return 0;
}

int stream_read(struct stream *stream)
{
    unsigned looks = 0;
    int status = make_room(stream);
    while (status == 0) {
        ssize_t got =
            recv(stream->fd, stream->input + stream->have, stream->capacity - stream->have, 0);
        if (got > 0) {
            stream->have += (size_t)got;
            return 0;
        }
        if (got == 0) {
            return fail("%s has closed the connection", name_of(stream));
        }
        status = consider_again(stream, &looks);
    }
    return status;
}

int stream_count(struct stream *stream, enum operation operation, struct tally *out)
{
    if (stream->target->protocol->count(operation, stream->input + stream->used,
                                        stream->have - stream->used, out) < 0) {
        return fail("what %s sent is not its protocol", name_of(stream));
    }
    if (out->error[0] != '\0') {
        return fail("%s answered with an error: %s", name_of(stream), out->error);
    }
    stream->used += out->used;
    return 0;
}

void stream_forget(struct stream *stream)
{
    stream->have -= stream->used;
    if (stream->have > 0 && stream->used > 0) {
        memmove(stream->input, stream->input + stream->used, stream->have);
    }
    stream->used = 0;
}

int stream_receive(struct stream *stream, enum operation operation, struct tally *out)
{
    *out = (struct tally){0};
    if (stream_read(stream) < 0 || stream_count(stream, operation, out) < 0) {
        return -1;
    }
    stream_forget(stream);
    return 0;
}

/* Waits for the replies to `count` requests that have been sent. */
static int receive_all(struct stream *stream, enum operation operation, uint64_t count)
{
    int status = 0;
    while (status == 0 && count > 0) {
        struct tally tally;
        status = stream_receive(stream, operation, &tally);
        if (status == 0 && tally.count > count) {
            status = fail("%s answered more than it was asked", name_of(stream));
        }
        count -= status == 0 ? tally.count : 0;
    }
    return status;
}

int stream_call(struct stream *stream, const struct request *request)
{
    return stream_fill(stream, request, 1);
}

/* Encodes as many requests as one go of stream_fill takes, at least one; returns how many. */
static uint64_t encode_some(const struct stream *stream, struct request *next, uint64_t count,
                            struct buffer *out)
{
    uint64_t done = 0;
    out->len = 0;
    while (done < count && done < FILL_REQUESTS && out->len < FILL_BYTES) {
        stream->target->protocol->encode(out, next);
        next->index++;
        done++;
    }
    return done;
}

int stream_fill(struct stream *stream, const struct request *request, uint64_t count)
{
    struct request next = *request;
    struct buffer bytes = {0};
    int status = 0;
    while (status == 0 && count > 0) {
        uint64_t some = encode_some(stream, &next, count, &bytes);
        status = bytes.failed ? fail("out of memory") : stream_send(stream, buffer_slice(&bytes));
        if (status == 0) {
            status = receive_all(stream, request->operation, some);
        }
        count -= some;
    }
    buffer_deinit(&bytes);
    return status;
}
