/*
 * echo_server: see echo_server.h.
 *
 * It is made for one peer that it trusts, the load generator next door: the sockets block in
 * writing, which cannot hang since the generator reads what it has asked for.
 */
#include "tools/ipcbench/echo_server.h"

#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER_SIZE = 256 * 1024, BACKLOG = 1024 };

struct echo_server {
    struct event_base *base;
    uint8_t input[BUFFER_SIZE];
    uint8_t output[BUFFER_SIZE]; /* whatever it holds goes out as filling */
    size_t filled;
};

struct echo_peer {
    struct echo_server *server;
    struct event *event;
    struct echo_header header; /* of the request that is coming in */
    size_t have;               /* bytes of it so far */
};

static void peer_free(struct echo_peer *peer, int fd)
{
    event_free(peer->event);
    free(peer);
    (void)close(fd);
}

static int flush(struct echo_server *server, int fd)
{
    size_t at = 0;
    while (at < server->filled) {
        ssize_t sent = send(fd, server->output + at, server->filled - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return -1;
        }
        at += sent > 0 ? (size_t)sent : 0;
    }
    server->filled = 0;
    return 0;
}

static int reply(struct echo_server *server, int fd, uint32_t size)
{
    size_t left = size;
    if (BUFFER_SIZE - server->filled < sizeof(size) && flush(server, fd) < 0) {
        return -1;
    }
    memcpy(server->output + server->filled, &size, sizeof(size));
    for (;;) {
        size_t room = BUFFER_SIZE - server->filled;
        size_t part = left < room ? left : room;
        server->filled += part;
        left -= part;
        if (left == 0) {
            return 0;
        }
        if (flush(server, fd) < 0) {
            return -1;
        }
    }
}

/* Takes bytes of the request that is coming in; returns how many. */
static size_t take(struct echo_peer *peer, const uint8_t *data, size_t len)
{
    size_t taken = 0;
    if (peer->have < sizeof(peer->header)) {
        size_t missing = sizeof(peer->header) - peer->have;
        taken = missing < len ? missing : len;
        memcpy((uint8_t *)&peer->header + peer->have, data, taken);
        peer->have += taken;
    }
    if (peer->have >= sizeof(peer->header)) {
        size_t missing = peer->header.size - peer->have;
        size_t part = missing < len - taken ? missing : len - taken;
        peer->have += part;
        taken += part;
    }
    return taken;
}

static int serve(struct echo_peer *peer, int fd, size_t len)
{
    struct echo_server *server = peer->server;
    for (size_t at = 0; at < len;) {
        at += take(peer, server->input + at, len - at);
        if (peer->have >= sizeof(peer->header) && peer->have == peer->header.size) {
            if (reply(server, fd, peer->header.reply) < 0) {
                return -1;
            }
            peer->have = 0;
        }
    }
    return flush(server, fd);
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct echo_peer *peer = argument;
    ssize_t got = recv(fd, peer->server->input, sizeof(peer->server->input), 0);
    if (got <= 0 || serve(peer, fd, (size_t)got) < 0) {
        peer_free(peer, fd);
    }
}

static void on_connection(evutil_socket_t listener, short what, void *argument)
{
    struct echo_server *server = argument;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct echo_peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        (void)close(fd);
        return;
    }
    peer->server = server;
    peer->event = event_new(server->base, fd, EV_READ | EV_PERSIST, on_readable, peer);
    if (peer->event == NULL || event_add(peer->event, NULL) < 0) {
        if (peer->event != NULL) {
            event_free(peer->event);
        }
        free(peer);
        (void)close(fd);
    }
}

static int listen_on(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        return -1;
    }
    return fd;
}

void echo_serve(const char *socket_path)
{
    struct echo_server *server = calloc(1, sizeof(*server));
    struct event_base *base = event_base_new();
    int listener = listen_on(socket_path);
    if (server == NULL || base == NULL || listener < 0) {
        (void)fprintf(stderr, "the echo server cannot start: %s\n", strerror(errno));
        return;
    }
    server->base = base;
    struct event *event = event_new(base, listener, EV_READ | EV_PERSIST, on_connection, server);
    if (event == NULL || event_add(event, NULL) < 0 || event_base_dispatch(base) < 0) {
        (void)fprintf(stderr, "the echo server cannot serve: %s\n", strerror(errno));
    }
}
