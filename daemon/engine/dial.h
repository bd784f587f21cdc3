/*
 * dial: from a name or a path to a socket that is connected, without blocking.
 *
 * Names are looked up by libevent, in /etc/hosts and the DNS. Of several addresses each attempt
 * takes the next one.
 */
#pragma once

#include <event2/dns.h>
#include <event2/event.h>
#include <stdint.h>
#include <sys/socket.h>

/* Where to connect to; the strings are the owner's. */
struct dial_address {
    const char *host; /* a name or an address */
    uint16_t port;
    const char *path; /* of a Unix socket; NULL: host and port */
};

/* What all share: the base for names is made when the first is looked up. */
struct dial_names {
    struct event_base *base;
    struct evdns_base *dns; /* owned; NULL: none yet */
};

struct dial {
    struct dial_names *names;
    /* The socket, the callee's from then on, non-blocking and closed on exec; or -1 with the
     * reason. */
    void (*done)(void *data, int fd, const char *why);
    void *data;
    struct dial_lookup *lookup; /* of a name, under way; NULL: none */
    struct event *event;        /* owned; pending while it connects */
    int fd;                     /* owned; -1: none */
    unsigned attempt;
};

/* 0, or ERR_MEMORY with nothing to be deinited. */
int dial_init(struct dial *dial, struct dial_names *names,
              void (*done)(void *data, int fd, const char *why), void *data);

/* Gives up what is under way. */
void dial_deinit(struct dial *dial);

/* Begins. `done` is called once, perhaps before this returns, unless dial_stop is. */
void dial_start(struct dial *dial, const struct dial_address *address);

/* `done` is not called any more. */
void dial_stop(struct dial *dial);

void dial_names_deinit(struct dial_names *names);
