/*
 * stream: one connection of the load generator: bytes out, bytes in, replies counted.
 *
 * The socket blocks, with a time limit, so that a server that falls silent gives a sentence and
 * not a hang. A stream is used by one thread.
 */
#pragma once

#include "tools/ipcbench/target.h"

struct stream {
    const struct target *target; /* borrowed */
    int fd;
    bool owned;     /* fd was opened by stream_open and is closed by stream_deinit */
    uint8_t *input; /* received and not yet counted */
    size_t have;
    size_t used; /* of them counted, and not yet forgotten */
    size_t capacity;
    unsigned calls; /* system calls so far, to ask now and then for an interrupt */
};

/* A stream over a socket that somebody else closes. 0, or -1 with a sentence. */
int stream_init(struct stream *stream, const struct target *target, int fd);

/* A stream over a new connection. 0, or -1 with a sentence; a failed stream may be deinited. */
int stream_open(struct stream *stream, const struct target *target);

void stream_deinit(struct stream *stream);

/* Writes all bytes. 0, or -1 with a sentence. */
int stream_send(struct stream *stream, struct slice bytes);

/*
 * Reads once, as much as there is, and counts the whole replies to the operation that have come
 * (perhaps none). 0, or -1 with a sentence: connection lost, no answer for ten seconds,
 * interrupted, an error reply, not the protocol.
 */
int stream_receive(struct stream *stream, enum operation operation, struct tally *out);

/* The same in parts. Reads once; */
int stream_read(struct stream *stream);
/* counts whole replies that have been read, as many as out->most says; */
int stream_count(struct stream *stream, enum operation operation, struct tally *out);
/* and makes room for more, when there is none left. */
void stream_forget(struct stream *stream);

/* One request and its reply. 0, or -1 with a sentence. */
int stream_call(struct stream *stream, const struct request *request);

/* `count` requests from index `first` on, each with its own number, written by the hundreds:
 * for filling a queue or a dict, not for measuring. 0, or -1 with a sentence. */
int stream_fill(struct stream *stream, const struct request *request, uint64_t count);
