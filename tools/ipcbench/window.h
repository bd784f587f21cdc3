/*
 * window: the load itself: pre-encoded requests on one or many connections, a fixed number of
 * them outstanding on each.
 *
 * A window of n keeps n requests outstanding: as many go out, in one write, as replies came in
 * with the last read. It is not stop and go: what the server answers in pieces is refilled in
 * pieces. One connection is served by blocking reads, several by epoll.
 */
#pragma once

#include "tools/ipcbench/stream.h"

/*
 * Requests encoded beforehand: WINDOW_REQUESTS different ones (message number, key; a single one
 * if they are large), and then the first few again, so that any run of up to `depth` of them lies
 * in one piece. Dict loads go through WINDOW_REQUESTS keys, therefore.
 */
enum { WINDOW_REQUESTS = 1024 };

struct batch {
    struct buffer bytes;
    size_t *offsets;   /* of each request, and of the end */
    unsigned requests; /* different ones */
    unsigned depth;
    enum operation operation;
};

/* Encodes requests like the model, but for their numbers, for windows of at most depth. 0, or -1
 * with a sentence. batch_deinit also after a failure. A batch can be shared by windows and threads.
 */
int batch_init(struct batch *batch, const struct protocol *protocol, const struct request *model,
               unsigned depth);
void batch_deinit(struct batch *batch);

struct window {
    struct stream stream;
    const struct batch *batch; /* borrowed */
    unsigned at;               /* the request to send next */
    uint64_t outstanding;
    uint64_t answered; /* requests, in all runs */
};

/* Opens the connection. 0, or -1 with a sentence; window_deinit also after a failure. */
int window_init(struct window *window, const struct target *target, const struct batch *batch);
void window_deinit(struct window *window);

/*
 * Runs the operation until `items` items have been acknowledged or brought, and no request is
 * outstanding; a PUT_MANY counts for REQUEST_MANY. If samples is not NULL the time of each request
 * is written to it in nanoseconds: for windows of depth 1 only, and there must be room for `items`
 * of them. 0, or -1 with a sentence.
 */
int window_run(struct window *window, uint64_t items, uint64_t *samples);

/* Runs the operations of several connections at once, until `items` items of all together have been
 * acknowledged or brought. 0, or -1 with a sentence. */
int window_run_many(struct window *windows, unsigned count, uint64_t items);
