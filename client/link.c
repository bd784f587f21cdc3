/* link: see link.h. */
#include "client/link.h"

#include "client/clock.h"
#include "client/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

enum { CONNECT_RETRY_MS = 5 }; /* pause when the daemon's backlog is full */

void link_init(struct link *link, size_t max_message)
{
    *link = (struct link){.fd = -1};
    outgoing_init(&link->out);
    incoming_init(&link->in, max_message);
}

/* A connected descriptor; -EAGAIN: the daemon's backlog is full; or another negative errno. */
static int connect_socket(const struct link *link)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    /* Blocking from then on, for a reader that waits in its receive; all else says MSG_DONTWAIT. */
    if (connect(fd, (const struct sockaddr *)&link->address.socket, link->address.length) < 0 ||
        fcntl(fd, F_SETFL, 0) < 0) {
        int error = -errno;
        (void)close(fd);
        return error == -EINPROGRESS ? -EAGAIN : error;
    }
    return fd;
}

static int connect_failed(const struct link *link, int error)
{
    char path[ADDRESS_TEXT];
    bool system = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    return error_set(system ? IPCC_ERR_SYSTEM : IPCC_ERR_CONNECT,
                     "cannot connect to ipcd at %s: %s", address_text(&link->address, path),
                     strerror(error));
}

int link_connect(struct link *link)
{
    int fd = connect_socket(link);
    if (fd == -EAGAIN) {
        link->state = LINK_CONNECTING;
        link->retry_at = clock_ms() + CONNECT_RETRY_MS;
        return 0;
    }
    if (fd < 0) {
        return connect_failed(link, -fd);
    }
    link->fd = fd;
    link->state = LINK_UP;
    return 0;
}

bool link_make_brief(struct link *link, int ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    link->brief =
        link->brief || setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0;
    return link->brief;
}

void link_shutdown(struct link *link)
{
    if (link->fd >= 0) {
        (void)shutdown(link->fd, SHUT_RDWR);
    }
}

void link_down(struct link *link, bool polled)
{
    link->state = LINK_DOWN;
    link->epoch++;
    if (link->fd >= 0) {
        /* While its number is polled it must not be given to another file. The shutdown wakes who
         * polls. */
        (void)shutdown(link->fd, SHUT_RDWR);
        if (!polled) {
            (void)close(link->fd);
        }
    }
    link->fd = -1;
    link->brief = false;
    outgoing_clear(&link->out);
    incoming_clear(&link->in);
}
