/*
 * operations: what a process may do with an object, chosen at random, and doing it.
 */
#pragma once

#include "client/ipcclient.h"
#include "tests/history/history.h"
#include "tests/history/random.h"

enum {
    HELD_MAX = 24,
    HANG_MS = 30000, /* a daemon that says nothing for so long hangs; nothing else depends on it */
};

/* What a process knows of itself; it decides what is worth trying next. */
struct actor {
    enum type type;
    const struct object_options *options;
    uint8_t process;
    struct random random;
    int64_t next_value;        /* to be put: never the same twice */
    unsigned held;             /* tickets, levels of the lock, permits that it has */
    int64_t tickets[HELD_MAX]; /* in the order in which they were got */
    int64_t last_ticket;       /* one that it has no more; 0: none */
};

/* The options of the object of a round. */
struct object_options options_choose(enum type type, bool durable, struct random *random);

/* Makes the object. 0 or an IPCC_ERR_ code. */
int object_make(struct ipcc *conn, const char *object, enum type type,
                const struct object_options *options);

struct actor actor_new(enum type type, const struct object_options *options, uint8_t process,
                       struct random random);

/* Sets process, verb and arguments of the next operation. Returns the timeout for it. */
int64_t actor_choose(struct actor *actor, struct operation *operation);

/* Opens a queue for a process that gets items ahead. 0 or an IPCC_ERR_ code. */
int object_open_ahead(struct ipcc *conn, const char *object, struct ipcc_ahead **ahead);

/* Calls the daemon, or gets an item that is reserved (`ahead`, which may be NULL); sets status and
 * results. */
void operation_run(struct ipcc *conn, const char *object, struct operation *operation,
                   int64_t timeout_ms, struct ipcc_ahead *ahead);

/* Learns from the answer. */
void actor_learn(struct actor *actor, const struct operation *operation);
