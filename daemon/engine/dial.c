/* dial: see dial.h. Tests: tests/unit/engine/test_node.c. */
#include "daemon/engine/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/error.h"

static void fail(struct dial *dial, const char *why)
{
    dial_stop(dial);
    dial->done(dial->data, -1, why);
}

static void succeed(struct dial *dial)
{
    int fd = dial->fd;
    dial->fd = -1;
    dial->done(dial->data, fd, NULL);
}

static void on_writable(evutil_socket_t fd, short events, void *data)
{
    struct dial *dial = data;
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0) {
        error = errno;
    }
    if (error != 0) {
        fail(dial, strerror(error));
    } else {
        succeed(dial);
    }
}

static void connect_to(struct dial *dial, const struct sockaddr *address, socklen_t len)
{
    dial->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0) {
        fail(dial, strerror(errno));
        return;
    }
    int on = 1;
    if (address->sa_family != AF_UNIX) {
        (void)setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (connect(dial->fd, address, len) == 0) {
        succeed(dial);
    } else if (errno != EINPROGRESS) {
        fail(dial, strerror(errno));
    } else if (event_assign(dial->event, dial->names->base, dial->fd, EV_WRITE, on_writable, dial) <
                   0 ||
               event_add(dial->event, NULL) < 0) {
        fail(dial, strerror(ENOMEM));
    }
}

/* What libevent has in hand: its answer may come when the dial is long gone. */
struct dial_lookup {
    struct dial *dial; /* NULL: nobody wants to know any more */
    struct evdns_getaddrinfo_request *request;
};

static void on_addresses(int error, struct evutil_addrinfo *found, void *data)
{
    struct dial_lookup *lookup = data;
    struct dial *dial = lookup->dial;
    free(lookup);
    if (dial == NULL) {
        if (found != NULL) {
            evutil_freeaddrinfo(found);
        }
        return;
    }
    dial->lookup = NULL;
    if (error != 0 || found == NULL) {
        fail(dial, error == 0 ? "the name has no address" : evutil_gai_strerror(error));
        return;
    }
    unsigned count = 0;
    for (struct evutil_addrinfo *each = found; each != NULL; each = each->ai_next) {
        count++;
    }
    struct evutil_addrinfo *chosen = found;
    for (unsigned skip = dial->attempt % count; skip > 0; skip--) {
        chosen = chosen->ai_next;
    }
    dial->attempt++;
    connect_to(dial, chosen->ai_addr, (socklen_t)chosen->ai_addrlen);
    evutil_freeaddrinfo(found);
}

/* Made when it is first needed, as most engines are given by addresses. */
static struct evdns_base *dns(struct dial_names *names)
{
    if (names->dns == NULL) {
        names->dns = evdns_base_new(names->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (names->dns != NULL) {
            /* If the file is not there, the names of /etc/hosts are known all the same. */
            (void)evdns_base_resolv_conf_parse(names->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
        }
    }
    return names->dns;
}

static void look_up(struct dial *dial, const struct dial_address *address)
{
    char port[8];
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    (void)snprintf(port, sizeof(port), "%u", address->port);
    if (getaddrinfo(address->host, port, &hints, &found) == 0) {
        connect_to(dial, found->ai_addr, found->ai_addrlen);
        freeaddrinfo(found);
        return;
    }
    struct dial_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL || dns(dial->names) == NULL) {
        free(lookup);
        fail(dial, strerror(ENOMEM));
        return;
    }
    lookup->dial = dial;
    dial->lookup = lookup;
    struct evutil_addrinfo named = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct evdns_getaddrinfo_request *request =
        evdns_getaddrinfo(dial->names->dns, address->host, port, &named, on_addresses, lookup);
    if (request != NULL) { /* else it has been answered, and freed, already */
        lookup->request = request;
    }
}

int dial_init(struct dial *dial, struct dial_names *names,
              void (*done)(void *data, int fd, const char *why), void *data)
{
    *dial = (struct dial){.names = names, .done = done, .data = data, .fd = -1};
    dial->event = event_new(names->base, -1, EV_WRITE, on_writable, dial);
    return dial->event == NULL ? ERR_MEMORY : 0;
}

void dial_deinit(struct dial *dial)
{
    dial_stop(dial);
    event_free(dial->event);
}

void dial_start(struct dial *dial, const struct dial_address *address)
{
    if (address->path == NULL) {
        look_up(dial, address);
        return;
    }
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    (void)strncpy(name.sun_path, address->path, sizeof(name.sun_path) - 1);
    connect_to(dial, (const struct sockaddr *)&name, sizeof(name));
}

void dial_stop(struct dial *dial)
{
    if (dial->lookup != NULL) {
        dial->lookup->dial = NULL;
        evdns_getaddrinfo_cancel(dial->lookup->request);
        dial->lookup = NULL;
    }
    (void)event_del(dial->event);
    if (dial->fd >= 0) {
        (void)close(dial->fd);
        dial->fd = -1;
    }
}

void dial_names_deinit(struct dial_names *names)
{
    if (names->dns != NULL) {
        evdns_base_free(names->dns, 1); /* so that each lookup is answered, and freed */
        names->dns = NULL;
    }
}
