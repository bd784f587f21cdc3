/* batch: see batch.h. Tests: tests/unit/engine/test_lane.c. */
#include "daemon/engine/batch.h"

#include <stdlib.h>

#include "daemon/engine/fcall.h"
#include "daemon/engine/frees.h"

enum {
    AGAIN_NS = 100000000, /* when one is tried again that failed for no want of time */
    HEAD_STRINGS = 6,     /* FCALL function 2 PREFIX CHANNEL HEAD */
    NS_PER_MS = 1000000,
};

static const char no_tenure[] =
    "the daemon's lease in the engine has run out, as the engine could not be reached in time";

/* An op ends. */
void batch_end_op(struct op_list *list, struct op *op, const struct outcome *outcome)
{
    TAILQ_REMOVE(list, op, link);
    op->lane->lanes->figures.failed += outcome->fate != OP_DONE;
    op->lane = NULL;
    op->done(op, outcome);
}

void batch_fail(struct op_list *list, enum op_fate fate, const char *why)
{
    const struct outcome outcome = {.fate = fate, .why = why};
    struct op_list ending;
    TAILQ_INIT(&ending);
    TAILQ_CONCAT(&ending, list, link); /* what is submitted meanwhile is not among them */
    while (!TAILQ_EMPTY(&ending)) {
        batch_end_op(&ending, TAILQ_FIRST(&ending), &outcome);
    }
}

/* Long replies come in few at a time: a node that works on one, or sends it, does nothing else.
 * What the next ones will be like is reckoned by the last. */
static size_t ops_most(const struct lane *lane)
{
    size_t fit = LANE_REPLY_MOST / (lane->reply_average + 1);
    return fit < 1 ? 1 : fit < LANE_OPS_MOST ? fit : LANE_OPS_MOST;
}

static void note_length(struct lane *lane, size_t len)
{
    size_t average = lane->nparts == 0 ? 0 : len / lane->nparts;
    size_t half = lane->reply_average / 2;
    lane->reply_average = average > half ? average : half;
}

/* Takes what goes into the next batch from the queue. */
static void gather(struct lane *lane)
{
    size_t bytes = 0;
    size_t most = ops_most(lane);
    struct op *op = TAILQ_FIRST(&lane->queue);
    lane->nparts = 0;
    lane->frees = lane->is_full && op != NULL && op_frees(op);
    lane->is_full = false;
    while ((op = TAILQ_FIRST(&lane->queue)) != NULL) {
        const struct op *first = TAILQ_FIRST(&lane->sent);
        bytes += op_size(op);
        bool fits = bytes <= LANE_BYTES_MOST && lane->nparts + op->count <= most;
        if (first != NULL &&
            (!fits || op->is_atomic || first->is_atomic || (lane->frees && !op_frees(op)))) {
            break;
        }
        TAILQ_REMOVE(&lane->queue, op, link);
        TAILQ_INSERT_TAIL(&lane->sent, op, link);
        op->is_sent = true;
        lane->nparts += op->count;
    }
}

static void put_head(const struct lane *lane, struct buffer *out)
{
    const struct lanes *lanes = lane->lanes;
    const struct lanes_options *options = &lanes->options;
    const struct op *first = TAILQ_FIRST(&lane->sent);
    const struct fcall_head head = {
        .host = options->host,
        .epoch = lanes->tenure.epoch,
        .until = lane->until,
        .seq = lane->seq,
        .ack = lane->ack,
        .now = options->now_ms == NULL ? 0 : options->now_ms(options->now_data),
        .is_atomic = first != NULL && first->is_atomic,
    };
    fcall_put_head(out, &head);
}

static int reserve_argv(struct lanes *lanes, size_t count)
{
    if (count <= lanes->argv_cap) {
        return 0;
    }
    size_t cap = count * 2;
    struct slice *argv = realloc(lanes->argv, cap * sizeof(*argv));
    if (argv == NULL) {
        return ERR_MEMORY;
    }
    lanes->argv = argv;
    lanes->argv_cap = cap;
    return 0;
}

