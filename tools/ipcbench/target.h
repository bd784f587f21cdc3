/*
 * target: what the loads are run against: ipcd, redis-server, or the bare echo server.
 *
 * A target is a server and a protocol. The loads know only operations; the protocol turns an
 * operation into the bytes of a request and counts the replies in the bytes that come back. All
 * else, sockets, windows, clocks, is the same code for all targets, so that their ratios are fair.
 */
#pragma once

#include "proto/buffer.h"
#include "tools/ipcbench/server.h"

enum operation {
    OPERATION_PUT,      /* put one item; LPUSH */
    OPERATION_GET,      /* take an item that is there; RPOP */
    OPERATION_TAKE,     /* take an item, waiting for it; BRPOP */
    OPERATION_PUT_MANY, /* put REQUEST_MANY items at once; LPUSH of as many values */
    OPERATION_GET_MANY, /* take up to REQUEST_MANY items at once; RPOP with a count */
    OPERATION_SET,      /* set the value of a key; HSET */
    OPERATION_LOOKUP,   /* get the value of a key; HGET */
    OPERATION_OPEN_QUEUE,
    OPERATION_OPEN_DICT,
    OPERATION_CLEAR_QUEUE,
    OPERATION_CLEAR_DICT,
    /* Of the durable loads alone: jobs, which are put, taken and done; a queue that is not kept. */
    OPERATION_PUT_JOB,
    OPERATION_TAKE_JOB,
    OPERATION_FINISH_JOB,
    OPERATION_OPEN_JOBS,
    OPERATION_CLEAR_JOBS,
    OPERATION_PUT_PLAIN,
    OPERATION_OPEN_PLAIN,
    OPERATION_CLEAR_PLAIN,
};

enum { REQUEST_MANY = 64, TARGET_OBJECTS_MAX = 3 };

/* The objects of the loads, at each target. */
#define TARGET_QUEUE "bench.queue"
#define TARGET_DICT "bench.dict"
#define TARGET_JOBS "bench.jobs"
#define TARGET_PLAIN "bench.plain"

struct request {
    enum operation operation;
    uint32_t index;     /* its number: the msgid follows from it, and the key */
    size_t payload;     /* bytes of an item or value */
    uint64_t job;       /* of FINISH_JOB: what TAKE_JOB was answered */
    const char *object; /* the object; NULL: the one of the loads */
};

/* What protocol.count finds in received bytes. */
struct tally {
    size_t used;     /* bytes of whole replies */
    uint64_t count;  /* whole replies */
    uint64_t items;  /* items that they brought: as count, but for GET_MANY */
    uint64_t most;   /* set before: so many replies are counted at most; 0: all */
    uint64_t job;    /* of the last reply to a TAKE_JOB: what finishes it */
    char error[256]; /* the first error reply; "": none */
};

struct protocol {
    /* Appends one request; want of memory is latched in the buffer. */
    void (*encode)(struct buffer *out, const struct request *request);
    /* Counts the whole replies at the start of the bytes, all of them to one operation. 0, or -1
     * if the bytes are no replies at all. A reply that reports an error is counted and told in
     * out->error. */
    int (*count)(enum operation operation, const uint8_t *data, size_t len, struct tally *out);
    bool keeps; /* false: a server without memory (the echo), for loads that need none */
    /* What makes the objects of the loads, and what empties them. */
    unsigned objects;
    enum operation opens[TARGET_OBJECTS_MAX];
    enum operation clears[TARGET_OBJECTS_MAX];
};

struct target {
    const struct protocol *protocol;
    struct server_plan plan;
    struct server server;
    int control; /* the connection that keeps the objects open; -1: none */
};

/* The three protocols of the loads. */
extern const struct protocol protocol_ipcd;
extern const struct protocol protocol_redis;
extern const struct protocol protocol_echo;

/* ipcd again, for a daemon that finds the objects in its engine: another one has opened them. */
extern const struct protocol protocol_guest;

/* Those of the durable loads, beside Redis' own: ipcd with durable objects, and beanstalkd. */
extern const struct protocol protocol_durable;
extern const struct protocol protocol_beanstalkd;

/* What the children do (server_plan.run). */
void ipcd_run(const struct server_plan *plan, const char *directory, const char *socket);
void redis_run(const struct server_plan *plan, const char *directory, const char *socket);
void echo_run(const struct server_plan *plan, const char *directory, const char *socket);
/* A daemon whose objects live in plan->engine; plan->name is that of its host. */
void ipcd_engine_run(const struct server_plan *plan, const char *directory, const char *socket);
/* The same with all on disk before it is told, in the directory of the server. */
void ipcd_durable_run(const struct server_plan *plan, const char *directory, const char *socket);
void redis_durable_run(const struct server_plan *plan, const char *directory, const char *socket);
void beanstalkd_run(const struct server_plan *plan, const char *directory, const char *socket);

/* The key of an index: "key:" and seven digits, 11 bytes. */
enum { KEY_SIZE = 11 };
void target_key(uint32_t index, char key[KEY_SIZE + 1]);

/* Starts the server, or attaches to the one at socket_path (not NULL), and opens the objects of the
 * loads. 0, or -1 with a sentence and nothing left behind. */
int target_start(struct target *target, const char *socket_path);

/* Ends target_start. Does nothing the second time. */
void target_stop(struct target *target);

/* A server of ours anew, so that no memory of earlier loads is counted. 0, or -1. */
int target_restart(struct target *target);

/* Empties the objects. 0, or -1 with a sentence. */
int target_clear(const struct target *target);
