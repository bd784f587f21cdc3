/*
 * socket_pair: see socket_pair.h.
 *
 * Tests: tests/unit/methods/test_pipe.c.
 */
#include "daemon/objects/socket_pair.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/error.h"

/* Binds a socket to the address of an end: 0, or -1 with errno. */
static int bind_end(int fd, const struct socket_token *token, unsigned end)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *name = address.sun_path + 1; /* the NUL before it makes the name an abstract one */
    int len = snprintf(name, sizeof(address.sun_path) - 1, "ipcd-pipe-%u-", end);
    for (size_t i = 0; i < SOCKET_TOKEN_SIZE; i++) {
        len += snprintf(name + len, 3, "%02x", token->bytes[i]);
    }
    size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len;
    return bind(fd, (const struct sockaddr *)&address, (socklen_t)size);
}

int socket_pair_new(bool duplex, int fds[2], struct socket_token *token)
{
    if (getrandom(token, sizeof(*token), 0) != (ssize_t)sizeof(*token) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        return ERR_MEMORY;
    }
    if (bind_end(fds[0], token, 0) == 0 && bind_end(fds[1], token, 1) == 0 &&
        (duplex || shutdown(fds[0], SHUT_WR) == 0)) {
        return 0;
    }
    int error = errno;
    (void)close(fds[0]);
    (void)close(fds[1]);
    errno = error;
    return ERR_MEMORY;
}

int socket_pair_is_open(const struct socket_token *token, unsigned end)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return ERR_MEMORY;
    }
    int open = 0;
    if (bind_end(fd, token, end) < 0) {
        open = errno == EADDRINUSE ? 1 : ERR_MEMORY;
    }
    int error = errno;
    (void)close(fd);
    errno = error;
    return open;
}