/* For how long the oldest op of the batch may still wait, in milliseconds. */
static uint64_t time_left(const struct lane *lane)
{
    uint64_t now = lanes_now(lane->lanes);
    uint64_t deadline = now + lane->lanes->options.timeout_ms * NS_PER_MS;
    const struct op *op;
    TAILQ_FOREACH (op, &lane->sent, link) {
        if (op->deadline < deadline) {
            deadline = op->deadline;
        }
    }
    return deadline <= now ? 0 : (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
}

static void batch_done(struct request *request, const struct redisReply *reply,
                       enum request_fate fate, const char *why);

/* Sends what stands in lane->sent, for the first time or once more.
 *
 * Two keys are named, neither of which is ever there: so a node that is giving the slot away, or
 * getting it, answers ASK and TRYAGAIN, and the function is not run where only a part of the tag's
 * keys is. */
static int send_batch(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;
    struct buffer *made = &lanes->made;
    size_t bytes;
    size_t most = HEAD_STRINGS + fcall_count(&lane->sent, &bytes);
    lane->until = lanes->tenure.until;
    made->len = 0;
    put_head(lane, made);
    size_t head = made->len;
    if (buffer_reserve(made, bytes) < 0 || reserve_argv(lanes, most) < 0) {
        made->failed = false;
        return ERR_MEMORY;
    }
    struct slice *argv = lanes->argv;
    argv[0] = slice_of_string("FCALL");
    argv[1] = slice_of_string(lane->frees ? lanes->options.freeing : lanes->options.function);
    argv[2] = slice_of_string("2");
    argv[3] = buffer_slice(&lane->prefix);
    argv[4] = buffer_slice(&lane->channel);
    argv[5] = (struct slice){made->data, head};
    size_t count = HEAD_STRINGS + fcall_put_ops(&lane->sent, made, argv + HEAD_STRINGS);
    lane->request = (struct request){.done = batch_done,
                                     .wait_replicas = lanes->options.wait_replicas,
                                     .wait_ms = lanes->options.replicas_ms};
    cluster_send(lanes->cluster, &lane->request, buffer_slice(&lane->prefix), count, argv,
                 time_left(lane));
    lane->under_way = true;
    lanes->under_way++;
    lanes->figures.batches++;
    return 0;
}

bool batch_can_begin(const struct lane *lane)
{
    const struct lanes *lanes = lane->lanes;
    return !lane->under_way && lane_is_busy(lane) && lane->paused_until <= lanes_now(lanes) &&
           lanes_may_send(lanes); /* else they wait for a lease, as long as they may */
}

void batch_begin(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;
    gather(lane);
    lane->wants_batch = false;
    lane->is_unknown = false;
    lane->seq = ++lanes->seq;
    lane->ack = lane_ack(lane);
    lane_end_ack(lane);
    lanes->figures.ops += lane->nparts;
    if (send_batch(lane) < 0) {
        batch_fail(&lane->sent, OP_NOT_DONE, "there is no memory to send it");
        lane_make_ready(lane);
    }
}

/* Answers. */

/* Takes a number and the space behind it off the front. False: there is none. */
static bool take_number(struct slice *text, uint64_t *out)
{
    size_t len = 0;
    *out = 0;
    for (; len < text->len && text->data[len] >= '0' && text->data[len] <= '9'; len++) {
        uint64_t digit = text->data[len] - (uint64_t)'0';
        if (__builtin_mul_overflow(*out, (uint64_t)10, out) ||
            __builtin_add_overflow(*out, digit, out)) {
            return false;
        }
    }
    if (len == 0 || len == text->len || text->data[len] != ' ') {
        return false;
    }
    *text = slice_from(*text, len + 1);
    return true;
}

/* "NOW DUE NAME": an object of those that were touched is due at DUE; 0: none is. */
static void read_due(struct lane *lane, struct slice text)
{
    uint64_t now;
    uint64_t due;
    if (take_number(&text, &now) && take_number(&text, &due) && due > 0 && text.len > 0) {
        lane_note_due(lane, text, due > now ? due - now : 0);
    }
}

static const char something_else[] = "the engine answered with something else";

/* The replies of all calls of an op; *count gets how many there are, fewer if an atomic one has
 * stopped. False: it is no reply of the function. */
static bool take_replies_of(const struct op *op, struct fcall_reply *reply, struct slice *replies,
                            size_t *count)
{
    for (*count = 0; *count < op->count; (*count)++) {
        if (!fcall_next(reply, op->run, &replies[*count])) {
            return op->is_atomic && reply->runs == 0 && reply->rest.len == 0;
        }
    }
    return true;
}

/* They are sent before all others. */
static void send_first(struct lane *lane, struct op_list *list)
{
    struct op *op;
    while ((op = TAILQ_LAST(list, op_list)) != NULL) {
        TAILQ_REMOVE(list, op, link);
        op->is_sent = false;
        TAILQ_INSERT_HEAD(&lane->queue, op, link);
    }
}

/* With an empty reply it was put off, as those before it took long: it goes to `again`. */
static void end_with_reply(struct op_list *ending, struct op_list *again, struct op *op,
                           struct fcall_reply *reply, bool unconfirmed)
{
    struct slice one;
    struct slice *replies = op->count == 1 ? &one : calloc(op->count, sizeof(*replies));
    struct outcome outcome = {.fate = OP_DONE, .replies = replies, .unconfirmed = unconfirmed};
    if (replies == NULL) {
        outcome = (struct outcome){.fate = OP_UNKNOWN, .why = "there is no memory for its replies"};
    } else if (!take_replies_of(op, reply, replies, &outcome.count)) {
        outcome = (struct outcome){.fate = OP_UNKNOWN, .why = something_else};
    }
    if (outcome.fate == OP_DONE && !op->is_atomic && outcome.count > 0 && replies[0].len == 0) {
        TAILQ_REMOVE(ending, op, link);
        TAILQ_INSERT_TAIL(again, op, link);
    } else {
        batch_end_op(ending, op, &outcome);
    }
    if (replies != &one) {
        free(replies);
    }
}

/* Gives the ops of a batch that was done their replies. */
static void deal_out(struct lane *lane, struct op_list *ending, struct fcall_reply *reply,
                     bool unconfirmed)
{
    struct op_list again;
    TAILQ_INIT(&again);
    while (!TAILQ_EMPTY(ending)) {
        end_with_reply(ending, &again, TAILQ_FIRST(ending), reply, unconfirmed);
    }
    send_first(lane, &again);
}

static bool begins_with(const struct redisReply *reply, const char *word)
{
    return strncmp(reply->str, word, strlen(word)) == 0;
}

/* The batch as a whole was answered with an error. */
static void take_error(struct lane *lane, const struct redisReply *reply)
{
    struct lanes *lanes = lane->lanes;
    if (begins_with(reply, "FENCED")) {
        if (lane->until < lanes->tenure.until && lanes_may_send(lanes) && send_batch(lane) == 0) {
            lanes->figures.again++; /* the lease has been renewed meanwhile */
            return;
        }
        lanes->tenure.good_until = 0; /* which those who are told now can see */
        batch_fail(&lane->sent, OP_NOT_DONE, no_tenure);
        lanes->listener.fenced(lanes->listener.data);
        return;
    }
    /* What the function itself, or a command in it, has failed with may have been half done; what
     * the server refuses has not been begun. */
    bool ran = begins_with(reply, "ERR") || begins_with(reply, "STALE") ||
               strstr(reply->str, "script:") != NULL || strstr(reply->str, "@user_") != NULL;
    batch_fail(&lane->sent, ran ? OP_UNKNOWN : OP_NOT_DONE, reply->str);
}

/* Moves what frees memory of the engine from one list to the end of another. */
static void move_freeing(struct op_list *from, struct op_list *to)
{
    struct op *next;
    for (struct op *op = TAILQ_FIRST(from); op != NULL; op = next) {
        next = TAILQ_NEXT(op, link);
        if (op_frees(op)) {
            TAILQ_REMOVE(from, op, link);
            TAILQ_INSERT_TAIL(to, op, link);
        }
    }
}

/* It was not run, or nobody knows. What is the daemon's own comes again; so do calls that still
 * have time, if they certainly have not been run; and if the engine had no memory what frees some,
 * alone. */
static void take_failure(struct lane *lane, const char *why)
{
    struct lanes *lanes = lane->lanes;
    uint64_t now = lanes_now(lanes);
    const struct outcome outcome = {.fate = lane->is_unknown ? OP_UNKNOWN : OP_NOT_DONE,
                                    .why = why == NULL ? "out of memory" : why};
    bool is_late = time_left(lane) == 0;
    struct op_list ending;
    struct op_list freeing;
    struct op *op;
    TAILQ_INIT(&freeing);
    if (!lane->is_unknown && !lane->frees && strstr(outcome.why, ": OOM ") != NULL) {
        move_freeing(&lane->sent, &freeing);
    }
    lane->is_full = !TAILQ_EMPTY(&freeing);
    TAILQ_INIT(&ending);
    TAILQ_CONCAT(&ending, &lane->sent, link);
    while ((op = TAILQ_LAST(&ending, op_list)) != NULL) {
        TAILQ_REMOVE(&ending, op, link);
        bool has_time = is_late && !lane->is_unknown && op->deadline > now;
        if (op->deadline == TIME_NEVER || has_time) {
            op->is_sent = false;
            TAILQ_INSERT_HEAD(&lane->queue, op, link);
        } else {
            TAILQ_INSERT_HEAD(&lane->sent, op, link);
        }
    }
    send_first(lane, &freeing);
    TAILQ_CONCAT(&ending, &lane->sent, link);
    while (!TAILQ_EMPTY(&ending)) {
        batch_end_op(&ending, TAILQ_FIRST(&ending), &outcome);
    }
    if (!is_late && !lane->is_full) {
        lane->paused_until = now + AGAIN_NS;
    }
}

/* What such a one got is given back by an op in front of those that are in the lane, its session's
 * end among them. */
static bool has_orphan(const struct op_list *ops)
{
    const struct op *op = TAILQ_FIRST(ops);
    while (op != NULL && !op->is_orphan) {
        op = TAILQ_NEXT(op, link);
    }
    return op != NULL;
}

/* It was done. The next one is sent before its replies are dealt out: while that is done here the
 * server is at work. What comes again of this one stands behind all the same, as it would now. */
static void take_replies(struct lane *lane, const struct redisReply *from)
{
    struct fcall_reply reply;
    struct slice status;
    bool unconfirmed = lane->request.replicas < lane->lanes->options.wait_replicas;
    struct op_list ending;
    if (!fcall_open(&reply, from, &status)) {
        batch_fail(&lane->sent, OP_UNKNOWN, something_else);
        return;
    }
    note_length(lane, from->len);
    bool is_put_off = status.len > 0 && status.data[0] == '+'; /* some goes before what follows */
    lane->mailbox.acked = lane->ack;
    read_due(lane, slice_from(status, is_put_off));
    TAILQ_INIT(&ending);
    TAILQ_CONCAT(&ending, &lane->sent, link);
    if (!is_put_off && !has_orphan(&ending) && !TAILQ_EMPTY(&lane->queue) &&
        batch_can_begin(lane)) {
        cluster_gather(lane->lanes->cluster);
        batch_begin(lane);
        cluster_flush(lane->lanes->cluster);
    }
    deal_out(lane, &ending, &reply, unconfirmed);
    fcall_close(&reply);
}

static void batch_done(struct request *request, const struct redisReply *reply,
                       enum request_fate fate, const char *why)
{
    struct lane *lane = (struct lane *)((char *)request - offsetof(struct lane, request));
    struct lanes *lanes = lane->lanes;
    lane->under_way = false;
    lanes->under_way--;
    lane->users++; /* until the end of this */
    if (fate == REQUEST_UNKNOWN && time_left(lane) > 0 && lanes_may_send(lanes)) {
        lane->is_unknown = true;
        lanes->figures.again++;
        if (send_batch(lane) < 0) {
            take_failure(lane, "out of memory");
        }
    } else if (fate != REQUEST_DONE) {
        lane->is_unknown |= fate == REQUEST_UNKNOWN;
        take_failure(lane, why);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        take_error(lane, reply);
    } else {
        take_replies(lane, reply);
    }
    lane_make_ready(lane);
    lane_unuse(lane);
    lanes->listener.settle(lanes->listener.data);
}
