/*
 * fake_redis: a Redis server that the test plays itself, in its own event loop.
 *
 * For what real ones do not do, or not when one wants it. A script is asked about each command
 * first; what it leaves is answered as a server would that has nothing.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct fake_redis;
struct fake_connection;

/* What a script returns instead of bytes to be sent. */
extern const char FAKE_ORDINARY[]; /* as a server would */
extern const char FAKE_NOTHING[];  /* no answer */
extern const char FAKE_CLOSE[];    /* the connection is closed */

/* Bytes to be sent, with a NUL at the end; they must last until the loop has run. */
typedef const char *fake_script(struct fake_redis *fake, struct fake_connection *connection,
                                size_t argc, const char *const *argv);

TAILQ_HEAD(fake_connections, fake_connection);

struct fake_redis {
    struct event_base *base;
    struct event *listening;
    int fd;
    uint16_t port;
    fake_script *script; /* NULL: all is ordinary */
    void *data;
    const char *slots; /* the reply to CLUSTER SLOTS; NULL: it is no cluster */
    bool bytewise;     /* everything is sent a byte at a time */
    struct fake_connections connections;
    unsigned accepted; /* connections so far */
    unsigned reads;    /* times that something came */
    unsigned pings;
    unsigned commands; /* that were no greeting, no PING, nor about the topology */
    char last[64];     /* the first word of the last of those */
};

/* Listens on a port of 127.0.0.1. */
void fake_start(struct fake_redis *fake, struct event_base *base, fake_script *script, void *data);

/* Does so no more, and closes all connections. The port stays known, for fake_start_again. */
void fake_stop(struct fake_redis *fake);
void fake_start_again(struct fake_redis *fake);

/* Sends bytes by itself, on the last connection that was accepted. */
void fake_say(struct fake_redis *fake, const char *bytes);

/* Closes all connections; new ones are accepted. */
void fake_hang_up(struct fake_redis *fake);

/* A reply to CLUSTER SLOTS: count ranges of equal size, the i-th at ports[i]; hosts are given as
 * empty, or as `host`. To be freed. */
char *fake_slots(const char *host, const uint16_t *ports, size_t count);
