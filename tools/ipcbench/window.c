/* window: see window.h. */
#include "tools/ipcbench/window.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    LARGE_PAYLOAD = 4096,
    EVENTS_MAX = 64,
    WAIT_MILLISECONDS = 200,
    WAITS_MAX = 50, /* ten seconds */
};

int batch_init(struct batch *batch, const struct protocol *protocol, const struct request *model,
               unsigned depth)
{
    unsigned requests = model->payload > LARGE_PAYLOAD ? 1 : WINDOW_REQUESTS;
    unsigned total = requests + depth;
    *batch = (struct batch){.operation = model->operation, .requests = requests, .depth = depth};
    batch->offsets = calloc((size_t)total + 1, sizeof(batch->offsets[0]));
    if (batch->offsets == NULL) {
        return fail("out of memory");
    }
    for (unsigned i = 0; i < total; i++) {
        struct request request = *model;
        request.index = i % (requests > 1 ? requests : total);
        batch->offsets[i] = batch->bytes.len;
        protocol->encode(&batch->bytes, &request);
    }
    batch->offsets[total] = batch->bytes.len;
    return batch->bytes.failed ? fail("out of memory") : 0;
}

void batch_deinit(struct batch *batch)
{
    buffer_deinit(&batch->bytes);
    free(batch->offsets);
    *batch = (struct batch){0};
}

int window_init(struct window *window, const struct target *target, const struct batch *batch)
{
    *window = (struct window){.batch = batch};
    return stream_open(&window->stream, target);
}

void window_deinit(struct window *window)
{
    stream_deinit(&window->stream);
}

/* What is still to be done, by all windows of a run together. */
struct remainder {
    uint64_t requests; /* to send */
    uint64_t items;    /* to come */
};

static struct remainder remainder_of(enum operation operation, uint64_t items)
{
    struct remainder left = {items, items};
    if (operation == OPERATION_PUT_MANY) {
        left.requests = (items + REQUEST_MANY - 1) / REQUEST_MANY;
    } else if (operation == OPERATION_GET_MANY) {
        left.requests = UINT64_MAX; /* how many it takes shows only from the replies */
    }
    return left;
}

static int send_some(struct window *window, uint64_t count, struct remainder *left)
{
    const struct batch *batch = window->batch;
    count = count < left->requests ? count : left->requests;
    if (count == 0 || left->items == 0) {
        return 0;
    }
    size_t start = batch->offsets[window->at];
    size_t end = batch->offsets[window->at + count];
    window->at = (window->at + (unsigned)count) % batch->requests;
    window->outstanding += count;
    left->requests -= count;
    return stream_send(&window->stream, (struct slice){batch->bytes.data + start, end - start});
}

/* One read; *replies is how many replies it brought. */
static int receive_some(struct window *window, struct remainder *left, uint64_t *replies)
{
    struct tally tally;
    if (stream_receive(&window->stream, window->batch->operation, &tally) < 0) {
        return -1;
    }
    if (tally.count > window->outstanding) {
        return fail("%s answered more than it was asked", window->stream.target->plan.name);
    }
    window->outstanding -= tally.count;
    window->answered += tally.count;
    left->items -= tally.items < left->items ? tally.items : left->items;
    *replies = tally.count;
    return 0;
}

int window_run(struct window *window, uint64_t items, uint64_t *samples)
{
    struct remainder left = remainder_of(window->batch->operation, items);
    uint64_t last = clock_now();
    int status = send_some(window, window->batch->depth, &left);
    while (status == 0 && window->outstanding > 0) {
        uint64_t replies = 0;
        status = receive_some(window, &left, &replies);
        if (status == 0 && replies > 0 && samples != NULL) {
            uint64_t now = clock_now();
            *samples++ = now - last;
            last = now;
        }
        if (status == 0) {
            status = send_some(window, replies, &left);
        }
    }
    return status;
}

static int watch_all(int poll, struct window *windows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &windows[i]};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, windows[i].stream.fd, &event) < 0) {
            return fail("epoll: %s", strerror(errno));
        }
    }
    return 0;
}

/* Waits for some of the windows to become readable; how many, or -1 with a sentence. */
static int wait_readable(int poll, struct epoll_event *events, const char *name)
{
    for (int waits = 0; waits < WAITS_MAX; waits++) {
        int ready = epoll_wait(poll, events, EVENTS_MAX, WAIT_MILLISECONDS);
        if (ready > 0) {
            return ready;
        }
        if (interrupted()) {
            return fail("interrupted");
        }
        if (ready < 0 && errno != EINTR) {
            return fail("epoll: %s", strerror(errno));
        }
    }
    return fail("%s has not answered for ten seconds", name);
}

/* Reads each window that is readable and refills it; *outstanding follows. */
static int serve_readable(const struct epoll_event *events, int ready, struct remainder *left,
                          uint64_t *outstanding)
{
    for (int i = 0; i < ready; i++) {
        struct window *window = events[i].data.ptr;
        uint64_t before = window->outstanding;
        uint64_t replies = 0;
        if (receive_some(window, left, &replies) < 0 || send_some(window, replies, left) < 0) {
            return -1;
        }
        *outstanding += window->outstanding - before;
    }
    return 0;
}

int window_run_many(struct window *windows, unsigned count, uint64_t items)
{
    struct remainder left = remainder_of(windows[0].batch->operation, items);
    struct epoll_event events[EVENTS_MAX];
    uint64_t outstanding = 0;
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0) {
        return fail("epoll: %s", strerror(errno));
    }
    int status = watch_all(poll, windows, count);
    for (unsigned i = 0; status == 0 && i < count; i++) {
        status = send_some(&windows[i], windows[i].batch->depth, &left);
        outstanding += windows[i].outstanding;
    }
    while (status == 0 && outstanding > 0) {
        int ready = wait_readable(poll, events, windows[0].stream.target->plan.name);
        status = ready < 0 ? -1 : serve_readable(events, ready, &left, &outstanding);
    }
    (void)close(poll);
    return status;
}
