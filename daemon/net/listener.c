/*
 * listener: see listener.h.
 *
 * Tests: tests/system/test_startup.c, tests/unit/net/test_scarce.c.
 */
#include "daemon/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/connection.h"

enum { BATCH = 64, RETRY_SECONDS = 1 };

static void pause_accepting(struct listener *listener, int error)
{
    const struct timeval delay = {.tv_sec = RETRY_SECONDS};
    const struct net *net = listener->net;
    for (unsigned i = 0; i < listener->count; i++) {
        (void)event_del(&listener->events[i]);
    }
    listener->paused = true;
    (void)event_add(&listener->retry, &delay);
    if (!listener->reported) {
        listener->reported = true;
        log_line(net->log, LOG_LEVEL_WARNING,
                 "accepting is paused with %" PRIu64 " sessions: %s; it goes on when a connection "
                 "ends",
                 net->service->accounts.sessions, strerror(error));
    }
}

void listener_resume(struct listener *listener)
{
    if (!listener->paused) {
        return;
    }
    listener->paused = false;
    (void)event_del(&listener->retry);
    for (unsigned i = 0; i < listener->count; i++) {
        (void)event_add(&listener->events[i], NULL);
        event_active(&listener->events[i], EV_READ, 0); /* to see whether it is over */
    }
}

static void retry(evutil_socket_t fd, short what, void *data)
{
    (void)fd;
    (void)what;
    listener_resume(data);
}

/* The backlog is empty. */
static void report_resumed(struct listener *listener)
{
    if (listener->reported) {
        listener->reported = false;
        log_line(listener->net->log, LOG_LEVEL_NOTICE,
                 "accepting goes on with %" PRIu64 " sessions",
                 listener->net->service->accounts.sessions);
    }
}

/* True if there may be more. */
static bool accept_batch(struct listener *listener, int fd)
{
    for (int i = 0; i < BATCH; i++) {
        int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            connection_open(listener->net, accepted);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            report_resumed(listener);
            return false;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            pause_accepting(listener, errno);
            return false;
        }
    }
    return true;
}

static void listener_ready(evutil_socket_t fd, short what, void *data)
{
    struct listener *listener = data;
    (void)what;
    listener->net->now = net_clock();
    (void)accept_batch(listener, fd);
    listener->net->calls.settle(listener->net);
}

int listener_init(struct listener *listener, struct net *net)
{
    *listener = (struct listener){.net = net};
    if (event_assign(&listener->retry, net->base, -1, 0, retry, listener) < 0) {
        return ERR_MEMORY;
    }
    net->listener = listener;
    return 0;
}

/* Closes a listening socket. What has come with connections that were not accepted goes with it,
 * and there may be descriptors in that. */
static void drop_socket(const struct listener *listener, int fd)
{
    closer_close(listener->net->service->accounts.closer, listener->net->service->accounts.self,
                 fd);
}

static void drop_sockets(struct listener *listener)
{
    for (unsigned i = 0; i < listener->count; i++) {
        (void)event_del(&listener->events[i]);
        drop_socket(listener, listener->fds[i]);
    }
    listener->count = 0;
}

void listener_deinit(struct listener *listener)
{
    drop_sockets(listener);
    if (listener->net != NULL) {
        (void)event_del(&listener->retry);
        listener->net->listener = NULL;
        listener->net = NULL;
    }
}

int listener_add(struct listener *listener, int fd)
{
    int status = ERR_MEMORY;
    int flags = fcntl(fd, F_GETFL);
    if (listener->count == LISTENER_SOCKETS) {
        status = ERR_LIMIT;
    } else if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) {
        struct event *event = &listener->events[listener->count];
        if (event_assign(event, listener->net->base, fd, EV_READ | EV_PERSIST, listener_ready,
                         listener) == 0 &&
            event_add(event, NULL) == 0) {
            listener->fds[listener->count++] = fd;
            return 0;
        }
    }
    (void)close(fd);
    return status;
}

int listener_replace(struct listener *listener, int fd)
{
    listener->net->now = net_clock();
    for (unsigned i = 0; i < listener->count; i++) {
        while (accept_batch(listener, listener->fds[i])) {
        }
    }
    drop_sockets(listener);
    int status = listener_add(listener, fd);
    listener->net->calls.settle(listener->net);
    return status;
}
