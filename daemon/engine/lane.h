/*
 * lane: the way of ops to the keys of one tag, in their order.
 *
 * What comes in one turn of the event loop, and while a batch is under way, is gathered and sent as
 * one batch, one FCALL; one batch is under way at a time. Each has a number of its own: one whose
 * connection was lost comes again with the same number and the same ops, and the function runs it
 * once. A lane is there while something uses it, and a while longer.
 *
 * Nothing is sent without a tenure: the time for which the lease of this daemon is known to hold
 * (lease.h). It is in the head of each batch too, and the function does nothing after it.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "daemon/call/job.h"
#include "daemon/engine/cluster.h"
#include "daemon/engine/op.h"
#include "daemon/objects/deadline.h"
#include "daemon/objects/ordered.h"

enum {
    LANE_OPS_MOST = 1024,              /* parts in one batch, */
    LANE_BYTES_MOST = 1024 * 1024,     /* and bytes, but for one op that is longer alone */
    LANE_REPLY_MOST = 4 * 1024 * 1024, /* and bytes of replies, roughly */
    LANES_IDLE_MOST = 256,             /* lanes that nobody uses and that are kept */
};

struct lanes;

/* What waits.c keeps of a lane; zeroed at first. */
struct mailbox {
    bool subscribed;  /* its channel is asked for */
    bool confirmed;   /* and was subscribed to, once at least */
    bool fetching;    /* an outbox.fetch is on its way */
    bool fetch_again; /* and another one is needed behind it */
    uint64_t last;    /* the number of the last entry that was looked at */
    uint64_t held;    /* the lowest one that must not be forgotten yet; 0: none */
    uint64_t acked;   /* the last one that a batch has told to forget */
    uint64_t ack_due; /* when it is to be told at the latest: monotonic, nanoseconds; 0: never */
    unsigned undoing; /* undeliver ops on their way */
};

/* Something that time changes in the engine. */
struct due {
    LIST_ENTRY(due) link; /* of its lane */
    struct deadline deadline;
    struct lane *lane;
    uint8_t name_len;
    uint8_t name[];
};

enum lane_state {
    LANE_IDLE, /* nobody uses it; the one that is longest idle first */
    LANE_KEPT, /* for waits, for what sessions left there, for what is due */
    LANE_BUSY, /* with ops */
    LANE_STATES,
};

struct lane {
    struct ordered_entry entry; /* of lanes->tags */
    struct lanes *lanes;
    enum lane_state state;
    TAILQ_ENTRY(lane) link;    /* of lanes->lists[state] */
    TAILQ_ENTRY(lane) ready;   /* of lanes->ready */
    TAILQ_ENTRY(lane) in_acks; /* of lanes->acks, while mailbox.ack_due is set */
    struct buffer prefix;      /* owned: of the keys of the tag */
    struct buffer channel;     /* owned */
    uint32_t hash;
    struct op_list queue; /* what is to be sent */
    struct op_list sent;  /* what the batch under way has */
    struct request request;
    uint64_t seq;         /* of the batch under way, */
    uint64_t until;       /* and the tenure that it was sent with, */
    uint64_t ack;         /* and what it acknowledges */
    size_t reply_average; /* bytes of a reply, lately */
    unsigned nparts;
    bool under_way;
    bool is_full; /* the engine had no memory for the last batch: what frees some is sent alone, */
    bool frees;   /* and that is the batch under way */
    bool is_unknown; /* it has been sent before, and its connection was lost */
    bool is_ready;
    bool wants_batch;      /* one is to be sent though there are no ops: it acknowledges */
    uint64_t paused_until; /* monotonic: it failed, and is not tried again before that */
    unsigned users;        /* what it is kept for: waits, sessions that left something there */
    LIST_HEAD(due_list, due) dues;
    struct mailbox mailbox;
};

TAILQ_HEAD(lane_list, lane);

/* For how long the lease is known to hold. */
struct tenure {
    uint64_t epoch;
    uint64_t until;      /* by the clock of Redis, in milliseconds */
    uint64_t good_until; /* by the clock of this machine, monotonic, in nanoseconds; 0: there is
                            none */
};

