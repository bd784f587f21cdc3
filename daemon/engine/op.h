/*
 * op: one operation on its way to the engine, as the function in Redis is given it (fcall.h).
 *
 * An op has one part, or, if it is a batch whose calls are run with nothing in between (atomic),
 * several. It belongs to whoever made it; while it is in a lane (lane.h) it is left alone.
 */
#pragma once

#include <sys/queue.h>

#include "daemon/engine/decimal.h"
#include "proto/buffer.h"

struct lane;
struct op;
struct redisReply;

enum { ARGUMENTS_MAX = 32 }; /* of one part: the params of a method and all its options are fewer */

/* The name of the object (the first) and the arguments, one behind the other. */
struct arguments {
    struct buffer bytes; /* owned; want of memory is latched */
    unsigned count;
    uint32_t ends[1 + ARGUMENTS_MAX]; /* a message is shorter than that */
};

struct op_part {
    const char *verb; /* not owned: of the table of methods, or a literal */
    struct arguments arguments;
    struct buffer version; /* owned: of the object, as its rights have been checked; empty: none */
};

/* What became of an op. */
enum op_fate {
    OP_DONE,     /* there are replies */
    OP_NOT_DONE, /* it has not been run, and will not be */
    OP_UNKNOWN,  /* nobody knows */
};

struct outcome {
    enum op_fate fate;
    size_t count;                /* replies: as many as parts; fewer if an atomic one stopped */
    const struct slice *replies; /* valid during the call, each at least one byte long */
    const char *why;             /* a sentence, of the other two fates */
    bool unconfirmed;            /* OP_DONE, but fewer replicas have it than are wanted */
};

TAILQ_HEAD(op_list, op);

struct op {
    TAILQ_ENTRY(op) link; /* in its lane */
    struct lane *lane;    /* NULL: in none */
    struct op_part first;
    struct op_part *parts; /* &first, or an owned array */
    unsigned count;
    bool is_atomic;
    bool is_sent;      /* it is in the batch under way */
    bool is_late;      /* it may not wait, whatever its number */
    uint64_t session;  /* the number of the session for which it is; 0: the daemon itself */
    uint64_t wait;     /* under which it is known if it has to wait; 0: it may not wait */
    uint64_t deadline; /* monotonic, nanoseconds: for how long it may stand in the lane; TIME_NEVER:
                          until the lease is over */
    bool is_orphan;    /* nobody is there to take its reply: it may go back in front of all */
    unsigned run;      /* fcall.c's own: calls of the run that begins with it */
    /* It has left its lane: from within, it may be freed or given to a lane anew. */
    void (*done)(struct op *op, const struct outcome *outcome);
};

/* An op with one part, of a verb, on an object of that name (empty: on none). */
void op_init(struct op *op, const char *verb, struct slice name);
/* The same for one that was initialized, has one part and is in no lane: that one's memory is used
 * again. */
void op_renew(struct op *op, const char *verb, struct slice name);
/* With `count` parts, all zeroed but for what part_init does. 0 or ERR_MEMORY. */
int op_init_atomic(struct op *op, unsigned count);
void op_deinit(struct op *op);
/* Leaves the first parts, so many. */
void op_truncate(struct op *op, unsigned count);

void part_init(struct op_part *part, const char *verb, struct slice name);
struct slice part_name(const struct op_part *part);
/* The version that the function is to find; empty: none. */
void part_set_version(struct op_part *part, struct slice version);

/* Takes the end of the bytes as the end of one more argument: whoever has an argument packs it into
 * arguments->bytes, and then says this. */
void argument_end(struct arguments *arguments);
/* The whole argument in one step. */
void argument_bytes(struct arguments *arguments, struct slice bytes);
void argument_text(struct arguments *arguments, const char *text);
void argument_int(struct arguments *arguments, int64_t value);
void argument_uint(struct arguments *arguments, uint64_t value);

/* The i-th of them; the name is that of number 0. */
struct slice argument_at(const struct arguments *arguments, unsigned i);

/* Bytes of all arguments of all parts, roughly what it takes to send it. */
size_t op_size(const struct op *op);
