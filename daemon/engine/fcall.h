/*
 * fcall: a batch in the form in which the function takes it, and its reply taken apart:
 *
 *     FCALL FUNCTION 2 PREFIX CHANNEL HEAD run…          run: WHAT WHO arg…
 *
 * A run is calls of one method on one object that follow each other and have as many arguments:
 * what they have in common is said once. daemon/engine/lua/README.md has the form of each string.
 */
#pragma once

#include "daemon/engine/op.h"

enum { FCALL_RUN_MOST = 256 }; /* calls in one run */

struct redisReply;

struct fcall_head {
    const char *host;
    uint64_t epoch;
    uint64_t until;
    uint64_t seq; /* 0: it is not noted */
    uint64_t ack;
    uint64_t now; /* 0: the engine's own time */
    bool is_atomic;
};

/* Each appends one string's bytes; want of memory is latched. */
void fcall_put_head(struct buffer *out, const struct fcall_head *head);
void fcall_put_what(struct buffer *out, const char *verb, unsigned nargs, struct slice name,
                    struct slice version);
void fcall_put_who(struct buffer *out, uint64_t session, uint64_t wait);

/* How many strings the ops become at most, and how many bytes are made for them. */
size_t fcall_count(const struct op_list *ops, size_t *bytes);

/* The runs of the ops; returns how many strings. `made` has room for the bytes that are made, to
 * which strings refer, as they do to what the ops have. Each op is told how long the run is that
 * begins with it (op->run; 0: none does). */
size_t fcall_put_ops(const struct op_list *ops, struct buffer *made, struct slice *argv);

/* A reply, from its first call to its last. */
struct fcall_reply {
    struct slice rest;
    uint32_t runs;   /* that are still to come */
    uint32_t left;   /* calls of the run that is being read */
    bool is_single;  /* the rest is the one call's reply */
    bool is_same;    /* each of them has `before` as its reply; else: */
    bool is_spliced; /* each has something between these two */
    struct slice before;
    struct slice behind;
    struct buffer spliced; /* owned */
};

/* *status gets "NOW DUE NAME", or nothing. False: it is no reply of the function; nothing is to be
 * closed. */
bool fcall_open(struct fcall_reply *reply, const struct redisReply *from, struct slice *status);
/* The reply of the next call, of which a run of so many begins, or (0) goes on; valid until the
 * next one. False: there is none, or it is not in the form that it should have. */
bool fcall_next(struct fcall_reply *reply, unsigned run, struct slice *out);
void fcall_close(struct fcall_reply *reply);
