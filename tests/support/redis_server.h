/*
 * redis_server: real Redis servers, each a process of its own, for the tests of the engine.
 *
 * A server lives in a directory of its own under /tmp and listens on a Unix socket there, and if
 * asked on a port of 127.0.0.1. It keeps nothing on disk. Whatever does not go as it should fails
 * the test.
 */
#pragma once

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server {
    pid_t pid; /* 0: not running */
    char directory[64];
    char socket[96];
    uint16_t port; /* 0: none */
};

/* Whether redis-server is installed; if not says so, for a test to be skipped. */
bool redis_is_there(void);

/* Starts one; returns when it answers. `port`: 0: none. `more`: arguments besides, up to NULL; or
 * NULL. */
void redis_start(struct redis_server *server, uint16_t port, const char *const *more);

/* Kills it at once, and waits for its end; its directory stays, and redis_start_again starts it
 * there. */
void redis_kill(struct redis_server *server);
void redis_start_again(struct redis_server *server, const char *const *more);

/* Kills it, if it runs, and removes its directory. */
void redis_stop(struct redis_server *server);

/* A command, blocking, over a connection of its own; the reply, which is no error, is the caller's.
 */
redisReply *redis_ask(const struct redis_server *server, const char *format, ...);

/* The same, for commands whose reply does not matter. */
void redis_do(const struct redis_server *server, const char *format, ...);

/* A port of 127.0.0.1 of which nobody listens, nor at 10000 above it (a cluster's bus). */
uint16_t redis_free_port(void);

/* Joins running servers, started with --cluster-enabled yes, to one cluster: the first `primaries`
 * of them share the slots evenly, and the others are their replicas in turn. Returns when all of
 * them agree. */
void redis_join(struct redis_server *servers, size_t count, size_t primaries);
