/* batch: see batch.h. Tests: tests/unit/engine/test_lane.c. */
#include "daemon/engine/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/decimal.h"
#include "daemon/engine/frees.h"
#include "proto/pack.h"

enum {
    AGAIN_NS = 100000000, /* when one is tried again that failed for no want of time */
    HEAD_STRINGS = 6,     /* FCALL function 2 PREFIX CHANNEL HEADER */
    PART_STRINGS = 6,
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

/* Takes what goes into the next batch from the queue. */
static void gather(struct lane *lane)
{
    size_t bytes = 0;
    struct op *op = TAILQ_FIRST(&lane->queue);
    lane->nparts = 0;
    lane->frees = lane->is_full && op != NULL && op_frees(op);
    lane->is_full = false;
    while ((op = TAILQ_FIRST(&lane->queue)) != NULL) {
        const struct op *first = TAILQ_FIRST(&lane->sent);
        bytes += op_size(op);
        bool fits = bytes <= LANE_BYTES_MOST && lane->nparts + op->count <= LANE_OPS_MOST;
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

static void pack_header(const struct lane *lane, struct buffer *out)
{
    const struct lanes *lanes = lane->lanes;
    const struct lanes_options *options = &lanes->options;
    const struct op *first = TAILQ_FIRST(&lane->sent);
    bool is_atomic = first != NULL && first->is_atomic;
    pack_array(out, 8);
    pack_string(out, options->host);
    pack_uint(out, lanes->tenure.epoch);
    pack_uint(out, lane->until);
    pack_uint(out, lane->seq);
    pack_uint(out, lane->ack);
    pack_uint(out, options->now_ms == NULL ? 0 : options->now_ms(options->now_data));
    pack_string(out, is_atomic ? "atomic" : "");
    pack_string(out, "");
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

static size_t count_argv(const struct lane *lane)
{
    size_t count = HEAD_STRINGS;
    const struct op *op;
    TAILQ_FOREACH (op, &lane->sent, link) {
        for (unsigned i = 0; i < op->count; i++) {
            count += PART_STRINGS + op->parts[i].arguments.count;
        }
    }
    return count;
}

/* The strings of one part; returns how many. */
static size_t put_part(struct op *op, struct op_part *part, struct slice *argv)
{
    size_t n = 0;
    size_t nargs = decimal_write(part->nargs, part->arguments.count - 1);
    argv[n++] = slice_of_string(part->verb);
    argv[n++] = part_name(part);
    argv[n++] = buffer_slice(&part->version);
    argv[n++] = slice_of_string(op->session_text);
    argv[n++] = slice_of_string(op->wait_text);
    argv[n++] = (struct slice){(const uint8_t *)part->nargs, nargs};
    for (unsigned i = 1; i < part->arguments.count; i++) {
        argv[n++] = argument_at(&part->arguments, i);
    }
    return n;
}

static size_t put_ops(const struct lane *lane, struct slice *argv)
{
    size_t n = 0;
    struct op *op;
    TAILQ_FOREACH (op, &lane->sent, link) {
        (void)decimal_write(op->session_text, op->session);
        (void)decimal_write(op->wait_text, op->is_late ? 0 : op->wait);
        for (unsigned i = 0; i < op->count; i++) {
            n += put_part(op, &op->parts[i], argv + n);
        }
    }
    return n;
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
    struct buffer header = {0};
    lane->until = lanes->tenure.until;
    pack_header(lane, &header);
    int status = header.failed ? ERR_MEMORY : reserve_argv(lanes, count_argv(lane));
    if (status == 0) {
        struct slice *argv = lanes->argv;
        argv[0] = slice_of_string("FCALL");
        argv[1] = slice_of_string(lane->frees ? lanes->options.freeing : lanes->options.function);
        argv[2] = slice_of_string("2");
        argv[3] = buffer_slice(&lane->prefix);
        argv[4] = buffer_slice(&lane->channel);
        argv[5] = buffer_slice(&header);
        size_t count = HEAD_STRINGS + put_ops(lane, argv + HEAD_STRINGS);
        lane->request = (struct request){.done = batch_done,
                                         .wait_replicas = lanes->options.wait_replicas,
                                         .wait_ms = lanes->options.replicas_ms};
        cluster_send(lanes->cluster, &lane->request, buffer_slice(&lane->prefix), count, argv,
                     time_left(lane));
        lane->under_way = true;
        lanes->under_way++;
        lanes->figures.batches++;
    }
    buffer_deinit(&header);
    return status;
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

/* "NOW DUE NAME": an object of those that were touched is due at DUE; 0: none is. */
static void read_due(struct lane *lane, struct slice text)
{
    char numbers[64];
    uint64_t now;
    uint64_t due;
    int name_at = 0;
    size_t len = text.len < sizeof(numbers) - 1 ? text.len : sizeof(numbers) - 1;
    memcpy(numbers, text.data, len);
    numbers[len] = '\0';
    if (sscanf(numbers, "%" SCNu64 " %" SCNu64 "%n", &now, &due, &name_at) != 2 || due == 0 ||
        (size_t)name_at + 1 >= text.len) {
        return;
    }
    lane_note_due(lane, slice_from(text, (size_t)name_at + 1), due > now ? due - now : 0);
}

static bool is_reply_to(const struct lane *lane, const struct redisReply *reply)
{
    const struct op *first = TAILQ_FIRST(&lane->sent);
    bool is_atomic = first != NULL && first->is_atomic;
    size_t least = is_atomic || first == NULL ? 1 : 2;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < least ||
        reply->elements > lane->nparts + 1U) {
        return false;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        if (reply->element[i]->type != REDIS_REPLY_STRING) {
            return false;
        }
    }
    return true;
}

/* The function stops when its replies are many bytes: the ops behind are the first of the next
 * batch. */
static void put_back_rest(struct lane *lane, size_t count)
{
    struct op *op = TAILQ_LAST(&lane->sent, op_list);
    for (size_t parts = lane->nparts; parts > count && !op->is_atomic;
         op = TAILQ_LAST(&lane->sent, op_list)) {
        parts -= op->count;
        TAILQ_REMOVE(&lane->sent, op, link);
        op->is_sent = false;
        TAILQ_INSERT_HEAD(&lane->queue, op, link);
    }
}

static void deal_out(struct lane *lane, const struct redisReply *reply)
{
    struct lanes *lanes = lane->lanes;
    bool unconfirmed = lane->request.replicas < lanes->options.wait_replicas;
    struct op_list ending;
    struct slice replies[LANE_OPS_MOST];
    struct slice *all = replies;
    size_t count = reply->elements - 1;
    size_t at = 0;
    if (count > LANE_OPS_MOST) { /* one long atomic */
        all = calloc(count, sizeof(*all));
    }
    if (all == NULL) {
        batch_fail(&lane->sent, OP_UNKNOWN, "there is no memory for its replies");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct redisReply *one = reply->element[i + 1];
        all[i] = (struct slice){(const uint8_t *)one->str, (size_t)one->len};
    }
    put_back_rest(lane, count);
    TAILQ_INIT(&ending);
    TAILQ_CONCAT(&ending, &lane->sent, link);
    while (!TAILQ_EMPTY(&ending)) {
        struct op *op = TAILQ_FIRST(&ending);
        size_t mine = op->count < count - at ? op->count : count - at;
        const struct outcome outcome = {
            .fate = OP_DONE, .count = mine, .replies = all + at, .unconfirmed = unconfirmed};
        at += mine;
        batch_end_op(&ending, op, &outcome);
    }
    if (all != replies) {
        free(all);
    }
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
    } else if (!is_reply_to(lane, reply)) {
        batch_fail(&lane->sent, OP_UNKNOWN, "the engine answered with something else");
    } else {
        lane->mailbox.acked = lane->ack;
        read_due(lane, (struct slice){(const uint8_t *)reply->element[0]->str,
                                      (size_t)reply->element[0]->len});
        deal_out(lane, reply);
    }
    lane_make_ready(lane);
    lane_unuse(lane);
    lanes->listener.settle(lanes->listener.data);
}