struct lanes_listener {
    /* A batch was refused because the lease is over, though it was thought to hold. */
    void (*fenced)(void *data);
    /* Answers may have been given, in this turn. */
    void (*settle)(void *data);
    /* A lane is about to be forgotten. */
    void (*leaves)(void *data, struct lane *lane);
    void *data;
};

struct lanes_options {
    const char *realm; /* not owned; so are the others */
    const char *host;
    const char *function; /* the name of the function, */
    const char *freeing;  /* and of that for what frees (frees.h) */
    const char *tag;      /* of all names; NULL: each has its own */
    struct clock clock;
    uint64_t timeout_ms; /* how long an engine that is away is waited for */
    unsigned wait_replicas;
    uint64_t replicas_ms;           /* and how long for those */
    uint64_t (*now_ms)(void *data); /* the time that the function goes by; NULL: the engine's */
    void *now_data;
};

struct lanes_figures {
    uint64_t batches;
    uint64_t ops;
    uint64_t again;  /* batches that were sent once more */
    uint64_t failed; /* ops that have not been done, or nobody knows */
};

struct lanes {
    struct lanes_options options;
    struct lanes_listener listener;
    struct cluster *cluster; /* not owned */
    struct tenure tenure;
    struct ordered tags;
    uint64_t seed;
    uint64_t seq; /* of the last batch of all */
    struct event flush;
    struct lane_list ready; /* to be sent at the end of this turn */
    struct lane_list lists[LANE_STATES];
    struct lane_list acks; /* with something to be acknowledged, the earliest first */
    unsigned nidle;
    unsigned under_way; /* batches */
    struct heap dues;
    struct slice *argv; /* owned: scratch */
    size_t argv_cap;
    struct lane *last;       /* of the name that was asked for last; NULL: none yet */
    struct buffer last_name; /* owned */
    struct buffer made;      /* owned: scratch: the bytes to which strings in argv refer */
    struct buffer prefix;    /* scratch too */
    struct lanes_figures figures;
};

/* The lane of the tag of a name; or that of keys with a prefix. Made if it is not there; NULL for
 * want of memory. Whoever keeps the pointer says lane_use. */
struct lane *lanes_of_name(struct lanes *lanes, struct slice name);
struct lane *lanes_of_prefix(struct lanes *lanes, struct slice prefix);
/* The lane with that channel, or NULL. */
struct lane *lanes_of_channel(const struct lanes *lanes, struct slice channel);

void lane_use(struct lane *lane);
void lane_unuse(struct lane *lane);

/* The op is sent behind those that are in the lane: in this turn, if none is under way. It is ended
 * by its done, never within this call. */
void lane_submit(struct lane *lane, struct op *op);
/* The same, before those that have not been sent yet. */
void lane_submit_first(struct lane *lane, struct op *op);
/* Takes one that has not been sent yet out of its lane: true. False: it has been sent. */
bool lane_withdraw(struct op *op);
/* What was looked at of its mailbox is to be acknowledged: with the next batch, or one for that
 * alone a moment later. */
void lane_acknowledge(struct lane *lane);

/* True if the tenure holds at this time. */
bool lanes_may_send(const struct lanes *lanes);

/* The object of that name is due in `ms` milliseconds. */
void lane_note_due(struct lane *lane, struct slice name, uint64_t ms);

/* For batch.c and lanes.c. The time; whether there is something to be sent, or under way; the lane
 * goes to the list where it belongs; it is to be sent at the end of this turn; what its next batch
 * acknowledges; nothing is to be any more; lanes that are idle for longest go. */
uint64_t lanes_now(const struct lanes *lanes);
bool lane_is_busy(const struct lane *lane);
void lane_place(struct lane *lane);
void lane_make_ready(struct lane *lane);
uint64_t lane_ack(const struct lane *lane);
void lane_end_ack(struct lane *lane);
void lane_free(struct lane *lane);
void lanes_trim(struct lanes *lanes);
void lane_set_channel(struct lane *lane);
void due_free(struct due *due);
