/* lanes: see lanes.h. Tests: tests/unit/engine/test_lane.c. */
#include "daemon/engine/lanes.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/engine/batch.h"

enum {
    SWEEP_NS = 100000000, /* how often is looked for ops that have stood for too long */
    NS_PER_MS = 1000000,
};

/* Sending. */

static void flush(evutil_socket_t fd, short what, void *data)
{
    struct lanes *lanes = data;
    struct lane_list now;
    struct lane *lane;
    TAILQ_INIT(&now);
    TAILQ_CONCAT(&now, &lanes->ready, ready);
    cluster_gather(lanes->cluster);
    while ((lane = TAILQ_FIRST(&now)) != NULL) {
        TAILQ_REMOVE(&now, lane, ready);
        lane->is_ready = false;
        if (batch_can_begin(lane)) {
            batch_begin(lane);
        }
    }
    cluster_flush(lanes->cluster);
    lanes->listener.settle(lanes->listener.data);
    lanes_trim(lanes);
}

void lanes_fail(struct lanes *lanes, const char *why)
{
    struct lane *lane;
    struct lane *next;
    for (lane = TAILQ_FIRST(&lanes->lists[LANE_BUSY]); lane != NULL; lane = next) {
        lane->users++;
        if (lane->under_way) {
            cluster_forget(lanes->cluster, &lane->request);
            lane->under_way = false;
            lanes->under_way--;
        }
        batch_fail(&lane->sent, OP_UNKNOWN, why);
        batch_fail(&lane->queue, OP_NOT_DONE, why);
        lane->wants_batch = false;
        next = TAILQ_NEXT(lane, link);
        lane_unuse(lane);
    }
}

/* Time. */

void lanes_set_tenure(struct lanes *lanes, const struct tenure *tenure)
{
    bool is_new = tenure->epoch != lanes->tenure.epoch;
    struct lane *lane;
    lanes->tenure = *tenure;
    TAILQ_FOREACH (lane, &lanes->lists[LANE_BUSY], link) {
        lane_make_ready(lane); /* what has waited for it */
    }
    for (uint32_t i = 0; is_new && (i = ordered_next(&lanes->tags, i)) != ORDERED_NONE; i++) {
        lane_set_channel((struct lane *)lanes->tags.entries[i]);
    }
}

uint64_t lanes_due(const struct lanes *lanes)
{
    const struct deadline *deadline = heap_top(&lanes->dues);
    const struct lane *ack = TAILQ_FIRST(&lanes->acks);
    uint64_t at = deadline == NULL ? TIME_NEVER : deadline->at;
    if (ack != NULL && ack->mailbox.ack_due < at) {
        at = ack->mailbox.ack_due;
    }
    uint64_t sweep = lanes_now(lanes) + SWEEP_NS;
    return !TAILQ_EMPTY(&lanes->lists[LANE_BUSY]) && sweep < at ? sweep : at;
}

/* The ops that have stood in a lane for as long as they may. */
static void expire(struct lane *lane, uint64_t now)
{
    static const struct outcome outcome = {
        .fate = OP_NOT_DONE,
        .why = "the engine has not answered what was asked before it, within engine_timeout"};
    struct op *next;
    for (struct op *op = TAILQ_FIRST(&lane->queue); op != NULL; op = next) {
        next = TAILQ_NEXT(op, link);
        if (op->deadline <= now) {
            batch_end_op(&lane->queue, op, &outcome);
        } else if (op->deadline != TIME_NEVER) {
            break;
        }
    }
}

static void tick_done(struct op *op, const struct outcome *outcome)
{
    op_deinit(op);
    free(op);
}

static void send_tick(struct lane *lane, struct slice name)
{
    struct op *op = malloc(sizeof(*op));
    if (op != NULL) {
        op_init(op, "tick", name);
        op->deadline = lanes_now(lane->lanes) + lane->lanes->options.timeout_ms * NS_PER_MS;
        op->done = tick_done;
        lane_submit(lane, op);
    }
}

void lanes_tick(struct lanes *lanes, uint64_t now)
{
    struct deadline *deadline;
    struct lane *lane;
    struct lane *next;
    while ((deadline = heap_top(&lanes->dues)) != NULL && deadline->at <= now) {
        struct due *due = (struct due *)((char *)deadline - offsetof(struct due, deadline));
        lane = due->lane;
        send_tick(lane, (struct slice){due->name, due->name_len});
        due_free(due);
        lane_place(lane);
    }
    while ((lane = TAILQ_FIRST(&lanes->acks)) != NULL && lane->mailbox.ack_due <= now) {
        lane_end_ack(lane);
        lane->wants_batch = true;
        lane_place(lane);
        lane_make_ready(lane);
    }
    for (lane = TAILQ_FIRST(&lanes->lists[LANE_BUSY]); lane != NULL; lane = next) {
        lane->users++;
        expire(lane, now);
        lane_make_ready(lane);
        next = TAILQ_NEXT(lane, link);
        lane_unuse(lane);
    }
    lanes->listener.settle(lanes->listener.data);
}

bool lanes_are_busy(const struct lanes *lanes)
{
    return lanes->under_way > 0 || !TAILQ_EMPTY(&lanes->ready);
}

/* All of them. */

static bool is_earlier(const void *a, const void *b)
{
    return ((const struct deadline *)a)->at < ((const struct deadline *)b)->at;
}

static uint32_t *position_of(void *deadline)
{
    return &((struct deadline *)deadline)->position;
}

int lanes_init(struct lanes *lanes, struct event_base *base, struct cluster *cluster,
               const struct lanes_options *options, const struct lanes_listener *listener)
{
    *lanes = (struct lanes){.options = *options,
                            .listener = *listener,
                            .cluster = cluster,
                            .dues = {.before = is_earlier, .position = position_of}};
    lanes->seed = 0x9e3779b97f4a7c15;
    ordered_init(&lanes->tags);
    TAILQ_INIT(&lanes->ready);
    TAILQ_INIT(&lanes->acks);
    for (size_t i = 0; i < LANE_STATES; i++) {
        TAILQ_INIT(&lanes->lists[i]);
    }
    return event_assign(&lanes->flush, base, -1, 0, flush, lanes) < 0 ? ERR_MEMORY : 0;
}

void lanes_deinit(struct lanes *lanes)
{
    struct lane *lane;
    lanes->listener.leaves = NULL;
    for (size_t i = 0; i < LANE_STATES; i++) {
        while ((lane = TAILQ_FIRST(&lanes->lists[i])) != NULL) {
            assert(!lane->under_way && TAILQ_EMPTY(&lane->queue));
            lane_free(lane);
        }
    }
    ordered_deinit(&lanes->tags, NULL);
    heap_deinit(&lanes->dues);
    (void)event_del(&lanes->flush);
    free(lanes->argv);
    buffer_deinit(&lanes->last_name);
    buffer_deinit(&lanes->made);
    buffer_deinit(&lanes->prefix);
}
